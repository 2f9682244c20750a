"""Four attacks, one after the other: AutoAttack, in the maximum norm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.attacks.apgd import APGD
from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.attacks.fab import FAB
from zooscope.attacks.randomness import require_seeds
from zooscope.attacks.registry import register
from zooscope.attacks.settings import require_at_least, require_length, require_one_of
from zooscope.attacks.square import Square
from zooscope.attacks.strongest import KEEP, Strongest
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError


@register
@check_arguments
@dataclass(frozen=True, kw_only=True)
class AutoAttack(Attack):
    """APGD-CE, APGD-T, FAB-T and Square; each attacks the images that no earlier one fooled.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks, ICML
    2020; the defaults are those of the "standard" version. Undefended classifiers are nearly always fooled by the first.

    Every image gets the strongest pixels found: of one that no member fools, those of the largest margin.

    Attributes:
        epsilon: radius of the ball in the maximum norm, in pixel units, in (0, 1].
        iterations: of each run of APGD and FAB.
        num_targets: classes that APGD-T and FAB-T go for; all other classes where there are fewer.
        queries: of Square.
        keep: see `APGD`.

    Example:
        >>> import torch
        >>> import zooscope
        >>> from zooscope.attacks import AutoAttack
        >>> resnet = zooscope.load_classifier("bundled:resnet")
        >>> images = zooscope.load_images("bundled:cifar10").sample(4)
        >>> pixels, labels = images.pixels(resnet), torch.from_numpy(images.labels)
        >>> attacked = AutoAttack(iterations=20, queries=100).perturb(resnet, pixels, labels, seeds=range(4))
        >>> attacked.facts["fooled"].tolist(), attacked.facts["member"].tolist()
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0])
    """

    epsilon: float = 8 / 255
    iterations: int = 100
    num_targets: int = 9
    queries: int = 5000
    keep: str = "latest"

    REFERENCE: ClassVar[str] = "Croce and Hein, ICML 2020"

    def __post_init__(self) -> None:
        """Refuses settings outside their range."""
        require_length("AutoAttack.epsilon", self.epsilon)
        require_at_least("AutoAttack.iterations", self.iterations, 1)
        require_at_least("AutoAttack.num_targets", self.num_targets, 1)
        require_at_least("AutoAttack.queries", self.queries, 1)
        require_one_of("AutoAttack.keep", self.keep, KEEP)

    @property
    def members(self) -> Mapping[str, Attack]:
        """The attacks by name, in their order."""
        climb = partial(APGD, epsilon=self.epsilon, iterations=self.iterations, keep=self.keep)
        return {
            "APGD-CE": climb(),
            "APGD-T": climb(loss="dlr", num_targets=self.num_targets),
            "FAB-T": FAB(epsilon=self.epsilon, iterations=self.iterations, num_targets=self.num_targets),
            "Square": Square(epsilon=self.epsilon, queries=self.queries),
        }

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Whether the classifier is fooled, by how much, and which member made the pixels."""
        return ("fooled", "margin", "member")

    @property
    def cost(self) -> Cost:
        """At most: images that are fooled are passed on to no later member."""
        costs = [member.cost or Cost() for member in self.members.values()]
        return Cost(gradients=sum(cost.gradients for cost in costs), forwards=sum(cost.forwards for cost in costs))

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """The strongest pixels of all members; see `Attack.perturb`.

        Facts: `fooled` (0 or 1), `margin` (largest other logit minus true one), `member` (1 to 4, in the order above: which member
        made the pixels, whether or not they fool the classifier).
        """
        given_seeds, found = require_seeds(seeds, len(pixels)), Strongest.start(pixels, keep=self.keep)
        made_by = torch.zeros_like(found.margins)
        for number, member in enumerate(self.members.values(), start=1):
            places = found.open
            if len(places) == 0:
                break
            try:
                chosen = [given_seeds[place] for place in places.tolist()]
                given = member.perturb(classifier, pixels[places], labels[places], chosen)
            except NotFiniteError as error:
                raise error.among(places.tolist()) from error
            margins, fooled = given.facts["margin"], given.facts["fooled"].bool()
            run = Strongest(keep=self.keep, pixels=given.pixels, losses=margins, margins=margins, fooled=fooled)
            made_by[found.merge(places, run)] = number
        return Attacked(found.pixels, {**found.facts, "member": made_by})
