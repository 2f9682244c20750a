"""The promise of every attack; a new attack is a row in `ATTACKS`, and in `SOURCES` if it can't attack every classifier."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import Linear, attentive, classifier_of, family
from zooscope.attacks import APGD, FAB, Attack, AutoAttack, LinfPGD, PatchFool, Square
from zooscope.attacks.registry import build_attack, list_attacks, parse_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError
from zooscope.images.image_set import ImageSet

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


class _FailsOnDark(nn.Module):
    """Gives NaN for a dark image."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return logits * torch.where(pixels.flatten(1).mean(1) < 0.25, torch.nan, 1.0)[:, None]


every_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
on_every_classifier = pytest.mark.parametrize("attack", [one for one in ATTACKS.values() if type(one) not in SOURCES], ids=str)


def make_source(attack: Attack) -> tuple[Classifier, ImageSet]:
    """A classifier that the attack can attack, and images for it."""
    if type(attack) in SOURCES:
        return SOURCES[type(attack)]()
    (classifier, *_), images = family(1)
    return classifier, images


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
    classifier, images = make_source(attack)
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
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    first, second = (attack.perturb(classifier, pixels, labels, range(len(images))).pixels for _ in range(2))
    assert torch.equal(first, second)


@every_attack
def test_the_seed_of_an_image_goes_with_the_image(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
    forth = attack.perturb(classifier, pixels, labels, seeds).pixels
    back = attack.perturb(classifier, pixels.flip(0), labels.flip(0), seeds[::-1]).pixels
    torch.testing.assert_close(back.flip(0), forth)


@every_attack
def test_an_image_is_attacked_the_same_whatever_is_in_its_batch(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
    together = attack.perturb(classifier, pixels, labels, seeds)
    for some in ([4], [7, 0, 11]):
        apart = attack.perturb(classifier, pixels[some], labels[some], [seeds[place] for place in some])
        torch.testing.assert_close(apart.pixels, together.pixels[some])
        for name, fact in apart.facts.items():
            torch.testing.assert_close(fact, together.facts[name][some])


@every_attack
def test_an_attack_leaves_the_global_random_numbers_alone(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    before = torch.random.get_rng_state()
    attack.perturb(classifier, pixels, labels, range(len(images)))
    assert torch.equal(torch.random.get_rng_state(), before)


@every_attack
def test_pixels_stay_in_the_ball(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    attacked = attack.perturb(classifier, pixels, labels, range(len(images))).pixels
    radius = getattr(attack, "epsilon", 1.0)
    assert ((attacked.double() - pixels.double()).abs() <= radius).all()


@on_every_classifier
@pytest.mark.parametrize("num_classes", [2, 3, 4, 12])
def test_any_number_of_classes_will_do(attack: Attack, num_classes: int) -> None:
    weights = np.random.default_rng(num_classes).normal(size=(num_classes, 48))
    classifier = classifier_of("linear", Linear(weights, np.zeros(num_classes)), num_classes=num_classes, size=(4, 4))
    pixels = torch.rand((6, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = classifier.logits(pixels).argmax(1)
    attacked = attack.perturb(classifier, pixels, labels, range(6)).pixels
    assert (attacked != pixels).flatten(1).any(1).all(), "no image is returned as it was"


@every_attack
def test_facts_are_one_per_image_and_as_named(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    facts = attack.perturb(classifier, pixels, labels, range(len(images))).facts
    assert sorted(facts) == sorted(attack.fact_names)
    assert all(len(fact) == len(pixels) for fact in facts.values())


@every_attack
def test_what_an_attack_says_of_fooling_is_what_the_classifier_says_of_its_pixels(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    attacked = attack.perturb(classifier, pixels, labels, range(len(images)))
    logits = classifier.logits(attacked.pixels)
    if "fooled" in attacked.facts:
        assert torch.equal(attacked.facts["fooled"].bool(), logits.argmax(1) != labels)
    if "margin" in attacked.facts:
        others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        torch.testing.assert_close(attacked.facts["margin"].float(), (others - logits[range(len(labels)), labels]).float())


@every_attack
def test_an_attack_costs_no_more_than_it_says(attack: Attack) -> None:
    classifier, images = make_source(attack)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    seen = list[int]()
    classifier.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    attack.perturb(classifier, pixels, labels, range(len(images)))
    assert attack.cost is not None
    assert 0 < sum(seen) <= (attack.cost.gradients + attack.cost.forwards) * len(images)
    assert attack.REFERENCE


@on_every_classifier
def test_a_failing_classifier_is_an_error_that_names_the_image(attack: Attack) -> None:
    (plain, *_), images = family(1, in_double=False)
    pixels, labels = images.pixels(plain), torch.from_numpy(images.labels)
    pixels[3] *= 0.2
    sick = replace(plain, network=_FailsOnDark(plain.network).eval())
    with pytest.raises(NotFiniteError) as caught:
        attack.perturb(sick, pixels, labels, range(len(images)))
    assert caught.value.positions == (3,)


@every_attack
def test_the_attack_does_not_refuse_its_source(attack: Attack) -> None:
    classifier, _ = make_source(attack)
    attack.require(classifier)
