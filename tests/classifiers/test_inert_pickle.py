"""PyTorch files with other objects beside the weights: the weights come out, and nothing that the file names is run."""

import argparse
import collections
import datetime as dt
import enum
import functools
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from zooscope.classifiers.inert_pickle import StandIn, _Unpickler, read_inertly


def weights() -> dict[str, Tensor]:
    return {"fc.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.tensor([1.0, -1.0])}


def assert_same(read: Any, expected: dict[str, Tensor]) -> None:  # noqa: ANN401  (whatever was read)
    assert read.keys() == expected.keys()
    for name, value in expected.items():
        assert read[name].dtype == value.dtype
        assert torch.equal(read[name], value)


class Config(dict[str, Any]):
    """A dictionary with more to it, as the settings of many training scripts are."""


class Kind(enum.Enum):
    SGD = 1


EXTRAS: dict[str, object] = {
    "Namespace": argparse.Namespace(lr=0.1, nested=argparse.Namespace(deep=[1, 2])),
    "NumPy scalar": np.float64(0.1),
    "NumPy array": np.arange(3),
    "path": Path("/data"),
    "date": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    "dict of a class": Config(lr=0.1),
    "enum": Kind.SGD,
    "partial": functools.partial(print, "hello"),
    "deque": collections.deque([1, 2]),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "set": {1, 2},
    "function": print,
    "complex": 1j,
    "own object": SimpleNamespace(name="x"),
    "module": nn.Linear(2, 2),
    "optimizer": torch.optim.Adam([nn.Parameter(torch.zeros(2))]).state_dict()
    | {"device": torch.device("cpu"), "type": torch.float32},
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_weights_are_found_beside_all_kinds_of_objects(tmp_path: Path, protocol: int, *, as_zip: bool) -> None:
    content = {"epoch": 3, "before": EXTRAS, "state_dict": collections.OrderedDict(weights()), "after": list(EXTRAS.values())}
    torch.save(content, tmp_path / "a.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=as_zip)
    read = read_inertly(tmp_path / "a.pth")
    assert_same(read["state_dict"], weights())
    assert read["epoch"] == 3
    assert isinstance(read["before"]["Namespace"], StandIn)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_tensors_of_all_types_and_views_come_back_as_torch_reads_them(tmp_path: Path, *, as_zip: bool) -> None:
    base = torch.arange(24.0).view(4, 6)
    content = {
        **{
            str(kind): torch.arange(5).to(kind) for kind in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32)
        },
        **{str(kind): torch.arange(5).to(kind) for kind in (torch.int16, torch.int8, torch.uint8, torch.bool)},
        "transposed": base.T,
        "every other": base[1::2, ::3],
        "same storage": base[2],
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(base),
        "expanded": torch.ones(1).expand(3),
    }
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=as_zip)
    assert_same(read_inertly(tmp_path / "a.pth"), torch.load(tmp_path / "a.pth", weights_only=True))


def test_storages_that_no_network_needs_are_not_read(tmp_path: Path) -> None:
    torch.save({"state_dict": weights(), "optimizer": {"state": {0: {"momentum": torch.zeros(1000)}}}}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as whole, zipfile.ZipFile(tmp_path / "b.pth", "w") as part:
        for entry in whole.infolist():
            if entry.file_size != 4000:
                part.writestr(entry, whole.read(entry))
    assert_same(read_inertly(tmp_path / "b.pth")["state_dict"], weights())


# Nothing is run


class Calls:
    """Is pickled as a call. Can be called itself, so that pickle takes it for a function."""

    def __init__(self, function: object, *arguments: object, state: object = None) -> None:
        self.how = (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.how

    def __call__(self) -> None:
        """Does nothing."""


def hostile(mark: Path) -> dict[str, object]:
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    return {
        "system": Calls(__import__("os").system, f"touch {mark}"),
        "eval": Calls(eval, code),
        "exec": Calls(exec, code),
        "open": Calls(open, str(mark), "w"),
        "method by getattr": Calls(Calls(getattr, mark, "touch")),
        "partial": Calls(functools.partial(mark.touch)),
        "torch.load": Calls(torch.load, str(mark.with_suffix(".pickle")), None, None),
        "jit": Calls(torch.jit.load, str(mark)),
        "load_from_bytes": Calls(torch.storage._load_from_bytes, pickle.dumps(Calls(eval, code))),  # noqa: SLF001  (which unpickles)
        "type": Calls(type, "Evil", (), {"__del__": Calls(eval, code)}),
        "setattr on a class": Calls(setattr, dict, "x", 1),
        "rebuild with code": Calls(torch._utils._rebuild_tensor_v2, Calls(eval, code), 0, (1,), (1,), 0, {}),  # noqa: SLF001
        "typed with code": Calls(torch._tensor._rebuild_from_type_v2, eval, Tensor, (code,), None),  # noqa: SLF001
        "parameter with code": Calls(torch._utils._rebuild_parameter, Calls(eval, code), 1, {}),  # noqa: SLF001
        "state": Calls(collections.OrderedDict, state={"__class__": Calls(eval, code), "__reduce__": eval}),
    }


@pytest.mark.parametrize("name", list(hostile(Path("mark"))))
@pytest.mark.parametrize("protocol", [2, 4])
def test_no_code_that_a_file_names_is_run(tmp_path: Path, name: str, protocol: int) -> None:
    mark = tmp_path / "mark"
    mark.with_suffix(".pickle").write_bytes(pickle.dumps(hostile(mark)["eval"]))
    torch.save({"first": hostile(mark)[name], "state_dict": weights()}, tmp_path / "a.pth", pickle_protocol=protocol)
    read = read_inertly(tmp_path / "a.pth")
    assert_same(read["state_dict"], weights())
    assert not isinstance(read["first"], Tensor)
    assert not mark.exists()


def test_the_same_files_do_run_code_where_pickles_are_trusted(tmp_path: Path) -> None:
    torch.save({"first": hostile(tmp_path / "mark")["eval"]}, tmp_path / "a.pth")
    torch.load(tmp_path / "a.pth", weights_only=False)
    assert (tmp_path / "mark").exists()


PROGRAMS = {
    "an object taken for a class": b"cos\nsystem\n(tR(t\x81.",
    "a result that is called": b"cos\nsystem\n(tR(Vls\ntR.",
    "an old instance": b"(ios\nsystem\n.",
    "an old object": b"(cos\nsystem\nVls\no.",
    "a dotted name": b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93\x8c\x02ls\x85R.",
    "a new object with names": b"\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_whatever_a_program_calls_is_a_stand_in(program: bytes) -> None:
    assert isinstance(_Unpickler(io.BytesIO(program)).load(), StandIn)


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        pytest.param(b"\x80\x02\x82\x01.", pickle.UnpicklingError, "number of a name", id="a name by its number in this process"),
        pytest.param(b"cbuiltins\ndict\n(V__init__\nNdb.", TypeError, "missing .* required .*argument", id="the state of a class"),
        pytest.param(b"cbuiltins\ndict\nVx\nNs.", TypeError, "does not support item assignment", id="an entry of a class"),
        pytest.param(b"](V__class__\nNdb.", AttributeError, "__dict__", id="the state of a list"),
        pytest.param(b"]N(V__class__\nNd\x86b.", TypeError, "__class__ must be set to a class", id="attributes of a list"),
        pytest.param(b"](tR.", TypeError, "not callable", id="a list that is called"),
        pytest.param(b"Vx\n(t\x81.", TypeError, "not a type object", id="a text that is taken for a class"),
    ],
)
def test_what_could_change_this_process_is_an_error(program: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        _Unpickler(io.BytesIO(program)).load()


@given(st.binary(max_size=60))
def test_random_programs_make_nothing_but_stand_ins_and_plain_values(program: bytes) -> None:
    allowed = (StandIn, type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset)
    try:
        made = _Unpickler(io.BytesIO(b"cbuiltins\neval\n" + program + b".")).load()
    except Exception:  # noqa: BLE001  (most are no programs)
        return
    assert isinstance(made, allowed) or (isinstance(made, type) and issubclass(made, StandIn))


# Damage


def changed(file: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of an archive with other content, and the right checksums for that."""
    other = file.with_name("changed.pth")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return other


SHAPE, KEY = b"K\x02K\x03\x86", b"X\x01\x00\x00\x000"


@pytest.mark.parametrize(
    ("name", "old", "new", "error", "message"),
    [
        ("data/0", b"\x00\x00\xa0@", b"", pickle.UnpicklingError, "storage 0"),
        ("data/0", b"\x00\x00\xa0@", b"\x00\x00\xa0@\0\0\0\0", pickle.UnpicklingError, "storage 0"),
        ("byteorder", b"little", b"big", pickle.UnpicklingError, "byte order"),
        ("data.pkl", SHAPE, b"K\x02K\x09\x86", RuntimeError, "out of bounds"),
        ("data.pkl", SHAPE, b"K\x02J\xfd\xff\xff\xff\x86", RuntimeError, "overflowed|negative"),
        ("data.pkl", KEY, b"X\x01\x00\x00\x007", KeyError, "data/7"),
    ],
    ids=["short", "long", "byte order", "size", "negative size", "key"],
)
def test_numbers_that_are_not_in_the_file_are_an_error(  # noqa: PLR0917  (a table)
    tmp_path: Path, name: str, old: bytes, new: bytes, error: type[Exception], message: str
) -> None:
    torch.save({"args": argparse.Namespace(), **weights()}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as source, zipfile.ZipFile(tmp_path / "b.pth", "w") as target:
        for entry in source.namelist():
            content = source.read(entry)
            assert old in content or not entry.endswith(f"/{name}")
            target.writestr(entry, content.replace(old, new) if entry.endswith(f"/{name}") else content)
    with pytest.raises(error, match=message):
        read_inertly(tmp_path / "b.pth")
