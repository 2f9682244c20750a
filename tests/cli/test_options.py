import re

import pytest
import typer

from tests.cli.calling import call
from zooscope.attacks import LinfPGD
from zooscope.cli import options
from zooscope.cli.commands import demo
from zooscope.cli.options import parse_fraction
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.scores.matrices import CONFIDENCE
from zooscope.study.study import SHARD_SIZE


@pytest.mark.parametrize(
    ("text", "number"), [("8/255", 8 / 255), ("0.03", 0.03), ("1", 1.0), (" 2 / 255 ", 2 / 255), ("1e-2", 0.01)]
)
def test_a_fraction_is_a_number_or_a_ratio(text: str, number: float) -> None:
    assert parse_fraction(text) == number


@pytest.mark.parametrize("text", ["", "eight", "8/", "1/0", "8/255/2"])
def test_what_is_no_number_is_an_error_of_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"is no number; write it as 0\.03 or as 8/255\."):
        parse_fraction(text)


def test_the_command_line_says_what_is_no_number() -> None:
    result = call("compare", "a", "b", "--images", "c", "--epsilon", "many")
    assert result.exit_code == 2
    assert "'many' is no number" in result.stderr


def test_the_defaults_in_the_help_are_those_of_the_core() -> None:
    text = " ".join(call("measure", "--help").stdout.split())
    attack = LinfPGD()

    def default(option: str) -> str:
        found = re.search(rf"--{option} [A-Z]+ .*?\[default: \((.*?)\)\]", text)
        assert found
        return found[1]

    assert parse_fraction(default("epsilon")) == attack.epsilon
    assert parse_fraction(default("step-size")) == attack.step_size
    assert default("iterations") == str(attack.iterations)
    assert default("batch-size") == str(BATCH_SIZE)
    assert default("shard-size") == str(SHARD_SIZE)
    assert "[default: (no-random-start)]" in text
    assert not attack.random_start
    assert options.CONFIDENCE == CONFIDENCE
    assert f"[default: ({demo.NUM_IMAGES})]" in call("demo", "--help").stdout
