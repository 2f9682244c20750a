"""What a file is, told by what is in it."""

import argparse
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from zooscope.classifiers.weights_file import read_content
from zooscope.errors import ClassifierError, MissingFileError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"
INDEX = json.dumps(
    {"metadata": {}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}
)


def weights() -> dict[str, Tensor]:
    return {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.tensor([1.0, -1.0])}


def assert_same(read: dict[str, Tensor]) -> None:
    assert read.keys() == weights().keys()
    assert all(torch.equal(read[name], value) for name, value in weights().items())


def saved(content: object, *, as_zip: bool = True) -> bytes:
    written = io.BytesIO()
    torch.save(content, written, _use_new_zipfile_serialization=as_zip)
    return written.getvalue()


def packed(as_what: str) -> bytes:
    written = io.BytesIO()
    if as_what == "zip":
        with zipfile.ZipFile(written, "w") as archive:
            archive.writestr("weights.pth", saved(weights()))
    else:
        with tarfile.open(fileobj=written, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("weights.pth"))
    return written.getvalue()


@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a.bin", "a.ckpt", "a.pth.tar", "a.safetensors", "A.SAFETENSORS", "a"])
@pytest.mark.parametrize("how", ["zip", "legacy", "safetensors"])
def test_weights_are_read_whatever_the_file_is_called(tmp_path: Path, name: str, how: str) -> None:
    file = tmp_path / name
    file.write_bytes(save(weights()) if how == "safetensors" else saved(weights(), as_zip=how == "zip"))
    assert_same(read_content(file))


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_objects_beside_the_weights_are_skipped(tmp_path: Path, *, as_zip: bool) -> None:
    (tmp_path / "a.pth").write_bytes(saved({"model": weights(), "args": argparse.Namespace(epochs=3)}, as_zip=as_zip))
    assert_same(read_content(tmp_path / "a.pth")["model"])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*a\.pth; give the path of a \.safetensors or \.pth file"):
        read_content(tmp_path / "a.pth")


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(
        MissingFileError, match=r"there is no checkpoint .*, but a folder; name the \.safetensors or \.pth file in it"
    ):
        read_content(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty; fetch it anew"),
        (b"This is no checkpoint.\n", r"it is neither safetensors nor a file of torch\.save"),
        (bytes(range(256)) * 8, r"it is neither safetensors nor a file of torch\.save"),
        (POINTER, "it is a git-lfs pointer that stands for the file; fetch it with `git lfs pull`"),
        (b"\n <!DOCTYPE html><html>Log in</html>", "it is a web page .*; fetch the file itself"),
        (b"\xef\xbb\xbf<html>404</html>", "it is a web page"),
        (INDEX.encode(), r"it is the index of weights in 2 files; .* save the network's state_dict\(\) into one file"),
        (b'{"a": 1}', "it is JSON text; name the file with the weights"),
        (b"[1, 2]", "it is JSON text"),
        (gzip.compress(saved(weights())), "it is compressed by gzip; unpack it"),
        (bz2.compress(saved(weights())), "it is compressed by bzip2; unpack it"),
        (lzma.compress(saved(weights())), "it is compressed by xz; unpack it"),
        (packed("tar"), "it is a tar archive; unpack it, and name the file with the weights"),
        (packed("zip"), r"it is a zip archive, but not one of torch\.save; unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "it is an HDF5 file, as Keras writes them; give PyTorch's weights"),
        (saved(weights())[:-100], "it is a zip archive that is cut short or damaged; fetch it anew"),
        (saved(weights(), as_zip=False)[:-10], "it is cut short or damaged, or not written by torch.save; fetch it anew"),
        (saved({"a": argparse.Namespace(), **weights()}, as_zip=False)[:-10], "it is cut short or damaged; fetch it anew"),
        (save(weights())[:-10], "it is cut short or damaged; fetch it anew"),
        (save(weights())[:20], "it is cut short or damaged; fetch it anew"),
        (b"\x80\x02}q\x00.", r"it is cut short or damaged, or not written by torch\.save"),
    ],
)
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_file_of_something_else_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ClassifierError, match=rf"{name} can't be read as a checkpoint: {message}"):
        read_content(tmp_path / name)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_torchscript_archive_is_not_run(tmp_path: Path) -> None:
    torch.jit.trace(nn.Linear(3, 2), torch.zeros(1, 3)).save(tmp_path / "a.pt")
    with pytest.raises(ClassifierError) as caught:
        read_content(tmp_path / "a.pt")
    assert "it is a TorchScript archive, which holds a program; save the state_dict() of the network" in str(caught.value)
    assert "weights_only" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(weights(), tmp_path / "a.safetensors")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ClassifierError, match=r"a\.safetensors can't be opened \(Permission denied\); check its permissions"):
        read_content(tmp_path / "a.safetensors")
