"""The promise of every attack; a new attack is a row in `ATTACKS`."""

import pytest
import torch

from tests.specimens import family
from zooscope.attacks import Attack, LinfPGD
from zooscope.attacks.registry import build_attack, list_attacks, parse_attack

ATTACKS: dict[str, Attack] = {
    "LinfPGD": LinfPGD(iterations=3),
    "LinfPGD, small steps": LinfPGD(epsilon=0.1, step_size=0.02, iterations=4),
    "LinfPGD, random start": LinfPGD(iterations=2, random_start=True),
}

every_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def test_every_kind_of_attack_has_a_row() -> None:
    own = {kind for kind in list_attacks().values() if kind.__module__.startswith("zooscope.")}
    assert {type(attack) for attack in ATTACKS.values()} == own


@every_attack
def test_an_attack_is_found_again_from_its_description(attack: Attack) -> None:
    assert build_attack(attack.description) == attack
    assert build_attack(attack.description).digest == attack.digest


@every_attack
def test_an_attack_is_found_again_from_its_spelling(attack: Attack) -> None:
    assert parse_attack(str(attack)) == attack


@every_attack
def test_attacked_pixels_are_pixels_and_the_clean_ones_stay(attack: Attack) -> None:
    (classifier, *_), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    clean = pixels.clone()
    attacked = attack.perturb(classifier, pixels, labels, range(len(images))).pixels
    assert attacked.shape == pixels.shape
    assert attacked.dtype == pixels.dtype
    assert not attacked.requires_grad
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert torch.equal(pixels, clean)
    assert not torch.equal(attacked, clean)


@every_attack
def test_an_attack_made_again_is_the_same(attack: Attack) -> None:
    (classifier, *_), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    first, second = (attack.perturb(classifier, pixels, labels, range(len(images))).pixels for _ in range(2))
    assert torch.equal(first, second)


@every_attack
def test_the_seed_of_an_image_goes_with_the_image(attack: Attack) -> None:
    (classifier, *_), images = family(1)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
    forth = attack.perturb(classifier, pixels, labels, seeds).pixels
    back = attack.perturb(classifier, pixels.flip(0), labels.flip(0), seeds[::-1]).pixels
    torch.testing.assert_close(back.flip(0), forth)


@every_attack
def test_facts_are_one_per_image(attack: Attack) -> None:
    (classifier, *_), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    assert all(len(fact) == len(pixels) for fact in attack.perturb(classifier, pixels, labels, range(len(images))).facts.values())
