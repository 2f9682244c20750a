import numpy as np
import torch
from scipy.ndimage import convolve

from tests.specimens import family
from zooscope.attacks import LinfPGD, build_attack
from zooscope.attacks.transferable import SMALLEST, Direction, Diversity

OLD = '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}'


def test_options_that_came_later_leave_the_identity_of_older_studies_as_it_was() -> None:
    assert LinfPGD().description == OLD
    assert build_attack(OLD) == LinfPGD()
    assert LinfPGD(momentum=1.0).description == OLD.removesuffix("}") + ', "momentum": 1.0}'
    assert build_attack(LinfPGD(momentum=1.0).description) == LinfPGD(momentum=1.0)
    assert LinfPGD(momentum=1.0).digest != LinfPGD().digest


def test_gradients_are_smoothed_as_by_convolution_with_a_gaussian() -> None:
    gradient = torch.randn((2, 3, 9, 7), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    line = np.exp(-(np.linspace(-3, 3, 5) ** 2) / 2)
    kernel = np.outer(line, line) / np.outer(line, line).sum()
    expected = [[convolve(channel, kernel, mode="constant") for channel in image] for image in gradient.numpy()]
    np.testing.assert_allclose(Direction(kernel_size=5)(gradient), expected, atol=1e-12)


def test_momentum_sums_gradients_of_mean_size_one() -> None:
    first, second = torch.randn((2, 4, 3, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    direct = Direction(momentum=0.5)
    mean = (1, 2, 3)
    torch.testing.assert_close(direct(first), first / first.abs().mean(mean, keepdim=True))
    expected = 0.5 * first / first.abs().mean(mean, keepdim=True) + second / second.abs().mean(mean, keepdim=True)
    torch.testing.assert_close(direct(second), expected)


def test_images_are_shown_smaller_on_black_or_as_they_are() -> None:
    pixels = torch.ones((200, 3, 50, 50), dtype=torch.float64)
    shown = Diversity.make(0.5, range(200), 200)(pixels)
    areas = shown.mean((1, 2, 3))
    unchanged = areas > 1 - 1e-9
    assert 70 < unchanged.sum() < 130
    assert (areas[~unchanged] > (SMALLEST - 0.03) ** 2).all()
    assert areas.min() < 0.85
    corners = [(shown[:, 0, row, column] > 0.5)[~unchanged].sum() for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1))]
    assert all(0 <= count < 20 for count in corners), "few touch a corner: the place is random"
    assert torch.equal(Diversity.make(1.0, [7], 1)(pixels[:1]), Diversity.make(1.0, range(200), 200)(pixels)[7:8])


def test_a_shown_image_is_the_image() -> None:
    gradual = torch.linspace(0, 1, 40).view(1, 1, 1, 40).expand(1, 3, 40, 40).clone()
    shown = Diversity.make(1.0, [3], 1)(gradual)[0, 0, 20]
    inside = shown[5:-5]
    assert (inside.diff() > 0).all(), "neither mirrored nor cut into pieces"


def test_momentum_of_nothing_and_a_chance_of_nothing_are_plain_pgd() -> None:
    (classifier, *_), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    plain = LinfPGD(iterations=3).perturb(classifier, pixels, labels).pixels
    assert torch.equal(
        LinfPGD(iterations=3, momentum=0, diversity=0, kernel_size=0).perturb(classifier, pixels, labels).pixels, plain
    )
