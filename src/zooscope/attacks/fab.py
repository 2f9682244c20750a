"""The nearest misclassified pixels: FAB, in the maximum norm, one target class at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.gradients import compute_gradient, find_undefined, require_finite
from zooscope.attacks.hyperplane import step_to_hyperplane
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.losses import compute_margins, rank_other_classes, take
from zooscope.attacks.parts import perturb_in_parts
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least, require_length
from zooscope.attacks.strongest import Strongest
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError

LARGEST_SHARE: Final = 0.1  # of the step that starts at the clean pixels
OVERSHOOT: Final = 1.05
BACKWARD: Final = 0.9  # of the way from the clean pixels to misclassified ones
TINY: Final = 1e-8


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class FAB(Attack):
    """Steps onto the linearised boundary to a target class, drawn towards the clean pixels, to find the nearest fooling pixels.

    Source: Croce and Hein, Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack, ICML 2020, the targeted
    form of AutoAttack (FAB-T). It minimises the distance, so its pixels lie just beyond the boundary and transfer little.

    An image that is not fooled within epsilon gets the nearest fooling pixels that were found further out, else the last point, cut
    to the ball: never its clean pixels.

    Attributes:
        epsilon: radius of the ball in the maximum norm, in pixel units, in (0, 1].
        iterations: of each run.
        num_targets: how many of the likeliest other classes to go for, one run each, on the images that no earlier run fooled.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import FAB
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(4)
        >>> pixels, labels = images.pixels(resnet), torch.from_numpy(images.labels)
        >>> attacked = FAB(iterations=10).perturb(resnet, pixels, labels)
        >>> bool((attacked.pixels - pixels).abs().max() <= 8 / 255 + 1e-6)
        True
    """

    epsilon: float = 8 / 255
    iterations: int = 100
    num_targets: int = 9

    REFERENCE: ClassVar[str] = "Croce and Hein, ICML 2020"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        require_length("FAB.epsilon", self.epsilon)
        require_at_least("FAB.iterations", self.iterations, 1)
        require_at_least("FAB.num_targets", self.num_targets, 1)

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Whether the classifier is fooled, and by how much."""
        return ("fooled", "margin")

    @property
    def cost(self) -> Cost:
        """At most: images that are fooled take part in no later run."""
        return Cost(gradients=self.num_targets * self.iterations, forwards=1 + self.num_targets * (self.iterations + 1))

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """The nearest fooling pixels; see `Attack.perturb`. Draws no random numbers.

        Facts: `fooled` (0 or 1), `margin` (largest other logit minus true one).
        """
        return perturb_in_parts(partial(self._perturb, classifier), pixels, labels, seeds)

    def _perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None,
    ) -> Attacked:
        del seeds
        ball = LinfBall.around(pixels, self.epsilon)
        found = Strongest.start(pixels, keep="latest")
        with torch.no_grad():
            ranked = rank_other_classes(classifier.logits(pixels), labels, self.num_targets)
        for targets in ranked.unbind(1):
            places = found.open
            if len(places) == 0:
                break
            try:
                reached = self._approach(classifier, pixels[places], labels[places], targets[places])
            except NotFiniteError as error:
                raise error.among(places.tolist()) from error
            run, cut = Strongest.start(pixels[places], keep="latest"), ball.take(places).project(reached)
            with torch.no_grad():
                logits = classifier.logits(cut)
            run.offer(cut, logits=logits, labels=labels[places], losses=compute_margins(logits, labels[places]))
            found.merge(places, run)
        return Attacked(found.pixels, found.facts)

    def _approach(
        self,
        classifier: Classifier,
        clean: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        targets: Int[Tensor, " batch"],
    ) -> Float[Tensor, "batch channel height width"]:
        """The nearest fooling pixels of one run; where there are none, the last point."""
        here, nearest = clean.clone(), clean.clone()
        distances = torch.full((len(clean),), torch.inf, dtype=clean.dtype, device=clean.device)
        undefined = torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
        for _ in range(self.iterations):
            shown = here.detach().requires_grad_()
            logits = classifier.logits(shown)
            lead = take(logits, targets) - take(logits, labels)
            gradient = compute_gradient(lead.sum(), shown, classifier=classifier)
            lead = lead.detach().to(clean.dtype)
            undefined |= find_undefined(gradient) | ~lead.isfinite()
            here = _step(here, clean, gradient, lead)
            with torch.no_grad():
                is_fooled = classifier.logits(here).argmax(1) != labels
            reached = (here - clean).flatten(1).abs().amax(1)
            is_nearer = is_fooled & (reached < distances)
            distances = torch.where(is_nearer, reached, distances)
            nearest = torch.where(is_nearer[:, None, None, None], here, nearest)
            here = torch.where(is_fooled[:, None, None, None], clean + BACKWARD * (here - clean), here)
        require_finite(undefined, f"{classifier.name}: a logit or a gradient is not finite under attack on")
        return torch.where(distances.isinf()[:, None, None, None], here, nearest)


def _step(
    here: Float[Tensor, "batch channel height width"],
    clean: Float[Tensor, "batch channel height width"],
    gradient: Float[Tensor, "batch channel height width"],
    lead: Float[Tensor, " batch"],
) -> Float[Tensor, "batch channel height width"]:
    """Between the nearest points of the linearised boundary from here and from the clean pixels, closer to that of the nearer."""
    from_here = step_to_hyperplane(here, gradient, lead)
    from_clean = step_to_hyperplane(clean, gradient, lead + (gradient * (clean - here)).flatten(1).sum(1))
    first, second = (step.flatten(1).abs().amax(1).clamp(min=TINY) for step in (from_here, from_clean))
    share = (first / (first + second)).clamp(max=LARGEST_SHARE)[:, None, None, None]
    stepped = (1 - share) * (here + OVERSHOOT * from_here) + share * (clean + OVERSHOOT * from_clean)
    return stepped.clamp(0, 1)
