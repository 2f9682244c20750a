"""One attack to be made, and the key under which what comes out is kept: everything that decides its bits."""

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import PreparedClassifier

FORM: Final = 3  # to be counted up when the same key would stand for other bits
_PLACE_IN_MEMORY: Final = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """Images to be attacked through a source.

    Attributes:
        attack: the attack.
        source: the classifier that is attacked, on its device.
        pixels: clean pixels in [0, 1] as the source takes them, on the CPU, in the order in which they are attacked.
        labels: the true classes.
        ids: of the images; seeds are made from them.
        seed: of the study.
        batch_size: images that go through the network at once.
        how: whatever else can change the bits, by name.
    """

    attack: Attack
    source: Classifier
    pixels: Float[Tensor, "image channel height width"]
    labels: Int[Tensor, " image"]
    ids: Sequence[str]
    seed: int
    batch_size: int
    how: Mapping[str, str] = field(default_factory=lambda: {"precision": "float32"})

    @property
    def epsilon(self) -> float:
        """The radius of the ball in which the attack stays; 0 where it doesn't say."""
        return float(getattr(self.attack, "epsilon", 0.0))

    @property
    def unit(self) -> str:
        """What is attacked, as far as it is known without pixels and network; see `name_unit`."""
        return name_unit(self.attack, self.source.name, self.ids, seed=self.seed, batch_size=self.batch_size, how=self.how)

    @cached_property
    def key(self) -> str:
        """SHA-256 of everything that decides the attacked pixels' bits.

        The images are in it as pixels, so the transform and the decoder are, too; their order and the batch size say which images
        are attacked together. The network is in it as weights and as torch prints it: two networks may have the same weights and
        other activations.
        """
        source = self.source
        network = _PLACE_IN_MEMORY.sub("", repr(source.network))
        parts = {
            "form": FORM,
            "zooscope": version("zooscope"),
            "attack": self.attack.description,
            "seed": self.seed,
            "source": [source.name, source.address, source.architecture, source.digest, source.num_classes],
            "kind": _describe_kind(source),
            "network": hashlib.sha256(network.encode()).hexdigest(),
            "normalisation": [source.mean, source.std],
            "transform": source.transform.description,
            "pixels": [list(self.pixels.shape), str(self.pixels.dtype), digest_pixels(self.pixels)],
            "labels": self.labels.tolist(),
            "ids": list(self.ids),
            "batch_size": self.batch_size,
            "how": dict(self.how),
            "device": _describe_device(source),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def name_unit(attack: Attack, source: str, ids: Sequence[str], *, seed: int, batch_size: int, how: Mapping[str, str]) -> str:
    """SHA-256 of what is known of a work before its source is loaded and its pixels are made.

    Works of one unit may have several keys: of other weights, on other devices. So whether attacked images of a unit are kept tells
    where to look for those of a work, and how much there probably is to do.

    Example:
        >>> from zooscope.attacks import LinfPGD
        >>> len(name_unit(LinfPGD(), "bundled:resnet", ["cat 1"], seed=0, batch_size=100, how={"precision": "float32"}))
        64

    Args:
        attack: the attack.
        source: the name of the classifier that is attacked.
        ids: of the images, in the order in which they are attacked.
        seed: of the study.
        batch_size: images that go through the network at once.
        how: see `Work`.
    """
    parts = {
        "form": FORM,
        "zooscope": version("zooscope"),
        "attack": attack.description,
        "source": source,
        "ids": list(ids),
        "seed": seed,
        "batch_size": batch_size,
        "how": dict(how),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _describe_kind(source: Classifier) -> list[object]:
    """The class of a classifier, and what it has besides a plain one's fields: these say how it computes."""
    plain = {one.name for one in fields(Classifier)}
    own = {one.name: repr(getattr(source, one.name)) for one in fields(source) if one.name not in plain}
    return [type(source).__name__, {name: value for name, value in own.items() if not name.startswith("_")}]


def digest_pixels(pixels: Tensor) -> str:
    """SHA-256 of pixels' values, whatever their layout in memory is."""
    values = pixels.detach().cpu().contiguous()
    return hashlib.sha256(values.flatten().view(torch.uint8).numpy().data).hexdigest()


def _describe_device(source: Classifier) -> dict[str, str]:
    """What decides which kernels run, and so how they round; threads only where their number decides on that."""
    device = source.device
    shared = {"kind": device.type, "torch": torch.__version__, "matmul": torch.get_float32_matmul_precision()}
    if device.type == "cuda":
        library = f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
        return shared | {"name": torch.cuda.get_device_name(device), "library": library}
    takes_one_thread = isinstance(source, PreparedClassifier) and source.takes_one_thread
    return shared | {
        "name": _find_processor(),
        "library": torch.backends.cpu.get_cpu_capability(),
        "threads": str(1 if takes_one_thread else torch.get_num_threads()),
    }


@cache
def _find_processor() -> str:
    """The processor's model as far as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {models[0] if models else platform.processor()}"
