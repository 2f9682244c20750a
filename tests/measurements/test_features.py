"""Penultimate features: those that timm gives, of any network whose logits come from one layer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zooscope
from tests.specimens import classifier_of, conv_network, family, noise, two_class
from zooscope import Study
from zooscope.attacks import LinfPGD
from zooscope.classifiers.bundled.architectures import ARCHITECTURES
from zooscope.errors import ClassifierError, LeftOutWarning, StudyError
from zooscope.measurements.features import Features
from zooscope.measurements.penultimate import compute_features, find_final_layer

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)


def some_pixels(size: int, count: int = 5) -> Tensor:
    return torch.from_numpy(noise(count, (size, size))).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_features_are_those_before_the_classification_layer_of_timm(name: str) -> None:
    classifier, pixels = zooscope.load_classifier(f"bundled:{name}"), some_pixels(32)
    layer = find_final_layer(classifier)
    assert layer is not None
    features = compute_features(classifier, layer, pixels, batch_size=2)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (classifier.mean, classifier.std))
    network: nn.Module = classifier.network
    with torch.inference_mode():
        expected = network.forward_head(network.forward_features((pixels - mean) / std), pre_logits=True)  # type: ignore[operator]
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    assert not layer._forward_hooks  # noqa: SLF001
    assert not layer._forward_pre_hooks  # noqa: SLF001


class _ClassesChosen(nn.Module):
    """A network of which some outputs are taken, in another order."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return logits[:, [4, 1, 0]]


class _ConvolutionalHead(nn.Module):
    """Logits for every place, then their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 3, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(pixels).relu()).mean((2, 3))
        return logits


class _HeadWithoutLayer(nn.Module):
    """Its last layer is in a branch; the logits are computed by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.weights = nn.Linear(12, 12), nn.Parameter(torch.randn(3, 12))

    def forward(self, pixels: Tensor) -> Tensor:
        flat = pixels.flatten(1)
        logits: Tensor = (flat + self.branch(flat)) @ self.weights.T
        return logits


def test_the_layer_is_found_below_a_choice_of_classes() -> None:
    network = conv_network(0, num_classes=5)
    classifier = classifier_of("chosen", _ClassesChosen(network), num_classes=3, size=(6, 6))
    assert find_final_layer(classifier) is network.get_submodule("6")


def test_before_a_convolution_features_are_the_mean_over_places() -> None:
    network = _ConvolutionalHead()
    classifier, pixels = classifier_of("convolutional", network, num_classes=3, size=(6, 6)), some_pixels(6)
    layer = find_final_layer(classifier)
    assert layer is network.head
    with torch.inference_mode():
        expected = network.body(pixels).relu().mean((2, 3))
    torch.testing.assert_close(compute_features(classifier, layer, pixels, batch_size=3), expected)


def test_a_layer_beside_the_logits_is_not_taken_for_the_last() -> None:
    torch.manual_seed(0)
    assert find_final_layer(classifier_of("functional", _HeadWithoutLayer(), num_classes=3, size=(2, 2))) is None


def test_a_network_without_layers_has_none() -> None:
    assert find_final_layer(two_class("by hand", np.ones(48))) is None


def test_a_study_measures_features_once_and_scores_them(tmp_path: Path) -> None:
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True)
        with pytest.raises(StudyError, match=r"features of relative 0 are not measured.*run `zooscope measure .* --also features`"):
            study.similarity("cka")
        told = list[str]()
        for _ in range(2):
            study.run(device="cpu", allow_chance=True, also=[Features()], listen=lambda done: told.append(done.phase))
        assert told.count("features") == 3 * 3
        matrix = study.similarity("cka")
    assert (matrix.sel(a="relative 0", b="relative 1") > 0.3).all()
    np.testing.assert_allclose(matrix.to_numpy().diagonal(), 1)


def test_a_network_without_a_final_layer_is_pointed_out_and_left_out_of_the_score() -> None:
    classifiers, images = family(2, num_images=20, sizes=((2, 2),))
    other = classifier_of("functional", _HeadWithoutLayer(), num_classes=3, size=(2, 2))
    with Study.in_memory(classifiers=[*classifiers, other], images=images, attack=ATTACK) as study:
        with pytest.warns(LeftOutWarning, match="functional has no final linear layer from which its logits come"):
            study.run(device="cpu", allow_chance=True, also=[Features()])
        matrix = study.similarity("cka")
    assert np.isnan(matrix.sel(a="functional")).all()
    assert "functional has no final linear layer" in str(matrix.reason.sel(a="functional", b="relative 0").item())
    assert np.isfinite(matrix.sel(a="relative 0", b="relative 1"))


class _Capped(nn.Module):
    """Infinite features, and logits that hide it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(12, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        flat = pixels.flatten(1)
        logits: Tensor = flat[:, :3] + self.head(flat * float("inf")).nan_to_num(0, 0, 0)
        return logits


@pytest.mark.filterwarnings("ignore::zooscope.errors.ProbabilitiesWarning")  # brightness lies in [0, 1]
def test_features_that_are_not_finite_are_an_error_that_names_the_image() -> None:
    classifiers, images = family(1, num_images=6, sizes=((2, 2),))
    classifier = classifier_of("infinite", _Capped(), num_classes=3, size=(2, 2))
    with (
        Study.in_memory(classifiers=[*classifiers, classifier], images=images, attack=ATTACK, sources=["relative 0"]) as study,
        pytest.raises(ClassifierError, match=r"infinite has NaN or infinite features on clean image 00\d\d\.png"),
    ):
        study.run(device="cpu", allow_chance=True, also=[Features()])
