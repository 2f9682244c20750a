"""AutoAttack's members against adv-lib and torchattacks: robust accuracy, equal within sampling error."""

import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import pytest
import torch
from torch import Tensor, nn

import zooscope
from zooscope.attacks import APGD, FAB, Attack, Square
from zooscope.classifiers.classifier import Classifier

torchattacks = pytest.importorskip("torchattacks", reason="torchattacks is not installed: pip install --no-deps torchattacks")
sys.modules.setdefault("visdom", SimpleNamespace(Visdom=None))  # type: ignore[arg-type]  # adv-lib would plot with it
adv_lib = pytest.importorskip("adv_lib.attacks", reason="adv-lib is not installed: pip install --no-deps adv-lib")

pytestmark = pytest.mark.slow

COUNT: Final = 150
EPSILON: Final = 1 / 255
CLOSE: Final = 3  # images of about a hundred; each attack draws its own start, on the same images

Attacked = Callable[[nn.Module, Tensor, Tensor], Tensor]


class _FromPixels(nn.Module):
    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network, self.logits = classifier.network, classifier.logits

    def forward(self, pixels: Tensor) -> Tensor:
        return self.logits(pixels)


def apgd_of_adv_lib(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    attacked: Tensor = adv_lib.apgd(network, pixels, labels, eps=EPSILON, norm=float("inf"), n_iter=100, loss_function="ce")
    return attacked


def targeted_apgd_of_adv_lib(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    attacked: Tensor = adv_lib.apgd_targeted(network, pixels, labels, eps=EPSILON, norm=float("inf"), n_iter=100, num_targets=9)
    return attacked


def apgd_of_torchattacks(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    attack = torchattacks.APGD(network, norm="Linf", eps=EPSILON, steps=100, n_restarts=1, seed=0, loss="dlr", rho=0.75)
    attacked: Tensor = attack(pixels, labels)
    return attacked


def fab_of_torchattacks(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    attack = torchattacks.FAB(
        network,
        norm="Linf",
        eps=EPSILON,
        steps=100,
        n_restarts=1,
        alpha_max=0.1,
        eta=1.05,
        beta=0.9,
        multi_targeted=True,
        n_classes=10,
    )
    attacked: Tensor = attack(pixels, labels)
    return attacked


def square_of_torchattacks(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    attack = torchattacks.Square(
        network, norm="Linf", eps=4 / 255, n_queries=500, n_restarts=1, p_init=0.8, loss="margin", resc_schedule=False, seed=0
    )
    attacked: Tensor = attack(pixels, labels)
    return attacked


@pytest.mark.parametrize("name", ["resnet", "vit"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (APGD(epsilon=EPSILON), apgd_of_adv_lib),
        (APGD(epsilon=EPSILON, loss="dlr", num_targets=9), targeted_apgd_of_adv_lib),
        (APGD(epsilon=EPSILON, loss="dlr"), apgd_of_torchattacks),
        (FAB(epsilon=EPSILON), fab_of_torchattacks),
        (Square(epsilon=4 / 255, queries=500), square_of_torchattacks),
    ],
    ids=["APGD-CE", "APGD-T", "APGD-DLR", "FAB-T", "Square"],
)
def test_as_many_images_resist_as_with_another_implementation(ours: Attack, theirs: Attacked, name: str) -> None:
    classifier = zooscope.load_classifier(f"bundled:{name}")
    images = zooscope.load_images("bundled:cifar10").sample(COUNT, seed=4)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    right = classifier.logits(pixels).argmax(1) == labels
    pixels, labels = pixels[right], labels[right]

    epsilon = float(json.loads(ours.description)["epsilon"])

    def count_resisting(attacked: Tensor) -> int:
        assert (attacked - pixels).abs().max() <= epsilon + 1e-6
        with torch.no_grad():
            return int((classifier.logits(attacked).argmax(1) == labels).sum())

    mine = count_resisting(ours.perturb(classifier, pixels, labels, range(len(pixels))).pixels)
    other = count_resisting(theirs(_FromPixels(classifier).eval(), pixels, labels))
    assert 0 < mine < len(labels)
    assert abs(mine - other) <= CLOSE
