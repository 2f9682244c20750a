"""What the analyses take as a matrix, and what they refuse."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.analyses.planted import planted, reordered
from tests.analyses.zoo import matrix_of
from zooscope.analyses.matrix import drop_classifiers, find_order, keep_complete, make_square, read_matrix, require_contrast
from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError


def test_a_table_and_an_array_in_any_order_are_the_same_matrix() -> None:
    table = planted([2, 3])
    expected = make_square(table)
    assert list(expected.index) == sorted(table.index)
    assert np.isnan(expected.to_numpy().diagonal()).all()
    names = tuple(table.index)
    for same in (reordered(table), table[sorted(names)], matrix_of(table.to_numpy(), names)):
        pd.testing.assert_frame_equal(make_square(same), expected)


def test_the_order_is_that_of_the_rows() -> None:
    table = planted([2, 3])
    assert find_order(table) == list(table.index)
    assert find_order(matrix_of(table.to_numpy(), tuple(table.index))) == list(table.index)


def test_a_single_classifier_is_no_matrix() -> None:
    with pytest.raises(InvalidValueError, match="needs at least two classifiers: got 1"):
        make_square(planted([1]))


def test_rows_and_columns_must_name_the_same_classifiers() -> None:
    table = pd.DataFrame(np.ones((2, 2)), index=["a", "b"], columns=["a", "c"])
    with pytest.raises(InvalidValueError, match="each classifier once in its rows and once in its columns: check b"):
        make_square(table)
    with pytest.raises(InvalidValueError, match="check a"):
        make_square(pd.DataFrame(np.ones((2, 2)), index=["a", "a"], columns=["a", "a"]))


def test_a_pair_with_two_scores_is_refused() -> None:
    table = pd.DataFrame([[4.6, 2], [3, 4.6]], index=["a", "b"], columns=["a", "b"])
    with pytest.raises(InvalidValueError, match=r"a and b have two different scores, 2 and 3; .* must be symmetric"):
        make_square(table)


def test_the_fewest_classifiers_that_leave_no_gap_are_named() -> None:
    table = planted([4])
    first, *others = table.index
    for other in others[:2]:
        table.loc[first, other] = table.loc[other, first] = np.nan
    with pytest.raises(InvalidValueError, match=rf"have no score \(and 1 more such pairs\); .* or leave out {first}\.$"):
        keep_complete(make_square(table))
    kept = drop_classifiers(matrix_of(table.to_numpy(), tuple(table.index)), [first, first])
    assert keep_complete(make_square(kept)).shape == (3, 3)


def test_one_gap_is_told_without_others() -> None:
    table = planted([2])
    table.iloc[0, 1] = table.iloc[1, 0] = np.nan
    with pytest.raises(InvalidValueError, match=r"network 00 and network 01 have no score; measure"):
        keep_complete(make_square(table))


def test_only_what_is_there_can_be_left_out() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown classifier 'classifier 9'.*Only classifiers of the matrix can be left out"
    ):
        drop_classifiers(matrix_of(planted([3]).to_numpy()), ["classifier 9"])


def test_equal_scores_are_refused_where_there_are_several() -> None:
    with pytest.raises(InvalidValueError, match=r"all pairs have the same score, 2.5, so there are no groups"):
        require_contrast(make_square(planted([3], within=2.5, noise=0)))
    require_contrast(make_square(planted([2], within=2.5, noise=0)))


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    text = "\ufeff,1, b ,a\n1,4.6,2.5,\n b,2.5,4.6,NaN\n\na,NA,,4.5\n"
    (tmp_path / "sat.csv").write_text(text, encoding="utf-8")
    table = read_matrix(tmp_path / "sat.csv")
    assert list(table.index) == list(table.columns) == ["1", "b", "a"]
    assert list(table.loc["1"])[:2] == ["4.6", "2.5"]
    assert table.isna().sum().sum() == 4


def test_a_name_that_stands_twice_stays_so(tmp_path: Path) -> None:
    (tmp_path / "sat.csv").write_text(",a,a\na,1,2\na,2,1\n", encoding="utf-8")
    assert list(read_matrix(tmp_path / "sat.csv").columns) == ["a", "a"]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sat.csv"
    with pytest.raises(MissingFileError, match=r"there is no file .*sat.csv; give a CSV file with a square matrix"):
        read_matrix(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidValueError, match=r"can't be read as CSV .* save it as UTF-8 text with commas"):
        read_matrix(file)
    file.write_text(",a,b\na,1\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="the line of a has 2 cells, the header 3; write a square matrix with names"):
        read_matrix(file)
    file.write_text("", encoding="utf-8")
    assert read_matrix(file).empty
