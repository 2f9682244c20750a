"""A named network from pixels in [0, 1] to logits."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.arguments import check_arguments
from zooscope.classifiers.outputs import describe_output, find_logits
from zooscope.errors import ClassifierError, InvalidValueError, first_line
from zooscope.images.pixel_transform import PixelTransform
from zooscope.inline.facts import format_facts
from zooscope.words import format_transform

NUM_CHANNELS: Final = 3


@check_arguments
@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A network in eval mode with frozen parameters, and all that lies between an image and its logits.

    Attributes:
        name: what the classifier is called in a study, unique there.
        network: takes normalised pixels, gives logits of shape (batch, num_classes), or something that holds such a tensor (see
            `zooscope.classifiers.outputs`). Its parameters are frozen here.
        num_classes: how many logits it gives. Of a network for two classes with one logit x, (0, x) is taken.
        transform: how its pixels are made from an image.
        mean: taken out of the pixels, per channel, in [0, 1] units.
        std: what the pixels are then divided by, per channel.
        address: what `load_classifier` takes to load it again; None for a network made by hand.
        architecture: what is built, without weights.
        class_names: what the network calls its outputs; None where it doesn't say.
        class_matching: how they were matched with the classes of a study's images; empty where they weren't.

    Example:
        >>> from torch import nn
        >>> import zooscope
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)).eval()
        >>> transform = zooscope.PixelTransform(height=32, width=32)
        >>> linear = zooscope.Classifier(name="linear", network=network, num_classes=10, transform=transform)
        >>> images = zooscope.load_images("bundled:cifar10").sample(5)
        >>> linear.logits(images.pixels(linear)).shape
        torch.Size([5, 10])
    """

    name: str
    network: nn.Module
    num_classes: int
    transform: PixelTransform
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    address: str | None = None
    architecture: str = ""
    class_names: tuple[str, ...] | None = None
    class_matching: str = ""

    def __post_init__(self) -> None:
        """Refuses networks in training mode, freezes parameters."""
        if not self.name or any(not character.isprintable() for character in self.name):
            msg = f"a classifier's name must be printable text: got {self.name!r}."
            raise InvalidValueError(msg)
        if any(module.training for module in self.network.modules()):
            raise ClassifierError(self._in_training_mode)
        if self.num_classes < 2:  # noqa: PLR2004  (one class is none to choose from)
            msg = f"{self.name} gives one logit: say num_classes=2, if it stands for two classes, to take (0, logit) for them."
            raise ClassifierError(msg)
        if not all(deviation > 0 for deviation in self.std):
            msg = f"{self.name}: std must be positive: got {self.std}."
            raise InvalidValueError(msg)
        if self.class_names is not None and len(self.class_names) != self.num_classes:
            msg = f"{self.name} has {self.num_classes} outputs, but {len(self.class_names)} names for them; name each of them once."
            raise InvalidValueError(msg)
        self.network.requires_grad_(requires_grad=False)

    def __repr__(self) -> str:
        """Name, classes and size."""
        height, width = self.transform.size
        return f"Classifier({self.name!r}, {self.num_classes} classes, {height}x{width})"

    def _repr_html_(self) -> str:
        facts = {
            "name": self.name,
            "address": self.address or "made by hand",
            "architecture": self.architecture,
            "parameters": f"{sum(parameter.numel() for parameter in self.network.parameters()):,}",
            "classes": self.num_classes,
            "pixels": format_transform(asdict(self.transform)),
            "mean, std": f"{self.mean}, {self.std}",
            "outputs": self.class_matching,
        }
        return format_facts("Classifier", facts)

    @property
    def device(self) -> torch.device:
        """Where the parameters are; the CPU for a network without any."""
        parameter = next(self.network.parameters(), None)
        return torch.device("cpu") if parameter is None else parameter.device

    def to(self, device: torch.device | str) -> "Classifier":
        """Moves the network to a device and gives the classifier back.

        >>> linear.to("cpu").device
        device(type='cpu')

        Raises:
            InvalidValueError: there is no such device.
        """
        try:
            self.network.to(torch.device(device))
        except RuntimeError as error:
            msg = f"{self.name} can't be moved to the device {str(device)!r} ({first_line(error)}); name another."
            raise InvalidValueError(msg) from error
        return self

    def logits(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch cls"]:
        """What the network says of the pixels, differentiable with respect to them.

        >>> import torch
        >>> pixels = torch.rand(2, 3, 32, 32, requires_grad=True)
        >>> linear.logits(pixels).sum().backward()
        >>> pixels.grad.shape
        torch.Size([2, 3, 32, 32])

        Args:
            pixels: float in [0, 1], three channels, at the classifier's own size, on its device.

        Raises:
            InvalidValueError: the pixels have another shape or type.
            ClassifierError: the network is in training mode, or its output is no floats of shape (batch, num_classes).
        """
        expected = (NUM_CHANNELS, *self.transform.size)
        if pixels.ndim != 4 or tuple(pixels.shape[1:]) != expected or not pixels.is_floating_point():  # noqa: PLR2004
            msg = (
                f"{self.name} takes float pixels of shape (batch, {', '.join(map(str, expected))}): "
                f"got {pixels.dtype} of shape {tuple(pixels.shape)}. Make them with images.pixels(classifier)."
            )
            raise InvalidValueError(msg)
        if self.network.training:
            raise ClassifierError(self._in_training_mode)
        mean, std = self._normalisation(pixels)
        output: Any = self.network((pixels - mean) / std)
        logits = find_logits(output, num_images=len(pixels), num_classes=self.num_classes)
        if logits is None:
            msg = (
                f"{self.name}: the network must give logits as floating-point numbers of shape (batch, {self.num_classes}) = "
                f"({len(pixels)}, {self.num_classes}): got {describe_output(output)}."
            )
            raise ClassifierError(msg)
        return logits

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names, types, shapes and values of all weights and buffers: the identity of the classifier."""
        total = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            values = value.detach().cpu().contiguous()
            total.update(f"{name} {values.dtype} {tuple(values.shape)}\0".encode())
            total.update(values.flatten().view(torch.uint8).numpy().tobytes())
        return total.hexdigest()

    @property
    def _in_training_mode(self) -> str:
        return f"{self.name}: the network is in training mode, where it answers differently each time; call network.eval() first."

    @cached_property
    def _constants(self) -> dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]]:
        return {}

    def _normalisation(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and std beside the pixels, made once per device and type: a copy per step would hold up a GPU."""
        key = pixels.device, pixels.dtype
        if key not in self._constants:
            shape = (1, NUM_CHANNELS, 1, 1)
            with torch.inference_mode(mode=False):  # a tensor born in inference mode could never take part in a gradient
                mean, std = (
                    torch.tensor(values, device=pixels.device, dtype=pixels.dtype).view(shape) for values in (self.mean, self.std)
                )
            self._constants[key] = mean, std
        return self._constants[key]
