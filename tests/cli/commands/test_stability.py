import json
from pathlib import Path

import pytest

from tests.cli.calling import call, one_line
from tests.cli.zoo import write_zoo


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


def test_json_holds_the_spread_by_size_and_the_images_needed(zoo: Path) -> None:
    found = json.loads(call("stability", zoo, "--sizes", "3,6,60", "--width", "5", "--json").stdout)
    assert [row["images"] for row in found["by_size"]] == [3, 6, 60]
    assert [row["disjoint"] for row in found["by_size"]] == [True, True, False]
    assert found["needed"]["width"] == 5
    assert found["needed"]["images"] <= found["needed"]["images_for_the_widest_pair"]
    assert len(found["pairs"]) == 15
    assert (found["sets"], found["images"]) == (10, 60)


def test_a_pair_can_be_looked_at_alone(zoo: Path) -> None:
    text = call("stability", zoo, "--pair", "bundled:a0", "timm:b2").stdout
    assert "(a0 and timm:b2)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_the_text_says_what_is_extrapolated(zoo: Path) -> None:
    text = " ".join(call("stability", zoo).stdout.split())
    assert "over 10 sets of images (mean over 15 pairs)" in text
    assert "The study has 60. Extrapolated from the spread over its images, as 1 / sqrt(images)." in text
    assert "drawn with replacement" in text


@pytest.mark.parametrize(("sizes", "code"), [("3,many", 2), ("3,100", 1)])
def test_sizes_that_can_not_be_had_are_refused(zoo: Path, sizes: str, code: int) -> None:
    result = call("stability", zoo, "--sizes", sizes)
    assert result.exit_code == code
    message = "write it as" if code == 2 else "sizes must be between 1 and the 60 images"
    assert message in result.stderr


def test_an_unknown_classifier_is_refused(zoo: Path) -> None:
    assert "unknown classifier 'timm:b9'" in one_line(call("stability", zoo, "--pair", "timm:b0", "timm:b9").stderr)


def test_it_is_drawn(zoo: Path, tmp_path: Path) -> None:
    call("stability", zoo, "--out", tmp_path / "stability.csv")
    assert "standard deviation of SAT (percent points)" in (tmp_path / "stability.csv").read_text()
