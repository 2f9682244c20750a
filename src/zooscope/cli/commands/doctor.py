"""`zooscope doctor`: what this machine can do."""

import os
import platform
import shutil
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Final

import typer
from rich.table import Table
from rich.text import Text

from zooscope.cli.options import Device
from zooscope.cli.terminal import stdout, tell
from zooscope.extras import EXTRAS, describe_extra

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE: Final = "zooscope doctor --device cpu"
PACKAGES: Final = (
    "zooscope",
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "pyarrow",
    "plotly",
    "typer",
    "rich",
)
CLASSIFIER: Final = "bundled:resnet"
IMAGES: Final = "bundled:cifar10"
NUM_IMAGES: Final = 50
ITERATIONS: Final = 3
PAPER_ITERATIONS: Final = 50


def doctor(device: Device = "auto") -> None:
    """Check that everything needed is installed and works.

    Prints versions, devices, memory and free disk, and what optional libraries are missing, with what they are for. Loads the
    bundled data, and measures the speed of an attack on this device. Ends with an error if something needed is broken.
    """
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: f"{platform.python_version()} on {platform.platform()}",
        **{name: lambda name=name: version(name) for name in PACKAGES},  # type: ignore[misc]
        "devices": _describe_devices,
        "threads": _describe_threads,
        "memory": _describe_memory,
        "allocator": _describe_allocator,
        "disk": _describe_disk,
        **{f"extra {name}": lambda name=name: describe_extra(name) for name in EXTRAS},  # type: ignore[misc]
        "bundled images": _check_bundled_images,
        "bundled classifiers": _check_bundled_classifiers,
        "speed": lambda: _measure_speed(device),
    }
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    broken = []
    for name, check in checks.items():
        try:
            table.add_row(name, check())
        except Exception as error:  # noqa: BLE001  (whatever is broken is what is to be told)
            broken.append(name)
            table.add_row(name, Text(f"broken: {type(error).__name__}: {error}", style="red"))
    stdout().print(table)
    if broken:
        tell(f"Error: {', '.join(broken)} can't be used; fix that, or reinstall zooscope in a fresh environment.")
        raise typer.Exit(1)


def _describe_devices() -> str:
    import torch

    gpus = [f"cuda:{number} ({_describe_gpu(number)})" for number in range(torch.cuda.device_count())]
    return ", ".join(["cpu", *gpus]) + ("" if gpus else "; no GPU that this build of torch can use")


def _describe_gpu(number: int) -> str:
    import torch

    free, total = (count / 2**30 for count in torch.cuda.mem_get_info(number))
    return f"{torch.cuda.get_device_name(number)}, {total:.1f} GiB, {free:.1f} GiB unused"


def _describe_threads() -> str:
    import torch

    return f"{torch.get_num_threads()} for computing, {os.cpu_count()} processors"


def _describe_memory() -> str:
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = (page * os.sysconf(name) / 2**30 for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    return f"{total:.1f} GiB, {free:.1f} GiB unused"


def _describe_allocator() -> str:
    from zooscope.allocator import find_glibc

    return "the system's own; freed memory is not kept" if find_glibc() is None else "glibc's; freed memory is kept while measuring"


def _describe_disk() -> str:
    return f"{shutil.disk_usage('.').free / 2**30:.1f} GiB free in this folder"


def _check_bundled_images() -> str:
    from zooscope.images.load import load_images

    images = load_images(IMAGES)
    return f"{len(images)}, SHA-256 {images.digest[:12]}"


def _check_bundled_classifiers() -> str:
    from zooscope.classifiers.load import load_classifier
    from zooscope.classifiers.providers.registry import list_bundled_names

    return f"{len([load_classifier(name) for name in list_bundled_names()])}, all load"


def _measure_speed(device: str) -> str:
    """The measured speed of an attack, scaled to the iterations of the paper's attack."""
    import torch

    from zooscope.attacks import LinfPGD
    from zooscope.classifiers.load import load_classifier
    from zooscope.engine.device import choose_device
    from zooscope.images.load import load_images
    from zooscope.measurements.transfer import perturb

    place = choose_device(device)
    classifier, images = load_classifier(CLASSIFIER).to(place), load_images(IMAGES).sample(NUM_IMAGES, seed=0)
    pixels = images.pixels(classifier)
    labels, attack = torch.from_numpy(images.labels), LinfPGD(iterations=ITERATIONS)
    seconds = []
    for _ in range(2):  # the first one warms up
        began = perf_counter()
        perturb(attack, classifier, pixels, labels, images.ids, seed=0, batch_size=NUM_IMAGES).pixels.cpu()
        seconds.append(perf_counter() - began)
    speed = NUM_IMAGES * ITERATIONS / seconds[-1]
    return f"{speed / PAPER_ITERATIONS:.1f} images/s attacked through {CLASSIFIER} on {place} ({PAPER_ITERATIONS} iterations each)"
