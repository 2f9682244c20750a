import copy

import pytest
import torch
from torch import Tensor, nn

from tests.specimens import classifier_of
from zooscope.classifiers.kernels import ImageConv2d, InPlaceReLU6, OneDnnLinear, suit_processor
from zooscope.classifiers.prepared import prepare

PIXELS = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def suited(module: nn.Module) -> nn.Module:
    """A copy that was suited to the processor."""
    ready = copy.deepcopy(module)
    assert suit_processor(ready) > 0
    return ready


def require_truth(module: nn.Module, given: Tensor) -> None:
    """Values and gradient of what comes in are those of the plain module in double precision."""
    exact = copy.deepcopy(module).double()
    ready = suited(module)
    results = []
    for one, values in ((ready, given), (exact, given.double())):
        leaf = values.detach().requires_grad_()
        output: Tensor = one(leaf * 1)  # no leaf, so that it may be changed in place
        (gradient,) = torch.autograd.grad(output.sin().sum(), leaf)
        results.append((output.detach(), gradient))
    (values, gradient), (true_values, true_gradient) = results
    torch.testing.assert_close(values.double(), true_values, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient.double(), true_gradient, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 7, 5), (2, 3, 4, 5), (0, 5)])
def test_a_linear_layer_gives_values_and_gradients_of_the_plain_one(shape: tuple[int, ...]) -> None:
    require_truth(nn.Linear(5, 6), torch.randn(shape))
    require_truth(nn.Linear(5, 6, bias=False), torch.randn(shape))


def test_a_linear_layer_takes_values_in_any_layout() -> None:
    require_truth(nn.Sequential(nn.Linear(5, 6), nn.Flatten()), torch.randn(2, 5, 7).transpose(1, 2))


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"),
    [(7, 2, 3), (3, 1, 1), (3, 2, 0), (4, 4, 0), (5, 4, 0), (2, 3, 1), ((3, 5), (1, 2), (0, 2))],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_of_images_gives_values_and_gradients_of_the_plain_one(
    kernel_size: int | tuple[int, int], stride: int | tuple[int, int], padding: int | tuple[int, int], layout: torch.memory_format
) -> None:
    convolution = nn.Conv2d(3, 8, kernel_size, stride=stride, padding=padding).to(memory_format=layout)  # type: ignore[call-overload]
    require_truth(convolution, PIXELS.contiguous(memory_format=layout))


@pytest.mark.parametrize("act", [nn.ReLU6(inplace=True), nn.ReLU(inplace=True)])
@pytest.mark.parametrize("shape", [(3, 5), (2, 7, 5)])
def test_what_a_linear_layer_gives_may_be_changed_in_place(act: nn.Module, shape: tuple[int, ...]) -> None:
    require_truth(nn.Sequential(nn.Linear(5, 6), act, nn.Linear(6, 4)), torch.randn(shape))


def test_a_convolution_of_images_takes_a_single_image_too() -> None:
    require_truth(nn.Conv2d(3, 8, 3), PIXELS[0])


def test_relu6_in_place_gives_values_and_gradients_of_the_plain_one_at_its_ends_too() -> None:
    require_truth(nn.ReLU6(inplace=True), torch.tensor([-1.0, 0.0, 1e-7, 3.0, 6.0, 7.0, float("inf"), -float("inf")]))


class Half(nn.Module):
    """Clips half of the channels in place, and shows all."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.act = nn.Conv2d(3, 8, 3), nn.ReLU6(inplace=True)

    def forward(self, pixels: Tensor) -> Tensor:
        values: Tensor = self.convolution(pixels)
        return torch.cat([self.act(values[:, :4]), values], 1)


def test_relu6_in_place_of_a_part_gives_values_and_gradients_of_the_plain_one() -> None:
    require_truth(Half(), PIXELS)


def test_relu6_of_nan_is_nan() -> None:
    assert suited(nn.ReLU6(inplace=True))(torch.tensor([float("nan")])).isnan().all()


def test_relu6_in_place_is_refused_where_what_it_changes_is_needed_as_by_torch() -> None:
    values = torch.ones(3, requires_grad=True)
    root = (values * 1).sigmoid()
    suited(nn.ReLU6(inplace=True))(root)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        root.sum().backward()


@pytest.mark.parametrize("module", [nn.Linear(3, 4), nn.Conv2d(3, 4, 3), nn.ReLU6(inplace=True)])
def test_other_precisions_are_left_to_torch(module: nn.Module) -> None:
    given = torch.rand(2, 3, 8, 3) if isinstance(module, nn.Linear) else PIXELS
    ready = suited(module).double()
    torch.testing.assert_close(ready(given.double().clone()), copy.deepcopy(module).double()(given.double().clone()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert suited(module)(given.clone()).dtype == module(given.clone()).dtype


def test_a_second_derivative_is_refused() -> None:
    ready, values = suited(nn.Linear(3, 1)), torch.rand(2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(ready(values).square().sum(), values, create_graph=True)
    with pytest.raises(RuntimeError, match="to not have been used in the graph"):
        torch.autograd.grad(gradient.sum(), values)


def test_networks_of_all_of_them_compute_the_same() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.ReLU6(inplace=True), nn.Conv2d(8, 4, 1), nn.Flatten(), nn.Linear(196, 5)
    )
    ready = suited(network)
    assert [type(module) for module in ready.children()] == [ImageConv2d, InPlaceReLU6, nn.Conv2d, nn.Flatten, OneDnnLinear]
    require_truth(network, PIXELS)


def test_a_network_that_fails_with_gradients_alone_once_suited_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Tensor:
        msg = "not differentiable twice, or whatever"
        raise RuntimeError(msg)

    torch.manual_seed(0)
    classifier = classifier_of(
        "plain", nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(784, 2)), num_classes=2, size=(16, 16)
    )
    monkeypatch.setattr("zooscope.classifiers.kernels._Product.backward", fail)
    ready = prepare(classifier)
    assert [type(module) for module in ready.network.children()] == [nn.Conv2d, nn.Flatten, nn.Linear]


class OwnLinear(nn.Linear):
    """A linear layer that does more."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input) + 1


def test_a_class_of_a_user_stays() -> None:
    network = nn.Sequential(OwnLinear(3, 4), nn.ReLU(inplace=True), nn.ReLU6())
    assert suit_processor(network) == 0
    assert type(network[0]) is OwnLinear


class Careless(nn.Module):
    """Doesn't take what its activation gives: it relies on it to work in place."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.act = nn.Conv2d(3, 4, 3), nn.SiLU(inplace=True)

    def forward(self, pixels: Tensor) -> Tensor:
        values: Tensor = self.convolution(pixels)
        self.act(values)
        return values.mean((2, 3))


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(8, 4, 3),
        nn.Conv2d(8, 4, 1, stride=2),
        nn.Conv2d(8, 4, 1, padding=1),
        nn.Conv2d(8, 4, 1, groups=2),
        nn.Conv2d(3, 4, 3, dilation=2),
        nn.Conv2d(3, 3, 3, groups=3),
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(3, 4, 3, padding="same"),
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
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), nn.Flatten()).eval()
    classifier = classifier_of("small", network, num_classes=4 * 14 * 14, size=(16, 16))
    for device, first, dilation in (("cpu", ImageConv2d, (2, 2)), ("cuda", nn.Conv2d, (1, 1))):
        ready = list(prepare(classifier, device=device).network.modules())
        assert type(ready[1]) is first
        assert ready[2].dilation == dilation
