from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from torch import Tensor

from zooscope.attacks import Attack, Attacked, LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError


@dataclass(frozen=True, kw_only=True)
class Idle(Attack):
    """Does nothing."""

    epsilon: float = 8 / 255

    def perturb(self, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:  # noqa: ARG002
        return Attacked(pixels)


def test_attacks_with_equal_settings_have_one_description_and_one_digest() -> None:
    assert LinfPGD().description == LinfPGD(epsilon=8 / 255).description
    assert LinfPGD().digest == LinfPGD(epsilon=8 / 255).digest


@pytest.mark.parametrize(
    "other",
    [LinfPGD(epsilon=7 / 255), LinfPGD(step_size=0.2), LinfPGD(iterations=49), LinfPGD(random_start=True), Idle()],
    ids=lambda attack: attack.description,
)
def test_every_setting_and_the_kind_of_attack_change_description_and_digest(other: Attack) -> None:
    assert other.description != LinfPGD().description
    assert other.digest != LinfPGD().digest


@dataclass(frozen=True, kw_only=True)
class Odd(Idle):
    """Has a field that is no setting."""

    settings: object = None


@dataclass(frozen=True, kw_only=True)
class Wrapping(Idle):
    """Has a field whose name stands for something else in descriptions."""

    attack: str = "LinfPGD"


def test_a_field_that_would_take_the_place_of_the_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Wrapping has a field called 'attack', .*; rename the field\."):
        _ = Wrapping().description


def test_the_description_of_the_default_attack_stays_as_studies_have_it() -> None:
    assert LinfPGD().description == (
        '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}'
    )


def test_a_field_that_no_description_can_hold_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Odd\.settings must be a number, a text, .*: got dict\."):
        _ = Odd(settings={"a": 1}).description
