"""The base architecture: which layers mix places, and whether the widths suggest an architecture search."""

from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import Final

from zooscope.components.reading.activations import KINDS
from zooscope.components.reading.attention import Attention
from zooscope.components.reading.axes import count
from zooscope.components.reading.layers import POOLINGS, Convolution, Layers, Linear, are_scores, joins
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.stem import Stem
from zooscope.components.reading.trace import Step
from zooscope.components.reading.value import Value

FEW: Final = 0.25  # of the blocks
NAS_CNN: Final = "NAS (CNN)"
NUM_LISTED: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixing:
    """What mixes places after the stem.

    Attributes:
        convolutions: those of more than one place.
        attention: layers of self-attention, from more than one token.
        linears: linear layers along the places.
        poolings: those that keep the grid, and so only mix.
    """

    convolutions: tuple[Convolution, ...]
    attention: tuple[Attention, ...]
    linears: tuple[Linear, ...]
    poolings: tuple[Step, ...]

    @property
    def local(self) -> list[Step]:
        """All that mixes neighbouring places."""
        return sorted([*(each.step for each in self.convolutions), *self.poolings], key=lambda step: step.number)


def find_mixing(layers: Layers, stem: Stem, attention: tuple[Attention, ...]) -> Mixing:
    """What mixes places after the stem."""
    return Mixing(
        convolutions=tuple(each for each in layers.convolutions if each.step.number > stem.end and each.mixes_places),
        attention=tuple(each for each in attention if each.kind != "token"),
        linears=tuple(each for each in layers.linears if each.step.number > stem.end and each.mixes_places),
        poolings=tuple(
            step
            for step in layers.trace.steps
            if step.number > stem.end and step.operation in POOLINGS and step.data[0].shape == step.output.shape
        ),
    )


def read_base(layers: Layers, mixing: Mixing) -> Reading:
    """The base architecture, with a guess whether architecture search found it.

    Convolutions alone: CNN. Attention alone: Transformer; convolutions between its stages, which only shrink the grid, don't count.
    Linear layers along the places: MLP-Mixer. Both: Hybrid where attention has blocks of its own, CNN where it is inside
    convolutional blocks, or is rare.
    """
    keeping = [*(each.step for each in mixing.convolutions if each.keeps_grid), *mixing.poolings]
    blocks = {join for step in keeping for join in _find_shortcuts(layers, step)}
    paths = [each.step.path for each in mixing.attention]
    if not mixing.attention:
        return _read_without_attention(layers, mixing)
    if not blocks:
        return Reading(
            value="Transformer", why=f"attention mixes places: {list_modules(paths)}; no convolution inside a block does"
        )
    counts = (
        f"{len(paths)} layers of attention ({list_modules(paths, 1)}) and {len(mixing.local)} convolutions or poolings mix places"
    )
    own = [each for each in mixing.attention if _has_own_block(layers, each)]
    if 2 * len(own) < len(paths):
        return _guess_search(layers, mixing) or Reading(value="CNN", why=f"{counts}; the attention is inside convolutional blocks")
    if len(own) < FEW * (len(own) + len(blocks)):
        return _guess_search(layers, mixing) or Reading(value="CNN", why=f"{counts}; attention is rare")
    return Reading(value="Hybrid", why=counts)


def _read_without_attention(layers: Layers, mixing: Mixing) -> Reading:
    if mixing.linears:
        paths = [each.step.path for each in mixing.linears]
        return Reading(value="MLP-Mixer", why=f"linear layers across places: {list_modules(paths)}")
    if not mixing.local:
        return Reading(value="CNN", why="a guess: no convolution, attention or linear layer mixes places", is_guess=True)
    what = "convolutions" if mixing.convolutions else "poolings"
    why = f"{what} mix places: {list_modules([step.path for step in mixing.local])}"
    return _guess_search(layers, mixing) or Reading(value="CNN", why=why)


def _find_shortcuts(layers: Layers, step: Step) -> set[int]:
    """The numbers of the steps where a convolution's output reaches a shortcut before the grid changes."""

    def stops(each: Step) -> bool:
        return joins(each) or each.output.num_places < step.output.num_places

    return {each.number for each in layers.walk_forward(step, stop=stops) if joins(each)}


def _has_own_block(layers: Layers, attention: Attention) -> bool:
    """Whether queries and keys are computed from a shortcut's output; in a convolutional block an activation comes between."""
    origins = [
        step
        for value in attention.step.data
        for step in layers.walk_backward(value, stop=lambda each: _adds(each) or each.operation in KINDS)
    ]
    return all(_adds(step) for step in origins)


def _find_makers(layers: Layers, value: Value) -> list[Step]:
    """The last layers with weights or shortcuts before a value."""
    return layers.walk_backward(value, stop=lambda each: each.number in layers.working or _adds(each))


def _adds(step: Step) -> bool:
    return step.operation == "add" and joins(step)


def _guess_search(layers: Layers, mixing: Mixing) -> Reading | None:
    """Guesses from the widths whether architecture search found the network.

    Most convolutions are grouped ones between pointwise ones, at the block's full width, or depth-wise ones at more than it (not
    squeezed as in a bottleneck); and the ratios of the blocks' widths aren't all powers of two.
    """
    wide = [each for each in mixing.convolutions if _is_wide(layers, each)]
    if 2 * len(wide) <= len(mixing.convolutions):
        return None
    widths = list(dict.fromkeys(_find_width(step) for step in layers.trace.steps if _is_shortcut(layers, step)))
    if not any(log2(other / one) % 1 for one, other in pairwise(widths)):
        return None
    listed = ", ".join(map(str, widths[:NUM_LISTED])) + (", ..." if len(widths) > NUM_LISTED else "")
    where = list_modules([each.step.path for each in wide], 1)
    return Reading(
        value=NAS_CNN,
        why=f"a guess: widths of blocks are irregular ({listed}), not squeezed for grouped convolutions ({where})",
        is_guess=True,
    )


def _is_wide(layers: Layers, convolution: Convolution) -> bool:
    if not (convolution.is_depthwise or convolution.is_grouped):
        return False
    if any(_adds(step) for step in _find_makers(layers, convolution.step.arguments[0])):
        return False  # the block begins with it, as in ConvNeXt
    following = layers.walk_forward(convolution.step, stop=lambda each: _is_shortcut(layers, each))
    width = _find_width(following[0]) if following else 0
    return convolution.out_channels >= width + convolution.is_depthwise


def _is_shortcut(layers: Layers, step: Step) -> bool:
    return _adds(step) and step.output.num_places > 1 and not are_scores(layers, step)


def _find_width(step: Step) -> int:
    return count(step.output.axes, "feature")
