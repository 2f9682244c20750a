"""A probe pack's file: safetensors, with a description and a checksum of every part. Nothing in it can run.

The header's metadata has four texts: `format`, `version`, `description` (JSON: everything that is no array) and `checksums` (JSON:
SHA-256 of every array's name, type, shape and bytes). A fifth, `digest`, is the SHA-256 of these four: the pack's identity.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zooscope.errors import MissingFileError, StudyError, first_line
from zooscope.outputs import write_bytes

FORMAT: Final = "zooscope probe pack"
VERSION: Final = "1"
_SIGNED: Final = ("format", "version", "description", "checksums")
_OPEN: Final[Any] = safe_open  # untyped
_AGAIN: Final = "get it again, or make it anew with `zooscope probe make`"


@final
class PackFile:
    """A pack's file, open: its description is read and compared with its digest, its arrays when they are asked for."""

    def __init__(self, path: str | Path) -> None:
        """Opens a file and reads its header.

        Raises:
            MissingFileError: there is none.
            StudyError: it is no pack, one of another version, or damaged.
        """
        self.path = Path(path)
        if not self.path.is_file():
            msg = f"there is no file {self.path}; give a pack that `zooscope probe make` wrote."
            raise MissingFileError(msg)
        try:
            self._opened = _OPEN(self.path, framework="pt")
            metadata = dict(self._opened.metadata() or {})
        except (SafetensorError, OSError) as error:
            msg = f"{self.path} is no probe pack, or damaged ({first_line(error)}); {_AGAIN}."
            raise StudyError(msg) from error
        if metadata.get("format") != FORMAT:
            msg = f"{self.path} is no probe pack; give a file that `zooscope probe make` wrote."
            raise StudyError(msg)
        if metadata.get("version") != VERSION:
            msg = (
                f"{self.path} is a probe pack of version {metadata.get('version')}, this zooscope reads version {VERSION}; "
                "install the zooscope that made it, or make it anew with `zooscope probe make`."
            )
            raise StudyError(msg)
        if metadata.get("digest") != _sign(metadata):
            part = "its description"
            raise self._describe_damage(part)
        self.digest: str = metadata["digest"]
        self.description: dict[str, Any] = json.loads(metadata["description"])
        self._checksums: dict[str, str] = json.loads(metadata["checksums"])
        missing = sorted(self._checksums.keys() ^ set(self._opened.keys()))
        if missing:
            raise self._describe_damage(missing[0])

    def read(self, name: str) -> Tensor:
        """An array of the pack, compared with its checksum.

        Raises:
            StudyError: it is not there, or not as it was written.
        """
        if name not in self._checksums:
            raise self._describe_damage(name)
        values: Tensor = self._opened.get_tensor(name)
        if _compute_checksum(name, values) != self._checksums[name]:
            raise self._describe_damage(name)
        return values

    def check(self) -> None:
        """Compares every array with its checksum.

        Raises:
            StudyError: one is not as it was written.
        """
        for name in self._checksums:
            self.read(name)

    def _describe_damage(self, part: str) -> StudyError:
        return StudyError(f"{self.path} is damaged ({part} is not as it was written); {_AGAIN}.")


def write_pack_file(path: Path, description: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> None:
    """Writes a pack, as a whole or not at all.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_pack_file(Path(folder, "pack.zoo"), {"names": ["a"]}, {"labels": torch.arange(3)})
        ...     file = PackFile(Path(folder, "pack.zoo"))
        ...     file.description, file.read("labels")
        ({'names': ['a']}, tensor([0, 1, 2]))

    Args:
        path: of the file.
        description: in JSON's types.
        arrays: by name.

    Raises:
        StudyError: it can't be written.
    """
    kept = {name: values.contiguous() for name, values in arrays.items()}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "description": json.dumps(description),
        "checksums": json.dumps({name: _compute_checksum(name, values) for name, values in kept.items()}),
    }
    write_bytes(path, save(kept, metadata | {"digest": _sign(metadata)}))


def _compute_checksum(name: str, values: Tensor) -> str:
    head = json.dumps([name, str(values.dtype), list(values.shape)]).encode()
    return hashlib.sha256(head + values.contiguous().flatten().view(torch.uint8).numpy().tobytes()).hexdigest()


def _sign(metadata: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([metadata.get(key, "") for key in _SIGNED]).encode()).hexdigest()
