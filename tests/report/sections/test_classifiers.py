from dataclasses import replace

import numpy as np
import pytest

from tests.report.synthetic import planted_study
from zooscope.report.facts import Facts
from zooscope.report.sections.classifiers import ClassifiersSection, describe_classifiers

BLOCKS = [["a", "b", "c"], ["d", "e"]]


def test_each_row_says_what_the_study_says() -> None:
    study = planted_study(BLOCKS, weak=["b"], large=["e"])
    rows, known = {row.name: row for row in describe_classifiers(Facts.read(study, confidence=0.95))}, study.classifiers()
    assert tuple(rows) == study.names
    for name, row in rows.items():
        assert row.clean_accuracy == known.loc[name, "clean_accuracy"]
        assert row.white_box_success == known.loc[name, "white_box_success"]
        assert row.architecture == "planted"
        assert row.is_weak == (name == "b")
        assert row.size == ("64 \N{MULTIPLICATION SIGN} 48" if name == "e" else "32 \N{MULTIPLICATION SIGN} 32")


def test_intervals_hold_their_values_and_shrink_with_confidence() -> None:
    study = planted_study(BLOCKS)
    wide, narrow = (describe_classifiers(Facts.read(study, confidence=confidence)) for confidence in (0.99, 0.5))
    for one, other in zip(wide, narrow, strict=True):
        assert one.clean_interval[0] < one.clean_accuracy < one.clean_interval[1]
        assert one.white_box_interval[0] < one.white_box_success <= one.white_box_interval[1]
        assert one.clean_interval[0] < other.clean_interval[0]
        assert one.clean_interval[1] > other.clean_interval[1]


def test_the_clean_interval_is_that_of_a_binomial_share() -> None:
    (row,) = describe_classifiers(Facts.read(planted_study([["a"]], num_images=1000), confidence=0.95))
    share = row.clean_accuracy / 100
    expected = 196 * np.sqrt(share * (1 - share) / 1000)
    assert row.clean_interval == pytest.approx((row.clean_accuracy - expected, row.clean_accuracy + expected), abs=0.3)


def test_the_nearest_is_the_classifier_with_the_highest_score() -> None:
    study = planted_study(BLOCKS)
    for row in describe_classifiers(Facts.read(study, confidence=0.95)):
        others = study.sat().sel(a=row.name).drop_sel(b=row.name)
        assert row.nearest == str(others.idxmax("b").item())
        assert row.nearest_score == float(others.max())


def test_a_nearest_that_is_not_sure_says_which_others_may_be_as_near() -> None:
    study = planted_study(BLOCKS)
    facts, nearest = Facts.read(study, confidence=0.95), study.nearest()
    rows = describe_classifiers(facts)
    assert [not row.doubt for row in rows] == nearest["is_sure"].tolist()
    unsure = [row for row in rows if row.doubt]
    assert unsure
    for row in unsure:
        assert nearest["as_near"].loc[row.name][0] in row.doubt
    html = ClassifiersSection().show(facts).html
    assert html.count(">not sure<") == len(unsure)
    assert "A nearest classifier is not sure where" in html


@pytest.mark.parametrize("study", [planted_study([["a"]]), planted_study(BLOCKS, num_shards=0)], ids=["alone", "not measured"])
def test_without_scores_there_is_no_nearest(study: object) -> None:
    rows = describe_classifiers(Facts.read(study, confidence=0.95))  # type: ignore[arg-type]
    assert {row.nearest for row in rows} == {None}
    assert all(np.isnan(row.nearest_score) for row in rows)


def test_how_classes_are_matched_stands_below_the_table_once_where_it_is_the_same_for_all() -> None:
    facts = Facts.read(planted_study(BLOCKS), confidence=0.95)
    assert "matched with the images" not in ClassifiersSection().show(facts).html
    same = replace(facts, class_matchings=dict.fromkeys(facts.names, "by name"))
    assert ClassifiersSection().show(same).html.count("matched with the images' classes by name.") == 1
    odd = "by position: 1 of its 10 names differs from the images' ('<x>' for 'y')"
    mixed = (
        ClassifiersSection().show(replace(same, class_matchings=same.class_matchings | {"b": odd}, implausible=("odd one",))).html
    )
    assert "by name (4), by position (1)." in mixed
    assert "The classes of b are matched by position" in mixed
    assert "&lt;x&gt;" in mixed
    assert "odd one" in mixed
