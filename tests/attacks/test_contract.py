"""The promise of every attack; a new attack is a row in `ATTACKS`, and in `SOURCES` if it can't attack every classifier."""

from collections.abc import Callable

import pytest

from tests.specimens import attentive, family
from zooscope.attacks import APGD, FAB, Attack, AutoAttack, LinfPGD, PatchFool, Square
from zooscope.attacks.registry import list_attacks
from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.testing import AttackContract

ATTACKS: dict[str, Attack] = {
    "LinfPGD": LinfPGD(iterations=3),
    "LinfPGD, small steps": LinfPGD(epsilon=0.1, step_size=0.02, iterations=4),
    "LinfPGD, random start": LinfPGD(iterations=2, random_start=True),
    "LinfPGD, margin": LinfPGD(iterations=2, loss="margin"),
    "LinfPGD, momentum": LinfPGD(iterations=3, step_size=0.01, momentum=1.0),
    "LinfPGD, varied": LinfPGD(iterations=3, step_size=0.01, diversity=0.5),
    "LinfPGD, smoothed": LinfPGD(iterations=3, step_size=0.01, kernel_size=3),
    "APGD": APGD(iterations=5),
    "APGD, strongest": APGD(iterations=5, loss="margin", keep="strongest", restarts=2),
    "APGD, targets": APGD(iterations=5, loss="dlr", num_targets=9),
    "FAB": FAB(iterations=5),
    "Square": Square(queries=20),
    "AutoAttack": AutoAttack(iterations=5, queries=20),
    "AutoAttack, weak": AutoAttack(epsilon=1 / 255, iterations=3, queries=20),
    "PatchFool": PatchFool(iterations=3),
    "PatchFool, several patches within epsilon": PatchFool(num_patches=3, epsilon=0.1, iterations=4, decay_interval=2, block=0),
    "PatchFool, without attention": PatchFool(iterations=2, attention_weight=0),
}
SOURCES: dict[type[Attack], Callable[[], tuple[Classifier, ImageSet]]] = {PatchFool: attentive}


def test_every_kind_of_attack_has_a_row() -> None:
    own = {kind for kind in list_attacks().values() if kind.__module__.startswith("zooscope.")}
    assert {type(attack) for attack in ATTACKS.values()} == own


class TestEveryAttack(AttackContract):
    @pytest.fixture(params=ATTACKS.values(), ids=list(ATTACKS))
    def attack(self, request: pytest.FixtureRequest) -> Attack:
        attack: Attack = request.param
        return attack

    @pytest.fixture
    def source(self, attack: Attack) -> tuple[Classifier, ImageSet]:
        if type(attack) in SOURCES:
            return SOURCES[type(attack)]()
        (classifier, *_), images = family(1)
        return classifier, images

    @pytest.fixture
    def attacks_everything(self, attack: Attack) -> bool:
        return type(attack) not in SOURCES

    def test_it_says_its_cost_and_its_reference(self, attack: Attack) -> None:
        assert attack.cost is not None
        assert attack.cost.gradients + attack.cost.forwards > 0
        assert attack.REFERENCE
