from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.specimens import Array, family
from zooscope.attacks import LinfPGD
from zooscope.measurements.common_pixels import resize
from zooscope.measurements.transfer import derive_seed, perturb


def bilinear(pixels: Array, height: int, width: int) -> Array:
    """Bilinear resizing of (channel, height, width), written from its definition: pixel centres at halves, edges repeated."""
    old_height, old_width = pixels.shape[1:]
    result = np.empty((len(pixels), height, width))
    for row, column in product(range(height), range(width)):
        y = min(max((row + 0.5) * old_height / height - 0.5, 0), old_height - 1)
        x = min(max((column + 0.5) * old_width / width - 0.5, 0), old_width - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, old_height - 1), min(left + 1, old_width - 1)
        down, along = y - top, x - left
        result[:, row, column] = (1 - down) * ((1 - along) * pixels[:, top, left] + along * pixels[:, top, right]) + down * (
            (1 - along) * pixels[:, bottom, left] + along * pixels[:, bottom, right]
        )
    return result.clip(0, 1)


@pytest.mark.parametrize(("old", "new"), [((6, 6), (9, 9)), ((9, 9), (4, 4)), ((5, 7), (8, 3)), ((4, 4), (4, 5)), ((6, 6), (1, 1))])
def test_resizing_is_bilinear_without_antialiasing(old: tuple[int, int], new: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).uniform(size=(3, 3, *old))
    expected = np.stack([bilinear(image, *new) for image in pixels])
    np.testing.assert_allclose(resize(torch.from_numpy(pixels), new), expected, rtol=0, atol=1e-12)


def test_pixels_of_the_right_size_are_left_as_they_are() -> None:
    pixels = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert resize(pixels, (5, 6)) is pixels


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 1000))
def test_resized_pixels_stay_in_the_unit_interval(height: int, width: int, seed: int) -> None:
    pixels = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(seed)).round()
    result = resize(pixels, (height, width))
    assert result.shape == (1, 3, height, width)
    assert ((result >= 0) & (result <= 1)).all()


@pytest.mark.parametrize("random_start", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 30])
def test_the_batch_size_changes_nothing(batch_size: int, random_start: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    (classifier,), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    attack = LinfPGD(epsilon=0.1, step_size=0.03, iterations=6, random_start=random_start)
    whole, split = (
        perturb(attack, classifier, pixels, labels, images.ids, seed=3, batch_size=size).pixels for size in (100, batch_size)
    )
    assert torch.equal(split, whole)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.text(), st.text())
def test_the_seed_of_an_image_tells_studies_and_images_apart(study: int, other_study: int, name: str, other_name: str) -> None:
    seeds = {derive_seed(*pair) for pair in product((study, other_study), (name, other_name))}
    assert len(seeds) == len({study, other_study}) * len({name, other_name})
    assert all(0 <= seed < 2**63 for seed in seeds)
