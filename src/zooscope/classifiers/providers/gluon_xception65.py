"""The one network of the paper's 69 that timm no longer has: Gluon's Xception-65, with the names of its weights in timm 0.6.7.

Sources: Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017 (separable convolutions, three flows);
Chen et al., Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation, ECCV 2018, Figure 4 (more layers,
and strided convolutions in place of poolings); GluonCV's model zoo (batch normalization, and no activation, between the two halves
of a separable convolution; for classification nothing is dilated, so that the last grid has a 32nd of the image's side).
"""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.options import read_whole_number, refuse_unknown
from zooscope.classifiers.providers import timm
from zooscope.classifiers.weights import Checkpoint, fill, read_checkpoint
from zooscope.errors import ClassifierError

NAME: Final = "gluon_xception65"
ADDRESS: Final = f"paper:{NAME}"
FILE: Final = "gluon_xception-7015a15c.pth"
URL: Final = f"https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/{FILE}"
NUM_CLASSES: Final = 1000
SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(  # those of timm 0.6.7, under timm's names
    {
        "architecture": NAME,
        "input_size": (3, 299, 299),
        "interpolation": "bicubic",
        "crop_pct": 0.903,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
    }
)
MIDDLE_WIDTH: Final = 728
MIDDLE_BLOCKS: Final = range(4, 20)


def load(options: Mapping[str, str], *, name: str) -> Classifier:
    """The network with weights from a file: the one that is named, or that in torch hub's folder.

    Args:
        options: those of `timm:`. The number of classes is that of the weights.
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is no such option.
        ClassifierError: no file is named and there is none in torch hub's folder, or it doesn't fit.
        MissingFileError: the file that is named is not there.
        InvalidValueError: an option's value can't be used.
    """
    refuse_unknown(options, timm.OPTIONS, provider="paper")
    if "weights" in options:
        options = {**options, "weights": str(Path(options["weights"]).expanduser().resolve())}  # as from anywhere else
        file = Path(options["weights"])
    else:
        file = locate_weights()
        if not file.is_file():
            msg = f"{ADDRESS} can't be loaded: {explain_missing_weights()}"
            raise ClassifierError(msg)
    checkpoint = read_checkpoint(file, part=options.get("part"))
    network = GluonXception65(read_whole_number("num_classes", options) if "num_classes" in options else _count_classes(checkpoint))
    part = fill(network, checkpoint, architecture=f"Gluon's {NAME}")
    chosen = {"part": part} if part else {}
    address = write_address("paper", NAME, {**options, **chosen})
    return timm.make_classifier(network, options, name=name, address=address, asked=ADDRESS)


def _count_classes(checkpoint: Checkpoint) -> int:
    """The number of outputs of the last layer, whatever its name begins with."""
    biases = [value for part in checkpoint.parts for name, value in part.tensors.items() if f".{name}".endswith(".fc.bias")]
    return len(biases[0]) if biases else NUM_CLASSES


def locate_weights() -> Path:
    """Where timm 0.6.7 put the weights that it had downloaded: torch hub's folder. They need not be there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / FILE


def explain_missing_weights() -> str:
    """What to do where the weights are not in torch hub's folder, as the end of a sentence."""
    return (
        f"timm no longer has its weights, and there is no {locate_weights()}; put {URL} there, "
        f"or name a copy of it: {ADDRESS}?weights=FILE."
    )


@final
class GluonXception65(nn.Module):
    """Xception-65 as Gluon trained it: 65 convolutions in the longest path, counting a separable one once.

    Attributes:
        num_classes: the number of logits.
        pretrained_cfg: size of the images, interpolation, crop, mean and std, as timm's networks have them.
    """

    def __init__(self, num_classes: int = NUM_CLASSES) -> None:
        super().__init__()
        self.num_classes, self.pretrained_cfg = num_classes, dict(SETTINGS)
        self.conv1 = nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.block1 = _Block(64, 128, 128, 128, stride=2)
        self.block2 = _Block(128, 256, 256, 256, stride=2)
        self.block3 = _Block(256, MIDDLE_WIDTH, MIDDLE_WIDTH, MIDDLE_WIDTH, stride=2)
        self.mid = nn.Sequential(OrderedDict((f"block{number}", _Block(*4 * (MIDDLE_WIDTH,))) for number in MIDDLE_BLOCKS))
        self.block20 = _Block(MIDDLE_WIDTH, MIDDLE_WIDTH, 1024, 1024, stride=2)
        self.conv3 = _Separable(1024, 1536)
        self.bn3 = nn.BatchNorm2d(1536)
        self.conv4 = _Separable(1536, 1536)
        self.bn4 = nn.BatchNorm2d(1536)
        self.conv5 = _Separable(1536, 2048)
        self.bn5 = nn.BatchNorm2d(2048)
        self.fc = nn.Linear(2048, num_classes)

    def forward(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch num_classes"]:
        """Logits of normalized pixels."""
        values = self.bn1(self.conv1(pixels)).relu()
        values = self.bn2(self.conv2(values)).relu()
        values = self.block1(values).relu()
        values = self.mid(self.block3(self.block2(values)))
        values = self.block20(values).relu()
        values = self.bn3(self.conv3(values)).relu()
        values = self.bn4(self.conv4(values)).relu()
        values = self.bn5(self.conv5(values)).relu()
        logits: Tensor = self.fc(values.mean((2, 3)))
        return logits


@final
class _Separable(nn.Module):
    """A 3x3 convolution of each channel, batch normalization, then a 1x1 convolution across the channels."""

    def __init__(self, inside: int, outside: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(inside, inside, 3, stride=stride, padding=1, groups=inside, bias=False)
        self.bn = nn.BatchNorm2d(inside)
        self.conv_pw = nn.Conv2d(inside, outside, 1, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        mixed: Tensor = self.conv_pw(self.bn(self.conv_dw(values)))
        return mixed


@final
class _Block(nn.Module):
    """Three separable convolutions, each behind a ReLU and the last with the stride, beside a shortcut, which no ReLU precedes.

    Args:
        widths: the number of channels before the block and after each of its convolutions.
        stride: above 1, the shortcut is a convolution, too.
    """

    def __init__(self, *widths: int, stride: int = 1) -> None:
        super().__init__()
        self.skip: nn.Module | None = None
        if stride > 1:
            shortcut = nn.Conv2d(widths[0], widths[-1], 1, stride=stride, bias=False)
            self.skip = nn.Sequential(OrderedDict(conv1=shortcut, bn1=nn.BatchNorm2d(widths[-1])))
        layers = OrderedDict[str, nn.Module]()
        for number, (inside, outside) in enumerate(pairwise(widths), start=1):
            layers[f"act{number}"] = nn.ReLU()
            layers[f"conv{number}"] = _Separable(inside, outside, stride=stride if number == len(widths) - 1 else 1)
            layers[f"bn{number}"] = nn.BatchNorm2d(outside)
        self.rep = nn.Sequential(layers)

    def forward(self, values: Tensor) -> Tensor:
        changed: Tensor = self.rep(values)
        return changed + (values if self.skip is None else self.skip(values))
