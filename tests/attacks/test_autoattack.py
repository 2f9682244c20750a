"""AutoAttack and its members: closed forms on linear classifiers, and what they promise beyond the contract of all attacks."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import Array, Linear, classifier_of, family
from zooscope.attacks import APGD, FAB, Attack, AutoAttack, LinfPGD, Square, parse_attack
from zooscope.attacks.apgd import _list_checkpoints
from zooscope.attacks.parts import perturb_in_parts
from zooscope.attacks.registry import change_attack
from zooscope.attacks.square import _choose_side
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError

EPSILON = 0.1


def linear(num_classes: int, seed: int = 0, shift: float = 0.0) -> tuple[Classifier, Tensor, Tensor, Array]:
    """A linear classifier, pixels far from 0 and 1, the classes that it gives them, and its weights."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(num_classes, 48))
    classifier = classifier_of("linear", Linear(weights, np.full(num_classes, shift)), num_classes=num_classes, size=(4, 4))
    pixels = torch.tensor(generator.uniform(0.3, 0.7, (40, 3, 4, 4)))
    return classifier, pixels, classifier.logits(pixels).argmax(1), weights


def find_distances(classifier: Classifier, pixels: Tensor, labels: Tensor, weights: Array) -> Array:
    """How far the nearest other class of a linear classifier is, in the maximum norm, where no pixel reaches 0 or 1."""
    logits = classifier.logits(pixels).numpy()
    mine = logits[np.arange(len(labels)), labels]
    slopes = np.abs(weights[:, None] - weights[labels]).sum(2).T
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = (mine[:, None] - logits) / slopes
    distances[np.arange(len(labels)), labels] = np.inf
    nearest: Array = distances.min(1)
    return nearest


@pytest.mark.parametrize("loss", ["ce", "margin"])
def test_apgd_reaches_the_optimum_on_a_linear_classifier(loss: str) -> None:
    classifier, pixels, labels, weights = linear(2)
    attacked = APGD(epsilon=EPSILON, iterations=20, loss=loss, keep="strongest").perturb(classifier, pixels, labels, range(40))
    logits = classifier.logits(pixels)
    margin = (logits.gather(1, 1 - labels[:, None]) - logits.gather(1, labels[:, None])).squeeze(1)
    gain = EPSILON * np.abs(weights[0] - weights[1]).sum()
    np.testing.assert_allclose(attacked.facts["margin"], margin + gain, rtol=1e-6)


@pytest.mark.parametrize("attack", [APGD(loss="dlr", num_targets=9), FAB(iterations=20)], ids=["APGD", "FAB"])
@pytest.mark.parametrize("num_classes", [2, 3, 5])
def test_a_linear_classifier_is_fooled_where_another_class_is_within_epsilon(attack: Attack, num_classes: int) -> None:
    classifier, pixels, labels, weights = linear(num_classes)
    distances = find_distances(classifier, pixels, labels, weights)
    epsilon = float(np.median(distances))
    fooled = change_attack(attack, {"epsilon": epsilon}).perturb(classifier, pixels, labels, range(40)).facts["fooled"].numpy()
    clear = np.abs(distances - epsilon) > 0.01 * epsilon
    np.testing.assert_array_equal(fooled[clear], (distances < epsilon)[clear])


def test_fab_stops_just_beyond_the_boundary() -> None:
    classifier, pixels, labels, weights = linear(3)
    distances = find_distances(classifier, pixels, labels, weights)
    attacked = FAB(epsilon=0.3, iterations=30).perturb(classifier, pixels, labels)
    reached = (attacked.pixels - pixels).flatten(1).abs().amax(1).numpy()
    assert attacked.facts["fooled"].all()
    assert (reached >= distances - 1e-9).all()
    assert np.median(reached / distances) < 1.1


def test_the_step_is_halved_after_the_published_iterations() -> None:
    assert list(_list_checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert list(_list_checkpoints(50)) == [11, 21, 30, 38, 45]
    assert list(_list_checkpoints(20))[:3] == [4, 7, 9]


def test_the_side_of_the_square_shrinks_after_the_published_queries() -> None:
    sides = [_choose_side(query, 224, 224) for query in (1, 10, 11, 50, 51, 201, 501, 1001, 2001, 4001)]
    assert sides == [round(224 * (0.8 / 2**halvings) ** 0.5) for halvings in (0, 0, 1, 1, 2, 3, 4, 5, 6, 7)]
    assert _choose_side(4999, 4, 4) == 1
    assert _choose_side(1, 2, 30) == 2


def test_square_asks_nothing_more_about_an_image_that_is_fooled() -> None:
    (classifier, *_), images = family(1)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    found = Square(epsilon=0.3, queries=200).perturb(classifier, pixels, labels, range(len(images)))
    fooled = found.facts["fooled"].bool()
    assert fooled.any()
    assert (found.facts["queries"][~fooled] == 200).all()
    for place in fooled.nonzero().flatten().tolist():
        needed = int(found.facts["queries"][place])
        again = Square(epsilon=0.3, queries=needed).perturb(classifier, pixels[[place]], labels[[place]], [place])
        assert torch.equal(again.pixels[0], found.pixels[place])


def test_square_attacks_what_has_no_gradient_and_autoattack_refuses_it() -> None:
    classifier, pixels, labels, _ = linear(3)
    network = classifier.network
    network.register_forward_hook(lambda _module, _inputs, output: output.detach())
    Square(queries=10).require(classifier)
    Square(queries=10).perturb(classifier, pixels, labels, range(40))
    with pytest.raises(ClassifierError, match="no gradient"):
        AutoAttack().require(classifier)


def test_autoattack_is_its_members_one_after_the_other() -> None:
    (classifier, *_), images = family(1, num_images=60)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(60))
    attack = AutoAttack(epsilon=0.02, iterations=5, queries=50)
    found = attack.perturb(classifier, pixels, labels, seeds)
    fooled, maker = torch.zeros(60, dtype=torch.bool), torch.zeros(60)
    for number, member in enumerate(attack.members.values(), start=1):
        left = (~fooled).nonzero().flatten()
        alone = member.perturb(classifier, pixels[left], labels[left], left.tolist())
        new = left[alone.facts["fooled"].bool()]
        torch.testing.assert_close(found.pixels[new], alone.pixels[alone.facts["fooled"].bool()])
        fooled[new], maker[new] = True, number
    assert torch.equal(found.facts["fooled"].bool(), fooled)
    assert torch.equal(found.facts["member"][fooled], maker[fooled])
    assert (~fooled).any()
    assert found.facts["member"].min() >= 1
    untouched = (found.pixels == pixels).flatten(1).all(1)
    assert not untouched.any()


@pytest.mark.parametrize("attack", [APGD(), Square(), AutoAttack()], ids=["APGD", "Square", "AutoAttack"])
@pytest.mark.parametrize("seeds", [None, [], [1, 2]])
def test_random_numbers_without_a_seed_for_every_image_are_refused(attack: Attack, seeds: list[int] | None) -> None:
    classifier, pixels, labels, _ = linear(2)
    with pytest.raises(InvalidValueError, match=f"one seed per image: got {len(seeds or [])} for 40 images"):
        attack.perturb(classifier, pixels, labels, seeds)


def test_of_fooling_iterates_the_latest_or_the_strongest_is_kept() -> None:
    (classifier, *_), images = family(1)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), range(len(images))
    latest, strongest = (
        APGD(epsilon=0.2, iterations=30, loss="margin", keep=keep).perturb(classifier, pixels, labels, seeds)
        for keep in ("latest", "strongest")
    )
    assert torch.equal(latest.facts["fooled"], strongest.facts["fooled"])
    assert (strongest.facts["margin"] >= latest.facts["margin"]).all()
    assert (strongest.facts["margin"] > latest.facts["margin"]).any()


def test_apgd_finds_no_less_than_pgd_with_as_many_steps() -> None:
    (classifier, *_), images = family(1, num_images=60)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    for epsilon in (0.01, 0.03):
        auto = APGD(epsilon=epsilon).perturb(classifier, pixels, labels, range(60)).facts["fooled"].sum()
        plain = LinfPGD(epsilon=epsilon, step_size=epsilon / 4, iterations=100).perturb(classifier, pixels, labels).pixels
        assert auto >= (classifier.logits(plain).argmax(1) != labels).sum() - 1


def test_a_few_at_a_time_are_attacked_as_all_at_once() -> None:
    (classifier, *_), images = family(1)
    pixels, labels, seeds = images.pixels(classifier), torch.from_numpy(images.labels), list(range(len(images)))
    attack = Square(queries=20)
    apart = perturb_in_parts(lambda *given: attack.perturb(classifier, *given), pixels, labels, seeds, most_values=4 * 3 * 36)
    together = attack.perturb(classifier, pixels, labels, seeds)
    torch.testing.assert_close(apart.pixels, together.pixels)
    assert apart.facts.keys() == together.facts.keys()


class _Counting(nn.Module):
    """Logits from the mean colours; remembers how many images it was given at once."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.last, self.most = nn.Linear(3, num_classes), 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.most = max(self.most, len(pixels))
        logits: Tensor = self.last(pixels.mean((2, 3)))
        return logits


@pytest.mark.parametrize(
    "attack", [APGD(iterations=1), FAB(iterations=1, num_targets=1), Square(queries=2)], ids=["APGD", "FAB", "Square"]
)
def test_images_of_224_pixels_go_through_the_network_a_few_at_a_time(attack: Attack) -> None:
    network = _Counting(1000).eval()
    classifier = classifier_of("counting", network, num_classes=1000, size=(224, 224))
    pixels = torch.rand((30, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    labels = torch.cat([classifier.logits(part).argmax(1) for part in pixels.split(10)])
    attack.perturb(classifier, pixels, labels, range(30))
    assert 10 < network.most < 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("APGD?epsilon=8", r"APGD\.epsilon must be in \(0, 1\].*For 8/255 write 8/255"),
        ("APGD?iterations=0", r"APGD\.iterations must be at least 1: got 0"),
        ("APGD?loss=l2", r"APGD\.loss must be one of ce, dlr, margin: got 'l2'"),
        ("APGD?keep=best", r"APGD\.keep must be one of latest, strongest: got 'best'"),
        ("APGD?num_targets=9", r"APGD\.num_targets needs a loss that has a target: loss=dlr or loss=margin"),
        ("FAB?num_targets=0", r"FAB\.num_targets must be at least 1: got 0"),
        ("Square?queries=0", r"Square\.queries must be at least 1: got 0"),
        ("AutoAttack?num_targets=0", r"AutoAttack\.num_targets must be at least 1: got 0"),
        ("LinfPGD?diversity=2", r"LinfPGD\.diversity must be in \[0, 1\]: got 2"),
        ("LinfPGD?kernel_size=4", r"LinfPGD\.kernel_size must be odd and at least 3, or 0 for none: got 4"),
        ("LinfPGD?momentum=-1", r"LinfPGD\.momentum must be at least 0: got -1"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_name_and_value(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        parse_attack(text)
