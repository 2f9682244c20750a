import json
from pathlib import Path

import pytest
import typer

from tests.cli.calling import call, one_line
from zooscope.cli.commands.components import ON_A_STUDY, WithDefault
from zooscope.components.vocabulary import COMPONENTS


def test_the_text_has_every_component_with_value_and_reason_in_80_columns() -> None:
    name, heading, *lines = call("components", "read", "bundled:vit").stdout.splitlines()
    assert name == "bundled:vit"
    assert heading.split() == ["Component", "Value", "Why"]
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(component.split()[0] in text for component in COMPONENTS)
    assert "Transformer" in text
    assert "patch_embed.proj" in text


def test_json_has_value_and_reason_of_every_component() -> None:
    found = json.loads(call("components", "read", "bundled:resnet", "--json").stdout)
    assert found["classifier"] == "bundled:resnet"
    assert list(found["components"]) == list(COMPONENTS)
    assert found["components"]["activation"]["value"] == "ReLU"
    assert all(set(reading) == {"value", "why", "is_guess"} and reading["why"] for reading in found["components"].values())


def test_a_network_of_the_paper_needs_no_weights() -> None:
    found = json.loads(call("components", "read", "paper:seresnet50", "--json").stdout)
    assert found["components"]["channel-wise attention"]["value"] == "Yes (SE)"


def test_a_users_file_overrides_a_value(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,base architecture\nbundled:swin,Hybrid\n", encoding="utf-8")
    found = json.loads(call("components", "read", "bundled:swin", "--override", file, "--json").stdout)
    assert found["components"]["base architecture"] == {"value": "Hybrid", "why": str(file), "is_guess": False}


def test_an_unknown_classifier_is_one_sentence() -> None:
    result = call("components", "read", "bundled:vitt")
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: unknown bundled classifier 'vitt'. Did you mean vit")


def test_the_help_explains_the_group_with_an_example() -> None:
    text = call("components", "--help").stdout
    assert "Example:\n    zooscope components read bundled:vit" in text
    assert "read " in text


@pytest.mark.parametrize("words", [["folder"], ["folder", "--json"], ["--json", "folder"]])
def test_a_first_word_that_is_no_command_goes_to_the_command_for_studies(words: list[str]) -> None:
    seen: list[tuple[str, bool]] = []
    group = typer.Typer(cls=WithDefault)

    @group.command()
    def read() -> None:
        raise AssertionError

    @group.command(name=ON_A_STUDY)
    def on_a_study(study: str, as_json: bool = typer.Option(False, "--json")) -> None:  # noqa: FBT001, FBT003  (as Typer has it)
        seen.append((study, as_json))

    typer.main.get_command(group)(words, standalone_mode=False)
    assert seen == [("folder", "--json" in words)]
