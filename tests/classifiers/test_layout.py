import torch
from torch import Tensor, nn

from zooscope.classifiers.kernels import suit_processor
from zooscope.classifiers.layout import lay_out

PIXELS = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1), nn.ReLU6(inplace=True), nn.Flatten()).eval()


def logits_and_gradient(network: nn.Module) -> tuple[Tensor, Tensor]:
    pixels = PIXELS.clone().requires_grad_()
    logits: Tensor = network(pixels)
    return logits.detach(), torch.autograd.grad(logits.square().sum(), pixels)[0]


def test_a_network_laid_out_gives_the_same_logits_and_gradients() -> None:
    plain, ready = small_network(), small_network()
    assert lay_out(ready)
    assert suit_processor(ready) == 3
    expected, found = logits_and_gradient(plain), logits_and_gradient(ready)
    torch.testing.assert_close(found, expected)
    assert found[1].is_contiguous()


def test_a_network_with_group_norms_keeps_its_layout() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8))
    assert not lay_out(network)
    assert network(PIXELS).is_contiguous()


def test_a_network_of_patches_keeps_its_layout() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.Conv2d(4, 4, 1))
    assert not lay_out(network)
    assert network(PIXELS).is_contiguous()
