"""Networks kept as ONNX graphs, converted to PyTorch so that they have gradients, and checked against ONNX's own reference.

Quantised ones have no gradients; they are run by onnxruntime, and can be targets only.
"""

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
from zooscope.classifiers.first_pass import count_outputs
from zooscope.classifiers.options import (
    PREPROCESSING,
    adjust,
    read_per_channel,
    refuse_unknown,
    settle_num_classes,
)
from zooscope.classifiers.providers.onnx_graph import ImageGraph, read_graph
from zooscope.classifiers.providers.onnx_runtime import RunByRuntime, open_session
from zooscope.errors import ClassifierError, ZooscopeError, first_line
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = (*PREPROCESSING, "num_classes")
ADVICE: Final = "export it with another opset (13 to 17), or give a checkpoint"
LEVELS: Final = 0.02  # how far quantised probabilities may be from those of the logits
HALF_TOLERANCE: Final = 3e-2  # as below, in half precision
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
        else:
            missing = -len(shown) % self.piece
            filled = torch.cat([shown, shown[-1:].expand(missing, -1, -1, -1)]) if missing else shown
            logits = torch.cat([self.network(piece) for piece in filled.split(self.piece)])[: len(pixels)]
        is_padded = logits.ndim > 2 and logits.shape[1] == logits.shape[1:].numel()  # noqa: PLR2004  (images by classes, by 1, by 1)
        return logits.flatten(1) if is_padded else logits


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A network from an ONNX file.

    The graph is converted by onnx2torch, and its logits for one image are compared with those of ONNX's reference evaluator, so
    that nothing is converted wrongly without a word. A softmax at the end is left out, also where operators that change no value
    follow it. No code in or beside the file is run. A quantised graph is run by onnxruntime, and has no gradient.

    Args:
        rest: the file.
        options: `mean` and `std` (required, since a graph doesn't say them: three numbers, or one, in [0, 1] units), `size`
            (required where the graph takes any), `interpolation` (else bicubic), `crop` (else 1), `num_classes` (checked;
            2 where one logit stands for two).
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is no such option.
        MissingFileError: there is no such file.
        ClassifierError: an option is missing, the file holds no image classifier, or an operator can't be converted.
        InvalidValueError: an option's value can't be used.
        MissingExtraError: the graph is quantised, and onnxruntime is not installed.
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
    transform = adjust(PixelTransform(height=height, width=width), options)
    if graph.size not in {None, transform.size}:
        msg = f"{file} was made for images of {height}x{width} pixels; leave size= out, or export it for another."
        raise ClassifierError(msg)
    mean, std = (read_per_channel(option, options, ()) for option in ("mean", "std"))
    pixels = (np.random.default_rng(0).random((2 * (graph.batch or 1), *transform.size, 3)) - mean) / std
    pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
    network = _make_network(graph, pixels, file)
    num_outputs = count_outputs(network, transform.size, what=str(file))
    num_classes = settle_num_classes(num_outputs, options, what=str(file), advice="correct num_classes=, or leave it out")
    kind = "quantised ONNX graph" if graph.quantised else "ONNX graph"
    return Classifier(
        name=name,
        network=network,
        num_classes=num_classes,
        transform=transform,
        mean=mean,
        std=std,
        address=write_address("onnx", str(file), options),
        architecture=f"{kind} of {len((graph.model or graph.logits).graph.node)} operators",
    )


def _make_network(graph: ImageGraph, pixels: Any, file: Path) -> Converted:  # noqa: ANN401  (arrays)
    """The graph as a network, after it has given the right logits for two batches of pixels."""
    batch = graph.batch or 1
    network = _run_by_runtime(graph, file) if graph.quantised else _run_by_torch(graph, file)
    converted = Converted(network, graph, piece=batch).eval()
    shown = torch.from_numpy(pixels).requires_grad_()
    try:
        with torch.enable_grad():
            logits = converted(shown)
            if logits.requires_grad:
                torch.autograd.grad(logits.sum(), shown, allow_unused=True)
    except Exception as error:  # each operator stumbles in its own way
        how = "can't be run by onnxruntime" if graph.quantised else "was converted to PyTorch but doesn't run"
        msg = f"{file} {how} ({first_line(error)}); {ADVICE}."
        raise ClassifierError(msg) from error
    if not logits.is_floating_point():
        msg = f"{file} gives whole numbers ({str(logits.dtype).removeprefix('torch.')}), not logits; export it without ArgMax."
        raise ClassifierError(msg)
    _require_agreement(logits[:batch].detach().numpy(), _compute_reference(graph, pixels[:batch], file), graph, file)
    whole_batch = Converted(network, graph, piece=None).eval()
    return (
        whole_batch
        if _accepts_any_batch(whole_batch, shown.detach(), logits.detach(), HALF_TOLERANCE if graph.is_half else TOLERANCE)
        else converted
    )


def _run_by_torch(graph: ImageGraph, file: Path) -> nn.Module:
    try:
        network: nn.Module = convert(graph.model).eval()
    except Exception as error:  # each of the converter's operators stumbles in its own way
        msg = f"{file} can't be converted to PyTorch ({first_line(error)}); {ADVICE}."
        raise ClassifierError(msg) from error
    return network.requires_grad_(requires_grad=False)


def _run_by_runtime(graph: ImageGraph, file: Path) -> nn.Module:
    what = f"{file} is quantised ({', '.join(graph.quantised)}): it can be a target only, and it"
    try:
        return RunByRuntime(graph.logits, what=what).eval()
    except ZooscopeError:
        raise
    except Exception as error:  # the runtime has errors of its own
        msg = f"{file} can't be run by onnxruntime ({first_line(error)}); export it anew."
        raise ClassifierError(msg) from error


def _compute_reference(graph: ImageGraph, pixels: Any, file: Path) -> Any:  # noqa: ANN401  (arrays)
    """What the graph as it was gives for the pixels, by ONNX's reference evaluator; by onnxruntime if it is quantised."""
    shown = pixels.transpose(0, 2, 3, 1) if graph.is_channels_last else pixels
    initialised = {initializer.name for initializer in graph.original.graph.initializer}
    name = next(value.name for value in graph.original.graph.input if value.name not in initialised)
    try:
        reference = open_session(graph.original, what=str(file)) if graph.quantised else ReferenceEvaluator(graph.original)
        with np.errstate(all="ignore"):
            outputs: Any = reference.run(None, {name: np.ascontiguousarray(shown)})
    except Exception as error:  # what can't be evaluated can't be checked
        msg = f"{file} can't be evaluated by ONNX's reference ({first_line(error)}), so its conversion can't be checked."
        raise ClassifierError(msg) from error
    return outputs


def _require_agreement(ours: Any, theirs: Any, graph: ImageGraph, file: Path) -> None:  # noqa: ANN401  (arrays)
    """Compares logits with those of the graph as it was, and the probabilities that it gave with those of the logits."""
    *probabilities, expected = theirs
    tolerance = HALF_TOLERANCE if graph.is_half else TOLERANCE
    if not np.isfinite(expected).all():
        msg = f"{file} gives NaN or infinite logits for ordinary pixels; check its weights."
        raise ClassifierError(msg)
    if not _agree(ours, expected.reshape(ours.shape) if expected.size == ours.size else expected, tolerance):
        msg = f"{file} gives other logits in PyTorch than by ONNX's reference: one of its operators is not converted rightly."
        raise ClassifierError(msg)
    if graph.ending is None:
        return
    logits = torch.from_numpy(ours).double()
    own = (logits.softmax(1) if graph.ending.is_softmax else logits.sigmoid()).numpy()
    off = np.abs(own - probabilities[0].reshape(ours.shape))  # NaN where a softmax that is spelt out overflows
    if np.nanmax(off, initial=0.0) > (LEVELS if graph.quantised else tolerance):
        msg = f"the softmax at the end of {file} is not over the classes, so its logits can't be told; export it with the logits."
        raise ClassifierError(msg)


def _agree(ours: Any, theirs: Any, tolerance: float) -> bool:  # noqa: ANN401  (arrays)
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() <= tolerance * max(np.abs(theirs).max(), 1e-6))


def _accepts_any_batch(network: Converted, pixels: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether other batches give the same logits at once as in pieces: some graphs have the batch written into them."""
    try:
        with torch.no_grad():
            twice, odd = network(pixels), network(pixels[1:])
    except Exception:  # noqa: BLE001  (a graph made for one batch stumbles over another in any way)
        return False
    pairs = ((twice, expected), (odd, expected[1:]))
    return all(_agree(ours.numpy(), theirs.numpy(), tolerance) for ours, theirs in pairs)
