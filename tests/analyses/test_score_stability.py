from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.specimens import Array, outcomes_of
from zooscope.analyses.score_stability import measure_score_stability
from zooscope.analyses.stability import measure_stability
from zooscope.scores.outcomes import PERCENT
from zooscope.scores.sat import sat


def means(values: Array) -> Callable[[Array], Array]:
    """A score that is the mean over the images of a value of each pair."""
    return lambda positions: values[..., positions].mean(axis=-1)


def normal(num_images: int, size: int = 6) -> Array:
    values = np.random.default_rng(1).normal(size=(size, size, num_images))
    return np.asarray((values + values.transpose(1, 0, 2)) / np.sqrt(2))  # standard deviation 1 per image


def test_the_spread_of_a_mean_over_n_images_is_1_over_the_root_of_n() -> None:
    found: Any = measure_score_stability(means(normal(4000)), num_units=4000, passes_per_unit=3)
    by_size = found.by_size
    assert by_size.index.tolist() == [50, 100, 200, 400, 800, 1600, 3200]
    assert by_size["disjoint"].tolist() == [True] * 4 + [False] * 3
    np.testing.assert_allclose(by_size["std"], 100 / np.sqrt(by_size.index), rtol=0.25)  # ten sets, 15 pairs
    np.testing.assert_allclose(by_size["passes"], 3 * by_size.index)
    assert found.spread == pytest.approx(100 / np.sqrt(4000), rel=0.5)  # nothing but noise tells the pairs apart
    np.testing.assert_allclose(by_size["relative"], by_size["std"] / found.spread)


def test_sets_are_disjoint_as_long_as_the_images_suffice() -> None:
    taken: list[Array] = []

    def score(positions: Array) -> Array:
        taken.append(positions)
        return np.array([[0.0, float(len(taken))], [float(len(taken)), 0.0]])

    measure_score_stability(score, num_units=25, passes_per_unit=1)
    sets = [positions for positions in taken if len(positions) == 2]
    assert len(sets) == 10
    assert len(np.unique(np.concatenate(sets))) == 20


def test_a_score_that_can_not_take_an_image_twice_has_disjoint_sets_alone() -> None:
    found: Any = measure_score_stability(means(normal(100)), num_units=100, passes_per_unit=1, may_repeat=False)
    assert found.by_size["disjoint"].all()
    assert found.by_size.index.tolist() == [1, 2, 5, 10]


def test_of_sat_it_is_the_stability_that_is_known() -> None:
    outcomes = outcomes_of(np.random.default_rng(0).random((4, 4, 2000)) < 0.3)
    found: Any = measure_score_stability(
        lambda images: sat(outcomes.take_images(images)).percent / PERCENT, num_units=2000, passes_per_unit=1
    )
    expected: Any = measure_stability(outcomes, sizes=found.by_size.index.tolist())
    np.testing.assert_allclose(found.by_size["std"], expected.by_size["expected"], rtol=0.4)
    assert found.spread == pytest.approx(expected.pairs["percent"].std())


def test_sizes_on_which_many_pairs_have_no_score_are_left_out() -> None:
    values = normal(80)

    def score(positions: Array) -> Array:
        made: Array = values[..., positions].mean(axis=-1)
        if len(positions) <= 2:
            made[0, 1:3] = np.nan  # two of fifteen pairs
        if len(positions) == 4:
            made[0, 1] = np.nan
        return np.where(np.isnan(made.T), np.nan, made)

    found: Any = measure_score_stability(score, num_units=80, passes_per_unit=1)
    assert found.by_size["num_pairs"].to_dict() == {4: 14, 8: 15, 16: 15, 32: 15, 64: 15}


@pytest.mark.parametrize("num_units", [1, 9])
def test_too_few_images_for_ten_sets_give_none(num_units: int) -> None:
    assert measure_score_stability(means(normal(num_units)), num_units=num_units, passes_per_unit=1).by_size.empty


def test_one_pair_has_no_spread_to_compare_with() -> None:
    found: Any = measure_score_stability(means(normal(40, size=2)), num_units=40, passes_per_unit=1)
    assert np.isnan(found.by_size["relative"]).all()
    assert (found.by_size["std"] > 0).all()


def test_a_score_that_is_nowhere_defined_has_no_rows() -> None:
    assert measure_score_stability(lambda _: np.full((3, 3), np.nan), num_units=40, passes_per_unit=1).by_size.empty
