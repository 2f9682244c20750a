"""What one pass of an image through a network takes: floating-point operations and memory."""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from zooscope.classifiers.classifier import NUM_CHANNELS
from zooscope.classifiers.outputs import find_tensors


class Pass(NamedTuple):
    """Of one image.

    Attributes:
        forward: floating-point operations of a forward pass; a multiplication and an addition are two.
        gradient: of a pass forward and back to the pixels; of one forward, where there is no gradient.
        weights: bytes of parameters and buffers.
        kept: bytes that a forward pass keeps for the way back.
    """

    forward: float
    gradient: float
    weights: int
    kept: int


def count_pass(network: nn.Module, size: tuple[int, int]) -> Pass:
    """Counts, without computing where the network allows that: on torch's meta device.

    Operations are those of matrix products, convolutions and attention, which torch's counter knows; others, such as norms and
    activations, count as none.

    Example:
        >>> count_pass(nn.Conv2d(3, 2, 1, bias=False).eval(), (4, 4))
        Pass(forward=192.0, gradient=384.0, weights=24, kept=192)

    Args:
        network: with frozen parameters.
        size: height and width of its pixels.
    """
    try:
        return _count(copy.deepcopy(network).to("meta"), size, torch.device("meta"))
    except Exception:  # noqa: BLE001  (networks that look at values, or can't be copied, are counted while they compute)
        parameter = next(network.parameters(), None)
        return _count(network, size, torch.device("cpu") if parameter is None else parameter.device)


def _count(network: nn.Module, size: tuple[int, int], device: torch.device) -> Pass:
    network.requires_grad_(requires_grad=False)
    kept = dict[int, int]()

    def keep(tensor: Tensor) -> Tensor:
        kept[id(tensor)] = tensor.numel() * tensor.element_size()
        return tensor

    pixels = torch.zeros((1, NUM_CHANNELS, *size), device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(pixels)
    forward = float(counter.get_total_flops())
    pixels.requires_grad_()
    with FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            logits = find_tensors(network(pixels))[0]
        if logits.requires_grad:
            logits.sum().backward()  # the counter does not take autograd.grad
    tensors = [*network.parameters(), *network.buffers()]
    weights = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    of_weights = {id(tensor) for tensor in tensors}
    return Pass(
        forward=forward,
        gradient=float(counter.get_total_flops()),
        weights=weights,
        kept=sum(size for name, size in kept.items() if name not in of_weights),
    )
