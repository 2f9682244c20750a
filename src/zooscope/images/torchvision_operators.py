"""Lets torchvision, and so timm, be imported where its compiled operators don't fit the torch that is installed.

torchvision's wheels for Linux on PyPI are built for CUDA. Beside a torch for CPUs their compiled operators can't be loaded, and the
import then fails with `operator torchvision::nms does not exist` when torchvision registers the shapes of `nms` and `qnms`. Nothing
here uses those operators, and their declarations are enough. They may only be declared where torchvision's own can't be loaded: a
second declaration aborts the process.

`import zooscope` imports this module, which imports neither torch nor torchvision: it waits until someone imports torchvision.
"""

import sys
from contextlib import suppress
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

SCHEMAS: Final = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: Final[list["torch.library.Library"]] = []  # what is declared is forgotten with its library


@final
class _TorchvisionFinder(MetaPathFinder):
    """Finds torchvision as Python would, and prepares its operators before its code runs."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ANN401  (Python's path of a namespace is no sequence)
        if fullname != "torchvision":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(_prepare_and_run, spec, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _prepare_and_run(spec: ModuleSpec, run: "Callable[[ModuleType], None]", module: ModuleType) -> None:
    _declare_unless_loaded(spec.submodule_search_locations)
    run(module)


def _declare_unless_loaded(locations: Any) -> None:  # noqa: ANN401  (as above)
    """Loads torchvision's compiled operators as torchvision would, and declares those that it needs if that fails."""
    import torch  # noqa: PLC0415  (torchvision is about to import it)

    for library in _list_libraries(locations):
        with suppress(OSError):  # it doesn't fit this torch
            torch.ops.load_library(str(library))
    missing = [schema for schema in SCHEMAS if not torch._C._dispatch_has_kernel(f"torchvision::{schema.partition('(')[0]}")]
    if missing:
        declared = torch.library.Library("torchvision", "FRAGMENT")
        for schema in missing:
            declared.define(schema)
        _declared.append(declared)


def _list_libraries(locations: Any) -> list[Path]:  # noqa: ANN401  (as above)
    """The compiled operators, which releases call `_C` or `_C_stable`."""
    files = (file for location in locations or () for file in Path(location).glob("_C*"))
    return sorted(file for file in files if file.name.endswith(tuple(EXTENSION_SUFFIXES)))


if "torchvision" not in sys.modules:
    sys.meta_path.insert(0, _TorchvisionFinder())
