"""The report shows what it can: of a published matrix, and on a machine without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from tests.report.test_page import BASIC, Page, find_script
from zooscope.errors import StudyError
from zooscope.report import write_report
from zooscope.report.facts import Facts
from zooscope.report.sections.gallery import GallerySection
from zooscope.study.snapshot import read_snapshot

WITHOUT_TORCH = """
import sys

class Nowhere:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "timm"}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Nowhere)
from pathlib import Path
from zooscope.report import write_report
from zooscope.study.snapshot import read_snapshot
write_report(read_snapshot(sys.argv[1]), Path(sys.argv[2]))
"""


def test_an_imported_matrix_has_its_matrix_and_says_what_is_left_out(tmp_path: Path) -> None:
    study = read_snapshot(write_imported(tmp_path))
    page, names = Page(write_report(study, tmp_path / "report.html").read_text(encoding="utf-8")), study.names
    assert "Their scores were imported as others published them" in page.text
    assert json.loads(find_script(page, "study-data"))["names"] == list(names)
    assert "The same as a table: 36 pairs" in page.text
    assert page.text.count("the scores were imported as published, so nothing is known about single images") == 7
    assert "nan" not in page.text.split()


def test_what_needs_predictions_refuses_an_imported_matrix(tmp_path: Path) -> None:
    facts = Facts.read(read_snapshot(write_imported(tmp_path)), confidence=0.95)
    with pytest.raises(StudyError, match="imported as published, so there are no predictions; measure these classifiers"):
        facts.require_predictions()


def test_a_study_that_is_only_read_has_everything_but_the_gallery(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    written = write_report(read_snapshot(tmp_path), tmp_path / "report.html", sections=[*BASIC, GallerySection()])
    page = Page(written.read_text(encoding="utf-8"))
    assert "Clean accuracy" in page.text
    assert "this page is made from the record alone, which holds no images" in page.text


def test_a_machine_without_torch_has_everything_but_the_gallery(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b"))
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH, tmp_path / "study", tmp_path / "report.html"], check=True)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "torch is not installed on the machine that wrote this page" in page.text
    assert "Clean accuracy" in page.text
