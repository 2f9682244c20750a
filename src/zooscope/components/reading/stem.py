"""The stem: the convolutions before the first block, and whether a pooling layer follows them."""

from dataclasses import dataclass
from math import isqrt
from typing import Final

from zooscope.components.reading.axes import count
from zooscope.components.reading.layers import POOLINGS, Convolution, Layers, Linear, joins
from zooscope.components.reading.reading import Reading
from zooscope.components.reading.trace import Step

NO_STEM: Final = "-"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stem:
    """The first layers of a network.

    Attributes:
        convolutions: in order; empty if a linear layer takes patches.
        patches: the linear layer that takes patches, if one does.
        pooling: the pooling layer after them, if there is one.
        end: the number of the stem's last step.
    """

    convolutions: tuple[Convolution, ...]
    patches: Linear | None
    pooling: Step | None
    end: int

    @property
    def layer(self) -> Reading:
        """Kernels and strides, in the table's notation."""
        if self.patches is not None:
            size = isqrt(count([self.patches.summed], "place"))
            why = f"{self.patches.step.where} is a linear layer over patches of {size}x{size} pixels"
            return Reading(value=f"{size}s{size}", why=why)
        if not self.convolutions:
            return Reading(value=NO_STEM, why="no convolution or linear layer over patches takes the pixels")
        texts = [_format_layer(each, first=position == 0) for position, each in enumerate(self.convolutions)]
        paths = [each.step.where for each in self.convolutions]
        return Reading(
            value="/".join(texts), why=f"{paths[0]}{f' to {paths[-1]}' if len(paths) > 1 else ''}, before the first block"
        )

    @property
    def is_pooled(self) -> Reading:
        """Whether the stem ends with a pooling layer."""
        last = self.convolutions[-1].step.where if self.convolutions else "the stem"
        if self.pooling is None:
            return Reading(value="No", why=f"no pooling between {last} and the first block")
        return Reading(value="Yes", why=f"{self.pooling.where} pools after {last} ({self.pooling.operation.partition('_with')[0]})")


def find_stem(layers: Layers) -> Stem:
    """The stem of a network.

    It has the first convolution, the others of the largest module around it that contains no block (nothing in it is added or
    concatenated), and those directly beside that module. In a network without blocks the stem ends where the grid first shrinks.
    """
    first = _find_first_convolution(layers)
    patches = next((each for each in layers.linears if count([each.summed], "place") > 1), None)
    if first is None or (patches is not None and patches.step.number < first.step.number):
        end = patches.step.number if patches is not None else -1
        return Stem(convolutions=(), patches=patches, pooling=None, end=end)
    chain = _cut_chain(layers, _find_beside(layers, first))
    pooling, end = _find_pooling(layers, chain[-1].step)
    return Stem(convolutions=tuple(chain), patches=None, pooling=pooling, end=end)


def _format_layer(convolution: Convolution, *, first: bool) -> str:
    kernel, stride = max(convolution.kernel), max(convolution.stride)
    return f"{kernel}s{stride}" if first or stride > 1 else f"{kernel}"


def _find_first_convolution(layers: Layers) -> Convolution | None:
    """The convolution that takes the pixels; of several in parallel, the one with most channels, then the largest kernel."""
    found: list[Convolution] = []
    for convolution in layers.convolutions:
        before = layers.walk_backward(convolution.step.arguments[0], stop=lambda step: step.number in layers.working)
        if convolution.over_places and not before:
            found.append(convolution)
    return max(found, key=lambda each: (each.out_channels, each.kernel), default=None)


def _find_beside(layers: Layers, first: Convolution) -> list[Convolution]:
    """The convolutions of the first one's module, and those directly beside it, from it on."""
    broken = [
        step.path for step in layers.trace.steps if joins(step) or step.number in {each.step.number for each in layers.products}
    ]
    names = first.step.path.split(".")
    unit = next(
        (
            ".".join(names[:depth])
            for depth in range(len(names))
            if not any(_is_inside(path, ".".join(names[:depth])) for path in broken)
        ),
        first.step.path,
    )
    parent = first.step.path.rpartition(".")[0]
    return [
        each
        for each in layers.convolutions
        if each.over_places
        and each.step.number >= first.step.number
        and (_is_inside(each.step.path, unit) or each.step.path.rpartition(".")[0] == parent)
    ]


def _is_inside(path: str, module: str) -> bool:
    return not module or path == module or path.startswith(f"{module}.")


def _cut_chain(layers: Layers, beside: list[Convolution]) -> list[Convolution]:
    """The first convolutions, up to the first block, pooling or other layer between two of them."""
    has_blocks = any(joins(step) for step in layers.trace.steps) or bool(layers.products)
    chain = [beside[0]]
    for convolution in beside[1:]:
        if convolution.groups > 1 or not (has_blocks or chain[-1].keeps_grid):
            break
        between = layers.trace.steps[chain[-1].step.number + 1 : convolution.step.number]
        if any(step.operation in POOLINGS or joins(step) or step.number in layers.working for step in between):
            break
        chain.append(convolution)
    return chain


def _find_pooling(layers: Layers, last: Step) -> tuple[Step | None, int]:
    """The pooling on every path from the stem's last convolution to the next weights, if it shrinks the grid."""
    following = layers.walk_forward(last, stop=lambda each: each.operation in POOLINGS or each.number in layers.working)
    if not following or any(each.operation not in POOLINGS for each in following):
        return None, last.number
    behind = layers.walk_forward(following[-1], stop=lambda each: each.number in layers.working)
    shrinks = all(each.data[0].num_places < last.output.num_places for each in behind)
    return (following[0], following[-1].number) if shrinks and following[0].output.num_places > 1 else (None, last.number)
