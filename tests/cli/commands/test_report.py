from pathlib import Path

from tests.cli.calling import call, one_line


def test_the_page_is_written_beside_the_study(study: Path) -> None:
    result = call("report", study)
    assert one_line(result.stdout) == f"The report: {study / 'report.html'}"
    assert "bundled:resnet" in (study / "report.html").read_text(encoding="utf-8")


def test_the_page_is_written_where_it_is_wanted(measured_study: Path, tmp_path: Path) -> None:
    result = call("report", measured_study, "--out", tmp_path / "page.html", "--confidence", "0.9")
    assert result.exit_code == 0
    assert (tmp_path / "page.html").is_file()
    assert not (measured_study / "report.html").exists()


def test_a_missing_study_is_one_sentence(tmp_path: Path) -> None:
    result = call("report", tmp_path / "none")
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: there is no study at")
