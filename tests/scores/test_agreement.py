import numpy as np
import pytest

from tests.scores.synthetic import make_measured
from tests.specimens import Array
from zooscope.scores.agreement import AGREEMENT, agreement
from zooscope.scores.similarity import Measured, Pairs


def score(predicted: Array, confidence: float | None = 0.95) -> Pairs:
    labels = np.zeros(5, dtype=int)
    return AGREEMENT.compute(make_measured(labels, np.zeros((len(predicted), 5), dtype=int), list(predicted)), confidence)


def test_it_is_the_mean_over_triplets_of_the_share_of_points() -> None:
    predicted = np.array([[[0, 0, 1, 1], [2, 2, 2, 2]], [[0, 1, 1, 1], [2, 2, 0, 0]]])
    np.testing.assert_allclose(agreement(predicted), [[1, (0.75 + 0.5) / 2], [(0.75 + 0.5) / 2, 1]])
    np.testing.assert_allclose(score(predicted).score, agreement(predicted))


def test_points_without_a_class_and_triplets_without_points_do_not_count() -> None:
    predicted = np.array([[[0, 0, -3, 1], [2, 2, 2, 2]], [[0, 1, 1, 1], [-3, -3, -3, -3]]])
    pairs = score(predicted)
    assert pairs.score[0, 1] == pytest.approx(2 / 3)
    np.testing.assert_array_equal(pairs.counted, [[2, 1], [1, 1]])
    assert np.isnan(pairs.low[0, 1])
    assert "too few for an interval" in pairs.reason[0, 1]
    nothing = score(np.full((2, 2, 4), -3))
    assert np.isnan(nothing.score).all()
    assert (nothing.reason == "no triplet is measured of both, with a predicted class").all()


def test_a_pair_is_scored_on_the_triplets_that_are_measured_of_both() -> None:
    predicted = np.random.default_rng(0).integers(0, 3, (2, 6, 50))
    whole = make_measured(np.zeros(5, dtype=int), np.zeros((2, 5), dtype=int), list(predicted), num_parts=3)
    part = Measured(
        names=whole.names,
        labels=whole.labels,
        clean=whole.clean,
        num_parts=3,
        read_part=lambda number: {name: own for name, own in whole.read_part(number).items() if (name, number) != ("c1", 1)},
    )
    pairs = AGREEMENT.compute(part, 0.9)
    np.testing.assert_array_equal(pairs.counted, [[6, 4], [4, 4]])
    assert pairs.score[0, 1] == pytest.approx(agreement(predicted[:, [0, 1, 4, 5]])[0, 1])


def test_intervals_are_as_wide_as_triplets_differ_however_many_points_they_have() -> None:
    generator = np.random.default_rng(0)
    shares = generator.random(40)
    first = np.zeros((40, 2000), dtype=int)
    second = (generator.random((40, 2000)) > shares[:, None]).astype(int)
    pairs = score(np.stack([first, second]))
    error = shares.std(ddof=1) / np.sqrt(40)
    assert pairs.high[0, 1] - pairs.low[0, 1] == pytest.approx(2 * 1.96 * error, rel=0.15)
