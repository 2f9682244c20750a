"""Squares of noise, kept where they help: an attack that needs no gradients, in the maximum norm."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar, Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.gradients import require_finite
from zooscope.attacks.linf_ball import LinfBall
from zooscope.attacks.losses import compute_margins
from zooscope.attacks.parts import perturb_in_parts
from zooscope.attacks.randomness import draw, make_generators
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least, require_length
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError

SHARE: Final = 0.8  # of the pixels that the first squares cover
HALVINGS: Final = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # queries after which the share is halved
AT_ONCE: Final = 250  # queries whose random numbers are drawn at once


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class Square(Attack):
    """Adds squares of plus or minus twice epsilon at random places, and keeps each that brings the margin down.

    Source: Andriushchenko et al., Square Attack: a Query-Efficient Black-Box Adversarial Attack via Random Search, ECCV 2020. The
    defaults are those of AutoAttack. It asks for logits only, so it attacks classifiers without gradients, too.

    Places and signs are drawn for each image by itself, where the authors draw one for the whole batch.

    Attributes:
        epsilon: radius of the ball in the maximum norm, in pixel units, in (0, 1].
        queries: at most per image; an image that is fooled asks no more.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import Square
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(4)
        >>> pixels, labels = images.pixels(resnet), torch.from_numpy(images.labels)
        >>> attacked = Square(queries=100).perturb(resnet, pixels, labels, seeds=range(4))
        >>> bool((attacked.facts["queries"] <= 100).all())
        True
    """

    epsilon: float = 8 / 255
    queries: int = 5000

    REFERENCE: ClassVar[str] = "Andriushchenko et al., ECCV 2020"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        require_length("Square.epsilon", self.epsilon)
        require_at_least("Square.queries", self.queries, 1)

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Whether the classifier is fooled, by how much, and after how many queries."""
        return ("fooled", "margin", "queries")

    @property
    def cost(self) -> Cost:
        """At most: images that are fooled are asked about no more."""
        return Cost(forwards=self.queries)

    def require(self, classifier: Classifier) -> None:
        """Any classifier will do.

        >>> Square().require(resnet)
        """

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """The best pixels found; see `Attack.perturb`.

        Facts: `fooled` (0 or 1), `margin` (largest other logit minus true one), `queries` (asked until fooled, or at all).
        """
        return perturb_in_parts(partial(self._perturb, classifier), pixels, labels, seeds)

    def _perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None,
    ) -> Attacked:
        generators = make_generators(seeds, len(pixels), "Square")
        ball, (channels, height, width) = LinfBall.around(pixels, self.epsilon), pixels.shape[1:]
        stripes = draw(generators, (channels, 1, width)).to(pixels) < 0.5  # noqa: PLR2004  (a coin)
        best = ball.project(pixels + torch.where(stripes, -self.epsilon, self.epsilon)).contiguous()
        margins, is_fooled = _ask(classifier, best, labels)
        queries = torch.ones_like(margins)
        for query, numbers in enumerate(_draw_in_pieces(generators, self.queries - 1, channels + 2), start=1):
            places = (~is_fooled).nonzero().flatten()
            if len(places) == 0:
                break
            side = _choose_side(query, height, width)
            window = _place_squares(numbers[places], side, height, width)
            signs = torch.where(numbers[places, 2:] < 0.5, -1.0, 1.0).to(pixels)[:, :, None, None]  # noqa: PLR2004  (a coin)
            tried = ball.take(places).project(best[places] + 2 * self.epsilon * signs * window.to(pixels))
            try:
                margins_there, fooled_there = _ask(classifier, tried, labels[places])
            except NotFiniteError as error:
                raise error.among(places.tolist()) from error
            queries[places] += 1
            taken = fooled_there | (margins_there > margins[places])
            kept = places[taken]
            best[kept], margins[kept], is_fooled[kept] = tried[taken], margins_there[taken], fooled_there[taken]
        return Attacked(best, {"fooled": is_fooled.to(pixels.dtype), "margin": margins, "queries": queries})


def _ask(
    classifier: Classifier, pixels: Float[Tensor, "batch channel height width"], labels: Int[Tensor, " batch"]
) -> tuple[Float[Tensor, " batch"], Bool[Tensor, " batch"]]:
    """Margins, and whether the classifier is fooled."""
    with torch.no_grad():
        logits = classifier.logits(pixels)
    require_finite(~logits.isfinite().all(1), f"{classifier.name} gives NaN or infinite logits under attack on")
    return compute_margins(logits, labels), logits.argmax(1) != labels


def _choose_side(query: int, height: int, width: int) -> int:
    """The side of the square, which shrinks as queries go on."""
    share = SHARE / 2 ** sum(query > halving for halving in HALVINGS)
    return min(max(round(math.sqrt(share * height * width)), 1), height, width)


def _place_squares(
    numbers: Float[Tensor, "batch draw"], side: int, height: int, width: int
) -> Bool[Tensor, "batch 1 height width"]:
    """Where a square lies in every image, from two numbers in [0, 1) each."""
    inside = []
    for length, number in ((height, numbers[:, 0]), (width, numbers[:, 1])):
        first = (number * (length - side + 1)).long()[:, None]
        places = torch.arange(length)
        inside.append((places >= first) & (places < first + side))
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]


def _draw_in_pieces(generators: Sequence[torch.Generator], count: int, size: int) -> Iterator[Float[Tensor, "image draw"]]:
    """For each query some numbers per image, drawn for many queries at once."""
    for start, stop in pairwise((*range(0, count, AT_ONCE), count)):
        yield from draw(generators, (stop - start, size)).unbind(1)
