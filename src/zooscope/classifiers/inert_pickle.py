"""Tensors out of a PyTorch file that holds other objects, too: these become stand-ins, and nothing that the file names is run.

A pickle is a program that calls what it names. Here every name, whatever it is, stands for a class of `StandIn`, which only keeps
what it is given. So the program can make only stand-ins, numbers, texts and containers, and can call only stand-ins. Tensors are
put together afterwards, from what the stand-ins of PyTorch's own functions were given and the raw numbers in the file.
"""

import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import torch
from torch import Tensor

DEEPEST: Final = 6  # dictionaries within dictionaries that are searched for tensors
LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
LEGACY_VERSION: Final = 1001
LEGACY_LENGTH: Final = 8  # bytes in front of each storage, which say how many elements it has
DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
TENSORS: Final = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
PARAMETERS: Final = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
TYPED: Final = "torch._tensor._rebuild_from_type_v2"
PLAIN_TYPES: Final = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")


class StandIn:
    """Stands for an object that the file describes, and keeps what weights could be in.

    Attributes:
        origin: what the file calls the function or class, with its module.
        given: what it was called with.
        entries: as of a dictionary.
    """

    origin: ClassVar[str] = ""

    given: tuple[object, ...]
    entries: dict[Any, Any]

    def __new__(cls, *given: object, **_named: object) -> "StandIn":  # noqa: PYI034  (cls may be an object)
        """Keeps what is given."""
        taken: object = cls
        made: StandIn = object.__new__(taken if isinstance(taken, type) else StandIn)
        made.given, made.entries = given, {}
        return made

    def __call__(self, *given: object, **named: object) -> "StandIn":
        """What an object that the program calls would give."""
        return StandIn(*given, **named)

    def __setstate__(self, state: object) -> None:
        """Drops the state, whatever it is."""

    def __setitem__(self, key: object, value: object) -> None:
        """Keeps an entry."""
        self.entries[key] = value

    def extend(self, elements: object) -> None:
        """Drops elements, as of a list: weights by name are in none."""

    def add(self, element: object) -> None:
        """Drops an element, as of a set."""


class Storage(NamedTuple):
    """Raw numbers in the file: where they are, their type, and how many."""

    key: str
    dtype: torch.dtype
    length: int


class _Unpickler(pickle._Unpickler):  # noqa: SLF001  (the one in C takes as much memory as a damaged number says)
    """Reads a pickle of which all names are stand-ins."""

    def __init__(self, file: BufferedIOBase) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> type[StandIn]:
        """A class that stands for the name; nothing is imported."""
        return type("StandIn", (StandIn,), {"origin": f"{module}.{name}"})

    def get_extension(self, code: int) -> None:  # noqa: ARG002  (the name of pickle's)
        """Refuses numbers that stand for names of this process."""
        msg = "the number of a name of this process"
        raise pickle.UnpicklingError(msg)

    def persistent_load(self, described: Any) -> Any:  # noqa: ANN401  (whatever the file says)
        """A storage; a stand-in for a source code, or for numbers of a type that is none of `DTYPES`."""
        if not isinstance(described, tuple) or described[0] != "storage":
            return StandIn(described)
        _, kind, key, _, length, *view = described
        dtype = DTYPES.get(kind.origin.rpartition(".")[2])
        if dtype is None or any(view):
            return StandIn(described)
        storage = Storage(str(key), dtype, int(length))
        return self.storages.setdefault(storage.key, storage)


def read_inertly(file: Path) -> Any:  # noqa: ANN401  (whatever was saved)
    """What `torch.save` wrote, with dictionaries and tensors as such and stand-ins for all other objects.

    Raises:
        Exception: of any kind, if the file is damaged or not PyTorch's.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return _read_archive(archive)
    with file.open("rb") as opened:
        return _read_legacy(opened)


def _read_archive(archive: zipfile.ZipFile) -> Any:  # noqa: ANN401  (as above)
    folder = next(name for name in archive.namelist() if name.endswith("/data.pkl")).removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.namelist():
        _require_byte_order(archive.read(f"{folder}byteorder").decode())
    content = _Unpickler(BytesIO(archive.read(f"{folder}data.pkl"))).load()

    def read(storage: Storage) -> bytes:
        entry = archive.getinfo(f"{folder}data/{storage.key}")
        if entry.file_size != storage.length * storage.dtype.itemsize:  # before it is unfolded
            msg = f"storage {storage.key} has another length"
            raise pickle.UnpicklingError(msg)
        return archive.read(entry)

    return _Builder(read).build(content)


def _read_legacy(opened: BufferedIOBase) -> Any:  # noqa: ANN401  (as above)
    """Pickles one behind the other, then all storages, each with its length in front."""
    magic, version, system = (_Unpickler(opened).load() for _ in range(3))
    if (magic, version) != (LEGACY_MAGIC, LEGACY_VERSION):
        msg = "this is not how torch.save begins"
        raise pickle.UnpicklingError(msg)
    _require_byte_order("little" if system["little_endian"] else "big")
    unpickler = _Unpickler(opened)
    content, keys = unpickler.load(), _Unpickler(opened).load()
    places, place = {}, opened.tell()
    for key in keys:
        storage = unpickler.storages[key]
        places[key] = place + LEGACY_LENGTH
        place = places[key] + storage.length * storage.dtype.itemsize

    def read(storage: Storage) -> bytes:
        opened.seek(places[storage.key] - LEGACY_LENGTH)
        if int.from_bytes(opened.read(LEGACY_LENGTH), sys.byteorder) != storage.length:
            msg = f"storage {storage.key} has another length"
            raise pickle.UnpicklingError(msg)
        return opened.read(storage.length * storage.dtype.itemsize)

    return _Builder(read).build(content)


class _Builder:
    """Dictionaries and tensors out of stand-ins, each storage read once, and only where a tensor needs it."""

    def __init__(self, read: Callable[[Storage], bytes]) -> None:
        self._read = read
        self._numbers: dict[str, Tensor] = {}
        self._built: dict[int, Any] = {}

    def build(self, content: Any, *, depth: int = 0) -> Any:  # noqa: ANN401  (whatever was saved)
        entries = content.entries if isinstance(content, StandIn) else content
        if not isinstance(entries, Mapping) or not entries:
            return self._tensor(content) if isinstance(content, StandIn) else content
        if id(content) not in self._built:
            named = {name: value for name, value in entries.items() if isinstance(name, str)} if depth < DEEPEST else {}
            self._built[id(content)] = {name: self.build(value, depth=depth + 1) for name, value in named.items()}
        return self._built[id(content)]

    def _tensor(self, content: StandIn) -> Tensor | StandIn:
        """The tensor that a stand-in describes; the stand-in itself if it describes something else."""
        match content.origin, content.given:
            case origin, (Storage() as storage, int(offset), tuple(size), tuple(stride), *_) if origin in TENSORS:
                return self._storage(storage).as_strided(size, stride, offset)  # which refuses what is not inside the storage
            case origin, (StandIn() as data, *_) if origin in PARAMETERS:
                return self._tensor(data)
            case origin, (build, kind, tuple(given), *_) if origin == TYPED and _find_origin(kind) in PLAIN_TYPES:
                described = build(*given) if isinstance(build, type) and issubclass(build, StandIn) else content
                return content if _find_origin(described) == TYPED else self._tensor(described)
        return content

    def _storage(self, storage: Storage) -> Tensor:
        if storage.key not in self._numbers:
            numbers = self._read(storage)
            if len(numbers) != storage.length * storage.dtype.itemsize:
                msg = f"storage {storage.key} has another length"
                raise pickle.UnpicklingError(msg)
            self._numbers[storage.key] = (
                torch.frombuffer(bytearray(numbers), dtype=storage.dtype) if numbers else torch.empty(0, dtype=storage.dtype)
            )
        return self._numbers[storage.key]


def _find_origin(kind: object) -> str:
    return str(getattr(kind, "origin", ""))


def _require_byte_order(order: str) -> None:
    if order != sys.byteorder:
        msg = f"the byte order is {order}"
        raise pickle.UnpicklingError(msg)
