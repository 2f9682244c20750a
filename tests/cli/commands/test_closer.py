import json
from pathlib import Path

import pytest

from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from zooscope.study.snapshot import read_snapshot

NAMES = ("bundled:a", "bundled:b", "bundled:c", "timm:d")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each next classifier is farther from the first."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    write_study(folder, NAMES, num_images=120)
    return folder


def test_json_holds_the_difference_and_the_images_that_it_takes(study: Path) -> None:
    found = json.loads(call("closer", study, "bundled:a", "bundled:b", "timm:d", "--json", "--confidence", "0.9").stdout)
    expected = read_snapshot(study).closer("bundled:a", "bundled:b", "timm:d", confidence=0.9)
    assert (found["difference"], found["low"], found["high"]) == (expected.difference, expected.low, expected.high)
    assert found["images_for_80_percent_power"] == expected.images_for_80_percent_power
    assert found["certainty"] == expected.certainty
    assert found["is_told_apart"] is expected.is_told_apart is True
    assert (found["confidence"], found["images"]) == (0.9, 120)
    sat = read_snapshot(study).sat(confidence=0.9)
    assert found["sat"]["timm:d"]["score"] == float(sat.sel(a="bundled:a", b="timm:d"))
    assert found["difference"] == pytest.approx(found["sat"]["bundled:b"]["score"] - found["sat"]["timm:d"]["score"])


def test_text_says_who_is_closer_and_how_many_images_would_do(study: Path) -> None:
    text = " ".join(call("closer", study, "bundled:a", "timm:d", "bundled:b").stdout.split())
    assert text.startswith("a is closer to b than to timm:d.")
    assert "95 % interval" in text
    assert "images would tell so large a difference apart in four of five samples (80 % power); the study has 120." in text


def test_text_says_when_the_images_tell_nothing(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"), num_images=9)
    text = " ".join(call("closer", tmp_path, "b", "a", "c").stdout.split())
    assert "b seems closer to" in text
    assert "but these 9 images don't tell them apart." in text


def test_equal_scores_are_said_to_be_equal(tmp_path: Path) -> None:
    for count in range(3, 30, 3):  # one of these random studies has equal scores
        write_study(tmp_path / f"{count}", ("a", "b", "c"), num_images=count, accuracy=1.0)
        if read_snapshot(tmp_path / f"{count}").closer("b", "a", "c").difference == 0:
            break
    study = tmp_path / f"{count}"
    text = " ".join(call("closer", study, "b", "a", "c").stdout.split())
    assert f"b is as close to a as to c on these {count} images." in text
    assert "No number of images tells them apart, if they are as equal as on these." in text
    assert json.loads(call("closer", study, "b", "a", "c", "--json").stdout)["images_for_80_percent_power"] is None


def test_without_names_all_nearest_neighbours_are_listed(study: Path) -> None:
    text = call("closer", study).stdout
    table = read_snapshot(study).nearest()
    rows = [line.split() for line in text.splitlines()[1:5]]
    assert [row[:3] for row in rows] == [
        [str(name).removeprefix("bundled:"), row["nearest"].removeprefix("bundled:"), f"{row['sat']:.2f}"]
        for name, row in table.iterrows()
    ]
    assert f"Of 4 nearest neighbours {table['is_sure'].sum()} " in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    found = json.loads(call("closer", study, "--json").stdout)
    assert [row["nearest"] for row in found["nearest"]] == table["nearest"].tolist()
    assert [row["images_for_80_percent_power"] for row in found["nearest"]] == table["num_images"].tolist()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("bundled:a",), "name three classifiers: is bundled:a closer to B than to C? Without any name, all are shown."),
        (("bundled:a", "bundled:b"), "name three classifiers: is bundled:a closer to bundled:b than to C?"),
        (("bundled:a", "bundled:b", "bundled:b"), "asks for three different classifiers: got bundled:a, bundled:b, bundled:b."),
        (("bundled:a", "bundled:b", "bundled:x"), "'bundled:x'"),
    ],
)
def test_other_names_are_refused_in_one_sentence(study: Path, names: tuple[str, ...], sentence: str) -> None:
    result = call("closer", study, *names)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)


def test_a_pair_without_a_score_is_named_with_the_reason(tmp_path: Path) -> None:
    write_study(tmp_path / "targets", ("a", "b", "c"), targets_only=("c",))
    result = call("closer", tmp_path / "targets", "a", "b", "c")
    assert result.exit_code == 1
    assert "a and c have no score: c is a target only, and SAT takes both directions." in one_line(result.stderr)
    write_study(tmp_path / "blind", ("a", "b", "c"), num_measured=0)
    assert "a and b have no score: no image that both classify correctly is measured both ways;" in one_line(
        call("closer", tmp_path / "blind", "a", "b", "c").stderr
    )
    write_imported(tmp_path / "published")
    for names in ((), ("a", "b", "c")):
        result = call("closer", tmp_path / "published", *names)
        assert result.exit_code == 1
        assert "is an imported matrix and holds no intervals of differences" in one_line(result.stderr)


def test_both_answers_are_drawn(study: Path, tmp_path: Path) -> None:
    call("closer", study, "bundled:a", "bundled:b", "timm:d", "--out", tmp_path / "pair.csv", "--out", tmp_path / "pair.png")
    lines = (tmp_path / "pair.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == 'name,SAT,"SAT, low","SAT, high"'
    assert [line.split(",")[0] for line in lines[1:]] == ["with b", "with timm:d"]
    assert (tmp_path / "pair.png").stat().st_size > 1000
    call("closer", study, "--out", tmp_path / "all.csv")
    lines = (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5
    assert all(" over " in line for line in lines[1:])
