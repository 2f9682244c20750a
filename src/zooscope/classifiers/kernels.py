"""What torch computes slowly where a batch has one thread of a CPU, computed by faster kernels: nothing but rounding changes."""

from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, fold, hardtanh_, linear

FEW_CHANNELS: Final = 4  # of images; oneDNN fills a vector register with channels, and most of it stays empty


def suit_processor(network: nn.Module) -> int:
    """Chooses what is faster on a CPU where each batch has one thread; changes the network.

    Its parameters get no gradients afterwards, only what goes in does. A network that doesn't take what an activation gives, but
    relies on it to change its values in place, then gives other logits; so compare them.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.SiLU(inplace=True), nn.Flatten(), nn.Linear(16, 2))
        >>> suit_processor(network), network[1].inplace
        (3, False)

    Returns:
        How many modules were changed.
    """
    return sum(_suit(module) for module in network.modules())


class OneDnnLinear(nn.Linear):
    """A linear layer by oneDNN, up to half as fast again as the library that torch takes."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        """See `nn.Linear`."""
        if not _is_plain(input, self.weight):
            return linear(input, self.weight, self.bias)
        rows = input.reshape(-1, self.in_features)  # or what comes out is a view, which nothing may change in place
        product: Tensor = _Product.apply(rows, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return product.view(*input.shape[:-1], self.out_features)


class ImageConv2d(nn.Conv2d):
    """A convolution of images, whose gradient is a matrix product and a sum over windows: two to four times as fast."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        """See `nn.Conv2d`."""
        if not _is_plain(input, self.weight) or input.ndim != self.weight.ndim:
            return super().forward(input)
        made: Tensor = _OfImages.apply(input, self.weight, self.bias, self.stride, self.padding)  # type: ignore[no-untyped-call]
        return made


class InPlaceReLU6(nn.ReLU6):
    """ReLU6 in place: its gradient needs only what comes out, so nothing is copied."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        """See `nn.ReLU6`."""
        if not _is_plain(input):
            return super().forward(input)
        clipped: Tensor = _Clipped.apply(input)  # type: ignore[no-untyped-call]
        return clipped


def _suit(module: nn.Module) -> bool:
    """Changes a module where that pays; these classes alone: one of a user's may do more."""
    if type(module) is nn.Conv2d and _looks_at_one_pixel(module):
        module.dilation = (2, 2)  # of one pixel: no value changes, but torch leaves it to oneDNN on one thread, too
    elif type(module) is nn.Conv2d and _takes_images(module):
        module.__class__ = ImageConv2d
    elif type(module) is nn.Linear and torch.backends.mkldnn.is_available():
        module.__class__ = OneDnnLinear
    elif type(module) is nn.ReLU6 and module.inplace:
        module.__class__ = InPlaceReLU6
    elif getattr(module, "inplace", None) is True and not isinstance(module, nn.ReLU | InPlaceReLU6):
        module.inplace = False  # type: ignore[assignment]  # the gradient needs what came in: in place, that is copied first
    else:
        return False
    return True


def _looks_at_one_pixel(convolution: nn.Conv2d) -> bool:
    shape = convolution.kernel_size, convolution.stride, convolution.padding
    return shape == ((1, 1), (1, 1), (0, 0)) and convolution.groups == 1


def _takes_images(convolution: nn.Conv2d) -> bool:
    is_whole = convolution.groups == 1 and convolution.dilation == (1, 1)
    pads_zeros = convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
    return convolution.in_channels <= FEW_CHANNELS and is_whole and pads_zeros


def _is_plain(*tensors: Tensor) -> bool:
    """Whether all are float32 on a CPU, and stay it."""
    return all(one.dtype == torch.float32 and one.device.type == "cpu" for one in tensors) and not torch.is_autocast_enabled("cpu")


def _multiply(
    values: Float[Tensor, "row given"], weight: Float[Tensor, "made given"], bias: Float[Tensor, " made"] | None
) -> Float[Tensor, "row made"]:
    return torch.ops.mkldnn._linear_pointwise(values, weight, bias, "none", [], "")  # type: ignore[no-any-return]  # noqa: SLF001


class _Product(torch.autograd.Function):
    """A linear layer's values; the gradient of what comes in alone."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: ANN401  (torch's context is untyped)
        ctx.save_for_backward(weight)
        return _multiply(values, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        (weight,) = ctx.saved_tensors
        return _multiply(gradient, weight.t(), None), None, None


class _OfImages(torch.autograd.Function):
    """A convolution's values; the gradient of the images alone."""

    @staticmethod
    def forward(  # noqa: PLR0917  (torch hands over positions)
        ctx: Any,  # noqa: ANN401
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.size, ctx.shape = images.shape[2:], {"kernel_size": weight.shape[2:], "padding": padding, "stride": stride}
        return conv2d(images, weight, bias, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:  # noqa: ANN401
        (weight,) = ctx.saved_tensors
        windows = torch.matmul(weight.flatten(1).t(), gradient.flatten(2))
        return fold(windows, ctx.size, **ctx.shape), None, None, None, None


class _Clipped(torch.autograd.Function):
    """ReLU6 in place: what comes out says where the gradient goes on."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ANN401
        hardtanh_(values, 0.0, 6.0)
        ctx.mark_dirty(values)
        ctx.save_for_backward(values)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401
        (values,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, values, 0.0, 6.0)  # type: ignore[no-any-return]
