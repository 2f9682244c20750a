"""The strongest attacked pixels of each image that an attack has seen so far."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from zooscope.attacks.losses import compute_margins

Keep = Literal["latest", "strongest"]
KEEP: Final[tuple[str, ...]] = get_args(Keep)


@dataclass(kw_only=True, eq=False)
class Strongest:
    """For each image the pixels to return: of those that fool the classifier, by a rule; else those of highest loss.

    Attributes:
        keep: of pixels that fool, `latest` keeps those offered last, as the authors of AutoAttack do; `strongest` those of the
            highest loss.
        pixels: the pixels.
        losses: of these pixels; -inf before any were offered.
        margins: the largest logit of another class minus that of the true class there.
        fooled: whether the classifier is fooled by them.
    """

    keep: str
    pixels: Float[Tensor, "batch channel height width"]
    losses: Float[Tensor, " batch"]
    margins: Float[Tensor, " batch"]
    fooled: Bool[Tensor, " batch"]

    @classmethod
    def start(cls, pixels: Float[Tensor, "batch channel height width"], *, keep: str) -> "Strongest":
        """Nothing was offered yet."""
        lowest = torch.full((len(pixels),), -torch.inf, dtype=pixels.dtype, device=pixels.device)
        fooled = torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
        return cls(keep=keep, pixels=pixels.clone(), losses=lowest, margins=lowest.clone(), fooled=fooled)

    def offer(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        *,
        logits: Float[Tensor, "batch cls"],
        labels: Int[Tensor, " batch"],
        losses: Float[Tensor, " batch"],
    ) -> None:
        """Takes the pixels of those images of which they are stronger than what is there."""
        self._put(
            torch.arange(len(pixels), device=pixels.device),
            pixels=pixels,
            losses=losses,
            margins=compute_margins(logits, labels),
            fooled=logits.argmax(1) != labels,
        )

    def merge(self, places: Int[Tensor, " some"], other: "Strongest") -> Int[Tensor, " taken"]:
        """Takes what another search found for some of the images, where it is stronger; gives the positions where it is.

        Two searches have two losses, so the margins are compared.
        """
        return self._put(places, pixels=other.pixels, losses=other.margins, margins=other.margins, fooled=other.fooled)

    @property
    def open(self) -> Int[Tensor, " some"]:
        """The positions of the images that do not fool the classifier yet."""
        return (~self.fooled).nonzero().flatten()

    @property
    def facts(self) -> dict[str, Float[Tensor, " batch"]]:
        """For the record: `fooled` (0 or 1) and `margin`."""
        return {"fooled": self.fooled.to(self.pixels.dtype), "margin": self.margins}

    def _put(
        self,
        places: Int[Tensor, " some"],
        *,
        pixels: Float[Tensor, "some channel height width"],
        losses: Float[Tensor, " some"],
        margins: Float[Tensor, " some"],
        fooled: Bool[Tensor, " some"],
    ) -> Int[Tensor, " taken"]:
        losses, margins = losses.detach().to(self.losses), margins.detach().to(self.margins)
        before, had = self.losses[places], self.fooled[places]
        is_higher = (losses > before) | before.isneginf()
        is_taken = (fooled & (~had | (is_higher if self.keep == "strongest" else True))) | (~fooled & ~had & is_higher)
        taken = places[is_taken]
        self.pixels[taken] = pixels.detach()[is_taken]
        self.losses[taken], self.margins[taken] = losses[is_taken], margins[is_taken]
        self.fooled[taken] = fooled[is_taken]
        return taken
