"""Input gradients: in closed form, at one size for all, and what a sketch keeps of them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import Linear, classifier_of, family, images_of, noise
from zooscope import Study
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, LeftOutWarning
from zooscope.measurements.gradients import Gradients, compute_margin_gradients, sketch

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)


def linear(name: str, seed: int) -> Classifier:
    """Three classes, logits linear in the pixels, computed in float64."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(3, 48))
    return classifier_of(name, Linear(weights, generator.normal(size=3) / 5 - weights.sum(1) / 2), num_classes=3, size=(4, 4))


def weights_of(classifier: Classifier) -> np.ndarray:
    return classifier.network.get_parameter("weights").detach().numpy()


def test_of_a_linear_network_it_is_the_difference_of_two_rows_of_weights() -> None:
    classifier, images = linear("a", 0), images_of(noise(9, (4, 4)), np.arange(9) % 3)
    pixels, labels = images.pixels(classifier), images.labels
    gradients = compute_margin_gradients(classifier, pixels, torch.from_numpy(labels), batch_size=4).flatten(1)
    logits = classifier.logits(pixels).detach().numpy().copy()
    logits[np.arange(9), labels] = -np.inf
    expected = weights_of(classifier)[labels] - weights_of(classifier)[logits.argmax(1)]
    np.testing.assert_allclose(gradients, expected, rtol=1e-5, atol=1e-6)


def test_the_score_of_linear_networks_is_the_cosine_of_their_weights() -> None:
    classifiers = [linear("a", 0), linear("b", 1)]
    images = images_of(noise(60, (4, 4)), np.arange(60) % 3)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, shard_size=25) as study:
        study.run(device="cpu", allow_chance=True, also=[Gradients()])
        matrix = study.similarity("gradient_cosine")
    logits = [one.logits(images.pixels(one)).detach().numpy() for one in classifiers]
    shared = np.flatnonzero((logits[0].argmax(1) == images.labels) & (logits[1].argmax(1) == images.labels))
    cosines = []
    for image in shared:
        label, sides = images.labels[image], []
        for one, said in zip(classifiers, logits, strict=True):
            other = max((cls for cls in range(3) if cls != label), key=lambda cls: said[image, cls])
            sides.append(weights_of(one)[label] - weights_of(one)[other])
        cosines.append(sides[0] @ sides[1] / np.linalg.norm(sides[0]) / np.linalg.norm(sides[1]))
    assert matrix.sel(a="a", b="b").item() == pytest.approx(np.mean(cosines), abs=1e-3)
    assert matrix["count"].sel(a="a", b="b").item() == len(shared)
    np.testing.assert_allclose(matrix.to_numpy().diagonal(), 1)


def test_gradients_are_with_respect_to_the_same_pixels_whatever_size_a_classifier_takes() -> None:
    head = nn.Linear(3, 3)
    small = classifier_of("small", nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), head), num_classes=3, size=(4, 4))
    large = classifier_of("large", nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), head), num_classes=3, size=(8, 8))
    pixels = torch.from_numpy(noise(5, (4, 4))).permute(0, 3, 1, 2).float() / 255
    labels = torch.tensor([0, 1, 2, 0, 1])
    ours, theirs = (compute_margin_gradients(each, pixels, labels, batch_size=5) for each in (small, large))
    assert ours.shape == theirs.shape == pixels.shape
    torch.testing.assert_close(ours.sum((2, 3)), theirs.sum((2, 3)))


def test_a_sketch_keeps_cosines_without_bias_and_as_exactly_as_it_says() -> None:
    generator = np.random.default_rng(0)
    first = generator.normal(size=(300, 5000))
    second = 0.5 * first + generator.normal(size=(300, 5000))
    exact = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    kept = [sketch(each, num_values=400, seed=0).astype(np.float64) for each in (first, second)]
    assert kept[0].shape == (300, 400)
    errors = (kept[0] * kept[1]).sum(1) - exact
    assert errors.std() < 1 / np.sqrt(400)
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(300)


def test_small_gradients_are_kept_whole_as_directions_even_if_tiny_and_zeros_stay() -> None:
    gradients = np.random.default_rng(0).normal(size=(3, 10)) * [[1e-200], [1], [0]]
    kept = sketch(gradients, num_values=10, seed=0).astype(np.float64)
    expected = gradients[:2] / np.abs(gradients[:2]).max(1, keepdims=True)
    np.testing.assert_allclose(kept[:2], expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=5e-4)
    assert not kept[2].any()


class _Detached(nn.Module):
    """Logits without a gradient."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.detach().flatten(1)[:, :3]


class _OutsideTorch(nn.Module):
    """Logits computed by NumPy."""

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.from_numpy(pixels.numpy().reshape(len(pixels), -1)[:, 3:6].copy())


@pytest.mark.filterwarnings("ignore::zooscope.errors.ProbabilitiesWarning")  # brightness lies in [0, 1]
def test_classifiers_without_gradients_are_pointed_out_and_have_no_score() -> None:
    classifiers, images = family(2, num_images=20)
    targets = [
        classifier_of(name, network, num_classes=3, size=(6, 6)) for name, network in (("x", _Detached()), ("y", _OutsideTorch()))
    ]
    names = [one.name for one in classifiers]
    with Study.in_memory(classifiers=[*classifiers, *targets], images=images, attack=ATTACK, sources=names) as study:
        with pytest.warns(LeftOutWarning, match="the logits of [xy] have no gradient") as caught:
            study.run(device="cpu", allow_chance=True, also=[Gradients()])
        assert len([one for one in caught if one.category is LeftOutWarning]) == 2
        matrix = study.similarity("gradient_cosine")
    assert np.isfinite(matrix.sel(a=names, b=names)).all()
    assert np.isnan(matrix.sel(a=["x", "y"])).all()
    assert str(matrix.reason.sel(a="x", b=names[0]).item()) == "the logits of x have no gradient"


class _RootOfNothing(nn.Module):
    """A gradient that is infinite where a pixel is black."""

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(1)[:, :3].sqrt()


@pytest.mark.filterwarnings("ignore::zooscope.errors.ProbabilitiesWarning")  # brightness lies in [0, 1]
def test_a_gradient_that_is_not_finite_is_an_error_that_names_the_image() -> None:
    levels = noise(6, (6, 6))
    levels[4, 0, :3] = 0
    classifiers, _ = family(1)
    images = images_of(levels, np.arange(6) % 3)
    root = classifier_of("root", _RootOfNothing(), num_classes=3, size=(6, 6))
    with (
        Study.in_memory(classifiers=[*classifiers, root], images=images, attack=ATTACK, sources=["relative 0"]) as study,
        pytest.raises(ClassifierError, match=r"root has a NaN or infinite gradient on clean image 0004\.png"),
    ):
        study.run(device="cpu", allow_chance=True, also=[Gradients()])


@pytest.mark.parametrize("settings", [{"num_values": 0}, {"side": -1}, {"seed": -1}])
def test_settings_that_keep_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(InvalidValueError, match=r"Gradients\.\w+ must be at least \d: got -?\d"):
        Gradients(**settings)
