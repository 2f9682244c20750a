from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.components.networks import classifier, cnn
from zooscope.components.reading.layers import Layers
from zooscope.components.reading.norms import read_normalization
from zooscope.components.reading.trace import trace


class ByHand(nn.Module):
    """A normalization written out, for features of shape (image, 16, row, column)."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


class ScaleAndShift(nn.Module):
    def __init__(self, width: int, *, as_one: bool) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(width, 1, 1)), nn.Parameter(torch.zeros(width, 1, 1))
        self.as_one = as_one

    def forward(self, values: Tensor) -> Tensor:
        return torch.addcmul(self.shift, self.scale, values) if self.as_one else values * self.scale + self.shift


def layer_norm(values: Tensor) -> Tensor:
    centred = values - values.mean(1, keepdim=True)
    return centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)


def root_mean_square(values: Tensor) -> Tensor:
    return values * torch.rsqrt((values * values).mean(1, keepdim=True) + 1e-6)


def instance_norm(values: Tensor) -> Tensor:
    return (values - values.mean((2, 3), keepdim=True)) / (values.var((2, 3), keepdim=True) + 1e-6) ** 0.5


def group_norm(values: Tensor) -> Tensor:
    groups = values.reshape(len(values), 4, 4, *values.shape[2:])
    return ((groups - groups.mean((2, 3, 4), keepdim=True)) / groups.std((2, 3, 4), keepdim=True)).reshape(values.shape)


def evo_norm(values: Tensor) -> Tensor:
    groups = values.reshape(len(values), 4, 4, *values.shape[2:])
    spread = (groups.var((2, 3, 4), keepdim=True) + 1e-5).sqrt().expand(groups.shape).reshape(values.shape)
    return values * (1.5 * values).sigmoid() / spread


def kind(norm: Callable[[int], nn.Module]) -> str:
    return read_normalization(Layers(trace(classifier(cnn(norm=norm, activation=nn.Identity()))))).value


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        (nn.BatchNorm2d, "BN"),
        (nn.InstanceNorm2d, "IN"),
        (lambda width: nn.GroupNorm(4, width), "GN"),
        (lambda _: nn.Identity(), "Norm-free"),
        (lambda width: ScaleAndShift(width, as_one=True), "Affine transform"),
        (lambda width: ScaleAndShift(width, as_one=False), "Affine transform"),
        (lambda _: ByHand(layer_norm), "LN"),
        (lambda _: ByHand(root_mean_square), "RMSNorm"),
        (lambda _: ByHand(instance_norm), "IN"),
        (lambda _: ByHand(group_norm), "GN"),
        (lambda _: ByHand(evo_norm), "EvoNorm"),
        (lambda width: nn.Sequential(nn.BatchNorm2d(width), ByHand(layer_norm)), "LN + BN"),
        (lambda _: ByHand(lambda values: nn.functional.normalize(values, dim=1)), "Norm-free"),
        (lambda _: ByHand(lambda values: values / values.mean((2, 3), keepdim=True)), "Norm-free"),
    ],
    ids=[
        "batch",
        "instance",
        "group",
        "none",
        "scale and shift",
        "scale, then shift",
        "layer by hand",
        "root mean square by hand",
        "instance by hand",
        "group by hand",
        "norm and activation in one",
        "two kinds",
        "unit length",
        "mean alone",
    ],
)
def test_normalizations_read_as_what_they_compute(norm: Callable[[int], nn.Module], expected: str) -> None:
    assert kind(norm) == expected
