"""Projected gradient descent in the maximum norm."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from zooscope.arguments import check_arguments
from zooscope.attacks.base import Attack, Attacked
from zooscope.attacks.gradients import compute_gradient, require_finite
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.registry import register
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError


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

    Example:
        >>> import zooscope
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

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        if not 0 < self.epsilon <= 1:
            hint = f" For {self.epsilon:g}/255 write {self.epsilon:g}/255." if self.epsilon > 1 else ""
            msg = f"LinfPGD.epsilon must be in (0, 1] (pixels are in [0, 1]): got {self.epsilon:g}.{hint}"
            raise InvalidValueError(msg)
        if not 0 < self.step_size <= 1:
            hint = f" For {self.step_size:g}/255 write {self.step_size:g}/255." if self.step_size > 1 else ""
            msg = f"LinfPGD.step_size must be in (0, 1] (pixels are in [0, 1]): got {self.step_size:g}.{hint}"
            raise InvalidValueError(msg)
        if self.iterations < 1:
            msg = f"LinfPGD.iterations must be at least 1: got {self.iterations}."
            raise InvalidValueError(msg)

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
        ball = LinfBall.around(pixels, self.epsilon)
        attacked = ball.random_point(seeds) if self.random_start else pixels.detach().clone()
        infinite, undefined = (torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device) for _ in range(2))
        for _ in range(self.iterations):
            attacked.requires_grad_()
            losses = cross_entropy(classifier.logits(attacked), labels, reduction="none")
            gradient = compute_gradient(losses.sum(), attacked, classifier=classifier)
            infinite |= ~losses.detach().isfinite()
            undefined |= gradient.isnan().flatten(1).any(1)
            attacked = ball.project(attacked.detach() + self.step_size * gradient.sign())
        require_finite(infinite, f"{classifier.name}: the loss is not finite (NaN or infinite logits) under attack on")
        require_finite(undefined, f"{classifier.name}: the gradient is NaN under attack, though the loss is finite, on")
        return Attacked(attacked)
