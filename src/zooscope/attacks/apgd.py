"""PGD that finds its own step size: Auto-PGD, in the maximum norm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.gradients import compute_gradient, find_undefined, require_finite
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.losses import LOSSES, Objective, make_objective, rank_other_classes
from zooscope.attacks.parts import perturb_in_parts
from zooscope.attacks.randomness import draw, make_generators
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least, require_length, require_one_of
from zooscope.attacks.strongest import KEEP, Strongest
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, NotFiniteError

MOMENTUM: Final = 0.75  # the share of the new step; the rest repeats the step before
FEW_RISES: Final = 0.75  # halve the step where the loss rose in at most this share of a window
WINDOW, SHRINK, SHORTEST = 0.22, 0.03, 0.06  # shares of all iterations


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class APGD(Attack):
    """Sign steps with momentum; each image halves its own step where the loss stops rising, and goes on from its best point.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks, ICML
    2020, Section 3. The defaults are those of APGD-CE there; `APGD(loss="dlr", num_targets=9)` is APGD-T: a run for each of the
    nine likeliest other classes, on the images that no earlier run fooled. Any wrong class counts.

    Every image gets the strongest iterate found, never its clean pixels, also where that does not fool the classifier: the attack
    makes images that transfer, and does not test robustness.

    With too few classes for the quotient of `dlr` (two; three, where runs have targets) its numerator is taken, the margin.

    Attributes:
        epsilon: radius of the ball in the maximum norm, in pixel units, in (0, 1].
        iterations: of each run.
        loss: what is climbed: `ce`, `dlr` or `margin`; see `zooscope.attacks.losses.make_objective`.
        num_targets: how many of the likeliest other classes to go for, one run each; 0 for a single run away from the true class.
        restarts: how often all that is done, each from another random point, on the images that are not fooled yet.
        keep: which of the iterates that fool the classifier is returned: the `latest` of the run, as the authors do, or the
            `strongest`, that of highest loss.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import APGD
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(10)
        >>> pixels, labels = images.pixels(resnet), torch.from_numpy(images.labels)
        >>> attacked = APGD(iterations=20).perturb(resnet, pixels, labels, seeds=range(10))
        >>> int(attacked.facts["fooled"].sum())
        10
    """

    epsilon: float = 8 / 255
    iterations: int = 100
    loss: str = "ce"
    num_targets: int = 0
    restarts: int = 1
    keep: str = "latest"

    REFERENCE: ClassVar[str] = "Croce and Hein, ICML 2020"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        require_length("APGD.epsilon", self.epsilon)
        require_at_least("APGD.iterations", self.iterations, 1)
        require_at_least("APGD.restarts", self.restarts, 1)
        require_at_least("APGD.num_targets", self.num_targets, 0)
        require_one_of("APGD.loss", self.loss, LOSSES)
        require_one_of("APGD.keep", self.keep, KEEP)
        if self.num_targets and self.loss == "ce":
            msg = "APGD.num_targets needs a loss that has a target: loss=dlr or loss=margin."
            raise InvalidValueError(msg)

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Whether the classifier is fooled, and by how much."""
        return ("fooled", "margin")

    @property
    def cost(self) -> Cost:
        """At most: images that are fooled take part in no later run."""
        runs = self.restarts * max(self.num_targets, 1)
        return Cost(gradients=runs * self.iterations, forwards=runs + bool(self.num_targets))

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """The strongest iterates; see `Attack.perturb`. Facts: `fooled` (0 or 1), `margin` (largest other logit minus true one)."""
        return perturb_in_parts(partial(self._perturb, classifier), pixels, labels, seeds)

    def _perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None,
    ) -> Attacked:
        ball = LinfBall.around(pixels, self.epsilon)
        found = Strongest.start(pixels, keep=self.keep)
        for purpose, targets in self._runs(classifier, pixels, labels):
            places = found.open
            if len(places) == 0:
                break
            objective = make_objective(self.loss, labels[places], None if targets is None else targets[places])
            generators = make_generators(seeds, len(pixels), purpose)
            noise = draw([generators[place] for place in places.tolist()], pixels.shape[1:]).to(pixels)
            start = _stretch(pixels[places], noise, self.epsilon)
            try:
                climbed = self._climb(classifier, ball.take(places), start, labels[places], objective)
            except NotFiniteError as error:
                raise error.among(places.tolist()) from error
            found.merge(places, climbed)
        return Attacked(found.pixels, found.facts)

    def _runs(
        self, classifier: Classifier, pixels: Float[Tensor, "batch channel height width"], labels: Int[Tensor, " batch"]
    ) -> Iterator[tuple[str, Int[Tensor, " batch"] | None]]:
        """What each run draws random numbers for, and its target for every image."""
        if self.num_targets:
            with torch.no_grad():
                ranked = rank_other_classes(classifier.logits(pixels), labels, self.num_targets)
        for restart in range(self.restarts):
            if self.num_targets:
                for place, targets in enumerate(ranked.unbind(1)):
                    yield f"APGD {self.loss} {restart} {place}", targets
            else:
                yield f"APGD {self.loss} {restart}", None

    def _climb(
        self,
        classifier: Classifier,
        ball: LinfBall,
        start: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        objective: Objective,
    ) -> Strongest:
        """One run on some images, all at once; each has its own step."""
        here = ball.project(start)
        before, found = here, Strongest.start(here, keep=self.keep)
        climb = _Climb(classifier=classifier, labels=labels, objective=objective, found=found)
        losses, gradient = climb.look(here)
        step = torch.full((len(here), 1, 1, 1), 2 * self.epsilon, dtype=here.dtype, device=here.device)
        best = _Best(pixels=here.clone(), losses=losses, gradient=gradient)
        was_halved = torch.ones(len(here), dtype=torch.bool, device=here.device)
        rises, at_checkpoint, checkpoints = torch.zeros_like(losses), best.losses.clone(), _list_checkpoints(self.iterations)
        for iteration in range(1, self.iterations + 1):
            stepped = ball.project(here + step * gradient.sign())
            if iteration > 1:
                stepped = ball.project(here + MOMENTUM * (stepped - here) + (1 - MOMENTUM) * (here - before))
            before, here, losses_before = here, stepped, losses
            losses, gradient = climb.look(here, with_gradient=iteration < self.iterations)
            rises += losses > losses_before
            best.update(here, losses, gradient)
            if iteration in checkpoints:
                halved = (rises <= FEW_RISES * checkpoints[iteration]) | (~was_halved & (best.losses <= at_checkpoint))
                where = halved[:, None, None, None]
                step = torch.where(where, step / 2, step)
                here, gradient = torch.where(where, best.pixels, here), torch.where(where, best.gradient, gradient)
                rises, was_halved, at_checkpoint = torch.zeros_like(rises), halved, best.losses.clone()
        climb.require_finite()
        return found


@dataclass(kw_only=True, eq=False)
class _Best:
    """The point of highest loss of every image, from which it goes on with a smaller step."""

    pixels: Float[Tensor, "batch channel height width"]
    losses: Float[Tensor, " batch"]
    gradient: Float[Tensor, "batch channel height width"]

    def update(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        losses: Float[Tensor, " batch"],
        gradient: Float[Tensor, "batch channel height width"],
    ) -> None:
        """Takes the points that are higher."""
        is_higher = losses > self.losses
        where = is_higher[:, None, None, None]
        self.pixels, self.gradient = torch.where(where, pixels, self.pixels), torch.where(where, gradient, self.gradient)
        self.losses = torch.where(is_higher, losses, self.losses)


class _Climb:
    """Looks at points: their losses and gradients; shows them to what keeps the strongest."""

    def __init__(self, *, classifier: Classifier, labels: Int[Tensor, " batch"], objective: Objective, found: Strongest) -> None:
        self.classifier, self.labels, self.objective, self.found = classifier, labels, objective, found
        self.infinite: Bool[Tensor, " batch"] = torch.zeros_like(found.fooled)
        self.undefined: Bool[Tensor, " batch"] = torch.zeros_like(found.fooled)

    def look(
        self, pixels: Float[Tensor, "batch channel height width"], *, with_gradient: bool = True
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch channel height width"]]:
        """Losses and gradients; zeros where no gradient is asked for."""
        with torch.set_grad_enabled(with_gradient):
            shown = pixels.detach().requires_grad_(with_gradient)
            logits = self.classifier.logits(shown)
            losses = self.objective(logits)
        gradient = compute_gradient(losses.sum(), shown, classifier=self.classifier) if with_gradient else torch.zeros_like(pixels)
        losses, logits = losses.detach(), logits.detach()
        self.infinite |= ~losses.isfinite()
        self.undefined |= find_undefined(gradient)
        self.found.offer(pixels, logits=logits, labels=self.labels, losses=losses)
        return losses, gradient

    def require_finite(self) -> None:
        """Refuses images of which a loss or a gradient was not finite.

        Raises:
            NotFiniteError: there are some.
        """
        name = self.classifier.name
        require_finite(self.infinite, f"{name}: the loss is not finite (NaN or infinite logits) under attack on")
        require_finite(self.undefined, f"{name}: the gradient is NaN under attack, though the loss is finite, on")


def _stretch(
    pixels: Float[Tensor, "batch channel height width"], shares: Float[Tensor, "batch channel height width"], epsilon: float
) -> Float[Tensor, "batch channel height width"]:
    """Pixels moved by noise whose largest entry is epsilon, from shares in [0, 1)."""
    noise = 2 * shares - 1
    return pixels + epsilon * noise / noise.flatten(1).abs().amax(1).clamp(min=torch.finfo(noise.dtype).tiny)[:, None, None, None]


def _list_checkpoints(iterations: int) -> dict[int, int]:
    """After which iterations the step may be halved, each with the length of the window before it.

    >>> list(_list_checkpoints(100)), list(_list_checkpoints(20))[:4]
    ([22, 41, 57, 70, 80, 87, 93, 99], [4, 7, 9, 10])
    """
    window, found, iteration = max(int(WINDOW * iterations), 1), dict[int, int](), 0
    while iteration + window <= iterations:
        iteration += window
        found[iteration] = window
        window = max(window - max(int(SHRINK * iterations), 1), int(SHORTEST * iterations), 1)
    return found
