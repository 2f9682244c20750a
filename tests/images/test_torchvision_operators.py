"""After `import zooscope`, torchvision and timm can be imported, whether torchvision's compiled operators fit torch or not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("nms", "qnms")


def run(program: str, *, before: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh interpreter, with a folder before all others on its path."""
    paths = [*([str(before)] if before else []), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, env=environment)


@pytest.fixture(params=["_C.so", "_C_stable.so"])
def torchvision_at_hand(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a torchvision that has a compiled library, which is no library, and needs both operators to be declared."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / request.param).touch()
    lines = ["import torch", *(f"torch.ops.torchvision.{name}" for name in NAMES)]
    (package / "__init__.py").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("program", ["import zooscope, torch, timm", "from zooscope import Classifier; import torchvision"])
def test_the_libraries_are_imported_after_zooscope(program: str) -> None:
    result = run(program)
    assert result.returncode == 0, result.stderr


def test_importing_zooscope_alone_imports_none_of_them() -> None:
    result = run("import zooscope, sys; sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'timm')))")
    assert result.returncode == 0, result.stderr


def test_looking_for_torchvision_imports_nothing() -> None:
    result = run(
        "import zooscope, sys; from importlib.util import find_spec; find_spec('torchvision'); sys.exit('torch' in sys.modules)"
    )
    assert result.returncode == 0, result.stderr


def test_operators_that_can_not_be_loaded_are_declared(torchvision_at_hand: Path) -> None:
    assert run("import torchvision", before=torchvision_at_hand).returncode != 0
    result = run("import zooscope, torchvision; print(torchvision.__file__)", before=torchvision_at_hand)
    assert result.stdout.strip() == str(torchvision_at_hand / "torchvision/__init__.py"), result.stderr


def test_operators_that_can_be_loaded_are_not_declared_a_second_time(torchvision_at_hand: Path) -> None:
    program = f"""
import torch, zooscope
library = torch.library.Library("torchvision", "FRAGMENT")
loaded = []
def load(path):  # as a compiled library would
    loaded.append(path)
    for name in {NAMES}:
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # raises where it is there already
torch.ops.load_library = load
import torchvision
print(*loaded)
"""
    result = run(program, before=torchvision_at_hand)
    (library,) = (torchvision_at_hand / "torchvision").glob("*.so")
    assert result.stdout.strip() == str(library), result.stderr
