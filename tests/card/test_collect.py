from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from zooscope.card import collect_card
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError
from zooscope.exchange.published import import_matrix
from zooscope.study.snapshot import read_snapshot

NAMES = tuple(f"bundled:{letter}" for letter in "abcdefghij")


def test_relatives_are_ranked_by_the_studys_scores(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=120)
    study = read_snapshot(tmp_path)
    sat, nearest = study.sat(confidence=0.9), study.nearest(confidence=0.9).loc["bundled:d"]
    card = collect_card(study, "bundled:d", confidence=0.9)
    ranked = sat.sel(a="bundled:d").to_series().drop("bundled:d").sort_values(ascending=False, kind="stable")
    assert [one.name for one in card.nearest] == list(ranked.index[:5])
    assert [one.name for one in card.least_alike] == list(ranked.index[:-4:-1])
    for one in (*card.nearest, *card.least_alike):
        cell = sat.sel(a="bundled:d", b=one.name)
        assert (one.sat, one.low, one.high) == (float(cell), float(cell.low), float(cell.high))
        assert (one.percent, one.count) == (float(cell.percent), int(cell["count"]))
    assert (card.is_sure, card.as_near) == (nearest["is_sure"], nearest["as_near"])
    assert (card.num_others, card.num_unscored, card.num_images, card.confidence) == (9, 0, 120, 0.9)
    assert (card.attack, card.precision) == ("LinfPGD (epsilon 8/255, step size 0.1, iterations 50)", "float32")
    assert card.repeat is not None
    assert "--count 120" in card.repeat.command


def test_no_relative_stands_in_both_lists(tmp_path: Path) -> None:
    for count in (2, 5, 6, 7, 10):
        write_study(tmp_path / str(count), NAMES[:count])
        card = collect_card(read_snapshot(tmp_path / str(count)), NAMES[0])
        listed = [one.name for one in (*card.nearest, *card.least_alike)]
        assert len(listed) == len(set(listed)) == min(count - 1, 8)


def test_an_imported_matrix_has_no_intervals_and_no_command(tmp_path: Path) -> None:
    card = collect_card(read_snapshot(write_imported(tmp_path / "study")), "network 03")
    assert np.isnan([one.low for one in card.nearest]).all()
    assert {one.count for one in card.nearest} == {None}
    assert (card.is_sure, card.as_near, card.repeat, card.attack, card.images) == (None, (), None, "", "")


def test_pairs_without_a_score_are_counted(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    scores = pd.DataFrame(np.full((4, 4), 2.0), index=names, columns=names)
    scores.loc["a", "c"] = scores.loc["c", "a"] = np.nan
    import_matrix(tmp_path / "study", scores)
    card = collect_card(read_snapshot(tmp_path / "study"), "a")
    assert ([one.name for one in card.nearest], card.num_unscored) == (["b", "d"], 1)


def test_what_has_no_score_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_study(tmp_path / "alone", ("a",))
    with pytest.raises(StudyError, match=r"a is the only measured classifier of .*; add others to compare it with"):
        collect_card(read_snapshot(tmp_path / "alone"), "a")
    write_study(tmp_path / "target", ("a", "b", "c"), targets_only=("c",))
    with pytest.raises(StudyError, match=r"c is only a target in .*, and SAT takes both directions; measure it as a source"):
        collect_card(read_snapshot(tmp_path / "target"), "c")
    write_study(tmp_path / "begun", ("a", "b"), num_measured=0)
    with pytest.raises(StudyError, match=r"a has no score with any other classifier of .* yet; run `zooscope measure "):
        collect_card(read_snapshot(tmp_path / "begun"), "a")


def test_bad_input_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    with pytest.raises(UnknownNameError, match="aa"):
        collect_card(read_snapshot(tmp_path), "aa")
    with pytest.raises(InvalidValueError, match="confidence"):
        collect_card(read_snapshot(tmp_path), "a", confidence=2.0)
