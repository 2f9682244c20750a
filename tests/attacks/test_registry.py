from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from torch import Tensor

from zooscope.attacks import Attack, Attacked, LinfPGD, build_attack, parse_attack, register
from zooscope.attacks.registry import change_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError


@register
@dataclass(frozen=True, kw_only=True)
class FirstOf(Attack):
    """An attack made of attacks."""

    attacks: tuple[Attack, ...]
    spare: Attack
    label: str = "a&b (c), 100%"

    def perturb(self, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:
        return self.attacks[0].perturb(classifier, pixels, labels, seeds)


DEEP = FirstOf(attacks=(LinfPGD(),), spare=LinfPGD(random_start=True), label="")
NESTED = FirstOf(attacks=(LinfPGD(epsilon=4 / 255), DEEP), spare=LinfPGD(iterations=1))


def test_an_attack_made_of_attacks_is_found_again_from_description_and_spelling() -> None:
    assert build_attack(NESTED.description) == NESTED
    assert parse_attack(str(NESTED)) == NESTED
    assert build_attack(NESTED.description).digest == NESTED.digest


def test_a_change_deep_inside_changes_the_digest() -> None:
    other = replace(NESTED, attacks=(NESTED.attacks[0], replace(DEEP, attacks=(LinfPGD(iterations=49),))))
    assert other.digest != NESTED.digest


def test_fields_that_a_spelling_leaves_out_have_their_defaults() -> None:
    assert parse_attack("LinfPGD") == LinfPGD()
    assert parse_attack("LinfPGD?epsilon=4/255&random_start=true&iterations=3") == LinfPGD(
        epsilon=4 / 255, random_start=True, iterations=3
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LinfPGD?radius=1", r"LinfPGD has no field 'radius'; its fields are epsilon, step_size, iterations, random_start, loss"),
        ("LinfPGD?iterations=many", r"LinfPGD\.iterations must be a whole number: got 'many'\."),
        ("LinfPGD?random_start=1", r"LinfPGD\.random_start must be true or false: got '1'\."),
        ("LinfPGD?epsilon=8/", r"LinfPGD\.epsilon must be a number such as 0\.03 or 8/255: got '8/'\."),
        ("LinfPGD?epsilon=8", r"LinfPGD\.epsilon must be in \(0, 1\] .* For 8/255 write 8/255\."),
        ("FirstOf", r"FirstOf can't be made \(.*'attacks'.*\); its fields are attacks, spare, label\."),
    ],
)
def test_a_spelling_that_the_attack_cannot_have_is_refused_with_the_field(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        parse_attack(text)


def test_an_unknown_attack_is_an_error_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown attack 'LinfPDG'\. Did you mean LinfPGD\? Attacks: "):
        parse_attack("LinfPDG?epsilon=8/255")


def test_a_field_is_changed_by_name_and_one_that_is_lacking_is_refused() -> None:
    assert change_attack(LinfPGD(), {"iterations": 3}) == LinfPGD(iterations=3)
    with pytest.raises(InvalidValueError, match=r"FirstOf has no field 'epsilon'; its fields are attacks, spare, label\."):
        change_attack(NESTED, {"epsilon": 0.1})


@pytest.mark.parametrize("description", ["", "[]", "3", "{}", '{"attack": "Gone"}', '{"attack": "LinfPGD", "p": 2}', "[" * 100_000])
def test_a_description_that_stands_for_no_attack_is_an_error(description: str) -> None:
    with pytest.raises(StudyError, match="this zooscope doesn't know the attack"):
        build_attack(description)


def test_two_attacks_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"there is an attack LinfPGD already, in zooscope\.attacks\.linf_pgd"):
        register(type("LinfPGD", (LinfPGD,), {}))
