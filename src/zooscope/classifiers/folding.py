"""Batch normalisation, folded into the convolutions before it."""

from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import Tensor, nn

FOLDED: Final = (nn.BatchNorm2d, BatchNormAct2d)  # these classes alone: one of a user's may do more
CONVOLUTIONS: Final = (nn.Conv2d, Conv2dSame)


class _Pair(NamedTuple):
    """A convolution, and the batch normalisation that takes its output."""

    convolution: nn.Conv2d
    norm: nn.BatchNorm2d


def fold_batch_norms(network: nn.Module, pixels: Float[Tensor, "batch channel height width"]) -> int:
    """Folds every batch normalisation into the convolution whose output it takes; changes the network.

    In eval mode both are one convolution with other weights. Where the output of a convolution goes to something else, too, the
    network then gives other logits; so compare them.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU()).eval()
        >>> fold_batch_norms(network, torch.rand(1, 3, 2, 2)), network[1]
        (1, Identity())

    Args:
        network: in eval mode.
        pixels: normalised; one pass of them shows what takes the output of what.

    Returns:
        How many were folded.
    """
    pairs = _find_pairs(network, pixels)
    homes = [(module, name, child) for module in network.modules() for name, child in module.named_children()]
    for convolution, norm in pairs:
        _fold(convolution, norm)
        rest = nn.Sequential(norm.drop, norm.act) if isinstance(norm, BatchNormAct2d) else nn.Identity()
        for module, name, child in homes:
            if child is norm:
                setattr(module, name, rest.eval())
    return len(pairs)


def _find_pairs(network: nn.Module, pixels: Tensor) -> list[_Pair]:
    """Pairs of which each module runs once in a pass."""
    runs, given, pairs = dict[nn.Module, int](), dict[int, tuple[nn.Conv2d, Tensor]](), list[_Pair]()

    def note_output(module: nn.Module, _: object, output: Tensor) -> None:
        runs[module] = runs.get(module, 0) + 1
        if isinstance(module, nn.Conv2d):
            given[id(output)] = module, output  # kept, so that no other tensor takes its place in memory

    def note_input(module: nn.Module, taken: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.BatchNorm2d) and taken and id(taken[0]) in given:
            pairs.append(_Pair(given[id(taken[0])][0], module))

    handles = []
    for module in network.modules():
        if type(module) in FOLDED + CONVOLUTIONS:
            handles += [module.register_forward_hook(note_output), module.register_forward_pre_hook(note_input)]
    try:
        with torch.no_grad():
            network(pixels)
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in pairs if runs[pair.convolution] == runs[pair.norm] == 1 and pair.norm.running_var is not None]


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """One convolution for both; computed in float64, so that it is rounded once."""
    mean, variance = (value.double() for value in (norm.running_mean, norm.running_var) if value is not None)
    scale, shift = (variance + norm.eps).rsqrt(), torch.zeros_like(mean)
    if norm.affine:
        scale, shift = scale * norm.weight.double(), norm.bias.double()
    before = torch.zeros_like(mean) if convolution.bias is None else convolution.bias.double()
    weight = convolution.weight
    convolution.weight = nn.Parameter((weight.double() * scale.view(-1, 1, 1, 1)).to(weight.dtype), requires_grad=False)
    convolution.bias = nn.Parameter(((before - mean) * scale + shift).to(weight.dtype), requires_grad=False)
