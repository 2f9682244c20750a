"""Folding must not change what a network says; float64 shows it to the last digits."""

from collections.abc import Callable

import pytest
import timm
import torch
from timm.layers import BatchNormAct2d
from torch import Tensor, nn

from zooscope.classifiers.folding import fold_batch_norms

SIZE = 64
PIXELS = torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def trained_by_chance(network: nn.Module) -> nn.Module:
    """Statistics, gains and biases as after some training."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_mean, module.bias):
                if values is not None:
                    values.data.normal_(generator=generator)
            for values in (module.running_var, module.weight):
                if values is not None:
                    values.data.uniform_(0.5, 2, generator=generator)
    return network.double().eval()


def stack(*norms: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), *norms)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "plain": (lambda: stack(nn.BatchNorm2d(4), nn.ReLU()), 1),
    "no gains": (lambda: stack(nn.BatchNorm2d(4, affine=False)), 1),
    "with activation": (lambda: stack(BatchNormAct2d(4)), 1),
    "grouped": (lambda: nn.Sequential(nn.Conv2d(3, 6, 3, groups=3, bias=False), nn.BatchNorm2d(6)), 1),
    "no statistics": (lambda: stack(nn.BatchNorm2d(4, track_running_stats=False)), 0),
    "norm first": (lambda: nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)), 0),
    "resnet18": (lambda: timm.create_model("resnet18", num_classes=5), 20),
    "efficientnet_lite0": (lambda: timm.create_model("tf_efficientnet_lite0", num_classes=5), 49),
    "mobilenetv2": (lambda: timm.create_model("mobilenetv2_050", num_classes=5), 52),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_stay(name: str) -> None:
    make, expected = NETWORKS[name]
    network = trained_by_chance(make())
    with torch.no_grad():
        before = network(PIXELS)
        assert fold_batch_norms(network, PIXELS) == expected
        torch.testing.assert_close(network(PIXELS), before, rtol=1e-9, atol=1e-9)
    left = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert (left == 0) == (expected > 0)


def test_modules_that_run_twice_are_left() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, pixels: Tensor) -> Tensor:
            once: Tensor = self.norm(self.convolution(pixels))
            again: Tensor = self.norm(self.convolution(once))
            return again

    assert fold_batch_norms(Twice().double().eval(), PIXELS) == 0
