from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.specimens import counted_in, fooled_in, outcomes_of
from zooscope.analyses.stability import measure_stability
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.records.predictions import NOT_COUNTED
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import bound_sat, sat

PAIR = ("classifier 0", "classifier 1")


def independent(num_images: int, share: float = 0.3, size: int = 2, seed: int = 0) -> Outcomes:
    return outcomes_of(np.random.default_rng(seed).random((size, size, num_images)) < share)


def test_the_spread_per_image_is_the_binomial_one_where_outcomes_are_independent() -> None:
    # Two directions of share p: the mean of two outcomes has the variance p (1 - p) / 2.
    found: Any = measure_stability(independent(20_000), pair=PAIR, sizes=[100])
    assert found.pairs["std_per_image"].item() == pytest.approx(100 * np.sqrt(0.3 * 0.7 / 2), rel=0.03)
    assert found.by_size.loc[100, "expected"] == pytest.approx(100 * np.sqrt(0.3 * 0.7 / 2) / 10, rel=0.03)


def test_the_spread_over_sets_is_the_expected_one_on_average() -> None:
    outcomes = independent(4000, size=8)
    for sizes in ([40, 400], [1000]):  # disjoint, and with replacement
        found: Any = measure_stability(outcomes, sizes=sizes).by_size
        # Ten sets, 28 pairs that share outcomes in part.
        np.testing.assert_allclose(found["std"], found["expected"], rtol=0.2)


def test_disjoint_sets_share_no_image_and_their_spread_is_that_of_the_scores_of_the_parts() -> None:
    # Every image has its own share of fooled pairs: with one image a set, the spread is that of single images.
    outcomes = independent(10, seed=4)
    found: Any = measure_stability(outcomes, pair=PAIR, sizes=[1])
    single = [
        sat(
            Outcomes.from_flags(outcomes.names, counted=counted_in(outcomes)[..., [k]], fooled=fooled_in(outcomes)[..., [k]])
        ).percent[0, 1]
        for k in range(10)
    ]
    assert found.by_size.loc[1, "disjoint"]
    assert found.by_size.loc[1, "std"] == pytest.approx(np.std(single, ddof=1))


def test_sets_are_disjoint_as_long_as_there_are_images_enough() -> None:
    found: Any = measure_stability(independent(100), sizes=[5, 10, 11, 100])
    assert found.by_size["disjoint"].tolist() == [True, True, False, False]


def test_the_images_needed_give_the_wanted_width() -> None:
    found: Any = measure_stability(independent(20_000), pair=PAIR, width=2.0, confidence=0.9)
    sigma = 100 * np.sqrt(0.3 * 0.7 / 2)
    assert found.needed == pytest.approx((2 * norm.ppf(0.95) * sigma / 2.0) ** 2, rel=0.06)
    outcomes = independent(found.needed, seed=9)
    low, high = (100 * np.exp(end[0, 1]) / 100 for end in bound_sat(outcomes, confidence=0.9))
    assert high - low == pytest.approx(2.0, rel=0.1)


def test_images_that_a_pair_gets_wrong_make_it_need_more() -> None:
    outcomes = independent(20_000)
    generator = np.random.default_rng(1)
    outcomes.predicted[..., generator.random(20_000) < 0.5] = NOT_COUNTED
    needed = [measure_stability(each, pair=PAIR).needed for each in (independent(20_000), outcomes)]
    assert needed[1] == pytest.approx(2 * needed[0], rel=0.05)


def test_all_pairs_are_in_the_table_and_in_the_mean() -> None:
    found: Any = measure_stability(independent(200, size=4))
    assert len(found.pairs) == 6
    assert found.needed_most == found.pairs["needed"].max()
    alone: Any = measure_stability(independent(200, size=4), pair=("classifier 1", "classifier 3"))
    row = found.pairs[(found.pairs["a"] == "classifier 1") & (found.pairs["b"] == "classifier 3")]
    assert alone.pairs["std_per_image"].item() == pytest.approx(row["std_per_image"].item())
    assert found.by_size.index.tolist() == [10, 20, 50, 100, 200]


def test_what_is_found_does_not_depend_on_how_pairs_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = independent(200, size=6)
    outcomes.predicted[0] = outcomes.predicted[:, 0] = NOT_COUNTED
    whole = measure_stability(outcomes)
    monkeypatch.setattr("zooscope.analyses.stability.CELLS_AT_ONCE", 200 * 2)  # the first pairs have no score at all
    split = measure_stability(outcomes)
    pd.testing.assert_frame_equal(split.pairs, whole.pairs)
    pd.testing.assert_frame_equal(split.by_size, whole.by_size)
    assert (split.needed, split.needed_most) == (whole.needed, whole.needed_most)


def test_a_pair_without_a_shared_image_is_left_out() -> None:
    outcomes = independent(50, size=3)
    outcomes.predicted[0, 1] = outcomes.predicted[1, 0] = NOT_COUNTED
    assert len(measure_stability(outcomes).pairs) == 2
    with pytest.raises(InvalidValueError, match="no pair of classifiers has a score yet"):
        measure_stability(outcomes, pair=PAIR)


def test_one_image_is_one_size() -> None:
    found: Any = measure_stability(independent(1))
    assert found.by_size.index.tolist() == [1]
    assert found.pairs["std_per_image"].item() == 0


def test_an_unknown_classifier_and_a_pair_of_one_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'clasifier 1'\. Did you mean"):
        measure_stability(independent(20), pair=("classifier 0", "clasifier 1"))
    with pytest.raises(InvalidValueError, match=r"a pair is two classifiers: got classifier 0 twice\."):
        measure_stability(independent(20), pair=("classifier 0", "classifier 0"))


@pytest.mark.parametrize("sizes", [[], [0], [21]])
def test_sizes_are_between_one_and_the_images(sizes: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="sizes must be between 1 and the 20 images of the study: got"):
        measure_stability(independent(20), sizes=sizes)


@pytest.mark.parametrize(("num_sets", "width"), [(1, 2.0), (10, 0.0), (10, float("nan"))])
def test_one_set_has_no_spread_and_a_width_is_positive(num_sets: int, width: float) -> None:
    with pytest.raises(InvalidValueError, match="a spread needs at least 2 sets, a width must be positive"):
        measure_stability(independent(20), num_sets=num_sets, width=width)
