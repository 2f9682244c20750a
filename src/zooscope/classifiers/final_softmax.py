"""Leaves out the softmax at the end of a network, so that it gives logits exactly."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.outputs import find_tensors


def drop_final_softmax(network: nn.Module, pixels: Float[Tensor, "batch channel height width"]) -> bool:
    """Puts an identity in place of the `nn.Softmax` that gives the network's output; tells whether there was one.

    One that the network uses elsewhere as well stays, and so does a softmax that is no module: then the probe refuses the network.

    Args:
        network: in eval mode.
        pixels: that it can take.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Softmax(dim=1)).eval()
        >>> drop_final_softmax(network, torch.rand(1, 3, 2, 2)), network[2]
        (True, Identity())
    """
    given: dict[str, list[Tensor]] = {}

    def keep(name: str, _module: nn.Module, _arguments: Any, output: Tensor) -> None:  # noqa: ANN401  (as a hook is called)
        given.setdefault(name, []).append(output)

    softmaxes = {name: module for name, module in network.named_modules() if isinstance(module, nn.Softmax) and name}
    hooks = [module.register_forward_hook(partial(keep, name)) for name, module in softmaxes.items()]
    try:
        with torch.no_grad():
            tensors = find_tensors(network(pixels))
    finally:
        for hook in hooks:
            hook.remove()
    last = [name for name, outputs in given.items() if len(outputs) == 1 and any(outputs[0] is tensor for tensor in tensors)]
    for name in last:
        network.set_submodule(name, nn.Identity().eval())
    return bool(last)
