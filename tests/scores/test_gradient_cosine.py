import numpy as np
import pytest
from scipy.spatial.distance import cosine

from tests.scores.synthetic import make_measured
from tests.specimens import Array
from zooscope.scores.gradient_cosine import GRADIENT_COSINE, gradient_cosine
from zooscope.scores.similarity import Pairs


def score(gradients: list[Array], right: Array, num_parts: int = 1) -> Pairs:
    labels = np.ones(right.shape[1], dtype=int)
    return GRADIENT_COSINE.compute(make_measured(labels, right.astype(int), gradients, num_parts=num_parts), 0.95)


def some(num_images: int = 30) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    gradients = generator.normal(size=(3, num_images, 8)) + generator.normal(size=(1, num_images, 8))
    return gradients, generator.random((3, num_images)) < 0.8


def test_it_is_the_mean_of_scipys_cosines_over_the_images_that_both_get_right() -> None:
    gradients, right = some()
    for a, b in np.ndindex(3, 3):
        shared = np.flatnonzero(right[a] & right[b])
        expected = np.mean([1 - cosine(gradients[a, image], gradients[b, image]) for image in shared])
        assert gradient_cosine(gradients, right)[a, b] == pytest.approx(expected, rel=1e-10)


def test_cutting_the_images_into_parts_changes_nothing_and_scaling_a_gradient_neither() -> None:
    gradients, right = some()
    whole, cut = score(list(gradients), right), score(list(gradients * [[[1]], [[2]], [[1e-3]]]), right, num_parts=4)
    np.testing.assert_allclose(whole[:4], cut[:4], rtol=1e-9)


def test_a_zero_gradient_does_not_count_and_a_missing_one_is_named() -> None:
    gradients, right = some()
    right[:] = True
    gradients[0, :10] = 0
    pairs = score([*gradients, np.empty((30, 0))], np.concatenate([right, right[:1]]))
    np.testing.assert_array_equal(pairs.counted[:3, :3], [[20, 20, 20], [20, 30, 30], [20, 30, 30]])
    assert np.isnan(pairs.score[3]).all()
    assert pairs.reason[0, 3] == pairs.reason[3, 3] == "the logits of c3 have no gradient"
    assert (pairs.reason[:3, :3] == "").all()


def test_without_an_image_that_both_get_right_there_is_no_score() -> None:
    gradients, right = some()
    right[0], right[1] = np.arange(30) % 2, np.arange(30) % 2 == 0
    pairs = score(list(gradients), right)
    assert np.isnan(pairs.score[0, 1])
    assert pairs.reason[0, 1] == "no image that both get right has a gradient that is not zero"
