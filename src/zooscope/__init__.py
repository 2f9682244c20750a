"""How alike are your image classifiers, and why? Similarity by attack transferability over whole model zoos.

    images = zooscope.load_images("bundled:cifar10").sample(200, seed=0)
    zooscope.sat("bundled:resnet", "bundled:vit", images)

Names are imported when they are first used, so that reading records needs no torch.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import zooscope.images.torchvision_operators

if TYPE_CHECKING:
    from zooscope import analyses, attacks, probe
    from zooscope.classifiers.classifier import Classifier
    from zooscope.classifiers.collect import collect_classifiers
    from zooscope.classifiers.load import load_classifier
    from zooscope.classifiers.selection import classifier_addresses
    from zooscope.errors import ZooscopeError
    from zooscope.images.collect import collect_images
    from zooscope.images.image_set import ImageSet
    from zooscope.images.load import load_images
    from zooscope.images.pixel_transform import PixelTransform
    from zooscope.study.attacked import export_attacks
    from zooscope.study.merge import merge_studies
    from zooscope.study.pair import SatScore, sat
    from zooscope.study.snapshot import Snapshot, read_snapshot
    from zooscope.study.study import Study
    from zooscope.training.run import distill, train

__version__ = version("zooscope")
__all__ = [
    "Classifier",
    "ImageSet",
    "PixelTransform",
    "SatScore",
    "Snapshot",
    "Study",
    "ZooscopeError",
    "analyses",
    "attacks",
    "classifier_addresses",
    "collect_classifiers",
    "collect_images",
    "distill",
    "export_attacks",
    "load_classifier",
    "load_images",
    "merge_studies",
    "probe",
    "read_snapshot",
    "sat",
    "train",
]

_HOMES: Final = {
    "Classifier": "zooscope.classifiers.classifier",
    "ImageSet": "zooscope.images.image_set",
    "PixelTransform": "zooscope.images.pixel_transform",
    "SatScore": "zooscope.study.pair",
    "Snapshot": "zooscope.study.snapshot",
    "Study": "zooscope.study.study",
    "ZooscopeError": "zooscope.errors",
    "classifier_addresses": "zooscope.classifiers.selection",
    "collect_classifiers": "zooscope.classifiers.collect",
    "collect_images": "zooscope.images.collect",
    "distill": "zooscope.training.run",
    "export_attacks": "zooscope.study.attacked",
    "load_classifier": "zooscope.classifiers.load",
    "load_images": "zooscope.images.load",
    "merge_studies": "zooscope.study.merge",
    "read_snapshot": "zooscope.study.snapshot",
    "sat": "zooscope.study.pair",
    "train": "zooscope.training.run",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever the name stands for)
    if name in {"analyses", "attacks", "probe"}:
        return import_module(f"zooscope.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    msg = f"module 'zooscope' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
