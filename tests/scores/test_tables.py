"""Scores of being right: against hand-made tables, and against programs that share no code with these."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from tests.scores.synthetic import make_logits, make_measured
from tests.specimens import Array
from zooscope.scores.disagreement import DISAGREEMENT, disagreement
from zooscope.scores.double_fault import DOUBLE_FAULT, double_fault
from zooscope.scores.error_consistency import ERROR_CONSISTENCY, error_consistency
from zooscope.scores.positive_flips import POSITIVE_FLIPS, positive_flips
from zooscope.scores.q_statistic import Q_STATISTIC, q_statistic
from zooscope.scores.similarity import Pairs, Similarity

NONE, ALL = (stats.binomtest(hits, 40).proportion_ci(method="wilson") for hits in (0, 40))


def right_of(both: int, first: int, second: int, neither: int) -> Array:
    """Two classifiers with this table."""
    return np.repeat([[1, 1, 0, 0], [1, 0, 1, 0]], [both, first, second, neither], axis=1).astype(bool)


def score(similarity: Similarity, right: Array, confidence: float | None = 0.95) -> Pairs:
    return similarity.compute(make_measured(np.ones(right.shape[1], dtype=int), right.astype(int)), confidence)


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (error_consistency, (0.7 - 0.54) / (1 - 0.54)),  # accuracies 0.7 and 0.6: expected 0.42 + 0.12
        (disagreement, 0.3),
        (double_fault, 0.2),
        (q_statistic, (50 * 20 - 20 * 10) / (50 * 20 + 20 * 10)),
        (positive_flips, 0.1),
    ],
)
def test_a_table_made_by_hand_has_the_score_of_its_formula(compute: Callable[[Array], Array], expected: float) -> None:
    assert compute(right_of(50, 20, 10, 20))[0, 1] == pytest.approx(expected, rel=1e-14)


def test_positive_flips_of_both_directions_differ_by_the_accuracies() -> None:
    flips = positive_flips(right_of(50, 20, 10, 20))
    np.testing.assert_allclose(flips, [[0, 0.1], [0.2, 0]])


@pytest.mark.filterwarnings("error")
def test_kappa_is_that_of_scikit_learn() -> None:
    labels, logits = make_logits(4, 200)
    right = logits.argmax(-1) == labels
    ours = error_consistency(right)
    theirs = [[cohen_kappa_score(a, b) for b in right] for a in right]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_disagreement_double_fault_and_q_are_those_of_deslib() -> None:
    diversity = pytest.importorskip("deslib.util.diversity", reason="deslib, the reference of ensemble diversity, is not installed")
    labels, logits = make_logits(4, 200)
    said = logits.argmax(-1)
    ours = (disagreement, double_fault, q_statistic)
    theirs = (diversity.disagreement_measure, diversity.double_fault, diversity.Q_statistic)
    for own, other in zip(ours, theirs, strict=True):
        expected = [[other(labels, a, b) for b in said] for a in said]
        np.testing.assert_allclose(own(said == labels), expected, rtol=1e-12)


@pytest.mark.parametrize("table", [(10, 0, 0, 0), (0, 0, 0, 10), (1, 0, 0, 0)])
def test_kappa_is_undefined_where_both_are_always_right_or_always_wrong(table: tuple[int, int, int, int]) -> None:
    pairs = score(ERROR_CONSISTENCY, right_of(*table))
    assert np.isnan(pairs.score).all()
    assert np.isnan(pairs.low).all()
    assert "chance alone would make them agree" in pairs.reason[0, 1]


def test_kappa_of_a_perfect_and_a_hopeless_classifier_is_0_as_chance_has_it() -> None:
    assert error_consistency(right_of(0, 10, 0, 0))[0, 1] == 0


@pytest.mark.parametrize("table", [(10, 5, 0, 0), (0, 5, 0, 3), (10, 0, 0, 0)])
def test_q_is_undefined_where_both_products_are_0(table: tuple[int, int, int, int]) -> None:
    pairs = score(Q_STATISTIC, right_of(*table))
    assert np.isnan(pairs.score[0, 1])
    assert "both of its products are 0" in pairs.reason[0, 1]


@pytest.mark.parametrize(
    ("similarity", "table", "ends"),
    [
        (DISAGREEMENT, (30, 0, 0, 10), NONE),
        (DOUBLE_FAULT, (30, 5, 5, 0), NONE),
        (POSITIVE_FLIPS, (30, 5, 0, 5), NONE),
        (DISAGREEMENT, (0, 20, 20, 0), ALL),
        (DOUBLE_FAULT, (0, 0, 0, 40), ALL),
    ],
)
def test_shares_of_0_and_1_have_the_ends_of_wilson(
    similarity: Similarity, table: tuple[int, int, int, int], ends: tuple[float, float]
) -> None:
    pairs = score(similarity, right_of(*table))
    np.testing.assert_allclose((pairs.low[0, 1], pairs.high[0, 1]), ends, rtol=1e-9, atol=1e-12)


def test_two_classifiers_with_the_same_errors_are_not_certain_to_be_the_same() -> None:
    pairs = score(ERROR_CONSISTENCY, right_of(30, 0, 0, 10))
    assert (pairs.score == 1).all()
    assert pairs.low[0, 1] < 0.95
    assert pairs.low[0, 0] == 1, "a classifier and itself are"
    assert score(Q_STATISTIC, right_of(30, 0, 5, 10)).low[0, 1] < 0.9


@pytest.mark.parametrize("similarity", [ERROR_CONSISTENCY, POSITIVE_FLIPS], ids=lambda one: one.name)
def test_intervals_cover_what_more_images_would_give(similarity: Similarity) -> None:
    shares = np.array([0.5, 0.15, 0.1, 0.25])
    truth = score(similarity, right_of(*(int(10000 * share) for share in shares)), None).score[0, 1]
    generator, covered = np.random.default_rng(0), 0
    for _ in range(200):
        pairs = score(similarity, right_of(*generator.multinomial(150, shares)))
        covered += pairs.low[0, 1] <= truth <= pairs.high[0, 1]
    assert 0.91 * 200 <= covered <= 200
