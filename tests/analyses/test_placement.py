from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array, outcomes_of
from zooscope.analyses.placement import compare_directions, find_usual_sat, place_classifier
from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import sat, score_one_sided
from zooscope.statistics.shares import bound_shares

NAMES = ("a", "b", "c", "d")
CLUSTERS = {"a": 1, "b": 1, "c": 2, "d": 2}


def fooling(shares: tuple[float, ...], num_images: int = 100) -> tuple[Array, Array]:
    """Images that the new classifier's attack fools each target on, in the same order for all, and all of them counted."""
    fooled = np.arange(num_images) < num_images * np.array(shares)[:, None]
    return fooled, np.ones_like(fooled)


def blocks(num_images: int = 80, seed: int = 0) -> tuple[Outcomes, dict[str, int]]:
    """Six classifiers in two clusters of three, within which attacks transfer well."""
    generator = np.random.default_rng(seed)
    cluster = np.repeat([0, 1], 3)
    share = np.where(cluster[:, None] == cluster, 0.7, 0.2) + 0.1 * generator.random((6, 6))
    outcomes = outcomes_of(generator.random((6, 6, num_images)) < share[..., None])
    return outcomes, dict(zip(outcomes.names, cluster.tolist(), strict=True))


def test_targets_come_by_their_one_sided_sat() -> None:
    found: Any = place_classifier(NAMES, *fooling((0.1, 0.5, 0.8, 0.3)), clusters=CLUSTERS)
    assert found.targets.index.tolist() == ["c", "b", "d", "a"]
    assert found.targets["percent"].tolist() == [80, 50, 30, 10]
    np.testing.assert_allclose(found.targets["sat"], np.log([80, 50, 30, 10]))
    assert found.targets["cluster"].tolist() == [2, 1, 2, 1]
    assert found.targets["count"].tolist() == [100] * 4


def test_the_cluster_is_the_one_with_the_largest_mean_sat() -> None:
    # The nearest target is in cluster 2, whose mean is lower.
    found: Any = place_classifier(NAMES, *fooling((0.5, 0.6, 0.8, 0.05)), clusters=CLUSTERS)
    assert found.targets.index[0] == "c"
    assert found.cluster == 1
    expected = [(np.log(50) + np.log(60)) / 2, (np.log(80) + np.log(5)) / 2]
    np.testing.assert_allclose(found.clusters["sat"], expected)
    assert found.clusters.index.tolist() == [1, 2]
    assert found.clusters["classifiers"].tolist() == [2, 2]
    assert found.clusters["share"].sum() == pytest.approx(1)


def test_intervals_are_those_of_the_scores() -> None:
    fooled, counted = fooling((0.1, 0.5, 0.8, 0.3))
    low, high = bound_shares(fooled.astype(np.int8), counted.astype(np.int8), confidence=0.8)
    found: Any = place_classifier(NAMES, fooled, counted, confidence=0.8).targets
    np.testing.assert_allclose(found.loc[list(NAMES), "low"], np.log(100 * low))
    np.testing.assert_allclose(found.loc[list(NAMES), "high"], np.log(100 * high))


def test_a_target_that_is_always_fooled_has_the_interval_of_a_score_not_certainty() -> None:
    fooled = np.ones((1, 20), dtype=bool)
    found: Any = place_classifier(("a",), fooled, fooled).targets
    wilson = stats.binomtest(20, 20).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(np.exp(found.loc["a", ["low", "high"]].to_numpy(dtype=float)), [100 * wilson.low, 100.0])


def test_the_confidence_of_a_placement_grows_with_what_tells_the_clusters_apart() -> None:
    generator = np.random.default_rng(0)
    counted = np.ones((4, 60), dtype=bool)
    shares = []
    for gap in (0.0, 0.1, 0.4):
        fooled = generator.random((4, 60)) < np.array([0.4 + gap, 0.4 + gap, 0.4, 0.4])[:, None]
        found: Any = place_classifier(NAMES, fooled, counted, clusters=CLUSTERS)
        shares.append(found.clusters["share"].get(1, 0.0))
    assert shares[2] > 0.99
    assert shares[2] >= shares[1]


def test_two_clusters_that_are_equal_share_the_draws() -> None:
    found: Any = place_classifier(NAMES, *fooling((0.5, 0.5, 0.5, 0.5)), clusters=CLUSTERS)
    np.testing.assert_allclose(found.clusters["share"], 0.5)
    assert found.nearest_share == pytest.approx(0.25)


def test_permuting_the_targets_changes_nothing() -> None:
    fooled, counted = fooling((0.1, 0.5, 0.8, 0.3))
    order = [2, 0, 3, 1]
    first: Any = place_classifier(NAMES, fooled, counted, clusters=CLUSTERS)
    second: Any = place_classifier(tuple(NAMES[place] for place in order), fooled[order], counted[order], clusters=CLUSTERS)
    assert first.targets.equals(second.targets)
    np.testing.assert_allclose(first.clusters.to_numpy(), second.clusters.loc[first.clusters.index].to_numpy())


def test_without_clusters_there_is_none() -> None:
    found: Any = place_classifier(NAMES, *fooling((0.1, 0.5, 0.8, 0.3)))
    assert found.cluster is None
    assert np.isnan(found.share)
    assert found.clusters.empty


def test_a_target_without_a_shared_image_is_last_and_in_no_mean() -> None:
    fooled, counted = fooling((0.1, 0.5, 0.8, 0.3))
    counted[2] = False
    found: Any = place_classifier(NAMES, fooled, counted, clusters=CLUSTERS)
    assert found.targets.index[-1] == "c"
    assert np.isnan(found.targets["sat"].iloc[-1])
    assert found.clusters.loc[2, "classifiers"] == 1


def test_one_image_and_one_target_have_a_defined_answer() -> None:
    found: Any = place_classifier(("a",), np.ones((1, 1), dtype=bool), np.ones((1, 1), dtype=bool), clusters={"a": 7})
    assert (found.cluster, found.share, found.nearest_share) == (7, 1, 1)


def test_a_classifier_that_shares_no_image_with_anybody_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no target shares a correctly classified image with the classifier"):
        place_classifier(NAMES, np.zeros((4, 9), dtype=bool), np.zeros((4, 9), dtype=bool))


def test_one_direction_is_compared_with_both_over_all_ordered_pairs() -> None:
    outcomes, _ = blocks()
    found: Any = compare_directions(outcomes)
    off = ~np.eye(6, dtype=bool)
    alone, both = score_one_sided(outcomes)[off], sat(outcomes).score[off]
    np.testing.assert_allclose(found.pairs["one_sided"], alone)
    np.testing.assert_allclose(found.pairs["sat"], both)
    assert found.pearson.r == pytest.approx(stats.pearsonr(alone, both).statistic)
    assert found.trend.slope == pytest.approx(stats.linregress(alone, both).slope)


def test_classifiers_of_planted_clusters_are_put_into_their_own() -> None:
    outcomes, clusters = blocks()
    found: Any = compare_directions(outcomes, clusters=clusters)
    assert (found.recovered, found.num_recoverable) == (6, 6)
    wrong = {name: place % 2 for place, name in enumerate(outcomes.names)}
    assert compare_directions(outcomes, clusters=wrong).recovered < 6


def test_a_classifier_alone_in_its_cluster_can_not_be_put_there() -> None:
    outcomes, clusters = blocks()
    found: Any = compare_directions(outcomes, clusters=clusters | {"classifier 0": 9})
    assert found.num_recoverable == 5


def test_two_classifiers_have_no_correlation_to_test() -> None:
    outcomes = outcomes_of(np.random.default_rng(0).random((2, 2, 9)) < 0.5)
    found: Any = compare_directions(outcomes, clusters={"classifier 0": 1, "classifier 1": 1})
    assert len(found.pairs) == 2
    assert np.isnan(found.pearson.p_mantel)
    assert found.num_recoverable == 2


def test_the_usual_sat_is_the_mean_over_all_other_sources() -> None:
    outcomes, _ = blocks()
    alone = score_one_sided(outcomes)
    found = find_usual_sat(outcomes)
    for place, name in enumerate(outcomes.names):
        assert found[name] == pytest.approx(np.delete(alone[:, place], place).mean())


def test_targets_that_anybody_fools_draw_everybody_unless_that_is_taken_off() -> None:
    # The classifiers of cluster 1 are fooled easily by all; attacks still transfer better within a cluster.
    generator = np.random.default_rng(0)
    cluster = np.repeat([0, 1], 4)
    share = 0.25 + 0.15 * (cluster[:, None] == cluster) + np.where(cluster == 1, 0.3, 0.0)
    outcomes = outcomes_of(generator.random((8, 8, 400)) < share[..., None])
    found = compare_directions(outcomes, clusters=dict(zip(outcomes.names, cluster.tolist(), strict=True)))
    assert (found.recovered, found.recovered_corrected, found.num_recoverable) == (4, 8, 8)


def test_the_corrected_means_are_those_of_the_differences() -> None:
    found: Any = place_classifier(
        NAMES, *fooling((0.5, 0.6, 0.8, 0.05)), clusters=CLUSTERS, usual={"a": 4.0, "b": 4.0, "c": 3.0, "d": 1.0}
    )
    expected = {1: (np.log(50) + np.log(60)) / 2 - 4, 2: (np.log(80) + np.log(5)) / 2 - 2}
    assert found.cluster == 1
    assert found.corrected.index.tolist() == [2, 1]
    assert found.corrected["sat"].to_dict() == pytest.approx(expected)


def test_a_target_whose_usual_sat_is_not_known_is_in_no_corrected_mean() -> None:
    found: Any = place_classifier(NAMES, *fooling((0.5, 0.6, 0.8, 0.05)), clusters=CLUSTERS, usual={"a": 4.0})
    assert found.corrected["classifiers"].to_dict() == {1: 1}
