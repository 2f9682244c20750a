import json
from pathlib import Path

import pytest

from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from zooscope.analyses import find_kinship
from zooscope.scores.outcomes import find_same_mistakes
from zooscope.study.kin import collect_evidence
from zooscope.study.snapshot import read_snapshot

NAMES = ("bundled:a", "bundled:b", "bundled:c", "bundled:d", "timm:e")
SEEDS = ("bundled:c", "bundled:d")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each next classifier is farther from the first."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    write_study(folder, NAMES, num_images=120, architectures=("vit", "vit", "vit", "vit", "cnn"))
    return folder


def test_json_holds_the_relation_the_p_value_and_the_evidence(study: Path) -> None:
    found = json.loads(call("kin", study, "bundled:a", "bundled:b", "--seeds", *SEEDS, "--alpha", "0.1", "--json").stdout)
    snapshot = read_snapshot(study)
    architectures = {record.name: record.architecture for record in snapshot.classifier_records}
    mistakes = find_same_mistakes(snapshot.predictions)
    expected = find_kinship(mistakes, "bundled:a", "bundled:b", SEEDS, architectures=architectures, alpha=0.1)
    for key in ("relation", "reason", "p_value", "p_images", "p_seeds", "p_less_alike", "expected"):
        assert found[key] == getattr(expected, key)
    assert (found["false_positive_rate"], found["seeds"], found["images"], found["num_others"]) == (0.1, list(SEEDS), 120, 1)
    assert len(found["pairs"]) == 6
    evidence = {row["score"]: row for row in found["evidence"]}
    assert list(evidence) == ["sat", "same_mistake", "error_consistency", "capa"]
    assert evidence["same_mistake"]["both"] == pytest.approx(found["same_mistakes"])
    assert evidence["sat"]["both"] == float(snapshot.sat().sel(a="bundled:a", b="bundled:b"))


def test_evidence_of_the_seeds_leaves_b_out(study: Path) -> None:
    snapshot = read_snapshot(study)
    row = collect_evidence(snapshot, "bundled:a", "bundled:b", SEEDS).T["sat"]
    sat = snapshot.sat()
    known = sorted(float(sat.sel(a=a, b=b)) for a, b in (("bundled:a", SEEDS[0]), ("bundled:a", SEEDS[1]), SEEDS))
    assert row[["seeds_low", "seeds_mean", "seeds_high"]].tolist() == pytest.approx([known[0], sum(known) / 3, known[2]])


def test_text_says_what_it_found_and_the_null(study: Path) -> None:
    text = " ".join(call("kin", study, "bundled:a", "bundled:b", "--seeds", *SEEDS).stdout.split())
    assert "Null: both are independent seeds of one recipe; at most 5 % of such pairs are called derived." in text
    assert "120 images, 2 seeds to compare with." in text
    assert "With two seeds p is rarely below 0.005" in text


def test_seeds_are_taken_from_the_group(study: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("name,group\n" + "".join(f"{name},seeds\n" for name in ("bundled:b", *SEEDS)))
    by_group = json.loads(call("kin", study, "bundled:a", "bundled:b", "--groups", groups, "--json").stdout)
    assert by_group == json.loads(call("kin", study, "bundled:a", "bundled:b", "--seeds", *SEEDS, "--json").stdout)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "nothing is known of other seeds of bundled:a, to compare with: name two or more classifiers of the study"),
        ((), "Of the architecture of bundled:a are bundled:c, bundled:d."),
        (("--seeds", "bundled:c"), "kinship takes two or more seeds besides A and B: got 1; measure two or more classifiers"),
        (("--seeds", "bundled:c", "bundled:a"), "bundled:a is named twice; A, B and the seeds must all be different"),
        (("--seeds", "bundled:c", "bundled:x"), "'bundled:x'"),
        (("--seeds", *SEEDS, "--alpha", "0.7"), "alpha must be in (0, 0.5), as 0.05: got 0.7."),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(study: Path, words: tuple[str, ...], sentence: str) -> None:
    result = call("kin", study, "bundled:a", "bundled:b", *words)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)


def test_studies_without_images_or_scores_are_refused(tmp_path: Path) -> None:
    write_imported(tmp_path / "published")
    result = call("kin", tmp_path / "published", "a", "b", "--seeds", "c", "--seeds", "d")
    assert result.exit_code == 1
    assert "is an imported matrix and holds no predictions" in one_line(result.stderr)
    write_study(tmp_path / "targets", NAMES, targets_only=("bundled:b",))
    result = call("kin", tmp_path / "targets", "bundled:a", "bundled:b", "--seeds", *SEEDS)
    assert result.exit_code == 1
    assert "bundled:a and bundled:b have no score" in one_line(result.stderr)


def test_the_picture_shows_the_pair_what_is_expected_and_the_null(study: Path, tmp_path: Path) -> None:
    call("kin", study, "bundled:a", "bundled:b", "--seeds", *SEEDS, "--out", tmp_path / "kin.csv")
    lines = (tmp_path / "kin.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 2 + 5
    assert [line.split(",")[0] for line in lines[1:3]] == ["a and b", "expected of independent seeds"]
    found = json.loads(call("kin", study, "bundled:a", "bundled:b", "--seeds", *SEEDS, "--json").stdout)
    assert float(lines[1].split(",")[1]) == pytest.approx(found["same_mistakes"])


def test_the_table_of_scores_is_whole_also_with_long_names(tmp_path: Path) -> None:
    names = tuple(f"network-{'x' * 60}-seed{number}" for number in range(4))
    write_study(tmp_path, names, num_images=60)
    lines = call("kin", tmp_path, *names[:2], "--seeds", *names[2:]).stdout.splitlines()
    heading = next(line for line in lines if line.startswith("Score"))
    assert heading.split() == ["Score", "This", "pair", "Seeds,", "mean", "lowest", "to", "highest"]
    assert any(line.startswith("same mistakes, %") for line in lines)
    assert max(map(len, lines)) <= 80
