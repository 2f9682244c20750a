from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import matrix_of, names_of, synthetic_logits
from tests.specimens import Array
from zooscope.analyses.averaging import AVERAGES, CleanLogits
from zooscope.analyses.ensembles import measure_pair_ensembles
from zooscope.errors import InvalidValueError


def symmetric(size: int, seed: int = 0) -> Array:
    values = np.random.default_rng(seed).uniform(1, 2, (size, size))
    return values + values.T


def test_every_pair_is_the_naive_formula() -> None:
    logits = synthetic_logits(5, num_images=80)
    found: Any = measure_pair_ensembles(logits, matrix_of(symmetric(5)))
    assert len(found.pairs) == 10
    for pair in found.pairs.itertuples():
        a, b = (logits.names.index(str(name)) for name in (pair.a, pair.b))
        mean = (logits.values[a].astype(float) + logits.values[b].astype(float)) / 2
        wrong = [(values.argmax(1) != logits.labels).mean() for values in (mean, logits.values[a], logits.values[b])]
        assert pair.error == pytest.approx(wrong[0])
        assert pair.mean_error == pytest.approx((wrong[1] + wrong[2]) / 2)
        assert pair.err == pytest.approx(1 - wrong[0] / np.mean(wrong[1:]))


def test_the_correlation_is_that_of_the_table() -> None:
    found: Any = measure_pair_ensembles(synthetic_logits(6, num_images=80), matrix_of(symmetric(6)))
    expected = stats.pearsonr(found.pairs["sat"], found.pairs["err"])
    assert (found.pearson.r, found.pearson.p_naive) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.trend.slope == pytest.approx(stats.linregress(found.pairs["sat"], found.pairs["err"]).slope)


def test_classifiers_of_one_family_gain_less_and_that_is_found() -> None:
    logits = synthetic_logits(10, num_images=600, num_families=2, own=0.5)
    family = np.arange(10) % 2
    sat = 2.0 + 2.0 * (family[:, None] == family) + 0.1 * symmetric(10)
    found: Any = measure_pair_ensembles(logits, matrix_of(sat))
    assert found.pearson.r < -0.8
    assert found.pearson.p_mantel < 0.05
    assert found.trend.high[-1] < found.trend.low[0]


def test_permuting_the_classifiers_permutes_the_pairs_and_nothing_else() -> None:
    logits, sat = synthetic_logits(6, num_images=80), matrix_of(symmetric(6))
    order = [3, 0, 5, 1, 4, 2]
    names = tuple(logits.names[place] for place in order)
    found, permuted = measure_pair_ensembles(logits, sat), measure_pair_ensembles(logits.take_classifiers(names), sat)
    assert permuted.pearson.r == pytest.approx(found.pearson.r)
    assert permuted.pearson.p_mantel == found.pearson.p_mantel  # 720 permutations: all of them
    expected = {frozenset((pair.a, pair.b)): (pair.sat, pair.err) for pair in found.pairs.itertuples()}
    assert {frozenset((pair.a, pair.b)): (pair.sat, pair.err) for pair in permuted.pairs.itertuples()} == expected


def test_probabilities_are_another_average() -> None:
    logits = synthetic_logits(5, num_images=300)
    loud = CleanLogits(names=logits.names, values=(logits.values[0] * 8, *logits.values[1:]), labels=logits.labels)
    by_logits, by_probabilities = (measure_pair_ensembles(loud, matrix_of(symmetric(5)), average=each) for each in AVERAGES)
    assert (by_logits.average, by_probabilities.average) == ("logits", "probabilities")
    assert not np.array_equal(by_logits.pairs["error"], by_probabilities.pairs["error"])
    np.testing.assert_array_equal(by_logits.pairs["all_wrong"], by_probabilities.pairs["all_wrong"])


def test_identical_classifiers_reduce_no_error() -> None:
    one = synthetic_logits(1, num_images=50)
    same = CleanLogits(names=names_of(3), values=one.values * 3, labels=one.labels)
    found: Any = measure_pair_ensembles(same, matrix_of(symmetric(3)))
    assert (found.pairs["err"] == 0).all()
    assert np.isnan(found.pearson.r)
    assert found.trend.slope == 0


def test_a_pair_without_a_score_has_its_gain_and_is_left_out_of_the_correlation() -> None:
    scores = symmetric(5)
    scores[0, 1] = scores[1, 0] = np.nan
    found: Any = measure_pair_ensembles(synthetic_logits(5, num_images=80), matrix_of(scores))
    assert found.pearson.num_pairs == 9
    assert found.pairs["err"].notna().all()


def test_two_classifiers_are_one_pair_without_a_correlation() -> None:
    found: Any = measure_pair_ensembles(synthetic_logits(2, num_images=1), matrix_of(symmetric(2)))
    assert len(found.pairs) == 1
    assert np.isnan([found.pearson.r, found.pearson.p_mantel, found.trend.slope]).all()


def test_one_classifier_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"ensembles need at least two classifiers: got 1\."):
        measure_pair_ensembles(synthetic_logits(1), matrix_of(symmetric(1)))


def test_a_matrix_that_lacks_a_classifier_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"the SAT matrix lacks classifier 2; measure it"):
        measure_pair_ensembles(synthetic_logits(3), matrix_of(symmetric(2)))
