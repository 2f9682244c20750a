"""Patch-Fool: one patch of a vision transformer's image, made to draw attention and to fool."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from zooscope.arguments import check_arguments
from zooscope.attacks.attention import TokenLayout, compute_attention, find_token_layout, probe_token_layout
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.gradients import compute_gradient, find_undefined, require_finite
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError

_FIRST_MOMENT: Final = 0.9  # Adam's constants, as in Kingma and Ba 2015
_SECOND_MOMENT: Final = 0.999
_STABILITY: Final = 1e-8
_FEWEST_BLOCKS: Final = 2
NUM_TERMS: Final = 6  # of the objective with twelve blocks


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class PatchFool(Attack):
    """Replaces the patches that get most attention by ones that Adam optimises to fool the classifier and to get more attention.

    Source: Fu et al., Patch-Fool: Are Vision Transformers Always Robust Against Adversarial Perturbations?, ICLR 2022. Per image:

    1. The patches are those to which the clean image's tokens attend most in one block (mean over heads and queries).
    2. They start from uniform noise in the ball that `epsilon` allows, and Adam climbs the cross-entropy plus
       `attention_weight` times the attention paid to the first of them: per block, the mean over queries of the logarithm of the
       attention's mean over heads, summed over the second block to the last of the first half (5 of 12; of fewer than six, the
       second alone).
    3. Where a block's gradient g points against the gradient c of the cross-entropy (g.c < 0), it loses that part:
       g - (g.c / |c|^2) c (the authors' release divides by |c|).
    4. After each step the patches are projected onto the ball and [0, 1]; all other pixels stay as they are.

    Adam's state, the removal and the random numbers are each image's own, and losses are sums, so an image's result doesn't depend
    on its batch. Only vision transformers in which each patch attends to all patches can be attacked: see
    `zooscope.attacks.attention.find_token_layout`. Each iteration costs one forward pass and one backward pass per term of the
    objective (6 for 12 blocks; those of early blocks are short), without fused attention.

    Attributes:
        num_patches: how many patches are replaced.
        epsilon: how far a pixel of the patches may be from the clean one, in pixel units, in (0, 1]; 1 allows any pixel.
        iterations: how many steps of Adam.
        learning_rate: of Adam, in pixel units. The authors' 0.22 is in units of normalised pixels, where it is 0.05 in pixel units
            (times a standard deviation of 0.225).
        decay: factor of the learning rate after every `decay_interval` iterations.
        decay_interval: see `decay`.
        attention_weight: of the attention in the objective; with 0, only the cross-entropy counts.
        block: whose attention chooses the patches, counted from 0; in a network with fewer blocks, the last.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import PatchFool
        >>> vit = zooscope.load_classifier("bundled:vit")
        >>> images = zooscope.load_images("bundled:cifar10").sample(4)
        >>> pixels, labels = images.pixels(vit), torch.from_numpy(images.labels)
        >>> attacked, facts = PatchFool(iterations=5).perturb(vit, pixels, labels, seeds=range(4))
        >>> (attacked != pixels).any(1).flatten(1).sum(1).tolist()  # pixels of one patch
        [16, 16, 16, 16]
        >>> sorted(facts)
        ['fooled', 'patch']
    """

    num_patches: int = 1
    epsilon: float = 1.0
    iterations: int = 250
    learning_rate: float = 0.22
    decay: float = 0.95
    decay_interval: int = 10
    attention_weight: float = 0.002
    block: int = 4

    REFERENCE: ClassVar[str] = "Fu et al., ICLR 2022"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        for name in ("epsilon", "learning_rate", "decay"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                unit = "" if name == "decay" else " (pixels are in [0, 1])"
                hint = f" For {value:g}/255 write {value:g}/255." if name == "epsilon" and value > 1 else ""
                hint = hint or (" For patches without bound write 1." if name == "epsilon" else "")
                msg = f"PatchFool.{name} must be in (0, 1]{unit}: got {value:g}.{hint}"
                raise InvalidValueError(msg)
        for name, least in (("num_patches", 1), ("iterations", 1), ("decay_interval", 1), ("block", 0)):
            require_at_least(f"PatchFool.{name}", getattr(self, name), least)
        if not 0 <= self.attention_weight < float("inf"):
            msg = f"PatchFool.attention_weight must be at least 0 and finite: got {self.attention_weight:g}."
            raise InvalidValueError(msg)

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Whether the classifier misclassifies the attacked image (1 or 0), and the index of the first chosen patch, row by row."""
        return ("fooled", "patch")

    @property
    def cost(self) -> Cost:
        """For a network of twelve blocks, whose objective has six terms, each with a pass back of its own."""
        return Cost(gradients=self.iterations * (NUM_TERMS if self.attention_weight else 1), forwards=2)

    def require(self, classifier: Classifier) -> None:
        """Refuses a source without gradients, or without attention among all patches.

        >>> PatchFool().require(zooscope.load_classifier("bundled:mixer"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        zooscope.errors.ClassifierError: bundled:mixer: PatchFool needs a vision transformer ...

        Raises:
            ClassifierError: the attack can't attack it.
        """
        super().require(classifier)
        self._require_enough(classifier, probe_token_layout(classifier, attack=type(self).__name__))

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """Pixels of the last iteration, and the facts `fooled` and `patch`; see `Attack.perturb`.

        All pixels outside the chosen patches are the clean ones; those inside lie within epsilon of them and in [0, 1], exactly.

        Raises:
            InvalidValueError: there is not one seed per image; the start is always random.
            ClassifierError: the classifier has no attention among all patches, or too few blocks or patches.
            NotFiniteError: the loss or a gradient is not finite.
        """
        clean = pixels.detach()
        with torch.no_grad():
            _, maps = compute_attention(classifier, clean)
        layout = find_token_layout(classifier, maps, num_images=len(clean), attack=type(self).__name__)
        self._require_enough(classifier, layout)
        patches = self._choose_patches(maps, layout)
        mask, ball = layout.make_mask(patches), LinfBall.around(clean, self.epsilon)
        attacked = torch.where(mask, ball.random_point(seeds), clean)
        first, second = (torch.zeros_like(clean, dtype=torch.promote_types(clean.dtype, torch.float32)) for _ in range(2))
        infinite, undefined = (torch.zeros(len(clean), dtype=torch.bool, device=clean.device) for _ in range(2))
        for iteration in range(self.iterations):
            losses, gradient = self._climb(classifier, attacked, labels, mask=mask, tokens=layout.num_prefix_tokens + patches[:, 0])
            infinite |= ~losses.isfinite()
            undefined |= find_undefined(gradient)
            first = _FIRST_MOMENT * first + (1 - _FIRST_MOMENT) * gradient
            second = _SECOND_MOMENT * second + (1 - _SECOND_MOMENT) * gradient.square()
            mean, square = first / (1 - _FIRST_MOMENT ** (iteration + 1)), second / (1 - _SECOND_MOMENT ** (iteration + 1))
            rate = self.learning_rate * self.decay ** (iteration // self.decay_interval)
            moved = (attacked + rate * mean / (square.sqrt() + _STABILITY)).to(clean.dtype)
            attacked = torch.where(mask, ball.project(moved), clean)
        require_finite(infinite, f"{classifier.name}: the loss is not finite (NaN or infinite logits) under attack on")
        require_finite(undefined, f"{classifier.name}: the gradient is NaN under attack, though the loss is finite, on")
        with torch.no_grad():
            fooled = classifier.logits(attacked).argmax(1) != labels
        return Attacked(attacked, {"fooled": fooled.long(), "patch": patches[:, 0]})

    def _require_enough(self, classifier: Classifier, layout: TokenLayout) -> None:
        if layout.num_blocks < _FEWEST_BLOCKS:
            msg = (
                f"{classifier.name} has {layout.num_blocks} block of attention, and PatchFool needs at least {_FEWEST_BLOCKS}; "
                "leave it out, or let it be a target only."
            )
            raise ClassifierError(msg)
        if layout.num_patches < self.num_patches:
            msg = (
                f"{classifier.name} divides an image into {layout.num_patches} patches, too few for PatchFool.num_patches="
                f"{self.num_patches}; lower it, leave the classifier out, or let it be a target only."
            )
            raise ClassifierError(msg)

    def _choose_patches(
        self, maps: Sequence[Float[Tensor, "batch heads queries keys"]], layout: TokenLayout
    ) -> Int[Tensor, "batch chosen"]:
        """The patches to which the tokens attend most, the first most; equal ones by their index."""
        received = maps[min(self.block, layout.num_blocks - 1)].mean((1, 2))[:, layout.num_prefix_tokens :]
        return received.argsort(dim=1, descending=True, stable=True)[:, : self.num_patches]

    def _climb(
        self,
        classifier: Classifier,
        attacked: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        *,
        mask: Bool[Tensor, "batch 1 height width"],
        tokens: Int[Tensor, " batch"],
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch channel height width"]]:
        """The cross-entropy of each image, and the direction that increases it and the attention paid to its token."""
        variable = attacked.clone().requires_grad_()
        logits, maps = compute_attention(classifier, variable)
        losses = cross_entropy(logits, labels, reduction="none")
        attended = maps[1 : max(len(maps) // 2, _FEWEST_BLOCKS)] if self.attention_weight else ()
        towards_attention = [
            compute_gradient(_measure_attention(each, tokens).sum(), variable, classifier=classifier, keep_graph=True) * mask
            for each in attended
        ]
        direction = compute_gradient(losses.sum(), variable, classifier=classifier) * mask
        fooling = direction
        for gradient in towards_attention:
            direction = direction + self.attention_weight * remove_conflict(gradient, fooling)
        return losses.detach(), direction


def remove_conflict(
    gradients: Float[Tensor, "batch channel height width"], others: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch channel height width"]:
    """Gradients without what points against others: g - (g.c / |c|^2) c where g.c < 0, else g; per image.

    Source: Fu et al., ICLR 2022, Section 3.4 (after Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020).

    Example:
        >>> gradient, other = torch.tensor([-1.0, 2.0]), torch.tensor([3.0, 0.0])
        >>> remove_conflict(gradient.view(1, 1, 1, 2), other.view(1, 1, 1, 2)).flatten().tolist()
        [0.0, 2.0]
    """
    smallest = torch.finfo(others.dtype).tiny
    scaled = others.flatten(1) / others.flatten(1).abs().amax(1, keepdim=True).clamp(min=smallest)  # its square can't vanish
    unit: Tensor = scaled / torch.linalg.vector_norm(scaled, dim=1, keepdim=True).clamp(min=smallest)
    along = (gradients.flatten(1) * unit).sum(1, keepdim=True).clamp(max=0)
    return gradients - (along * unit).view_as(gradients)


def _measure_attention(
    attention: Float[Tensor, "batch heads queries keys"], tokens: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """The mean over queries of the logarithm of what all heads together pay to one token per image."""
    paid = attention.mean(1)[torch.arange(len(tokens), device=tokens.device), :, tokens]
    logarithms: Tensor = paid.clamp(min=torch.finfo(paid.dtype).tiny).log()  # a weight that vanishes has no logarithm
    return logarithms.mean(1)
