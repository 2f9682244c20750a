"""The penultimate features of a network: what its final classification layer takes."""

from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.probe import make_probe_pixels

NUM_IMAGES: Final = 4
CLOSE: Final = 1e-4  # relative: other rows of a batch may be computed in another order


def find_final_layer(classifier: Classifier) -> nn.Module | None:
    """The layer that computes the logits: the last linear layer or convolution that runs. None where there is no such layer.

    It is one if it has an output for every class, or if nothing of the images reaches the logits around it: that is tried by giving
    all images its output for the first.
    """
    layers = [module for module in classifier.network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    ran: list[nn.Module] = []
    handles = [layer.register_forward_hook(lambda layer, _taken, _given: ran.append(layer)) for layer in layers]
    pixels = make_probe_pixels(classifier, NUM_IMAGES)
    with torch.inference_mode():
        try:
            classifier.logits(pixels)
        finally:
            for handle in handles:
                handle.remove()
        if not ran:
            return None
        last = ran[-1]
        width = last.out_features if isinstance(last, nn.Linear) else last.out_channels
        return last if width == classifier.num_classes or _is_bottleneck(classifier, last, pixels) else None


def compute_features(
    classifier: Classifier, layer: nn.Module, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Float[Tensor, "image feature"]:
    """What a layer takes, float32, on the CPU; the mean over places or tokens where it is applied to several."""
    taken: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _, given: taken.append(_average_places(given[0], layer)))
    try:
        with torch.inference_mode():
            for batch in pixels.split(batch_size):
                classifier.logits(batch.to(classifier.device))
    finally:
        handle.remove()
    return torch.cat([part.float().cpu() for part in taken])


def _is_bottleneck(classifier: Classifier, layer: nn.Module, pixels: Tensor) -> bool:
    def repeat_first(_layer: nn.Module, _taken: Any, given: Tensor) -> Tensor:  # noqa: ANN401  (whatever the layer takes)
        return given[:1].expand_as(given)

    handle = layer.register_forward_hook(repeat_first)
    try:
        logits = classifier.logits(pixels)
    finally:
        handle.remove()
    return bool(torch.allclose(logits, logits[:1].expand_as(logits), rtol=CLOSE, atol=CLOSE * float(logits.abs().max())))


def _average_places(values: Tensor, layer: nn.Module) -> Tensor:
    """(image, feature) from (image, ..., feature) of a linear layer, or (image, feature, height, width) of a convolution."""
    flat = values.flatten(2).mean(-1) if isinstance(layer, nn.Conv2d) else values.reshape(len(values), -1, values.shape[-1]).mean(1)
    return flat.detach()
