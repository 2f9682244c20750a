import pytest
import torch
from torch import Tensor, nn

from tests.specimens import classifier_of
from zooscope.classifiers.layout import lay_out, suit_processor
from zooscope.classifiers.prepared import prepare

PIXELS = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Careless(nn.Module):
    """Doesn't take what its activation gives: it relies on it to work in place."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.act = nn.Conv2d(3, 4, 3), nn.SiLU(inplace=True)

    def forward(self, pixels: Tensor) -> Tensor:
        values: Tensor = self.convolution(pixels)
        self.act(values)
        return values.mean((2, 3))


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
    assert suit_processor(ready) == 2
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


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.Conv2d(4, 4, 1, padding="same"),
    ],
)
def test_other_convolutions_stay(convolution: nn.Conv2d) -> None:
    before = str(convolution)
    assert suit_processor(convolution) == 0
    assert str(convolution) == before


def test_a_network_that_relies_on_working_in_place_stays_as_it_is() -> None:
    torch.manual_seed(0)
    classifier = classifier_of("careless", Careless(), num_classes=4, size=(16, 16))
    ready = prepare(classifier)
    torch.testing.assert_close(ready.logits(PIXELS), classifier.logits(PIXELS))
    assert getattr(ready.network, "act").inplace  # noqa: B009  (an attribute of this network alone)


def test_what_is_for_a_processor_is_left_out_on_a_gpu() -> None:
    classifier = classifier_of("small", small_network(), num_classes=4 * 14 * 14, size=(16, 16))
    for device, dilation in (("cpu", (2, 2)), ("cuda", (1, 1))):
        network = prepare(classifier, device=device).network
        assert [module.dilation for module in network.modules() if isinstance(module, nn.Conv2d)] == [(1, 1), dilation]
