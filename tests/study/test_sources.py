"""Sources and targets need not be the same classifiers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.errors import ClassifierError, UnknownNameError
from zooscope.records.predictions import NOT_FINITE, NOT_MEASURED
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.1, step_size=0.03, iterations=3)


class Detached(nn.Module):
    """A network without gradient."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = self.network(pixels)
        return logits


class NotANumber(nn.Module):
    """NaN in one logit of images whose pixels were moved off the levels of 8 bits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels).clone()
        levels = pixels * 255
        moved = ((levels - levels.round()).abs() > 1e-3).flatten(1).any(1)
        logits[moved, 0] = float("nan")
        return logits


@pytest.mark.filterwarnings("ignore::zooscope.errors.OneSidedWarning")
def test_only_sources_are_attacked_and_all_are_tested(tmp_path: Path) -> None:
    classifiers, images = family(3)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, sources=["*0"]) as study:
        study.run(device="cpu", allow_chance=True)
        part = study.predictions
        assert study.sources == ("relative 0",)
        assert np.isnan(study.sat(confidence=None).sel(a="relative 0", b="relative 1"))
    assert part.sources == ("relative 0",)
    assert part.transfer.shape == (1, 3, len(images))
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as whole:
        whole.run(device="cpu", allow_chance=True)
        np.testing.assert_array_equal(part.transfer[0], whole.predictions.transfer[0])
    with Study.open(tmp_path, classifiers=classifiers, images=images) as again:
        assert again.sources == ("relative 0",), "the record keeps it"
        again.add([], sources=["relative 0", "relative 2"])
        again.run(device="cpu", allow_chance=True)
        assert again.predictions.sources == ("relative 0", "relative 2")
        assert (again.predictions.transfer != NOT_MEASURED).all()


def test_a_source_that_no_classifier_is_called_is_an_error() -> None:
    classifiers, images = family(2)
    with pytest.raises(UnknownNameError, match=r"unknown source 'relative 7'\. .*Sources are among the study's classifiers"):
        Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, sources=["relative 7"])


def test_a_classifier_without_gradients_is_refused_as_source_before_anything_is_measured_and_can_be_a_target() -> None:
    (source, plain), images = family(2)
    target = replace(plain, network=Detached(plain.network).eval())
    with Study.in_memory(classifiers=[source, target], images=images, attack=ATTACK) as study:
        with pytest.raises(ClassifierError, match=r"relative 1: its logits have no gradient .* let it be a target only"):
            study.run(device="cpu", allow_chance=True)
        assert study.predictions.names == (), "nothing is measured"
        study.add([], sources=["relative 0"])
        study.run(device="cpu", allow_chance=True)
        said = study.predictions.transfer[0]
    with Study.in_memory(classifiers=[source, plain], images=images, attack=ATTACK) as whole:
        whole.run(device="cpu", allow_chance=True)
        np.testing.assert_array_equal(said, whole.predictions.transfer[0])


def test_a_target_whose_logits_are_nan_on_attacked_images_is_an_error_or_recorded_as_not_counted() -> None:
    (source, plain), images = family(2)
    target = replace(plain, network=NotANumber(plain.network).eval())
    with Study.in_memory(classifiers=[source, target], images=images, attack=ATTACK, sources=["relative 0"]) as study:
        message = r"relative 1 gives NaN or infinite logits on image .* attacked through relative 0; .*allow_nonfinite=True"
        with pytest.raises(ClassifierError, match=message):
            study.run(device="cpu", allow_chance=True)
        assert study.predictions.sources == ()
        study.run(device="cpu", allow_chance=True, allow_nonfinite=True)
        predictions, transfer = study.predictions, study.transfer()
    both = (predictions.clean == predictions.labels).all(0)
    assert (predictions.transfer[0, 1][both] == NOT_FINITE).all()
    assert np.isnan(transfer.sel(source="relative 0", target="relative 1"))
    assert transfer.sel(source="relative 0", target="relative 1")["count"] == 0
