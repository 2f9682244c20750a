from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.pair_bootstrap import PairWeights, compute_auc, correlate, find_ends


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), num_levels=st.integers(1, 30))
def test_the_auc_is_that_of_scikit_learn_with_ties_and_weights(seed: int, num_levels: int) -> None:
    generator = np.random.default_rng(seed)
    likeness, is_positive = generator.integers(0, num_levels, 20) / 7, generator.random(20) < 0.4
    is_positive[:2] = True, False
    weights = generator.integers(0, 4, (3, 20)).astype(np.float64)
    weights[:, :2] = 1
    expected = [roc_auc_score(is_positive, likeness, sample_weight=each) for each in weights]
    np.testing.assert_allclose(compute_auc(likeness, is_positive, weights), expected, atol=1e-12)


def test_scores_that_differ_by_rounding_are_ties() -> None:
    assert compute_auc(np.array([0.1 + 0.2, 0.3]), np.array([True, False]), np.ones((1, 2))).tolist() == [0.5]


def test_without_both_kinds_of_pairs_there_is_no_auc() -> None:
    likeness, is_positive = np.array([1.0, 2.0]), np.array([True, False])
    assert np.isnan(compute_auc(likeness, is_positive, np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))).all()
    assert np.isnan(compute_auc(np.empty(0), np.empty(0, dtype=bool), np.ones((2, 0)))).all()


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([0.0, 1e6]))
def test_weights_are_repetitions_in_a_correlation(seed: int, shift: float) -> None:
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, 12))
    times = generator.integers(0, 4, 12)
    times[:3] = 1
    expected = stats.pearsonr(np.repeat(x, times), np.repeat(y, times)).statistic
    np.testing.assert_allclose(correlate(x + shift, 5 * y, times[None].astype(np.float64)), [expected], atol=1e-6)


def test_a_constant_has_no_correlation() -> None:
    values = np.array([0.1, 0.7, 0.3])
    assert np.isnan(correlate(np.full(3, 0.1 + 0.2), values, np.ones((1, 3)))).all()
    assert np.isnan(correlate(values, values, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))).all()
    assert np.isnan(correlate(np.empty(0), np.empty(0), np.ones((2, 0)))).all()


def test_the_weight_of_a_pair_is_the_product_of_how_often_its_classifiers_were_drawn() -> None:
    rows, columns = np.triu_indices(5, 1)
    weights = PairWeights(5, rows, columns, num_resamples=50, seed=3)
    total = weights.compute(lambda each: each.sum(axis=1))
    assert total[0] == 10  # each pair once
    times = np.random.default_rng(3).multinomial(5, np.full(5, 0.2), size=50)
    np.testing.assert_allclose(total[1:], (25 - (times**2).sum(axis=1)) / 2)  # all of 5 x 5, without a classifier with itself
    chosen = rows == 0
    np.testing.assert_allclose(
        weights.take(chosen).compute(lambda each: each.sum(axis=1))[1:], times[:, 0] * times[:, 1:].sum(axis=1)
    )


def test_blocks_of_draws_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = PairWeights(6, *np.triu_indices(6, 1), num_resamples=20)
    whole = weights.compute(lambda each: each @ np.arange(15.0))
    monkeypatch.setattr("zooscope.statistics.pair_bootstrap.CELLS_AT_ONCE", 40)
    np.testing.assert_array_equal(weights.compute(lambda each: each @ np.arange(15.0)), whole)


def test_ends_are_percentiles_of_the_draws_that_have_a_number() -> None:
    draws = np.append(np.arange(101.0), [np.nan] * 50)
    assert find_ends(draws, 0.9) == pytest.approx((5, 95))


@pytest.mark.parametrize("draws", [np.full(10, 0.7), np.append(np.arange(59.0), [np.nan] * 41), np.full(5, np.nan)])
def test_without_spread_or_with_few_draws_there_is_no_interval(draws: np.ndarray) -> None:
    assert np.isnan(find_ends(draws, 0.95)).all()


def test_a_confidence_of_1_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="confidence must be in"):
        find_ends(np.arange(3.0), 1.0)


@pytest.mark.slow
def test_intervals_hold_the_truth_by_resampling_classifiers_and_not_by_resampling_pairs() -> None:
    size, kinds = 12, np.array([0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7])
    rows, columns = np.triu_indices(size, 1)
    same, once = kinds[rows] == kinds[columns], np.ones((1, len(rows)))

    def draw(generator: np.random.Generator) -> tuple[Array, Array]:
        """A score and a gain; half of each one's noise comes from the two classifiers of a pair."""
        noise = generator.normal(size=(2, size))[:, rows] + generator.normal(size=(2, size))[:, columns]
        x, y = 0.5 * noise + np.sqrt(0.5) * generator.normal(size=(2, len(rows)))
        x = x + 1.2 * same
        return x, y - 0.5 * x

    truth = np.mean([correlate(*draw(np.random.default_rng([1, seed])), once)[0] for seed in range(2000)])
    held = {"classifiers": 0, "pairs": 0}
    for seed in range(200):
        x, y = draw(np.random.default_rng([2, seed]))
        by_classifier = PairWeights(size, rows, columns, num_resamples=400).compute(partial(correlate, x, y))[1:]
        times = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=400)
        by_pair = correlate(x, y, times.astype(np.float64))
        for name, draws in (("classifiers", by_classifier), ("pairs", by_pair)):
            low, high = find_ends(draws, 0.95)
            held[name] += low <= truth <= high
    assert held["classifiers"] >= 0.92 * 200 > 0.9 * 200 > held["pairs"]
