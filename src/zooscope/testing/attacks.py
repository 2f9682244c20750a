"""What every attack promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zooscope.attacks import Attack
from zooscope.attacks.registry import build_attack, parse_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError
from zooscope.images.image_set import ImageSet
from zooscope.testing.specimens import Linear, classifier_of, family

Source = tuple[Classifier, ImageSet]


class _FailsOnDark(nn.Module):
    """Gives NaN for a dark image."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.was_asked = network, False

    def forward(self, pixels: Tensor) -> Tensor:
        self.was_asked = True
        logits: Tensor = self.network(pixels)
        return logits * torch.where(pixels.flatten(1).mean(1) < 0.25, torch.nan, 1.0)[:, None]


class AttackContract:
    """Tests of an attack; derive from it and give the attack as a fixture.

    Example:
        >>> import pytest
        >>> from zooscope.attacks import LinfPGD
        >>> from zooscope.testing import AttackContract
        >>> class TestMine(AttackContract):
        ...     @pytest.fixture
        ...     def attack(self):
        ...         return LinfPGD(iterations=2)
    """

    @pytest.fixture
    def attack(self) -> Attack:
        """The attack, registered under its name."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> Source:
        """A classifier that it can attack, and images for it: a small convolutional network, unless overridden."""
        (classifier, *_), images = family(1)
        return classifier, images

    @pytest.fixture
    def attacks_everything(self) -> bool:
        """Whether it attacks any classifier; override it where it needs a certain kind of network."""
        return True

    def test_an_attack_is_found_again_from_its_description(self, attack: Attack) -> None:
        assert build_attack(attack.description) == attack
        assert build_attack(attack.description).digest == attack.digest

    def test_an_attack_is_found_again_from_its_spelling(self, attack: Attack) -> None:
        assert parse_attack(str(attack)) == attack

    def test_attacked_pixels_are_pixels_and_the_clean_ones_stay(self, attack: Attack, source: Source) -> None:
        classifier, images = source
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

    def test_an_attack_made_again_is_the_same(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        first, second = (attack.perturb(classifier, pixels, labels, range(len(images))).pixels for _ in range(2))
        assert torch.equal(first, second)

    def test_the_seed_of_an_image_goes_with_the_image(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
        forth = attack.perturb(classifier, pixels, labels, seeds).pixels
        back = attack.perturb(classifier, pixels.flip(0), labels.flip(0), seeds[::-1]).pixels
        torch.testing.assert_close(back.flip(0), forth)

    def test_an_image_is_attacked_the_same_whatever_is_in_its_batch(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
        together = attack.perturb(classifier, pixels, labels, seeds)
        for some in ([4], [7, 0, 11]):
            apart = attack.perturb(classifier, pixels[some], labels[some], [seeds[place] for place in some])
            torch.testing.assert_close(apart.pixels, together.pixels[some])
            for name, fact in apart.facts.items():
                torch.testing.assert_close(fact, together.facts[name][some])

    def test_an_attack_leaves_the_global_random_numbers_alone(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        before = torch.random.get_rng_state()
        attack.perturb(classifier, pixels, labels, range(len(images)))
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_pixels_stay_in_the_ball(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        attacked = attack.perturb(classifier, pixels, labels, range(len(images))).pixels
        radius = getattr(attack, "epsilon", 1.0)
        assert ((attacked.double() - pixels.double()).abs() <= radius).all()

    @pytest.mark.parametrize("num_classes", [2, 3, 4, 12])
    def test_any_number_of_classes_will_do(self, attack: Attack, num_classes: int, *, attacks_everything: bool) -> None:
        _require(attacks_everything=attacks_everything)
        weights = np.random.default_rng(num_classes).normal(size=(num_classes, 48))
        classifier = classifier_of("linear", Linear(weights, np.zeros(num_classes)), num_classes=num_classes, size=(4, 4))
        pixels = torch.rand((6, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        labels = classifier.logits(pixels).argmax(1)
        attacked = attack.perturb(classifier, pixels, labels, range(6)).pixels
        assert (attacked != pixels).flatten(1).any(1).all(), "no image is returned as it was"

    def test_facts_are_one_per_image_and_as_named(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        facts = attack.perturb(classifier, pixels, labels, range(len(images))).facts
        assert sorted(facts) == sorted(attack.fact_names)
        assert all(len(fact) == len(pixels) for fact in facts.values())

    def test_what_an_attack_says_of_fooling_is_what_the_classifier_says_of_its_pixels(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        attacked = attack.perturb(classifier, pixels, labels, range(len(images)))
        logits = classifier.logits(attacked.pixels)
        if "fooled" in attacked.facts:
            assert torch.equal(attacked.facts["fooled"].bool(), logits.argmax(1) != labels)
        if "margin" in attacked.facts:
            others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
            torch.testing.assert_close(attacked.facts["margin"].float(), (others - logits[range(len(labels)), labels]).float())

    def test_an_attack_costs_no_more_than_it_says(self, attack: Attack, source: Source) -> None:
        classifier, images = source
        pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
        seen = list[int]()
        classifier.network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
        attack.perturb(classifier, pixels, labels, range(len(images)))
        if attack.cost is not None:
            assert sum(seen) <= (attack.cost.gradients + attack.cost.forwards) * len(images)

    def test_a_failing_classifier_is_an_error_that_names_the_image(self, attack: Attack, *, attacks_everything: bool) -> None:
        _require(attacks_everything=attacks_everything)
        (plain, *_), images = family(1, in_double=False)
        pixels, labels = images.pixels(plain), torch.from_numpy(images.labels)
        pixels[3] *= 0.2
        network = _FailsOnDark(plain.network).eval()
        failed: list[tuple[int, ...]] = []
        try:
            attack.perturb(replace(plain, network=network), pixels, labels, range(len(images)))
        except NotFiniteError as error:
            failed.append(error.positions)
        assert failed == ([(3,)] if network.was_asked else []), "an attack that runs the network notices NaN"

    def test_the_attack_does_not_refuse_its_source(self, attack: Attack, source: Source) -> None:
        classifier, _ = source
        attack.require(classifier)


def _require(*, attacks_everything: bool) -> None:
    """Leaves a test out for an attack that can't attack the classifier of this test."""
    if not attacks_everything:
        pytest.skip("this attack needs a certain kind of network")
