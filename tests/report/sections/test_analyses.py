"""The sections with analyses: they show what the analyses find, and say what a study lacks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.cli.imported import write_imported
from tests.cli.zoo import write_zoo
from tests.report.synthetic import planted_study
from tests.report.test_page import Page
from zooscope.analyses import find_clusters, map_classifiers, measure_pair_ensembles, measure_stability
from zooscope.pictures.data import Band, Bars, BarSeries, Curves, Forks, HeatMap, Picture, Points
from zooscope.report.facts import MOST_PAIR_IMAGES, Facts
from zooscope.report.page import render
from zooscope.report.sections import SECTIONS
from zooscope.report.sections.base import Section, show_number
from zooscope.report.sections.figures import MOST_POINTS, Cell, encode_picture, make_figure, make_table
from zooscope.study.snapshot import Snapshot, read_snapshot

COMMANDS = {
    name: name for name in ("clusters", "ensembles", "map", "select", "similarities", "stability", "strategies", "teachers")
}
COMMANDS["importance"] = "components"
BLOCKS = [[f"{family} {number}" for number in range(4)] for family in ("convolution", "transformer", "mixer")]
NOTHING = np.full(2, np.nan)


def section(anchor: str) -> Section:
    (found,) = [one for one in SECTIONS if one.anchor == anchor]
    return found


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return read_snapshot(write_zoo(tmp_path_factory.mktemp("zoo") / "study"))


@pytest.fixture(scope="module")
def facts(snapshot: Snapshot) -> Facts:
    return Facts.read(snapshot, confidence=0.95)


@pytest.fixture(autouse=True)
def strict_numbers() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def show(anchor: str, facts: Facts) -> Page:
    return Page(str(section(anchor).show(facts).html))


def test_the_map_has_a_place_for_every_classifier_in_the_studys_order() -> None:
    facts = Facts.read(planted_study(BLOCKS), confidence=0.95)
    page = show("map", facts)
    points = map_classifiers(facts.sat).points.loc[list(facts.names)]
    data = json.loads(page.scripts[0])
    np.testing.assert_allclose(data["x"], points["x"], rtol=1e-4)
    np.testing.assert_allclose(data["y"], points["y"], rtol=1e-4)


def test_few_classifiers_are_a_tree() -> None:
    page = show("map", Facts.read(planted_study([["a", "b"], ["c", "d"]]), confidence=0.95))
    data = json.loads(page.scripts[0])
    assert data["kind"] == "forks"
    assert len(data["branches"]) == 3


def test_every_classifier_is_in_its_cluster() -> None:
    facts = Facts.read(planted_study(BLOCKS), confidence=0.95)
    text = show("clusters", facts).text
    for names in find_clusters(facts.sat).members.values():
        assert ", ".join(names) in text
    assert "stable" in text


def test_ensembles_say_the_correlation_and_the_largest_gain(facts: Facts, snapshot: Snapshot) -> None:
    text = show("ensembles", facts).text
    found = measure_pair_ensembles(facts.read_few_logits("zooscope ensembles STUDY"), snapshot.sat(), num_permutations=499)
    assert f"r = {show_number(found.pearson.r)}" in text
    best = found.pairs.sort_values("err", ascending=False, kind="stable").iloc[0]
    assert f"{show_number(100 * best['err'], 1)} %" in text


def test_stability_says_how_many_images_are_needed(facts: Facts, snapshot: Snapshot) -> None:
    found = measure_stability(snapshot.outcomes)
    assert f"needs {found.needed} images, {found.needed_most} for the pair" in show("stability", facts).text


@pytest.mark.parametrize("anchor", sorted(COMMANDS))
def test_each_says_the_command_that_tells_more_or_makes_what_is_missing(anchor: str) -> None:
    study = planted_study([["a", "b"], ["c", "d"]])
    text = Page(render(study, confidence=0.95, sections=[section(anchor)])).text
    assert f"zooscope {COMMANDS[anchor]}" in text


def test_an_imported_matrix_has_its_map_and_clusters(tmp_path: Path) -> None:
    study = read_snapshot(write_imported(tmp_path))
    page = Page(render(study, confidence=0.95, sections=[section("map"), section("clusters"), section("stability")]))
    assert page.text.count("can't be shown") == 1
    assert "zooscope measure FOLDER --classifiers" in page.text


def test_the_path_of_the_study_stays_at_home(tmp_path: Path) -> None:
    study = read_snapshot(write_zoo(tmp_path / "private" / "study"))
    text = render(
        study, confidence=0.95, sections=[section(anchor) for anchor in ("matrix", "similarities", "teachers", "methods")]
    )
    assert "private" not in text


def test_many_images_are_thinned_evenly_and_the_page_says_so() -> None:
    facts = Facts.read(planted_study([["a", "b"]], num_images=100), confidence=0.95)
    assert facts.few_images.tolist() == list(range(100))
    assert not facts.explain_few_images()
    assert MOST_PAIR_IMAGES // (69 * 34) > 1000


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (
            Points(title="t", x_label="x", y_label="y", x=np.array([1.0, np.nan]), y=np.array([2.0, 3.0]), names=("a", "b")),
            {"kind": "points", "x": [1.0, None], "y": [2.0, 3.0], "names": ["a", "b"], "trend": None, "numLeftOut": 0},
        ),
        (
            Bars(title="t", x_label="x", labels=("a", "b"), series=(BarSeries(name="s", lengths=np.array([1.0, np.nan])),)),
            {"kind": "bars", "series": [{"name": "s", "lengths": [1.0, None], "low": None, "high": None}]},
        ),
        (
            Curves(
                title="t", x_label="x", y_label="y", logarithmic=frozenset("xy"),
                curves=(Band(x=np.array([1.0, 2.0]), y=np.array([3.0, 4.0]), low=NOTHING, high=NOTHING, name="c"),),
            ),
            {
                "kind": "curves", "logarithmic": ["x", "y"],
                "curves": [{"name": "c", "x": [1.0, 2.0], "y": [3.0, 4.0], "low": [None, None], "high": [None, None]}],
            },
        ),
        (
            HeatMap(title="t", values=np.array([[1.0, np.nan]]), rows=("a",), columns=("b", "c"), unit="u", breaks=(1,)),
            {"kind": "heatmap", "values": [[1.0, None]], "breaks": (1,)},
        ),
        (
            Forks(title="t", x_label="x", names=("a",), groups=("",), group_order=("",), group_title="", branches=(), joined=()),
            {"kind": "forks", "names": ("a",), "branches": ()},
        ),
    ],
)  # fmt: skip
def test_pictures_become_json(picture: Picture, expected: dict[str, Any]) -> None:
    found = encode_picture(picture)
    assert {key: found[key] for key in expected} == expected
    assert json.loads(json.dumps(found, allow_nan=False))["title"] == "t"


def test_more_points_than_a_browser_draws_quickly_are_thinned() -> None:
    count = 3 * MOST_POINTS
    x = np.arange(float(count))
    found = encode_picture(Points(title="", x_label="", y_label="", x=x, y=x, names=tuple(map(str, range(count)))))
    assert len(found["x"]) == MOST_POINTS
    assert (found["x"][0], found["names"][-1]) == (0, str(count - 1))
    assert found["numLeftOut"] == count - MOST_POINTS


def test_tables_hold_numbers_to_sort_by_and_hostile_texts_as_text() -> None:
    page = Page(str(make_table("t", ["name", "value"], [["<b>", Cell.of_number(1.25, 1.0, 1.5)], ["c", Cell.of_number(np.nan)]])))
    assert [cell["data-value"] for cell in page.all("td") if "data-value" in cell] == ["1.25", "nan"]
    assert "<b> 1.25 1.00 to 1.50" in page.text


def test_a_figure_can_not_end_its_element() -> None:
    hostile = "</script><svg onload=alert(1)>"
    page = Page(str(make_figure(Points(title=hostile, x_label="", y_label="", x=NOTHING, y=NOTHING, names=(hostile, "")), "f")))
    assert not page.all("svg")
    assert json.loads(page.scripts[0])["names"][0] == hostile


def test_groups_of_training_settings_come_from_addresses() -> None:
    facts = Facts.read(planted_study([["a", "b"]]), confidence=0.95)
    assert facts.groups == {}
    assert isinstance(facts.components, pd.DataFrame)
