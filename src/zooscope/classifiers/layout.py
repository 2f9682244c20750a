"""How a network's values lie in memory: nothing but rounding changes."""

from typing import Final

import torch
from torch import Tensor, nn

IMAGE_AXES: Final = 4


def lay_out(network: nn.Module) -> bool:
    """Lays a network with convolutions over neighbouring pixels out with the channels as last axis; changes the network.

    It still takes pixels in their usual layout, and gives their gradient in it.

    Example:
        >>> network = nn.Conv2d(3, 4, 3)
        >>> lay_out(network), network(torch.rand(1, 3, 8, 8)).is_contiguous(memory_format=torch.channels_last)
        (True, True)

    Returns:
        Whether it was laid out. Cutting an image into patches, or one pixel at a time, gains nothing from it, and torch's group
        normalisation is a tenth as fast then.
    """
    modules = list(network.modules())
    if any(isinstance(module, nn.GroupNorm) for module in modules):
        return False
    if not any(isinstance(module, nn.Conv2d) and _overlaps(module) for module in modules):
        return False
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.register_forward_pre_hook(_enter)
    return True


def _overlaps(convolution: nn.Conv2d) -> bool:
    return any(size > step for size, step in zip(convolution.kernel_size, convolution.stride, strict=True))


class _LaidOut(torch.autograd.Function):
    """The same values with the channels as last axis; their gradient in the usual layout."""

    @staticmethod
    def forward(_ctx: torch.autograd.function.FunctionCtx, values: Tensor) -> Tensor:
        return values.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(_ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        return gradient.contiguous()


def _enter(_module: nn.Module, given: tuple[object, ...]) -> tuple[object, ...]:
    pixels = given[0]
    if not isinstance(pixels, Tensor) or pixels.ndim != IMAGE_AXES or pixels.is_contiguous(memory_format=torch.channels_last):
        return given
    return (_LaidOut.apply(pixels), *given[1:])  # type: ignore[no-untyped-call]
