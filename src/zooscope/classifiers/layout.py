"""How a network's values lie in memory, and which kernels of torch's compute them: nothing but rounding changes."""

from typing import Final, cast

import torch
from torch import Tensor, nn

IMAGE_AXES: Final = 4


def lay_out(network: nn.Module) -> bool:
    """Lays a network with convolutions over neighbouring pixels out with the channels as last axis; changes the network.

    It still takes pixels in their usual layout, and gives their gradient in it. Group normalisations compute in the usual
    layout, too: torch's kernel for the other is a tenth as fast on a CPU.

    Example:
        >>> network = nn.Conv2d(3, 4, 3)
        >>> lay_out(network), network(torch.rand(1, 3, 8, 8)).is_contiguous(memory_format=torch.channels_last)
        (True, True)

    Returns:
        Whether it was laid out: cutting an image into patches, or one pixel at a time, gains nothing from it.
    """
    if not any(isinstance(module, nn.Conv2d) and _overlaps(module) for module in network.modules()):
        return False
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for module in network.modules():
        if isinstance(module, nn.GroupNorm):
            module.register_forward_pre_hook(_enter_usual)
            module.register_forward_hook(_leave_usual)
    network.register_forward_pre_hook(_enter_channels_last)
    return True


def suit_processor(network: nn.Module) -> int:
    """Chooses what is faster on a CPU where each batch has one thread; changes the network.

    A network that doesn't take what an activation gives, but relies on it to change its values in place, then gives other logits;
    so compare them.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU6(inplace=True))
        >>> suit_processor(network), network[0].dilation, network[1].inplace
        (2, (2, 2), False)

    Returns:
        How many modules were changed.
    """
    count = 0
    for module in network.modules():
        if type(module) is nn.Conv2d and _looks_at_one_pixel(module):
            module.dilation = (2, 2)  # of one pixel: no value changes, but torch leaves it to oneDNN on one thread, too
        elif getattr(module, "inplace", None) is True and not isinstance(module, nn.ReLU):
            module.inplace = False  # type: ignore[assignment]  # the gradient needs what came in: in place, that is copied first
        else:
            continue
        count += 1
    return count


def _overlaps(convolution: nn.Conv2d) -> bool:
    return any(size > step for size, step in zip(convolution.kernel_size, convolution.stride, strict=True))


def _looks_at_one_pixel(convolution: nn.Conv2d) -> bool:
    shape = convolution.kernel_size, convolution.stride, convolution.padding
    return shape == ((1, 1), (1, 1), (0, 0)) and convolution.groups == 1


class _LaidOut(torch.autograd.Function):
    """The same values in a layout; the gradient in the layout that they had."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, values: Tensor, layout: torch.memory_format) -> Tensor:
        was_last = values.is_contiguous(memory_format=torch.channels_last)
        ctx.before = torch.channels_last if was_last else torch.contiguous_format  # type: ignore[attr-defined]
        return values.contiguous(memory_format=layout)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.contiguous(memory_format=ctx.before), None  # type: ignore[attr-defined]


def _put(values: object, layout: torch.memory_format) -> object:
    if not isinstance(values, Tensor) or values.ndim != IMAGE_AXES or values.is_contiguous(memory_format=layout):
        return values
    return cast("Tensor", _LaidOut.apply(values, layout))  # type: ignore[no-untyped-call]


def _enter_channels_last(_module: nn.Module, given: tuple[object, ...]) -> tuple[object, ...]:
    return (_put(given[0], torch.channels_last), *given[1:])


def _enter_usual(_module: nn.Module, given: tuple[object, ...]) -> tuple[object, ...]:
    return (_put(given[0], torch.contiguous_format), *given[1:])


def _leave_usual(_module: nn.Module, _given: tuple[object, ...], values: object) -> object:
    return _put(values, torch.channels_last)
