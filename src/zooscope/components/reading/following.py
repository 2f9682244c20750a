"""How torch's low-level operations (`torch.ops.aten`) change the meaning of axes."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from zooscope.components.reading.axes import (
    Axes,
    Axis,
    broadcast_axes,
    find_role,
    keep_positions,
    make_axis,
    repeat_axes,
    reshape_axes,
    resize_axis,
)
from zooscope.components.reading.value import Value

Shape = tuple[int, ...]


Rule = Callable[[Sequence[Any], Shape], Axes]


def follow_axes(operation: str, arguments: Sequence[Any], operands: Sequence[Value], shape: Shape) -> Axes:
    """What the axes of an operation's result represent.

    Args:
        operation: its name in `torch.ops.aten`, without underscores at either end.
        arguments: as it was called, with values in place of tensors.
        operands: the tensors among the arguments, lists of tensors flattened.
        shape: of the result.
    """
    rule = RULES.get(operation)
    if rule is not None and len(found := rule(arguments, shape)) == len(shape):
        return found
    data = [operand for operand in operands if operand.from_pixels]
    if all(_fits(operand.shape, shape) for operand in data):
        return broadcast_axes([operand.axes for operand in data], shape)
    longest = max(data, key=lambda operand: len(operand.shape))
    return keep_positions(longest.axes, shape)


def _fits(small: Shape, large: Shape) -> bool:
    if len(small) > len(large):
        return False
    return all(one in {1, other} for one, other in zip(reversed(small), reversed(large), strict=False))


def _reshape(arguments: Sequence[Any], shape: Shape) -> Axes:
    return reshape_axes(arguments[0].axes, shape)


def _permute(arguments: Sequence[Any], _: Shape) -> Axes:
    axes = arguments[0].axes
    return tuple(axes[position] for position in arguments[1])


def _transpose(arguments: Sequence[Any], _: Shape) -> Axes:
    axes = list(arguments[0].axes)
    first, second = arguments[1:3] if len(arguments) > 1 else (0, -1)
    axes[first], axes[second] = axes[second], axes[first]
    return tuple(axes)


def _drop_axis(arguments: Sequence[Any], _: Shape) -> Axes:
    axes = list(arguments[0].axes)
    del axes[arguments[1] if len(arguments) > 1 else 0]
    return tuple(axes)


def _reduce(arguments: Sequence[Any], shape: Shape) -> Axes:
    axes = list(arguments[0].axes)
    given = next((each for each in arguments[1:2] if isinstance(each, int | list | tuple) and not isinstance(each, bool)), None)
    gone = range(len(axes)) if given is None or given == [] else [given] if isinstance(given, int) else given
    places = {where % len(axes) for where in gone}
    if len(shape) == len(axes):
        return tuple(() if position in places else each for position, each in enumerate(axes))
    return tuple(each for position, each in enumerate(axes) if position not in places)


def _take_norm(arguments: Sequence[Any], shape: Shape) -> Axes:
    """A vector norm; its arguments are the tensor, the exponent, then the axes."""
    return _reduce((arguments[0], *arguments[2:]), shape)


def _expand(arguments: Sequence[Any], shape: Shape) -> Axes:
    return repeat_axes(arguments[0].axes, shape)


def _concatenate(arguments: Sequence[Any], shape: Shape) -> Axes:
    parts = [part for part in arguments[0] if part.shape and part.shape != (0,)]
    where = arguments[1] % len(shape) if len(arguments) > 1 else 0
    data = [part.axes for part in parts if part.from_pixels]
    longest = max((axes[where] for axes in data), key=lambda each: [factor.size for factor in each])
    others = [
        next((axes[position] for axes in data if axes[position]), make_axis(shape[position], "feature"))
        for position in range(len(shape))
    ]
    return tuple(resize_axis(longest, size) if position == where else others[position] for position, size in enumerate(shape))


def _stack(arguments: Sequence[Any], shape: Shape) -> Axes:
    where = arguments[1] % len(shape) if len(arguments) > 1 else 0
    axes = list(next(part for part in arguments[0] if part.from_pixels).axes)
    axes.insert(where, make_axis(shape[where], "feature"))
    return tuple(axes)


def _unfold(arguments: Sequence[Any], shape: Shape) -> Axes:
    """Tensor.unfold: an axis becomes windows; the last axis runs inside a window."""
    values, where = arguments[:2]
    axes = list(values.axes)
    inside = resize_axis(axes[where], shape[-1])
    axes[where] = resize_axis(axes[where], shape[where])
    return (*axes, inside)


def _im2col(arguments: Sequence[Any], shape: Shape) -> Axes:
    """im2col: (image, channel, row, column) to (image, channel and place in the patch, patch)."""
    values, kernel = arguments[:2]
    inside = tuple(part for size in kernel for part in make_axis(size, "place"))
    return (*values.axes[:-3], (*values.axes[-3], *inside), make_axis(shape[-1], "place"))


def _convolve(arguments: Sequence[Any], shape: Shape) -> Axes:
    values = arguments[0]
    sliding = tuple(resize_axis(each, size) for each, size in zip(values.axes[2:], shape[2:], strict=True))
    return values.axes[0], make_axis(shape[1], "feature"), *sliding


def _multiply(first: Value, second: Value, shape: Shape) -> Axes:
    """A matrix product, maybe batched; an axis that only weights have gets the role of the axis they sum over."""
    rows, columns = (
        operand.axes[position] if operand.from_pixels else _choose_role(other.axes[summed], size)
        for operand, position, other, summed, size in (
            (first, -2, second, -2, shape[-2]),
            (second, -1, first, -1, shape[-1]),
        )
    )
    if len(shape) == 2:  # noqa: PLR2004  (a matrix)
        return rows, columns
    known = [operand.axes[0] for operand in (first, second) if operand.from_pixels and operand.axes[0]]
    return known[0] if known else make_axis(shape[0], "feature"), rows, columns


def _choose_role(summed: Axis, size: int) -> Axis:
    return make_axis(size, "place" if find_role(summed) == "place" else "feature")


def _matmul(arguments: Sequence[Any], shape: Shape) -> Axes:
    return _multiply(arguments[0], arguments[1], shape)


def _matmul_and_add(arguments: Sequence[Any], shape: Shape) -> Axes:
    return _multiply(arguments[1], arguments[2], shape)


RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("view", "reshape", "unsafe_view", "unsqueeze", "squeeze", "flatten", "unflatten", "reshape_alias"), _reshape),
    "permute": _permute,
    **dict.fromkeys(("transpose", "t", "swapaxes", "swapdims"), _transpose),
    **dict.fromkeys(("select", "unbind"), _drop_axis),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "var_mean", "logsumexp", "prod", "argmax"), _reduce),
    **dict.fromkeys(("linalg_vector_norm", "norm"), _take_norm),
    "expand": _expand,
    "cat": _concatenate,
    "stack": _stack,
    "unfold": _unfold,
    "im2col": _im2col,
    "convolution": _convolve,
    **dict.fromkeys(("mm", "bmm"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm"), _matmul_and_add),
}
