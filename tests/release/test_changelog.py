from pathlib import Path

import pytest

from release.changelog import HEAD, gather, list_fragments

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {"README.md": "how", "10.fix.md": "Ten is fixed.\n", "9.fix.md": "Nine is\nfixed.\n", "9.feature.md": "One.\n\nTwo.\n"}
    (tmp_path / "changes").mkdir()
    for name, text in files.items():
        (tmp_path / "changes" / name).write_text(text)
    return tmp_path


def test_changes_are_gathered_by_type_and_issue(root: Path) -> None:
    gather(root)
    expected = "## Unreleased\n\n### New\n\n- One.\n- Two.\n\n### Fixed\n\n- Nine is fixed.\n- Ten is fixed.\n"
    assert (root / "CHANGELOG.md").read_text() == f"{HEAD}\n{expected}"
    gather(root)
    assert (root / "CHANGELOG.md").read_text() == f"{HEAD}\n{expected}"


def test_a_release_takes_the_files_away_and_later_ones_stand_above(root: Path) -> None:
    gather(root)
    gather(root, "0.2.0", "2026-12-01")
    assert [file.name for file in (root / "changes").iterdir()] == ["README.md"]
    (root / "changes" / "11.speed.md").write_text("Eleven is faster.\n")
    gather(root)
    gather(root, "0.3.0", "2027-01-01")
    text = (root / "CHANGELOG.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 0.3.0 (2027-01-01)", "## 0.2.0 (2026-12-01)"]
    assert text.index("Eleven") < text.index("Nine")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("0.2", "2026-12-01"), "write a version and a date"),
        (("0.2.0", "today"), "write a version and a date"),
        (("0.2.0", "2026-12-02"), "0.2.0 is in CHANGELOG.md already"),
        (("0.3.0", "2026-12-02"), "nothing in changes/ is to be released"),
    ],
)
def test_what_can_not_be_released_is_refused(root: Path, words: tuple[str, str], sentence: str) -> None:
    gather(root, "0.2.0", "2026-12-01")
    with pytest.raises(ValueError, match=sentence):
        gather(root, *words)


def test_a_file_of_another_name_is_refused(root: Path) -> None:
    (root / "changes" / "13.features.md").write_text("x")
    with pytest.raises(ValueError, match=r"13\.features\.md is no <issue>\.<type>\.md with a type of breaking, feature"):
        gather(root)


def test_every_file_of_this_project_can_be_gathered() -> None:
    assert len(list_fragments(ROOT / "changes")) == len(list((ROOT / "changes").glob("*.md"))) - 1
