"""Quantised ONNX graphs, run by ONNX's runtime: they have logits but no gradient, and so can be targets only."""

from typing import Any

import torch
from torch import Tensor, nn

from zooscope.errors import MissingExtraError


class RunByRuntime(nn.Module):
    """A graph that onnxruntime runs on the CPU, wherever its pixels are. Its logits have no gradient."""

    def __init__(self, model: Any, *, what: str) -> None:  # noqa: ANN401  (protobuf is untyped)
        super().__init__()
        self._session = open_session(model, what=what)
        self._input = self._session.get_inputs()[0].name

    def forward(self, pixels: Tensor) -> Tensor:
        """What the graph gives for normalised pixels, in the layout that it takes."""
        (logits,) = self._session.run(None, {self._input: pixels.detach().cpu().float().contiguous().numpy()})
        return torch.from_numpy(logits).to(pixels.device)


def open_session(model: Any, *, what: str) -> Any:  # noqa: ANN401  (protobuf is untyped)
    """A graph in onnxruntime, with as many threads as PyTorch takes.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    try:
        import onnxruntime  # noqa: PLC0415  (needed here alone, and not part of the extra onnx)
    except ImportError as error:
        raise MissingExtraError(what, "onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
