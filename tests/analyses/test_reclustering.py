"""Clusters that the images decide come out again; those that chance decides don't."""

from dataclasses import replace

import numpy as np
import pytest

from tests.specimens import Array
from zooscope.analyses.clustering import find_clusters, run_k_means
from zooscope.analyses.reclustering import _score_draws, judge_stability, measure_cluster_stability
from zooscope.analyses.spectral import build_adjacency, find_spectrum
from zooscope.errors import InvalidValueError
from zooscope.records.predictions import NOT_COUNTED, Predictions
from zooscope.scores.matrices import make_sat_matrix
from zooscope.scores.outcomes import find_outcomes
from zooscope.scores.sat import EPSILON_S, sat
from zooscope.statistics.bootstrap import draw_weights

NAMES = ("d", "b", "f", "a", "c", "e")


def predictions_with(shares: Array, *, num_images: int = 300, seed: int = 0, accuracy: float = 1.0) -> Predictions:
    """Attacks fool with these probabilities, by source and target."""
    generator, count = np.random.default_rng(seed), len(shares)
    right = generator.random((count, num_images)) < accuracy
    fooled = generator.random((count, count, num_images)) < shares[..., None]
    transfer = np.where(right[:, None] & right, fooled.astype(np.int32), NOT_COUNTED)
    return Predictions(
        names=NAMES[:count],
        image_ids=tuple(map(str, range(num_images))),
        labels=np.zeros(num_images, dtype=np.int64),
        clean=(~right).astype(np.int32),
        sources=NAMES[:count],
        transfer=transfer.astype(np.int32),
        transforms=("same",) * count,
    )


def grouped(*, alike: float, unlike: float) -> Array:
    shares = np.kron(np.eye(2), np.full((3, 3), alike - unlike)) + unlike
    np.fill_diagonal(shares, 1)
    return shares


def test_groups_in_the_data_hold_together() -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1))
    found = find_clusters(make_sat_matrix(predictions, confidence=None), 2)
    stable = measure_cluster_stability(found, predictions, num_draws=40)
    assert found.members == {1: ("a", "c", "e"), 2: ("b", "d", "f")}
    assert stable.clusters["size"].tolist() == [3, 3]
    assert (stable.clusters[["together", "jaccard", "exact"]].to_numpy() > 0.9).all()
    assert stable.clusters["verdict"].tolist() == ["unsure", "unsure"]  # of six classifiers
    assert stable.adjusted_rand > 0.9
    assert (stable.num_draws, tuple(stable.co_assignment.index)) == (40, found.order)
    assert stable.co_assignment["a"]["c"] > 0.9
    assert stable.co_assignment["a"]["b"] < 0.1


def test_groups_by_chance_do_not() -> None:
    predictions = predictions_with(grouped(alike=0.3, unlike=0.3), num_images=60)
    found = find_clusters(make_sat_matrix(predictions, confidence=None), 3)
    stable = measure_cluster_stability(found, predictions, num_draws=60)
    assert stable.adjusted_rand < 0.7
    assert stable.clusters["exact"].min() < 0.7
    assert "stable" not in set(stable.clusters["verdict"])


@pytest.mark.parametrize(
    ("jaccard", "verdict"), [(1, "stable"), (0.75, "stable"), (0.74, "unsure"), (0.51, "unsure"), (0.5, "noise")]
)
def test_the_verdict_has_the_limits_of_hennig(jaccard: float, verdict: str) -> None:
    assert judge_stability(jaccard, num_classifiers=8) == verdict


@pytest.mark.parametrize(("jaccard", "verdict"), [(1, "unsure"), (0.51, "unsure"), (0.5, "noise")])
def test_of_fewer_than_eight_classifiers_no_cluster_is_stable(jaccard: float, verdict: str) -> None:
    assert judge_stability(jaccard, num_classifiers=7) == verdict


def test_groups_of_eight_classifiers_are_stable() -> None:
    shares = np.kron(np.eye(2), np.full((4, 4), 0.6)) + 0.1
    np.fill_diagonal(shares, 1)
    names = tuple("hdbfgace")
    predictions = replace(predictions_with(shares), names=names, sources=names)
    found = find_clusters(make_sat_matrix(predictions, confidence=None), 2)
    stable = measure_cluster_stability(found, predictions, num_draws=20)
    assert found.members == {1: ("a", "c", "e", "g"), 2: ("b", "d", "f", "h")}
    assert stable.clusters["verdict"].tolist() == ["stable", "stable"]


def test_what_resampling_can_not_change_has_no_verdict() -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1))
    for num_clusters in (1, 6):
        found = find_clusters(make_sat_matrix(predictions, confidence=None), num_clusters)
        table = measure_cluster_stability(found, predictions, num_draws=3).clusters
        assert set(table["verdict"]) == {""}
        assert set(table["jaccard"]) == {1.0}


def test_every_number_is_what_it_says() -> None:
    """A draw is clustered by hand; with one draw, each number has its closed form."""
    predictions = predictions_with(grouped(alike=0.35, unlike=0.25), num_images=50, accuracy=0.9)
    found = find_clusters(make_sat_matrix(predictions, confidence=None), 3)
    stable = measure_cluster_stability(found, predictions, num_draws=1, seed=5)
    weights = np.random.default_rng(5).multinomial(50, np.full(50, 1 / 50), size=1)[0]
    drawn = np.repeat(np.arange(50), weights)
    again = replace(
        predictions, labels=predictions.labels[drawn], clean=predictions.clean[:, drawn], transfer=predictions.transfer[..., drawn]
    )
    scores = make_sat_matrix(again, confidence=None).to_pandas().sort_index().sort_index(axis=1)
    spectrum = find_spectrum(build_adjacency(scores.to_numpy(copy=True)))
    features = spectrum.vectors[:, :3][:, spectrum.eigenvalues[:3] < 6 / 5]  # of six, those alone that show groups
    best = min((run_k_means(features, 3, random_state=seed) for seed in range(50)), key=lambda result: result[1])[0]
    together = stable.co_assignment.loc[scores.index, list(scores.index)].to_numpy()
    np.testing.assert_array_equal(together, best[:, None] == best)
    for number, names in found.members.items():
        places = [list(scores.index).index(name) for name in names]
        likeness = [
            len(set(places) & other) / len(set(places) | other) for other in (set(np.flatnonzero(best == one)) for one in set(best))
        ]
        assert stable.clusters.loc[number, "jaccard"] == pytest.approx(max(likeness))
        assert stable.clusters.loc[number, "exact"] == (max(likeness) == 1)


def test_a_cluster_of_one_has_no_pairs() -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1)[:4, :4])
    stable = measure_cluster_stability(find_clusters(make_sat_matrix(predictions, confidence=None), 2), predictions, num_draws=5)
    assert stable.clusters["size"].tolist() == [3, 1]
    assert np.isnan(stable.clusters["together"][2])


def test_the_order_of_the_classifiers_does_not_matter() -> None:
    predictions = predictions_with(grouped(alike=0.35, unlike=0.25), num_images=50)
    order = [3, 0, 5, 1, 2, 4]
    other = predictions.take([predictions.names[place] for place in order])
    first, second = (
        measure_cluster_stability(find_clusters(make_sat_matrix(these, confidence=None), 2), these, num_draws=20)
        for these in (predictions, other)
    )
    assert first.co_assignment.equals(second.co_assignment)
    assert first.clusters.equals(second.clusters)


def test_a_part_of_the_classifiers_can_be_examined() -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1))
    part = make_sat_matrix(predictions, confidence=None).drop_sel(a=["f"], b=["f"])
    stable = measure_cluster_stability(find_clusters(part, 2), predictions, num_draws=5)
    assert sorted(stable.co_assignment.index) == ["a", "b", "c", "d", "e"]


def test_draws_in_which_a_pair_or_everything_is_lost_are_survived() -> None:
    """With two images, a draw often lacks the one that a pair shares, or the one that is fooled."""
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1), num_images=2)
    transfer = np.zeros_like(predictions.transfer)
    transfer[..., 0] = grouped(alike=1, unlike=0)
    transfer[range(6), range(6)] = 1
    transfer[0, 1, 1] = transfer[1, 0, 1] = NOT_COUNTED
    known = replace(predictions, transfer=transfer)
    stable = measure_cluster_stability(find_clusters(make_sat_matrix(known, confidence=None), 2), known, num_draws=30)
    assert stable.co_assignment.notna().all(axis=None)
    assert 0 < stable.clusters["exact"].iloc[0] < 1


def test_what_can_not_be_examined_is_refused() -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1))
    found = find_clusters(make_sat_matrix(predictions, confidence=None), 2)
    with pytest.raises(InvalidValueError, match="num_draws must be at least 1: got 0"):
        measure_cluster_stability(found, predictions, num_draws=0)
    with pytest.raises(InvalidValueError, match="the predictions don't contain a; take clusters and predictions of the same study"):
        measure_cluster_stability(found, replace(predictions, names=("d", "b", "f", "x", "c", "e")))


def test_a_draw_is_scored_as_the_study_of_its_images_however_pairs_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = predictions_with(grouped(alike=0.7, unlike=0.1), num_images=80, accuracy=0.8)
    names = ("f", "a", "d", "c", "b")
    monkeypatch.setattr("zooscope.analyses.reclustering.PAIRS_AT_ONCE", 3)
    found = list(_score_draws(predictions, names, num_draws=4, epsilon_s=EPSILON_S, seed=7))
    for scores, times in zip(found, draw_weights(80, num_resamples=4, seed=7), strict=True):
        drawn = find_outcomes(predictions.take(names)).take_images(np.repeat(np.arange(80), times.astype(np.int64)))
        expected = sat(drawn).score
        np.fill_diagonal(expected, 0)
        np.testing.assert_allclose(scores, expected, rtol=1e-6)  # shares of draws are divided in float32
