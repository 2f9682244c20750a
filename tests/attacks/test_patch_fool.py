import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import zooscope
from tests.specimens import attentive, classifier_of, conv_network
from zooscope.attacks import LinfPGD, PatchFool
from zooscope.attacks.attention import compute_attention
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.patch_fool import remove_conflict
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, NotFiniteError


def subject(count: int = 6, *, depth: int = 4, seed: int = 0) -> tuple[Classifier, Tensor, Tensor]:
    """A vision transformer with 3 x 3 patches of 2 x 2 pixels, in float64, with pixels and labels."""
    classifier, images = attentive(count, depth=depth, seed=seed)
    return classifier, images.pixels(classifier).double(), torch.from_numpy(images.labels)


def patches_of(differing: Tensor) -> list[list[int]]:
    """The patches of 2 x 2 pixels, counted row by row, in which any pixel differs; per image."""
    cells = differing.any(1).unfold(1, 2, 2).unfold(2, 2, 2).flatten(3).any(3).flatten(1)
    return [row.nonzero().flatten().tolist() for row in cells]


def attention_received(classifier: Classifier, pixels: Tensor, block: int) -> Tensor:
    """What each patch gets from all tokens in a block, (image, patch)."""
    return compute_attention(classifier, pixels).maps[block].mean(1).mean(1)[:, 1:].detach()


def fool_one_by_one(attack: PatchFool, classifier: Classifier, pixels: Tensor, labels: Tensor) -> Tensor:
    """The same attack written otherwise: image by image, with torch's Adam and schedule, for one class token."""
    results = []
    for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        chosen = attention_received(classifier, image[None], attack.block)[0].topk(attack.num_patches).indices
        inside = torch.zeros(3, 6, 6, dtype=torch.bool)
        for patch in chosen.tolist():
            row, column = 2 * (patch // 3), 2 * (patch % 3)
            inside[:, row : row + 2, column : column + 2] = True
        ball = LinfBall.around(image[None], attack.epsilon)
        variable = nn.Parameter(torch.where(inside, ball.random_point([number]), image)[0])
        optimizer = torch.optim.Adam([variable], lr=attack.learning_rate, maximize=True)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=attack.decay_interval, gamma=attack.decay)
        for _ in range(attack.iterations):
            logits, maps = compute_attention(classifier, variable[None])
            terms = [cross_entropy(logits, label[None])]
            terms += [maps[block][0].mean(0)[:, 1 + chosen[0]].log().mean() for block in range(1, len(maps) // 2)]
            fooling, *attending = (torch.autograd.grad(term, variable, retain_graph=True)[0] * inside for term in terms)
            total = fooling.clone()
            for gradient in attending:
                product = torch.dot(gradient.flatten(), fooling.flatten())
                projection = product / torch.dot(fooling.flatten(), fooling.flatten()) * fooling
                total += attack.attention_weight * (gradient - projection if product < 0 else gradient)
            variable.grad = total
            optimizer.step()
            schedule.step()
            variable.data = torch.where(inside, variable.data.clamp(ball.lower[0], ball.upper[0]), image)
        results.append(variable.data)
    return torch.stack(results)


@pytest.mark.parametrize(
    ("attack", "depth"),
    [
        (PatchFool(iterations=12, block=1, decay_interval=3, decay=0.7), 4),
        (PatchFool(iterations=8, block=2, num_patches=3, epsilon=0.2, learning_rate=0.05, attention_weight=3.0), 6),
        (PatchFool(iterations=8, block=0, attention_weight=0.0), 2),
    ],
    ids=["one patch", "several patches, two blocks, within epsilon", "cross-entropy alone"],
)
def test_an_attack_written_with_the_adam_of_torch_gives_the_same_pixels(attack: PatchFool, depth: int) -> None:
    classifier, pixels, labels = subject(depth=depth)
    attacked = attack.perturb(classifier, pixels, labels, range(6)).pixels
    torch.testing.assert_close(attacked, fool_one_by_one(attack, classifier, pixels, labels), rtol=0, atol=1e-7)


@pytest.mark.parametrize("num_patches", [1, 2, 9])
@pytest.mark.parametrize("block", [0, 3])
def test_the_patches_that_get_most_attention_change_and_nothing_else(num_patches: int, block: int) -> None:
    classifier, pixels, labels = subject()
    attacked, facts = PatchFool(iterations=2, num_patches=num_patches, block=block).perturb(classifier, pixels, labels, range(6))
    chosen = attention_received(classifier, pixels, block).topk(num_patches).indices
    assert patches_of(attacked != pixels) == chosen.sort().values.tolist()
    assert facts["patch"].tolist() == chosen[:, 0].tolist()


def test_in_a_shallow_network_the_last_block_chooses() -> None:
    classifier, pixels, labels = subject(depth=3)
    assert not torch.equal(attention_received(classifier, pixels, 1).argmax(1), attention_received(classifier, pixels, 2).argmax(1))
    deep, last = (PatchFool(iterations=1, block=block).perturb(classifier, pixels, labels, range(6)) for block in (4, 2))
    assert torch.equal(deep.pixels, last.pixels)
    assert torch.equal(deep.facts["patch"], attention_received(classifier, pixels, 2).argmax(1))


def test_in_a_network_of_two_blocks_the_second_is_attended() -> None:
    classifier, pixels, labels = subject(depth=2)
    with_attention, without = (
        PatchFool(iterations=3, attention_weight=weight).perturb(classifier, pixels, labels, range(6)).pixels
        for weight in (10.0, 0.0)
    )
    assert not torch.equal(with_attention, without)


def test_a_large_weight_draws_attention_to_the_patch() -> None:
    classifier, pixels, labels = subject(12)
    paid = []
    for weight in (0.0, 100.0):
        attacked, facts = PatchFool(iterations=40, attention_weight=weight).perturb(classifier, pixels, labels, range(12))
        maps = compute_attention(classifier, attacked).maps
        paid.append(maps[1].mean(1)[torch.arange(12), :, 1 + facts["patch"]].log().mean(1))
    assert (paid[1] > paid[0]).float().mean() > 0.9


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
@pytest.mark.parametrize("epsilon", [8 / 255, 0.3])
def test_pixels_of_the_patches_lie_exactly_within_epsilon_of_the_clean_ones(epsilon: float, dtype: torch.dtype) -> None:
    classifier, pixels, labels = subject()
    pixels = pixels.to(dtype)
    attack = PatchFool(iterations=5, num_patches=9, epsilon=epsilon)
    attacked = attack.perturb(classifier, pixels, labels, range(6)).pixels
    distance = (attacked.double() - pixels.double()).abs()
    assert attacked.dtype == dtype
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert 0.9 * epsilon < distance.max() <= epsilon


def test_without_bound_the_patch_forgets_the_clean_pixels() -> None:
    classifier, pixels, labels = subject()
    attacked, facts = PatchFool(iterations=5).perturb(classifier, pixels, labels, range(6))
    changed = pixels.clone()
    for number, patch in enumerate(facts["patch"].tolist()):
        row, column = 2 * (patch // 3), 2 * (patch % 3)
        changed[number, :, row : row + 2, column : column + 2] = attacked[number, :, row : row + 2, column : column + 2]
        assert (attacked[number] - pixels[number]).abs().max() > 0.5
    assert torch.equal(changed, attacked)


def test_an_image_is_attacked_the_same_alone_and_in_company() -> None:
    classifier, pixels, labels = subject()
    attack = PatchFool(iterations=15, attention_weight=1.0)
    together, facts = attack.perturb(classifier, pixels, labels, range(6))
    for place in range(6):
        here = slice(place, place + 1)
        alone, own = attack.perturb(classifier, pixels[here], labels[here], [place])
        torch.testing.assert_close(alone, together[here], rtol=0, atol=1e-8)
        assert {name: fact.item() for name, fact in own.items()} == {name: fact[place].item() for name, fact in facts.items()}


def test_another_seed_starts_elsewhere() -> None:
    classifier, pixels, labels = subject()
    attack = PatchFool(iterations=1)
    first, second = (attack.perturb(classifier, pixels, labels, seeds).pixels for seeds in (range(6), range(1, 7)))
    assert (first != second).flatten(1).any(1).all()


def test_the_facts_say_which_images_are_fooled() -> None:
    classifier, pixels, labels = subject(12)
    labels[::2] = (labels[::2] + 1) % 3
    attacked, facts = PatchFool(iterations=2).perturb(classifier, pixels, labels, range(12))
    fooled = classifier.logits(attacked).argmax(1) != labels
    assert 0 < fooled.sum() < 12
    assert facts["fooled"].tolist() == fooled.int().tolist()


@pytest.mark.parametrize(
    "attack", [PatchFool(iterations=40), PatchFool(iterations=40, num_patches=4)], ids=["one patch", "four patches"]
)
def test_the_bundled_vision_transformer_is_fooled_on_most_images(attack: PatchFool) -> None:
    vit = zooscope.load_classifier("bundled:vit")
    images = zooscope.load_images("bundled:cifar10").sample(24, seed=1)
    pixels, labels = images.pixels(vit), torch.from_numpy(images.labels)
    clean = vit.logits(pixels)
    right = clean.argmax(1) == labels
    facts = attack.perturb(vit, pixels[right], labels[right], range(int(right.sum()))).facts
    assert facts["fooled"].float().mean() > (0.6 if attack.num_patches == 1 else 0.9)
    assert torch.equal(vit.logits(pixels), clean)
    assert all(module.fused_attn for module in vit.network.modules() if hasattr(module, "fused_attn"))


# Gradient surgery


def test_a_gradient_loses_what_points_against_the_other_and_keeps_the_rest() -> None:
    others = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [0.0, 1e-30]]).view(4, 1, 1, 2)
    gradients = torch.tensor([[-7.0, 1.0], [1.0, 2.0], [-1.0, -2.0], [5.0, -2.0]]).view(4, 1, 1, 2)
    # (-7, 1) . (3, 4) = -17, |(3, 4)|^2 = 25: (-7, 1) + 17/25 (3, 4)
    expected = torch.tensor([[-7 + 51 / 25, 1 + 68 / 25], [1.0, 2.0], [-1.0, -2.0], [5.0, 0.0]]).view(4, 1, 1, 2)
    torch.testing.assert_close(remove_conflict(gradients, others), expected)


numbers = st.lists(st.floats(-10, 10, width=16), min_size=12, max_size=12)


@given(numbers, numbers)
def test_what_is_left_points_nowhere_against_the_other(first: list[float], second: list[float]) -> None:
    gradients, others = (torch.tensor(values, dtype=torch.float64).view(2, 3, 1, 2) for values in (first, second))
    left = remove_conflict(gradients, others)
    before, after = ((each * others).flatten(1).sum(1) for each in (gradients, left))
    torch.testing.assert_close(after, before.clamp(min=0), rtol=1e-9, atol=1e-9)
    assert torch.equal(left[before >= 0], gradients[before >= 0])
    again = remove_conflict(gradients[1:], others[1:])
    torch.testing.assert_close(again, left[1:], rtol=0, atol=0)


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 8}, "PatchFool.epsilon must be in (0, 1] (pixels are in [0, 1]): got 8. For 8/255 write 8/255."),
        ({"epsilon": 0}, "PatchFool.epsilon must be in (0, 1] (pixels are in [0, 1]): got 0. For patches without bound write 1."),
        ({"learning_rate": 2}, "PatchFool.learning_rate must be in (0, 1] (pixels are in [0, 1]): got 2."),
        ({"decay": 0}, "PatchFool.decay must be in (0, 1]: got 0."),
        ({"iterations": 0}, "PatchFool.iterations must be at least 1: got 0."),
        ({"num_patches": 0}, "PatchFool.num_patches must be at least 1: got 0."),
        ({"decay_interval": 0}, "PatchFool.decay_interval must be at least 1: got 0."),
        ({"block": -1}, "PatchFool.block must be at least 0: got -1."),
        ({"attention_weight": -1}, "PatchFool.attention_weight must be at least 0 and finite: got -1."),
        ({"attention_weight": float("nan")}, "PatchFool.attention_weight must be at least 0 and finite: got nan."),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^{re.escape(message)}$"):
        PatchFool(**settings)


def test_every_image_needs_a_seed() -> None:
    classifier, pixels, labels = subject()
    with pytest.raises(InvalidValueError, match="a random start needs one seed per image: got 0 for 6 images"):
        PatchFool().perturb(classifier, pixels, labels)


def test_a_classifier_without_attention_is_refused_before_and_in_the_attack() -> None:
    classifier = classifier_of("convolutional", conv_network(0), num_classes=3, size=(6, 6))
    with pytest.raises(ClassifierError, match="convolutional: PatchFool needs a vision transformer"):
        PatchFool().require(classifier)
    with pytest.raises(ClassifierError, match="convolutional: PatchFool needs a vision transformer"):
        PatchFool().perturb(classifier, torch.rand(2, 3, 6, 6), torch.tensor([0, 1]), [0, 1])
    LinfPGD().require(classifier)


def test_a_network_of_one_block_is_refused() -> None:
    classifier, pixels, labels = subject(depth=1)
    message = "attentive has 1 block of attention, and PatchFool needs at least 2; leave it out"
    with pytest.raises(ClassifierError, match=message):
        PatchFool().require(classifier)
    with pytest.raises(ClassifierError, match=message):
        PatchFool().perturb(classifier, pixels, labels, range(6))


def test_more_patches_than_the_image_has_are_refused() -> None:
    classifier, *_ = subject()
    PatchFool(num_patches=9).require(classifier)
    with pytest.raises(ClassifierError, match=r"attentive divides an image into 9 patches, too few for PatchFool\.num_patches=10"):
        PatchFool(num_patches=10).require(classifier)


class _NaNOnBright(nn.Module):
    """A vision transformer that gives NaN for images whose first pixel is 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return torch.where(pixels[:, :1, 0, 0] == 1, torch.nan, logits)


def test_logits_that_are_nan_are_an_error_that_names_the_image() -> None:
    classifier, pixels, labels = subject(depth=3)
    odd = classifier_of("odd", _NaNOnBright(classifier.network), num_classes=3, size=(6, 6))
    attack = PatchFool(iterations=2, epsilon=0.01)
    pixels[:, :, 0, 0] = 0.5
    chosen = attack.perturb(odd, pixels, labels, range(6)).facts["patch"]
    bright = int((chosen != 0).nonzero()[0])
    pixels[bright, :, 0, 0] = 1
    assert attention_received(classifier, pixels, 2).argmax(1)[bright] != 0
    with pytest.raises(NotFiniteError, match=f"odd: the loss is not finite .* under attack on image {bright};"):
        attack.perturb(odd, pixels, labels, range(6))


def test_twice_the_images_give_the_same_pixels_twice() -> None:
    classifier, pixels, labels = subject()
    attack = PatchFool(iterations=5, attention_weight=5.0)
    once = attack.perturb(classifier, pixels, labels, range(6)).pixels
    twice = attack.perturb(classifier, pixels.repeat(2, 1, 1, 1), labels.repeat(2), [*range(6), *range(6)]).pixels
    torch.testing.assert_close(twice, once.repeat(2, 1, 1, 1), rtol=0, atol=1e-8)
