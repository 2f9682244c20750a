"""What a notebook shows in the place of the objects that people hold."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from IPython.core.formatters import HTMLFormatter

import zooscope
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from tests.inline.reading import Shown
from zooscope.inline.matrix import ScoreMatrix
from zooscope.inline.page import InlinePage
from zooscope.study.pair import SatScore

NAMES = ("bundled:a", "<b>b</b>", "timm:c")


def show(value: object) -> Shown:
    """As IPython shows it."""
    page = HTMLFormatter()(value)
    assert page is not None
    return Shown(page)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "study"
    write_study(folder, NAMES)
    return folder


@pytest.fixture
def study(folder: Path) -> Iterator[zooscope.Study]:
    with zooscope.Study.open(folder) as opened:
        yield opened


def test_a_study_shows_its_settings_and_its_scores(study: zooscope.Study, folder: Path) -> None:
    for shown in (show(study), show(zooscope.read_snapshot(folder))):
        assert ["folder", str(folder)] in shown.rows
        assert ["images", "60 of bundled:cifar10, seed 0"] in shown.rows
        assert ["attack", "LinfPGD (epsilon 8/255, step size 0.1, iterations 50)"] in shown.rows
        score = float(study.sat().sel(a="bundled:a", b="timm:c"))
        assert next(row for row in shown.rows if row[0].startswith("1 "))[3] == f"{score:.2f}"
        assert "b" not in {tag for tag, _ in shown.tags}


def test_a_study_of_which_nothing_is_measured_shows_what_waits(tmp_path: Path) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(10)
    with zooscope.Study.create(tmp_path / "new", classifiers="bundled:vit", images=images) as study:
        assert ["classifiers", "0 measured classifiers, 1 to be measured"] in show(study).rows
    assert "can't be shown" in show(study).text


def test_an_imported_study_says_so(tmp_path: Path) -> None:
    shown = show(zooscope.read_snapshot(write_imported(tmp_path / "study")))
    assert ["scores", "imported from a published matrix"] in shown.rows


def test_matrices_show_as_heat_maps_and_stay_what_they_are(study: zooscope.Study) -> None:
    for matrix in (study.sat(), study.transfer(), study.one_sided(), study.same_mistake(), study.similarity("error_consistency")):
        assert isinstance(matrix, xr.DataArray)
        assert len([row for row in show(matrix).rows if row[0] == "3 timm:c"]) == 1
    sat = study.sat()
    assert isinstance(sat - sat, ScoreMatrix)
    assert isinstance(sat.sel(a=["timm:c"]), ScoreMatrix)
    assert "<td" not in (HTMLFormatter()(sat.sel(a="timm:c")) or "").split("xr-wrap")[0]
    assert sat.to_series().equals(xr.DataArray(sat).to_series())


def test_results_of_analyses_show_their_numbers_and_tables(study: zooscope.Study) -> None:
    clusters = zooscope.analyses.find_clusters(study.sat(), 2)
    shown = show(clusters)
    assert ["num clusters", "2"] in shown.rows
    assert ["<b>b</b>", str(clusters.labels["<b>b</b>"])] in shown.rows
    closer = study.closer("bundled:a", "<b>b</b>", "timm:c")
    assert ["difference", f"{closer.difference:.4g}"] in show(closer).rows


def test_every_result_of_an_analysis_is_shown() -> None:
    """Every dataclass that an analysis gives shows itself."""
    given = set()
    for name in zooscope.analyses.__all__:
        result = getattr(zooscope.analyses, name).__annotations__["return"]
        if getattr(result, "__module__", "").startswith("zooscope.analyses") and hasattr(result, "__dataclass_fields__"):
            given.add(result)
    assert len(given) >= 15
    assert [kind.__name__ for kind in given if not hasattr(kind, "_repr_html_")] == []


def test_images_show_a_few_of_them() -> None:
    images = zooscope.load_images("bundled:cifar10")
    shown = show(images)
    assert ["images", str(len(images))] in shown.rows
    pictures = shown.all("img")
    assert len(pictures) == 8
    assert all(picture["src"].startswith("data:image/png;base64,") for picture in pictures)
    assert len(show(images.take([0, 1])).all("img")) == 2


def test_a_classifier_shows_what_lies_between_an_image_and_its_logits() -> None:
    rows = show(zooscope.load_classifier("bundled:vit")).rows
    assert ["classes", "10"] in rows
    assert any(row[0] == "pixels" and "height=" in row[1] for row in rows)


def test_a_score_shows_its_interval_and_both_directions() -> None:
    facts = {"low": 3.2, "high": 3.6, "confidence": 0.95, "percent": 30.0, "a_to_b": 35.0, "b_to_a": 25.0, "count": 150}
    controls = {"control_a_to_b": 2.0, "control_b_to_a": 0.0}
    names = {"names": ("<i>a</i>", "b"), "attack": "{}", "class_matchings": ("", "")}
    shown = show(SatScore(3.4, **facts, **controls, **names))
    assert shown.text.startswith("SAT 3.40")
    assert ["95 % interval", "3.20 to 3.60"] in shown.rows
    assert ["attack on <i>a</i> fools b", "35.0 %"] in shown.rows
    assert ["without an attack", "2.0 %, 0.0 %"] in shown.rows


def test_a_report_is_a_frame_that_holds_the_whole_page(study: zooscope.Study, tmp_path: Path) -> None:
    page = study.report(confidence=0.9)
    (frame,) = show(page).all("iframe")
    assert frame["srcdoc"] == page.text == page.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert frame["sandbox"] == "allow-scripts allow-downloads"
    assert page.text.startswith("<!DOCTYPE html>")
    assert "90&nbsp;% interval" in page.text
    assert repr(InlinePage(title="x", text="<p>")) == "InlinePage('x', 3 bytes)"


def test_a_report_of_nothing_and_a_wrong_confidence_are_refused(study: zooscope.Study) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(10)
    empty = zooscope.Study.in_memory(classifiers="bundled:vit", images=images)
    with empty, pytest.raises(zooscope.ZooscopeError, match="nothing to report"):
        empty.report()
    with pytest.raises(zooscope.errors.InvalidValueError, match="confidence"):
        study.report(confidence=1.5)


def test_long_texts_and_many_items_are_cut(tmp_path: Path) -> None:
    names = tuple(f"classifier number {place}" for place in range(40))
    write_study(tmp_path, names, num_images=9)
    ensembles = zooscope.analyses.find_clusters(zooscope.read_snapshot(tmp_path).sat(), 3, seed=1)
    page = HTMLFormatter()(ensembles) or ""
    assert len(page) < 20_000
    assert "40 rows" in Shown(page).text
    assert np.isfinite(ensembles.objective)
