"""AutoAttack and its members against adv-lib and torchattacks: robust accuracy, equal within sampling error."""

import sys
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Final, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import zooscope
from zooscope.attacks import APGD, FAB, Attack, AutoAttack, Square
from zooscope.classifiers.classifier import Classifier

torchattacks = pytest.importorskip("torchattacks", reason="torchattacks is not installed: pip install --no-deps torchattacks")
sys.modules.setdefault("visdom", SimpleNamespace(Visdom=None))  # type: ignore[arg-type]  # adv-lib would plot with it
adv_lib = pytest.importorskip("adv_lib.attacks", reason="adv-lib is not installed: pip install --no-deps adv-lib")

pytestmark = pytest.mark.slow

QUERIES: Final = 500
CLOSE: Final = 3  # images of about a hundred (robust: sixty); each attack draws its own start, on the same images


class Case(NamedTuple):
    """An attacked classifier, and the radii at which some images resist and others don't."""

    name: str
    num_images: int
    epsilon: float
    square_epsilon: float


CASES: Final = (
    Case("resnet", num_images=150, epsilon=1 / 255, square_epsilon=4 / 255),
    Case("vit", num_images=150, epsilon=1 / 255, square_epsilon=4 / 255),
    Case("resnet_robust", num_images=100, epsilon=8 / 255, square_epsilon=8 / 255),
)
MakeOurs = Callable[[float], Attack]
Theirs = Callable[[Tensor, Tensor], Tensor]
MakeTheirs = Callable[[nn.Module, float], Theirs]


class _FromPixels(nn.Module):
    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network, self.logits = classifier.network, classifier.logits

    def forward(self, pixels: Tensor) -> Tensor:
        return self.logits(pixels)


def apgd_of_adv_lib(network: nn.Module, epsilon: float) -> Theirs:
    return partial(adv_lib.apgd, network, eps=epsilon, norm=float("inf"), n_iter=100, loss_function="ce")


def targeted_apgd_of_adv_lib(network: nn.Module, epsilon: float) -> Theirs:
    return partial(adv_lib.apgd_targeted, network, eps=epsilon, norm=float("inf"), n_iter=100, num_targets=9)


def apgd_of_torchattacks(network: nn.Module, epsilon: float, loss: str = "dlr") -> Theirs:
    attack: Theirs = torchattacks.APGD(
        network, norm="Linf", eps=epsilon, steps=100, n_restarts=1, seed=0, loss=loss, eot_iter=1, rho=0.75
    )
    return attack


def targeted_apgd_of_torchattacks(network: nn.Module, epsilon: float) -> Theirs:
    attack: Theirs = torchattacks.APGDT(
        network, norm="Linf", eps=epsilon, steps=100, n_restarts=1, seed=0, eot_iter=1, rho=0.75, n_classes=10
    )
    return attack


def fab_of_torchattacks(network: nn.Module, epsilon: float) -> Theirs:
    attack: Theirs = torchattacks.FAB(
        network,
        norm="Linf",
        eps=epsilon,
        steps=100,
        n_restarts=1,
        alpha_max=0.1,
        eta=1.05,
        beta=0.9,
        multi_targeted=True,
        n_classes=10,
    )
    return attack


def square_of_torchattacks(network: nn.Module, epsilon: float) -> Theirs:
    attack: Theirs = torchattacks.Square(
        network,
        norm="Linf",
        eps=epsilon,
        n_queries=QUERIES,
        n_restarts=1,
        p_init=0.8,
        loss="margin",
        resc_schedule=False,
        seed=0,
    )
    return attack


def autoattack_of_torchattacks(network: nn.Module, epsilon: float) -> Theirs:
    """Its own AutoAttack takes ten iterations where the authors take a hundred; these are the authors', but for the queries."""
    members = (
        partial(apgd_of_torchattacks, loss="ce"),
        targeted_apgd_of_torchattacks,
        fab_of_torchattacks,
        square_of_torchattacks,
    )
    attack: Theirs = torchattacks.MultiAttack([make(network, epsilon) for make in members])
    return attack


def compare(make_ours: MakeOurs, make_theirs: MakeTheirs, case: Case) -> None:
    """Attacks the images that the classifier gets right with both, and counts those that it still gets right."""
    classifier = zooscope.load_classifier(f"bundled:{case.name}")
    images = zooscope.load_images("bundled:cifar10").sample(case.num_images, seed=4)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    right = classifier.logits(pixels).argmax(1) == labels
    pixels, labels = pixels[right], labels[right]
    epsilon = case.square_epsilon if make_theirs is square_of_torchattacks else case.epsilon

    def count_resisting(attacked: Tensor) -> int:
        assert (attacked - pixels).abs().max() <= epsilon + 1e-6
        with torch.no_grad():
            return int((classifier.logits(attacked).argmax(1) == labels).sum())

    mine = count_resisting(make_ours(epsilon).perturb(classifier, pixels, labels, range(len(pixels))).pixels)
    other = count_resisting(make_theirs(_FromPixels(classifier).eval(), epsilon)(pixels, labels))
    assert 0 < mine < len(labels)
    assert abs(mine - other) <= CLOSE


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.parametrize(
    ("make_ours", "make_theirs"),
    [
        (lambda epsilon: APGD(epsilon=epsilon), apgd_of_adv_lib),
        (lambda epsilon: APGD(epsilon=epsilon, loss="dlr", num_targets=9), targeted_apgd_of_adv_lib),
        (lambda epsilon: APGD(epsilon=epsilon, loss="dlr"), apgd_of_torchattacks),
        (lambda epsilon: FAB(epsilon=epsilon), fab_of_torchattacks),
        (lambda epsilon: Square(epsilon=epsilon, queries=QUERIES), square_of_torchattacks),
    ],
    ids=["APGD-CE", "APGD-T", "APGD-DLR", "FAB-T", "Square"],
)
def test_as_many_images_resist_as_with_another_implementation(make_ours: MakeOurs, make_theirs: MakeTheirs, case: Case) -> None:
    compare(make_ours, make_theirs, case)


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("resnet")], ids=["resnet", "resnet_robust"])
def test_as_many_images_resist_all_members_together(case: Case) -> None:
    compare(lambda epsilon: AutoAttack(epsilon=epsilon, queries=QUERIES), autoattack_of_torchattacks, case)
