"""Declares two operator schemas so that torchvision's wheel imports beside a CPU-only torch.

torchvision's wheels on PyPI are built for CUDA. Beside a CPU-only torch their compiled operators do not load, and the import then
fails with `operator torchvision::nms does not exist` when torchvision registers the shapes of `nms` and `qnms`. Nothing here uses
those operators; declaring them is enough for torchvision, and so for timm, to import. Import this module before timm or
torchvision.
"""

from typing import Final

import torch

_LIBRARY: Final = torch.library.Library("torchvision", "FRAGMENT")
_SCHEMAS: Final = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
if torch.version.cuda is None:
    for _name, _schema in _SCHEMAS.items():
        if not torch._C._dispatch_has_kernel(f"torchvision::{_name}"):
            _LIBRARY.define(_schema)
