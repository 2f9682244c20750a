"""The steps of a trace that do the work: convolutions, linear layers, products of two values of the image, pooling."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Final

from zooscope.components.reading.axes import Axis, count, find_role
from zooscope.components.reading.trace import Step, Trace
from zooscope.components.reading.value import Value

MATRIX_PRODUCTS: Final = ("mm", "bmm", "addmm", "baddbmm")
POOLINGS: Final = ("max_pool2d_with_indices", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")
REDUCTIONS: Final = ("mean", "sum", "amax", "max")
SOFTMAX: Final = ("softmax", "safe_softmax")
NORM_MARKS: Final = ("batch_norm", "layer_norm", "group_norm", "rms_norm")


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution:
    """A convolution with learned weights.

    Attributes:
        step: the step that computes it.
        kernel: its size along each axis that it slides over.
        stride: its steps along them.
        groups: number of groups of channels.
        in_channels: of its input.
        out_channels: of its output.
        over_places: whether it slides over places; a convolution along the channels doesn't.
    """

    step: Step
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    groups: int
    in_channels: int
    out_channels: int
    over_places: bool

    @property
    def places_in(self) -> int:
        """The number of places of its input."""
        taken: Value = self.step.arguments[0]
        return taken.num_places

    @property
    def mixes_places(self) -> bool:
        """Whether it looks at more than one place at once."""
        return self.over_places and max(self.kernel) > 1 and self.places_in > 1

    @property
    def keeps_grid(self) -> bool:
        """Whether its output has as many places as its input."""
        return max(self.stride) == 1 and self.step.output.num_places == self.places_in

    @property
    def is_depthwise(self) -> bool:
        """Whether every channel is processed separately."""
        return self.mixes_places and self.groups == self.in_channels > 1

    @property
    def is_grouped(self) -> bool:
        """Whether channels are processed in groups of several."""
        return self.places_in > 1 and 1 < self.groups < self.in_channels


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """A product with learned weights.

    Attributes:
        step: the step that computes it.
        summed: the axis that it sums over.
        given: the axis that replaces it.
    """

    step: Step
    summed: Axis
    given: Axis

    @property
    def mixes_places(self) -> bool:
        """Whether it maps places to places."""
        return find_role(self.summed) == "place" and find_role(self.given) == "place"


@dataclass(frozen=True, kw_only=True, eq=False)
class Product:
    """A product of two matrices that both depend on the image.

    Attributes:
        step: the step that computes it.
        first: the left one.
        second: the right one.
    """

    step: Step
    first: Value
    second: Value

    @property
    def sums_over_places(self) -> bool:
        """Whether it sums over places rather than features."""
        return "place" in {find_role(self.first.axes[-1]), find_role(self.second.axes[-2])}

    @property
    def rows(self) -> Axis:
        """The axis kept from the left matrix."""
        return self.first.axes[-2]

    @property
    def columns(self) -> Axis:
        """The axis kept from the right matrix."""
        return self.second.axes[-1]


class Layers:
    """The steps of a trace by their kind."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def convolutions(self) -> tuple[Convolution, ...]:
        """Those with learned weights; blurring with a fixed kernel doesn't count."""
        return tuple(
            _describe_convolution(step)
            for step in self.trace.steps
            if step.operation == "convolution" and step.arguments[1].learned
        )

    @cached_property
    def linears(self) -> tuple[Linear, ...]:
        """Products with learned weights."""
        found = []
        for step, first, second in self._find_products():
            if first.from_pixels != second.from_pixels and (first.learned or second.learned):
                summed = first.axes[-1] if first.from_pixels else second.axes[-2]
                given = step.output.axes[-1] if first.from_pixels else step.output.axes[-2]
                found.append(Linear(step=step, summed=summed, given=given))
        return tuple(found)

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """Products of two values that depend on the image."""
        return tuple(
            Product(step=step, first=first, second=second)
            for step, first, second in self._find_products()
            if first.from_pixels and second.from_pixels
        )

    @cached_property
    def working(self) -> frozenset[int]:
        """The numbers of the steps that are convolutions, linear layers or products."""
        return frozenset(
            [
                *(each.step.number for each in self.convolutions),
                *(each.step.number for each in self.linears),
                *(each.step.number for each in self.products),
            ]
        )

    def _find_products(self) -> Iterator[tuple[Step, Value, Value]]:
        for step in self.trace.steps:
            if step.operation in MATRIX_PRODUCTS:
                first, second = step.arguments[1:3] if "add" in step.operation else step.arguments[:2]
                yield step, first, second

    def walk_forward(self, step: Step, *, stop: Callable[[Step], bool]) -> list[Step]:
        """The first steps after a step, on every path, at which to stop."""
        return self._walk(step, self.trace.find_after, stop)

    def walk_backward(self, value: Value, *, stop: Callable[[Step], bool]) -> list[Step]:
        """The last steps before a value, on every path, at which to stop."""
        maker = self.trace.find_maker(value)
        if maker is None:
            return []
        return [maker] if stop(maker) else self._walk(maker, self.trace.find_before, stop)

    @staticmethod
    def _walk(start: Step, following: Callable[[Step], list[Step]], stop: Callable[[Step], bool]) -> list[Step]:
        seen, waiting, found = {start.number}, [start], list[Step]()
        while waiting:
            for step in following(waiting.pop()):
                if step.number in seen:
                    continue
                seen.add(step.number)
                (found if stop(step) else waiting).append(step)
        return sorted(found, key=lambda each: each.number)


def read_numbers(step: Step) -> list[float]:
    """The numbers among an operation's arguments."""
    return [each for each in step.arguments if isinstance(each, int | float) and not isinstance(each, bool)]


def is_norm(step: Step) -> bool:
    """Whether a step is one of torch's normalizations."""
    return any(mark in step.operation for mark in NORM_MARKS)


def pools_all(step: Step) -> bool:
    """Whether a step reduces all places to one, by mean, sum or maximum."""
    if step.operation not in (*REDUCTIONS, *POOLINGS) or not step.data:
        return False
    return step.data[0].num_places > 1 and step.output.num_places == 1


def joins(step: Step) -> bool:
    """Whether a step adds two values of one shape that depend on the image, as a shortcut does, or concatenates them."""
    if step.operation == "cat":
        return len([value for value in step.data if value.num_places > 1]) > 1
    return step.operation == "add" and len(step.data) > 1 and step.data[0].shape == step.data[1].shape


def are_scores(layers: Layers, step: Step) -> bool:
    """Whether a softmax follows a step before any layer with weights, as it follows attention scores."""
    following = layers.walk_forward(step, stop=lambda each: each.operation in SOFTMAX or each.number in layers.working)
    return any(each.operation in SOFTMAX for each in following)


def _describe_convolution(step: Step) -> Convolution:
    taken, weight, _, stride = step.arguments[:4]
    groups: int = step.arguments[8]
    sliding = taken.axes[2:]
    kernel = tuple(weight.shape[2:])
    given = tuple(stride) if len(stride) == len(kernel) else (stride[0],) * len(kernel)
    return Convolution(
        step=step,
        kernel=kernel,
        stride=given,
        groups=groups,
        in_channels=taken.shape[1],
        out_channels=step.output.shape[1],
        over_places=count(sliding, "place") > 1 or prod(taken.shape[2:]) == 1,
    )
