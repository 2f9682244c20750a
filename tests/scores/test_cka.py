"""Unbiased CKA: against Gram matrices written out, against rotations, and what its intervals cover."""

import numpy as np
import pytest

from tests.scores.synthetic import make_measured
from tests.specimens import Array
from zooscope.scores.cka import CKA, cka, draw_halves, group_images
from zooscope.scores.similarity import Pairs


def dense_hsic(first: Array, second: Array) -> float:
    """The unbiased HSIC of Song et al., with the whole Gram matrices, in the order of the formula."""
    gram, other = first @ first.T, second @ second.T
    np.fill_diagonal(gram, 0)
    np.fill_diagonal(other, 0)
    n, one = len(gram), np.ones(len(gram))
    total = np.trace(gram @ other) + (one @ gram @ one) * (one @ other @ one) / ((n - 1) * (n - 2))
    total -= 2 / (n - 2) * (one @ gram @ other @ one)
    return float(total / (n * (n - 3)))


def dense_cka(first: Array, second: Array) -> float:
    return dense_hsic(first, second) / float(np.sqrt(dense_hsic(first, first) * dense_hsic(second, second)))


def related(num_images: int, seed: int = 0, *, share: float = 1.0, num_features: int = 20) -> list[Array]:
    """Features of two classifiers, rectified, that share some of their directions."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(num_images, num_features))
    own = generator.normal(size=(2, num_images, num_features))
    return [np.maximum(share * common + each, 0).astype(np.float32) for each in own]


def score(features: list[Array], confidence: float | None = 0.95) -> Pairs:
    labels = np.zeros(len(features[0]), dtype=int)
    return CKA.compute(make_measured(labels, np.stack([labels] * len(features)), features), confidence)


@pytest.mark.parametrize("num_images", [4, 5, 30, 300, 600])  # 300 and 600 in groups
def test_it_is_that_of_whole_gram_matrices(num_images: int) -> None:
    features = [*related(num_images), np.random.default_rng(1).normal(size=(num_images, 7))]
    expected = [[dense_cka(a.astype(np.float64), b.astype(np.float64)) for b in features] for a in features]
    np.testing.assert_allclose(cka(features), expected, rtol=1e-8, atol=1e-10)


def test_rotating_scaling_and_shifting_features_changes_nothing() -> None:
    features = related(100)[0].astype(np.float64)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    np.testing.assert_allclose(cka([features, 1e3 * features @ rotation + 5]), 1, rtol=1e-9)


def test_a_large_mean_in_float32_costs_no_digits() -> None:
    first, second = related(200)
    shifted = first + np.float32(100)
    np.testing.assert_allclose(cka([shifted, second])[0, 1], cka([first, second])[0, 1], atol=2e-5)


def test_unrelated_features_have_0_on_average_however_few_the_images() -> None:
    generator = np.random.default_rng(0)
    values = [cka([generator.normal(size=(16, 500)) for _ in range(2)])[0, 1] for _ in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)
    assert np.std(values) < 0.15


@pytest.mark.parametrize("constant", [np.zeros((20, 3)), np.full((20, 3), 0.1, dtype=np.float32), np.eye(20)])
def test_features_that_say_nothing_are_undefined_and_named(constant: Array) -> None:
    pairs = score([constant, *related(20)])
    assert np.isnan(pairs.score[0]).all()
    assert np.isnan(pairs.low[:, 0]).all()
    assert np.isfinite(pairs.score[1:, 1:]).all()
    assert pairs.reason[0, 1] == pairs.reason[2, 0] == "the features of c0 are the same on all images, or trivial"


def test_a_network_without_features_is_named() -> None:
    pairs = score([np.empty((20, 0), dtype=np.float32), *related(20)])
    assert "c0 has no final linear layer" in pairs.reason[0, 1]
    assert np.isfinite(pairs.score[1, 2])


@pytest.mark.parametrize(("num_images", "reason"), [(3, "at least 4 images"), (7, "takes at least 8")])
def test_few_images_are_said(num_images: int, reason: str) -> None:
    pairs = score(related(num_images))
    assert np.isnan(pairs.score).all() == (num_images < 4)
    assert np.isnan(pairs.low).all()
    assert reason in pairs.reason[0, 1]


def test_every_image_is_in_one_group_and_groups_are_equal_up_to_one() -> None:
    groups = group_images(130)
    assert sorted(np.concatenate(groups).tolist()) == list(range(130))
    assert {len(group) for group in groups} == {3, 4}
    assert [len(group) for group in group_images(7)] == [1] * 7


def test_a_half_sample_has_half_of_the_groups_each_once() -> None:
    halves = draw_halves(11, num_halves=400)
    assert (halves.sum(axis=1) == 5).all()
    np.testing.assert_allclose(halves.mean(axis=0), 5 / 11, atol=0.1)


def test_intervals_of_the_score_are_those_of_the_half_samples() -> None:
    features, groups = related(90), group_images(90)
    halves = [np.concatenate([groups[place] for place in np.flatnonzero(half)]) for half in draw_halves(len(groups))]
    values = [dense_cka(*(each[half].astype(np.float64) for each in features)) for half in halves]
    pairs = score(features, 0.8)
    np.testing.assert_allclose((pairs.low[0, 1], pairs.high[0, 1]), np.quantile(values, (0.1, 0.9)), rtol=1e-8)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_intervals_cover_what_all_images_would_give(share: float) -> None:
    truth = cka(related(4000, 99, share=share))[0, 1]
    covered = 0
    for seed in range(60):
        pairs = score(related(80, seed, share=share))
        covered += pairs.low[0, 1] <= truth <= pairs.high[0, 1]
    assert covered >= 52
