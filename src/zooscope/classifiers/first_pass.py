"""Whether a network takes pixels of the size that it is asked for: told when it is loaded, not hours later."""

import torch
from torch import nn

from zooscope.classifiers.classifier import NUM_CHANNELS
from zooscope.classifiers.outputs import count_classes, describe_output
from zooscope.classifiers.probe import describe_failure
from zooscope.errors import ClassifierError


def count_outputs(network: nn.Module, size: tuple[int, int], *, what: str) -> int:
    """The number of logits that a network gives for one grey image.

    Args:
        network: in eval mode.
        size: height and width of the image.
        what: the network, as a sentence about it begins.

    Raises:
        ClassifierError: the network stumbles over such an image, or gives no logits.
    """
    height, width = size
    try:
        with torch.no_grad():  # in inference mode a network might keep a tensor that could take no part in a gradient later
            output = network(torch.full((1, NUM_CHANNELS, height, width), 0.5))
    except Exception as error:  # each network has its own way to stumble
        msg = f"{what} {describe_failure(network, size, error)}"
        raise ClassifierError(msg) from error
    count = count_classes(output)
    if count is None:
        msg = f"{what} must give logits of shape (1, classes) for one image: got {describe_output(output)}."
        raise ClassifierError(msg)
    return count
