from collections.abc import Callable
from math import pi, sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.components.networks import Gate, classifier, cnn
from zooscope.components.reading.activations import read_activation
from zooscope.components.reading.layers import Layers
from zooscope.components.reading.trace import trace


class ByHand(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


def kind(network: nn.Module) -> str:
    return read_activation(Layers(trace(classifier(network)))).value


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (nn.ReLU(inplace=True), "ReLU"),
        (nn.LeakyReLU(), "Leaky ReLU"),
        (nn.GELU(approximate="tanh"), "GeLU"),
        (nn.SiLU(), "SiLU"),
        (nn.ReLU6(), "ReLU6"),
        (nn.Hardswish(), "HardSwish"),
        (nn.Mish(), "Mish"),
        (nn.PReLU(), "PReLU"),
        (nn.Tanh(), "Tanh"),
        (nn.Identity(), "-"),
        (nn.Softmax2d(), "-"),
    ],
    ids=str,
)
def test_torchs_activations_have_their_names(activation: nn.Module, expected: str) -> None:
    assert kind(cnn(activation=activation)) == expected


WRITTEN: list[tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], str]] = [
    ("relu by clamp", lambda x: x.clamp_min(0), functional.relu, "ReLU"),
    ("relu6 by clamp", lambda x: x.clamp(0, 6), functional.relu6, "ReLU6"),
    ("swish", lambda x: x * x.sigmoid(), functional.silu, "SiLU"),
    ("swish, turned round", lambda x: torch.sigmoid(x).mul(x), functional.silu, "SiLU"),
    ("hard swish", lambda x: x * functional.relu6(x + 3) / 6, functional.hardswish, "HardSwish"),
    ("hard swish, divided first", lambda x: x * (functional.relu6(x + 3) / 6), functional.hardswish, "HardSwish"),
    ("hard swish by hard sigmoid", lambda x: x * functional.hardsigmoid(x), functional.hardswish, "HardSwish"),
    ("mish", lambda x: x * functional.softplus(x).tanh(), functional.mish, "Mish"),
    ("gelu by erf", lambda x: x * 0.5 * (1 + torch.erf(x / sqrt(2))), functional.gelu, "GeLU"),
    (
        "gelu by tanh",
        lambda x: 0.5 * x * (1 + torch.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
        lambda x: functional.gelu(x, approximate="tanh"),
        "GeLU",
    ),
]


@pytest.mark.parametrize(("written", "torchs", "expected"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
def test_activations_written_out_read_as_the_function_that_they_are(
    written: Callable[[Tensor], Tensor], torchs: Callable[[Tensor], Tensor], expected: str
) -> None:
    points = torch.linspace(-8, 8, 101)
    assert torch.allclose(written(points), torchs(points), atol=1e-5)
    assert kind(cnn(activation=ByHand(written))) == expected


def test_the_quick_approximation_of_gelu_is_gelu() -> None:
    assert kind(cnn(activation=ByHand(lambda x: x * torch.sigmoid(1.702 * x)))) == "GeLU"


def test_gates_are_no_activations_and_what_is_inside_of_them_is() -> None:
    gate = Gate(nn.Conv2d(16, 4, 1), nn.SiLU(), nn.Conv2d(4, 16, 1))
    assert kind(cnn(inside=gate)) == "ReLU + SiLU"
    hard = ByHand(lambda x: x * functional.relu6(x.mean((2, 3), keepdim=True) + 3) / 6)
    assert kind(cnn(inside=hard)) == "ReLU"


class GatedByConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(16, 16, 1)

    def forward(self, values: Tensor) -> Tensor:
        gate: Tensor = self.layer(values)
        return values * gate.sigmoid()


def test_a_gate_that_a_layer_makes_is_no_activation() -> None:
    assert kind(cnn(inside=GatedByConvolution())) == "ReLU"


def test_a_network_of_very_many_small_steps_is_read_in_seconds() -> None:
    def recurrent(values: Tensor) -> Tensor:
        state = values.mean((2, 3), keepdim=True)
        for _ in range(2000):
            state = state * torch.cos(state)
        return values * state

    assert kind(cnn(activation=ByHand(recurrent))) == "-"
