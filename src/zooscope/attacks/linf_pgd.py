"""Projected gradient descent in the maximum norm."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.base import LATER, Attack, Attacked, Cost
from zooscope.attacks.gradients import compute_gradient, find_undefined, require_finite
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.losses import LOSSES, make_objective
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least, require_length, require_one_of, require_share
from zooscope.attacks.transferable import Direction, Diversity
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError

SMALLEST_KERNEL: Final = 3


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class LinfPGD(Attack):
    """Steps along the sign of the gradient of the cross-entropy, each followed by projection onto the epsilon ball and [0, 1].

    Source: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018. The defaults are those of SAT
    (Hwang et al., Similarity of Neural Architectures using Adversarial Attack Transferability, ECCV 2024, Section 3): epsilon
    8/255, step 0.1, 50 iterations.

    A step of 0.1 is longer than the ball is wide (2 * 8/255 = 0.063). With such a step every pixel jumps at each iteration to that
    end of its interval which the gradient's sign points to, wherever it was before: the attack walks on the corners, never
    rests inside, and settles less well than one with small steps. A smaller step, 2/255 say, gives stronger attacks that transfer
    more; scores under different settings must not be compared.

    Attributes:
        epsilon: radius of the ball in the maximum norm, in pixel units, in (0, 1].
        step_size: how far a pixel moves per iteration, in pixel units.
        iterations: how many steps.
        random_start: whether the first step starts from a uniformly drawn point of the ball, seeded per image.
        loss: what is climbed: `ce` (cross-entropy), `margin` or `dlr`; see `zooscope.attacks.losses.make_objective`.
            Cross-entropy is weak on classifiers trained with label smoothing (arXiv 2009.08233).
        momentum: decay of the sum of gradients, each divided by its mean size; 1 is MI-FGSM (Dong et al., CVPR 2018).
        diversity: chance that an iteration sees an image made smaller by up to a tenth, at a random place on black; 0.5 is DI (Xie
            et al., CVPR 2019).
        kernel_size: side of the Gaussian kernel that smooths the gradient, odd, cut off at three deviations; 15 is TI (Dong et
            al., CVPR 2019); 0 for none.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import LinfPGD
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(10)
        >>> pixels, labels = images.pixels(resnet), torch.from_numpy(images.labels)
        >>> attacked = LinfPGD(epsilon=8 / 255).perturb(resnet, pixels, labels).pixels
        >>> bool((attacked - pixels).abs().max() <= 8 / 255 + 1e-6)
        True
    """

    epsilon: float = 8 / 255
    step_size: float = 0.1
    iterations: int = 50
    random_start: bool = False
    loss: str = field(default="ce", metadata=LATER)
    momentum: float = field(default=0.0, metadata=LATER)
    diversity: float = field(default=0.0, metadata=LATER)
    kernel_size: int = field(default=0, metadata=LATER)

    REFERENCE: ClassVar[str] = "Madry et al., ICLR 2018"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        require_length("LinfPGD.epsilon", self.epsilon)
        require_length("LinfPGD.step_size", self.step_size)
        require_at_least("LinfPGD.iterations", self.iterations, 1)
        require_one_of("LinfPGD.loss", self.loss, LOSSES)
        require_at_least("LinfPGD.momentum", self.momentum, 0)
        require_share("LinfPGD.diversity", self.diversity)
        if self.kernel_size != 0 and (self.kernel_size < SMALLEST_KERNEL or self.kernel_size % 2 == 0):
            msg = f"LinfPGD.kernel_size must be odd and at least 3, or 0 for none: got {self.kernel_size}."
            raise InvalidValueError(msg)

    @property
    def cost(self) -> Cost:
        """A gradient per iteration."""
        return Cost(gradients=self.iterations)

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """Pixels of the last iteration, without facts; see `Attack.perturb`.

        Every value lies within epsilon of the clean one and in [0, 1], exactly, whatever rounding does.
        """
        ball, objective = LinfBall.around(pixels, self.epsilon), make_objective(self.loss, labels)
        vary = Diversity.make(self.diversity, seeds, len(pixels))
        direct = Direction(momentum=self.momentum, kernel_size=self.kernel_size)
        attacked = ball.random_point(seeds) if self.random_start else pixels.detach().clone()
        infinite, undefined = (torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device) for _ in range(2))
        for _ in range(self.iterations):
            attacked.requires_grad_()
            losses = objective(classifier.logits(vary(attacked)))
            gradient = compute_gradient(losses.sum(), attacked, classifier=classifier)
            infinite |= ~losses.detach().isfinite()
            undefined |= find_undefined(gradient)
            attacked = ball.project_(attacked.detach().add_(direct(gradient).sign().mul_(self.step_size)))
        require_finite(infinite, f"{classifier.name}: the loss is not finite (NaN or infinite logits) under attack on")
        require_finite(undefined, f"{classifier.name}: the gradient is NaN under attack, though the loss is finite, on")
        return Attacked(attacked)
