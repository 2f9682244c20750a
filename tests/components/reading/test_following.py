"""Axes are followed right if the numbers agree: every element carries its own place and feature."""

from collections.abc import Callable
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.components.networks import classifier
from zooscope.components.reading.axes import (
    Axes,
    Factor,
    broadcast_axes,
    count,
    find_role,
    keep_positions,
    make_axis,
    make_pixels_axes,
    reshape_axes,
    resize_axis,
)
from zooscope.components.reading.trace import trace

CHANNELS, SIDE, BASE = 12, 4, 1000


def numbered() -> Tensor:
    """Of shape (1, channel, row, column): the number of the channel in thousands, plus the number of the place."""
    places = torch.arange(SIDE * SIDE).reshape(1, 1, SIDE, SIDE)
    return places + BASE * torch.arange(CHANNELS).reshape(1, CHANNELS, 1, 1)


def assert_true(values: Tensor, axes: Axes) -> None:
    """Along an axis of places only the place changes, along one of features only the feature."""
    assert tuple(prod(factor.size for factor in each) for each in axes) == tuple(values.shape)
    for position, each in enumerate(axes):
        places, features = (
            (kept == kept.select(position, 0).unsqueeze(position)).all() for kept in (values % BASE, values // BASE)
        )
        if find_role(each) == "place":
            assert features
            assert not places
        if find_role(each) == "feature":
            assert places
            assert not features


class Steps(nn.Module):
    """Some operations on the pixels' numbers; the last result is kept."""

    def __init__(self, *steps: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, values: Tensor) -> Tensor:
        for step in self.steps:
            values = step(values)
        return values


@settings(max_examples=40)
@given(st.data())
def test_reshapes_and_permutations_keep_places_and_features_apart(data: st.DataObject) -> None:
    values, axes = numbered(), make_pixels_axes((1, CHANNELS, SIDE, SIDE))
    for _ in range(4):
        order = data.draw(st.permutations(range(values.ndim)))
        values, axes = values.permute(*order), tuple(axes[position] for position in order)
        shape: list[int] = []
        for each in axes:  # every axis may be cut in two, or joined to the one before if that is of its kind
            size = prod(factor.size for factor in each)
            cut = data.draw(st.sampled_from([part for part in range(1, size + 1) if size % part == 0]))
            shape += [cut, size // cut]
        values, axes = values.reshape(shape), reshape_axes(axes, shape)
        assert_true(values, axes)


def test_neighbouring_windows_may_be_cut_anew() -> None:
    axes = ((Factor(8, "place"), Factor(7, "place")), make_axis(3, "feature"))
    assert reshape_axes(axes, (7, 8, 3)) == (make_axis(7, "place"), make_axis(8, "place"), make_axis(3, "feature"))


def test_a_reshape_that_cuts_through_both_kinds_keeps_the_kinds_by_size() -> None:
    axes = (make_axis(5, "place"), make_axis(6, "feature"))
    assert reshape_axes(axes, (6, 5)) == (make_axis(6, "feature"), make_axis(5, "place"))
    assert reshape_axes(axes, (3, 10)) == (make_axis(3, "feature"), make_axis(10, "feature"))


def test_a_sum_of_unlike_shapes_takes_each_axis_from_where_it_is_known() -> None:
    features, places = (make_axis(6, "feature"), ()), ((), make_axis(5, "place"))
    assert broadcast_axes([features, places], (6, 5)) == (make_axis(6, "feature"), make_axis(5, "place"))
    assert broadcast_axes([(make_axis(6, "weight"),), (make_axis(6, "place"),)], (6,)) == (make_axis(6, "place"),)


def test_unknown_operations_leave_the_axes_where_they_were() -> None:
    axes = (make_axis(6, "feature"), make_axis(5, "place"))
    assert keep_positions(axes, (6, 4)) == (make_axis(6, "feature"), make_axis(4, "place"))
    assert keep_positions(axes, (2, 5, 6)) == (make_axis(2, "feature"), make_axis(5, "place"), make_axis(6, "feature"))


def test_an_axis_of_both_counts_its_places() -> None:
    mixed = (Factor(4, "place"), Factor(3, "feature"))
    assert (find_role(mixed), count([mixed], "place"), count([mixed], "feature")) == (None, 4, 3)
    assert find_role(()) is None
    assert resize_axis(mixed, 6) == make_axis(6, "feature")


PLACES, FEATURES = "place", "feature"
OPERATIONS: list[tuple[str, Callable[[Tensor], Tensor], list[str | None]]] = [
    ("mean over places", lambda x: x.mean((2, 3)), [None, FEATURES]),
    ("mean, axes kept", lambda x: x.mean((2, 3), keepdim=True), [None, FEATURES, None, None]),
    ("mean of all", lambda x: x.mean()[None], [None]),
    ("a length", lambda x: torch.linalg.vector_norm(x, dim=1), [None, PLACES, PLACES]),
    ("one row", lambda x: x[:, :, 0], [None, FEATURES, PLACES]),
    ("half of the channels", lambda x: x[:, ::2], [None, FEATURES, PLACES, PLACES]),
    ("laid side by side", lambda x: torch.cat([x, x], 3), [None, FEATURES, PLACES, PLACES]),
    ("stacked", lambda x: torch.stack([x, x]), [FEATURES, None, FEATURES, PLACES, PLACES]),
    ("windows", lambda x: x.unfold(2, 2, 2), [None, FEATURES, PLACES, PLACES, PLACES]),
    ("patches", lambda x: nn.functional.unfold(x, 4, stride=4), [None, None, PLACES]),
    ("shrunk", lambda x: nn.functional.avg_pool2d(x, 2), [None, FEATURES, PLACES, PLACES]),
    ("padded", lambda x: nn.functional.pad(x, (1, 1)), [None, FEATURES, PLACES, PLACES]),
    ("scores of places", lambda x: x.flatten(2).transpose(1, 2) @ x.flatten(2), [None, PLACES, PLACES]),
    ("scores of channels", lambda x: x.flatten(2) @ x.flatten(2).transpose(1, 2), [None, FEATURES, FEATURES]),
    ("one sum over places", lambda x: torch.einsum("bchw,bdhw->bcd", x, x), [None, FEATURES, FEATURES]),
    ("along channels", lambda x: nn.functional.linear(x.permute(0, 2, 3, 1), torch.ones(7, 3)), [None, PLACES, PLACES, FEATURES]),
    ("along places", lambda x: nn.functional.linear(x.flatten(2), torch.ones(7, 64)), [None, FEATURES, PLACES]),
    ("a convolution", lambda x: nn.functional.conv2d(x, torch.ones(7, 3, 3, 3)), [None, FEATURES, PLACES, PLACES]),
    (
        "along channels by convolution",
        lambda x: nn.functional.conv1d(x.mean((2, 3))[:, None], torch.ones(1, 1, 2)),
        [None, None, FEATURES],
    ),
    ("the same for all places", lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 8, 8), [None, FEATURES, "copy", "copy"]),
]


@pytest.mark.parametrize(("operation", "roles"), [row[1:] for row in OPERATIONS], ids=[row[0] for row in OPERATIONS])
def test_every_operation_hands_on_what_its_axes_are(operation: Callable[[Tensor], Tensor], roles: list[str | None]) -> None:
    seen = trace(classifier(Steps(operation), size=8))
    assert [find_role(each) for each in seen.steps[-1].output.axes] == roles
