"""Weights from a file into a network: safetensors, or PyTorch's own format without its pickles."""

import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from zooscope.errors import ClassifierError, MissingFileError, first_line

WRAPPERS: Final = ("state_dict_ema", "model_ema", "state_dict", "model")
NUM_NAMED_IN_ERROR: Final = 3


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU.

    `.safetensors`, or what `torch.save` wrote and `torch.load(weights_only=True)` reads. Of a training checkpoint the (averaged)
    network's weights are taken; the prefix that DataParallel adds is removed.

    Raises:
        MissingFileError: there is no such file.
        ClassifierError: the file is damaged, holds objects other than tensors, or no weights.
    """
    if not file.is_file():
        msg = f"there is no checkpoint {file}; give the path of a .safetensors or .pth file."
        raise MissingFileError(msg)
    try:
        content = load_file(file) if file.suffix == ".safetensors" else torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        msg = (
            f"{file} holds more than tensors (or is damaged) and is not opened, since that could run code; "
            "save its state_dict() alone."
        )
        raise ClassifierError(msg) from error
    except Exception as error:  # a damaged file makes the readers stumble in many ways
        msg = f"{file} can't be read as a checkpoint ({first_line(error)}); save it again or fetch it anew."
        raise ClassifierError(msg) from error
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    if not isinstance(content, dict) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        msg = f"{file} holds no weights by name; save the network's state_dict()."
        raise ClassifierError(msg)
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def fill(network: nn.Module, weights: dict[str, Tensor], *, file: Path, architecture: str) -> None:
    """Loads weights into a network; every name and every shape must fit.

    Only the counts of training batches, which PyTorch did not always write and nothing here reads, may be missing.

    Raises:
        ClassifierError: names are missing or too many, or shapes differ; the first are named.
    """
    expected = network.state_dict()
    for problem, names in (
        ("lacks", [name for name in expected if name not in weights and not name.endswith("num_batches_tracked")]),
        ("has the unknown", [name for name in weights if name not in expected]),
        (
            "has other shapes for",
            [
                f"{name} {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
                for name, value in expected.items()
                if name in weights and weights[name].shape != value.shape
            ],
        ),
    ):
        if names:
            msg = f"{file} doesn't fit {architecture}: it {problem} {_listed(names)}. Check the architecture and its options."
            raise ClassifierError(msg)
    network.load_state_dict(expected | weights)


def misfit(error: RuntimeError) -> str | None:
    """What PyTorch's `load_state_dict` complains of, with the first names; None for another error."""
    text = str(error)
    if "loading state_dict" not in text:
        return None
    shapes = [
        f"{name} ({there}) instead of ({expected})"
        for name, there, expected in re.findall(r"size mismatch for (\S+): .*?Size\(\[(.*?)\]\).*?Size\(\[(.*?)\]\)", text)
    ]
    for problem, names in (
        ("has other shapes for", shapes),
        ("lacks", _quoted(text, "Missing")),
        ("has the unknown", _quoted(text, "Unexpected")),
    ):
        if names:
            return f"{problem} {_listed(names)}"
    return None


def _quoted(text: str, complaint: str) -> list[str]:
    return re.findall(r'"([^"]+)"', "".join(re.findall(rf"{complaint} key\(s\) in state_dict: (.*)", text)))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NUM_NAMED_IN_ERROR
    return ", ".join(names[:NUM_NAMED_IN_ERROR]) + (f" and {more} more" if more > 0 else "")
