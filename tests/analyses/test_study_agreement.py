import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import matrix_of, names_of
from tests.specimens import Array
from zooscope.analyses.study_agreement import measure_agreement
from zooscope.errors import InvalidValueError


def symmetric(size: int, seed: int = 0) -> Array:
    values = np.random.default_rng(seed).uniform(0.5, 2.3, (size, size))
    return values + values.T


def test_identical_matrices_agree_completely() -> None:
    found = measure_agreement(matrix_of(symmetric(6)), matrix_of(symmetric(6)))
    assert (found.pearson.r, found.spearman.r) == pytest.approx((1, 1))
    assert (found.trend.slope, found.trend.intercept) == pytest.approx((1, 0))
    np.testing.assert_allclose(found.pairs[["difference", "residual"]], 0, atol=1e-12)
    assert found.pearson.p_mantel == found.spearman.p_mantel == pytest.approx(1 / 720)  # only the identity, of 6! permutations
    assert (found.count, len(found.unscored)) == (15, 0)


def test_a_monotone_transform_keeps_ranks_but_is_no_line() -> None:
    scores = symmetric(6)
    found = measure_agreement(matrix_of(scores), matrix_of(np.exp(2 * scores)))
    assert found.spearman.r == pytest.approx(1)
    assert 0 < found.pearson.r < 0.999
    falling = measure_agreement(matrix_of(scores), matrix_of(-(scores**3)))
    assert falling.spearman.r == pytest.approx(-1)


def test_correlations_and_trend_are_those_of_the_pairs() -> None:
    found = measure_agreement(matrix_of(symmetric(7)), matrix_of(symmetric(7, 1).round(1)))  # with ties
    first, second = found.pairs["first"], found.pairs["second"]
    expected, ranked, line = stats.pearsonr(first, second), stats.spearmanr(first, second), stats.linregress(first, second)
    assert (found.pearson.r, found.pearson.p_naive) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.spearman.r, found.spearman.p_naive) == pytest.approx((ranked.statistic, ranked.pvalue))
    assert (found.trend.slope, found.trend.intercept) == pytest.approx((line.slope, line.intercept))
    np.testing.assert_allclose(found.pairs["residual"], second - line.intercept - line.slope * first)
    np.testing.assert_allclose(found.pairs["difference"], second - first)


def test_scores_that_differ_by_rounding_errors_are_ties() -> None:
    scores = np.where(np.arange(36).reshape(6, 6) % 2 == 0, 3.0, 2.0)
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    noise = 1e-13 * symmetric(6)
    assert measure_agreement(matrix_of(scores), matrix_of(scores + noise)).spearman.r == pytest.approx(1)


def test_permuting_the_classifiers_changes_nothing() -> None:
    first, second = symmetric(8), symmetric(8, 1)
    second[1, 4] = second[4, 1] = np.nan
    order = np.random.default_rng(2).permutation(8)
    names = tuple(names_of(8)[place] for place in order)
    found = measure_agreement(matrix_of(first), matrix_of(second), num_permutations=99)
    permuted = measure_agreement(matrix_of(first), matrix_of(second[np.ix_(order, order)], names), num_permutations=99)
    assert (permuted.pearson, permuted.spearman) == (found.pearson, found.spearman)
    assert permuted.pairs.equals(found.pairs)
    np.testing.assert_array_equal(permuted.trend.low, found.trend.low)


def test_exchanging_the_matrices_keeps_the_correlations() -> None:
    first, second = matrix_of(symmetric(6)), matrix_of(symmetric(6, 1))
    found, exchanged = measure_agreement(first, second), measure_agreement(second, first)
    assert (exchanged.pearson.r, exchanged.spearman.r) == pytest.approx((found.pearson.r, found.spearman.r))
    assert exchanged.pearson.p_mantel == found.pearson.p_mantel  # 720 permutations: all of them


def test_a_pair_without_a_score_in_either_is_left_out_and_named() -> None:
    first, second = symmetric(5), symmetric(5, 1)
    first[0, 1] = first[1, 0] = np.nan
    second[2, 4] = second[4, 2] = np.nan
    found = measure_agreement(matrix_of(first), matrix_of(second))
    assert found.count == found.pearson.num_pairs == found.spearman.num_pairs == 8
    assert found.unscored[["a", "b"]].to_numpy().tolist() == [["classifier 0", "classifier 1"], ["classifier 2", "classifier 4"]]
    assert found.unscored[["first", "second"]].isna().to_numpy().tolist() == [[True, False], [False, True]]
    known = np.isfinite(first) & np.isfinite(second) & np.triu(np.ones((5, 5), dtype=bool), 1)
    assert found.pearson.r == pytest.approx(np.corrcoef(first[known], second[known])[0, 1])
    assert found.spearman.r == pytest.approx(stats.spearmanr(first[known], second[known]).statistic)


def test_classifiers_of_one_study_only_are_left_out_and_named() -> None:
    scores = symmetric(6)
    found = measure_agreement(matrix_of(scores[:5, :5]), matrix_of(scores[1:, 1:], names_of(6)[1:]))
    assert found.names == names_of(6)[1:5]
    assert (found.only_first, found.only_second) == (("classifier 0",), ("classifier 5",))
    assert found.count == 6
    assert found.pearson.r == pytest.approx(1)


def test_the_pair_that_changes_its_place_comes_first_and_not_those_that_all_shift() -> None:
    first = symmetric(7)
    second = 0.5 * first + 2  # a stronger attack: all pairs differ, weak ones the most
    second[2, 3] = second[3, 2] = second[2, 3] + 0.3
    found = measure_agreement(matrix_of(first), matrix_of(second))
    assert found.pairs[["a", "b"]].to_numpy()[0].tolist() == ["classifier 2", "classifier 3"]
    assert (np.diff(np.abs(found.pairs["residual"].to_numpy())) <= 0).all()


def test_constant_scores_have_no_correlation_and_no_trend() -> None:
    found = measure_agreement(matrix_of(np.full((4, 4), 3.0)), matrix_of(symmetric(4)))
    assert np.isnan([found.pearson.r, found.spearman.r, found.trend.slope]).all()
    assert found.count == 6
    assert found.pairs["residual"].isna().all()
    assert found.pairs["a"].is_monotonic_increasing


def test_without_any_shared_score_there_are_no_pairs() -> None:
    found = measure_agreement(matrix_of(np.full((4, 4), np.nan)), matrix_of(symmetric(4)))
    assert (found.count, len(found.unscored)) == (0, 6)
    assert np.isnan(found.pearson.r)


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        (("a", "b", "c"), r"got 0 \(the first has classifier 0, the second a\);"),
        (("classifier 2", "a", "classifier 0"), r"got 2 \(classifier 0, classifier 2\);"),
    ],
)
def test_fewer_than_three_shared_classifiers_are_refused(names: tuple[str, ...], shared: str) -> None:
    with pytest.raises(InvalidValueError, match=f"comparing two studies takes at least 3 classifiers that both have: {shared}"):
        measure_agreement(matrix_of(symmetric(3)), matrix_of(symmetric(3), names))


def test_an_asymmetric_matrix_is_refused() -> None:
    scores = symmetric(3)
    scores[0, 1] += 1
    with pytest.raises(InvalidValueError, match="a matrix of similarities must be symmetric"):
        measure_agreement(matrix_of(symmetric(3)), matrix_of(scores))
