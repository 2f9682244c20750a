"""Networks kept as ONNX graphs, converted to PyTorch so that they have gradients, and checked against ONNX's own reference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from onnx.reference import ReferenceEvaluator
from onnx2torch import convert
from torch import Tensor, nn

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.first_pass import num_outputs
from zooscope.classifiers.options import PREPROCESSING, adjusted, per_channel, refuse_unknown, whole
from zooscope.classifiers.providers.onnx_graph import ImageGraph, read_graph
from zooscope.errors import ClassifierError, first_line
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = (*PREPROCESSING, "num_classes")
TOLERANCE: Final = 1e-3  # of the largest logit: two ways to sum in float32 are far closer, and another operator is far off


class Converted(nn.Module):
    """A converted graph that takes any number of images.

    The digest of the graph is a buffer: it is part of what the classifier is, just as its weights.
    """

    def __init__(self, network: nn.Module, graph: ImageGraph, *, piece: int | None) -> None:
        super().__init__()
        self.network, self.piece, self.is_channels_last = network, piece, graph.is_channels_last
        self.register_buffer("graph", torch.tensor(list(graph.digest), dtype=torch.uint8))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of normalised pixels; in pieces of the batch for which the graph was made, if it takes no other."""
        shown = pixels.permute(0, 2, 3, 1) if self.is_channels_last else pixels
        if self.piece is None:
            logits: Tensor = self.network(shown)
            return logits
        missing = -len(shown) % self.piece
        filled = torch.cat([shown, shown[-1:].expand(missing, -1, -1, -1)]) if missing else shown
        return torch.cat([self.network(piece) for piece in filled.split(self.piece)])[: len(pixels)]


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A network from an ONNX file.

    The graph is converted by onnx2torch, and its logits for one image are compared with those of ONNX's reference evaluator, so
    that nothing is converted wrongly without a word. A softmax at the end is left out. No code in or beside the file is run.

    Args:
        rest: the file.
        options: `mean` and `std` (required, since a graph doesn't say them: three numbers, or one, in [0, 1] units), `size`
            (required where the graph takes any), `interpolation` (else bicubic), `crop` (else 1), `num_classes` (checked).
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is no such option.
        MissingFileError: there is no such file.
        ClassifierError: an option is missing, the file holds no image classifier, or an operator can't be converted.
        InvalidValueError: an option's value can't be used.
    """
    refuse_unknown(options, OPTIONS, provider="onnx")
    absent = [option for option in ("mean", "std") if option not in options]
    if absent:
        msg = (
            f"onnx:{rest} names no {absent[0]}; a graph doesn't say how it wants its pixels: add mean=0.5&std=0.5, or what it had."
        )
        raise ClassifierError(msg)
    file = Path(rest).expanduser().resolve()  # a study is run on from wherever one stands
    graph = read_graph(file)
    if graph.size is None and "size" not in options:
        msg = f"{file} takes images of any size; say which with size=."
        raise ClassifierError(msg)
    height, width = graph.size or (1, 1)
    transform = adjusted(PixelTransform(height=height, width=width), options)
    if graph.size not in {None, transform.size}:
        msg = f"{file} was made for images of {height}x{width} pixels; leave size= out, or export it for another."
        raise ClassifierError(msg)
    network = _network(graph, transform.size, file)
    num_classes = num_outputs(network, transform.size, what=str(file))
    if "num_classes" in options and whole("num_classes", options) != num_classes:
        msg = f"{file} gives {num_classes} logits, not {options['num_classes']}; correct num_classes=, or leave it out."
        raise ClassifierError(msg)
    return Classifier(
        name=name,
        network=network,
        num_classes=num_classes,
        transform=transform,
        mean=per_channel("mean", options, ()),
        std=per_channel("std", options, ()),
        address=write_address("onnx", str(file), options),
        architecture=f"ONNX graph of {len(graph.model.graph.node)} operators",
    )


def _network(graph: ImageGraph, size: tuple[int, int], file: Path) -> Converted:
    """The converted graph, after it has given the right logits, and a gradient."""
    try:
        network: nn.Module = convert(graph.model).eval()
    except Exception as error:  # each of the converter's operators stumbles in its own way
        msg = f"{file} can't be converted to PyTorch ({first_line(error)}); export it with opset 17 or older, or as a checkpoint."
        raise ClassifierError(msg) from error
    network.requires_grad_(requires_grad=False)
    batch = graph.batch or 1
    pixels = np.random.default_rng(0).standard_normal((2 * batch, 3, *size)).astype(np.float32)
    expected = _reference(graph, pixels[:batch], file)
    converted = Converted(network, graph, piece=batch).eval()
    shown = torch.from_numpy(pixels).requires_grad_()
    try:
        with torch.enable_grad():
            logits = converted(shown)
            gradient = torch.autograd.grad(logits.square().sum(), shown)[0] if logits.requires_grad else torch.zeros(())
    except Exception as error:  # as above
        msg = f"{file} was converted to PyTorch but doesn't run ({first_line(error)}); export it with opset 17 or older."
        raise ClassifierError(msg) from error
    if not _agree(logits[:batch].detach().numpy(), expected):
        msg = f"{file} gives other logits in PyTorch than by ONNX's reference: one of its operators is not converted rightly."
        raise ClassifierError(msg)
    if not gradient.isfinite().all() or not gradient.any():
        msg = f"the logits of {file} have no gradient with respect to the pixels, so no attack can be made for it."
        raise ClassifierError(msg)
    whole_batch = Converted(network, graph, piece=None).eval()
    return whole_batch if _takes_any_batch(whole_batch, shown.detach(), logits.detach()) else converted


def _reference(graph: ImageGraph, pixels: Any, file: Path) -> Any:  # noqa: ANN401  (arrays)
    """What ONNX's reference evaluator gives for the pixels."""
    shown = pixels.transpose(0, 2, 3, 1) if graph.is_channels_last else pixels
    initialised = {initializer.name for initializer in graph.original.graph.initializer}
    name = next(value.name for value in graph.original.graph.input if value.name not in initialised)
    try:
        outputs: Any = ReferenceEvaluator(graph.original).run(None, {name: np.ascontiguousarray(shown)})
    except Exception as error:  # what can't be evaluated can't be checked
        msg = f"{file} can't be evaluated by ONNX's reference ({first_line(error)}), so its conversion can't be checked."
        raise ClassifierError(msg) from error
    return outputs[0]


def _agree(ours: Any, theirs: Any) -> bool:  # noqa: ANN401  (arrays)
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() <= TOLERANCE * max(np.abs(theirs).max(), 1e-6))


def _takes_any_batch(network: Converted, pixels: Tensor, expected: Tensor) -> bool:
    """Whether other batches give the same logits at once as in pieces: some graphs have the batch written into them."""
    try:
        with torch.no_grad():
            twice, odd = network(pixels), network(pixels[1:])
    except Exception:  # noqa: BLE001  (a graph made for one batch stumbles over another in any way)
        return False
    return _agree(twice.numpy(), expected.numpy()) and _agree(odd.numpy(), expected[1:].numpy())
