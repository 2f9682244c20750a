"""Published matrices are checked before they become a study."""

import numpy as np
import pandas as pd
import pytest

from zooscope.errors import InvalidValueError
from zooscope.exchange.published import check_matrix, make_published_matrix

MATRIX = pd.DataFrame([[4.6, 3.0, 2.0], [3.0, 4.5, 1.0], [2.0, 1.0, 4.4]], index=list("abc"), columns=list("abc"))


def changed(row: str, column: str, value: float) -> pd.DataFrame:
    matrix = MATRIX.copy()
    matrix.loc[row, column] = value
    return matrix


def test_columns_take_the_order_of_the_rows() -> None:
    pd.testing.assert_frame_equal(check_matrix(MATRIX[["c", "a", "b"]]), MATRIX)


def test_one_triangle_says_it_all() -> None:
    upper = MATRIX.where(np.triu(np.ones((3, 3), dtype=bool)))
    pd.testing.assert_frame_equal(check_matrix(upper), MATRIX)


def test_unknown_pairs_stay_unknown() -> None:
    assert check_matrix(changed("a", "b", np.nan).where(MATRIX != 3)).isna().sum().sum() == 2


def test_names_become_text() -> None:
    numbered = MATRIX.set_axis([1, 2, 3], axis=0).set_axis([1, 2, 3], axis=1)
    assert list(check_matrix(numbered).columns) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (pd.DataFrame(), "the matrix is empty"),
        (MATRIX.drop(columns="c"), "the matrix is not square: c \\(1 such\\)"),
        (MATRIX.rename(index={"c": "a"}, columns={"c": "a"}), "names a twice"),
        (changed("a", "b", 3.1), "not symmetric: a and b have 3.1 and 3"),
        (changed("a", "a", 99.0), "the score of a and a is 99, more than log\\(100\\) = 4.605"),
        (changed("a", "a", -np.inf), "the score of a and a is -inf"),
        (MATRIX.astype(object).where(MATRIX != 1, "n/a"), "the score of c and b is not a number: got 'n/a'"),
    ],
)
def test_what_is_no_matrix_of_scores_is_refused(matrix: pd.DataFrame, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check_matrix(matrix)


def test_a_published_matrix_has_percent_and_no_intervals() -> None:
    scores = make_published_matrix(("a", "b", "c"), MATRIX.to_numpy())
    np.testing.assert_allclose(np.log(scores["percent"]), MATRIX)
    assert np.isnan(scores["low"]).all()
    assert scores.dims == ("a", "b")
