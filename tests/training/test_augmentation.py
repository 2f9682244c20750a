import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from zooscope import Classifier, PixelTransform
from zooscope.errors import InvalidValueError
from zooscope.images.make_pixels import make_pixels
from zooscope.training.augmentation import Augmentation, cut_out, posterize, shift
from zooscope.training.randomness import seed_all
from zooscope.training.recipe import AugmentationSettings

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def classifier(size: int = 32) -> Classifier:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, 2)).eval()
    transform = PixelTransform(height=size, width=size, interpolation="bilinear")
    return Classifier(name="linear", network=network, num_classes=2, transform=transform, mean=MEAN, std=STD)


def photograph(size: int = 32, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


def levels(pixels: torch.Tensor) -> np.ndarray:
    return (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def test_without_augmentation_pixels_are_those_of_the_test() -> None:
    plain = Augmentation(AugmentationSettings(crop="none", flip=0.0), classifier())
    for size in (32, 50):
        np.testing.assert_array_equal(plain(photograph(size)), make_pixels(classifier().transform, photograph(size)))


def test_a_shift_moves_by_up_to_so_many_pixels_and_reflects_the_border() -> None:
    image, seen = photograph(8), set()
    padded = np.pad(np.asarray(image), ((2, 2), (2, 2), (0, 0)), mode="reflect")
    windows = {padded[top : top + 8, left : left + 8].tobytes(): (top, left) for top in range(5) for left in range(5)}
    with seed_all(0):
        for _ in range(300):
            seen.add(windows[np.asarray(shift(image, 2)).tobytes()])
    assert len(seen) == 25


def test_cutout_fills_a_square_with_the_mean_that_may_lie_partly_outside() -> None:
    pixels, mean = torch.ones(3, 20, 20), torch.zeros(3, 1, 1)
    with seed_all(0):
        counts = [int((cut_out(pixels, 6, mean)[0] == 0).sum()) for _ in range(400)]
    assert max(counts) == 36
    assert min(counts) == 9  # the centre is always inside
    expected = np.array([min(row + 3, 20) - max(row - 3, 0) for row in range(20)]).mean() ** 2
    assert np.mean(counts) == pytest.approx(expected, rel=0.05)


def test_cutout_takes_the_classifier_s_mean_colour() -> None:
    augment = Augmentation(AugmentationSettings(crop="none", flip=0.0, cutout=100), classifier())
    np.testing.assert_allclose(augment(photograph()), np.broadcast_to(np.reshape(MEAN, (3, 1, 1)), (3, 32, 32)), rtol=1e-6)


def test_half_of_the_images_are_mirrored() -> None:
    augment, image = Augmentation(AugmentationSettings(crop="none"), classifier()), photograph()
    with seed_all(0):
        flipped = [np.array_equal(levels(augment(image)), np.asarray(image)[:, ::-1]) for _ in range(200)]
    assert 70 < sum(flipped) < 130


def test_random_erasing_leaves_noise_within_the_pixels_range() -> None:
    augment, image = Augmentation(AugmentationSettings(crop="none", flip=0.0, random_erasing=1.0), classifier()), photograph()
    with seed_all(0):
        pixels = [augment(image) for _ in range(50)]
    changed = [(levels(one) != np.asarray(image)).any(-1).mean() for one in pixels]
    assert all(0.01 < share < 0.4 for share in changed)
    assert all(float(one.min()) >= 0 and float(one.max()) <= 1 for one in pixels)


def test_resized_crops_have_the_classifier_s_size() -> None:
    augment = Augmentation(AugmentationSettings(), classifier(24))
    with seed_all(0):
        assert {augment(photograph(size)).shape for size in (10, 24, 60)} == {(3, 24, 24)}


def test_rand_augment_runs_through_all_its_operations() -> None:
    augment = Augmentation(AugmentationSettings(rand_augment="rand-m9-mstd0.5-inc1"), classifier())
    with seed_all(0):
        pixels = torch.stack([augment(photograph()) for _ in range(300)])
    assert pixels.shape == (300, 3, 32, 32)
    assert len({one.numpy().tobytes() for one in pixels}) > 290


def test_posterize_keeps_upper_bits_and_is_black_without_any() -> None:
    image = photograph()
    for bits in range(1, 9):
        np.testing.assert_array_equal(np.asarray(posterize(image, bits)), np.asarray(image) >> (8 - bits) << (8 - bits))
    assert not np.asarray(posterize(image, 0)).any()


def test_settings_that_timm_or_the_size_refuse_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"augmentation\.rand_augment: timm knows no 'rand-x9'"):
        Augmentation(AugmentationSettings(rand_augment="rand-x9"), classifier())
    with pytest.raises(InvalidValueError, match=r"augmentation\.padding must be smaller than the image, 8 pixels: got 8"):
        Augmentation(AugmentationSettings(crop="shift", padding=8), classifier(8))
