"""What a file of weights holds: safetensors, or PyTorch's own format without running what a pickle names."""

import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file

from zooscope.classifiers.inert_pickle import read_inertly
from zooscope.errors import ClassifierError, MissingFileError
from zooscope.stand_ins import recognize_stand_in

HEAD: Final = 512  # bytes that tell the format
AGAIN: Final = "fetch it anew"
UNPACK: Final = "unpack it, and name the file with the weights"
CUT: Final = "it is cut short or damaged"
KINDS: Final = (
    (b"\x1f\x8b", "it is compressed by gzip", UNPACK),
    (b"BZh", "it is compressed by bzip2", UNPACK),
    (b"\xfd7zXZ", "it is compressed by xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstandard", UNPACK),
    (b"7z\xbc\xaf", "it is a 7-Zip archive", UNPACK),
    (b"Rar!", "it is a RAR archive", UNPACK),
    (b"PK", "it is a zip archive that is cut short or damaged", AGAIN),
    (b"\x89HDF", "it is an HDF5 file, as Keras writes them", "give PyTorch's weights"),
    (b"GGUF", "it is a GGUF file, whose weights are mostly quantised", "give PyTorch's weights in full precision"),
)
TAR: Final = slice(257, 262)
SAFETENSORS: Final = slice(4, 9)  # of the header's length in eight bytes the last four, and the header's first character


def read_content(file: Path) -> Any:  # noqa: ANN401  (whatever was saved)
    """What a checkpoint holds, on the CPU; its format is told by its content, not by its name.

    PyTorch's files are read by `torch.load(weights_only=True)`. One that this refuses, since it holds objects besides weights (the
    settings of a training script, numbers of NumPy), is read with stand-ins for these objects: nothing that the file names is run.

    Raises:
        MissingFileError: there is no such file.
        ClassifierError: it is damaged, or something else than a checkpoint.
    """
    if file.is_dir():
        msg = f"there is no checkpoint {file}, but a folder; name the .safetensors or .pth file in it."
        raise MissingFileError(msg)
    if not file.is_file():
        msg = f"there is no checkpoint {file}; give the path of a .safetensors or .pth file."
        raise MissingFileError(msg)
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD)
    except OSError as error:
        msg = f"{file} can't be opened ({error.strerror}); check its permissions."
        raise ClassifierError(msg) from error
    if not head:
        raise _describe_unreadable(file, "it is empty", AGAIN)
    if head[SAFETENSORS] == b"\0\0\0\0{":
        try:
            return load_file(file)
        except Exception as error:  # a damaged file makes the reader stumble in many ways
            raise _describe_unreadable(file, CUT, AGAIN) from error
    if zipfile.is_zipfile(file):
        _require_weights(file)
    elif not head.startswith(b"\x80"):  # a pickle
        raise _describe_unreadable(file, *_describe_other_kind(file, head))
    return _read_torch(file)


def _read_torch(file: Path) -> Any:  # noqa: ANN401  (as above)
    """A file that looks as if `torch.save` wrote it. What PyTorch says of one is never shown: it advises to run its code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with file.open("rb") as opened:  # not by name, whose ending torch would trust
                return torch.load(opened, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        pass
    except Exception as error:  # a damaged file makes the reader stumble in many ways
        raise _describe_unreadable(
            file, f"{CUT}, or not written by torch.save", f"{AGAIN}, or save it again by torch.save"
        ) from error
    try:
        return read_inertly(file)
    except Exception as error:  # as above
        raise _describe_unreadable(file, CUT, f"{AGAIN}, or save the network's state_dict() alone") from error


def _require_weights(file: Path) -> None:
    """Refuses a zip archive that is none of `torch.save`."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except Exception as error:  # a damaged archive makes the reader stumble in many ways
        raise _describe_unreadable(file, CUT, AGAIN) from error
    if any("/code/" in name for name in names) or any(name.endswith("/constants.pkl") for name in names):
        what = "it is a TorchScript archive, which holds a program"
        raise _describe_unreadable(file, what, "save the state_dict() of the network that it was made of")
    if not any(name.endswith("/data.pkl") for name in names):
        raise _describe_unreadable(file, "it is a zip archive, but not one of torch.save", UNPACK)


def _describe_other_kind(file: Path, head: bytes) -> tuple[str, str]:
    """What a file is instead of a checkpoint, and what to do."""
    stand_in = recognize_stand_in(head)
    if stand_in is not None:
        return f"it is {stand_in.what}", stand_in.advice
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, what, advice in KINDS:
        if head.startswith(start):
            return what, advice
    if head[TAR] == b"ustar":
        return "it is a tar archive", UNPACK
    if text.startswith(b"<"):
        return "it is a web page, or XML", "fetch the file itself"
    if text.startswith((b"{", b"[")):
        return _describe_json(file)
    return "it is neither safetensors nor a file of torch.save", "give one of these"


def _describe_json(file: Path) -> tuple[str, str]:
    try:
        files = sorted(set(json.loads(file.read_bytes())["weight_map"].values()))
    except Exception:  # noqa: BLE001  (whatever it is, it is no index)
        return "it is JSON text", "name the file with the weights"
    what = f"it is the index of weights in {len(files)} files"
    return what, "load them with the library that wrote them, and save the network's state_dict() into one file"


def _describe_unreadable(file: Path, what: str, advice: str) -> ClassifierError:
    return ClassifierError(f"{file} can't be read as a checkpoint: {what}; {advice}.")
