"""Images per second: decoded and resized by one thread, by several, and ahead of a device that computes.

    python benchmarks/images.py
    python benchmarks/images.py --folder ~/imagenet/val --count 500 --size 299

Methods for the same pixels, in one process, in turn, in another order each round, after a warm-up:

one thread      `ImageSet.pixels` as it would be with one thread: the floor.
several         `ImageSet.pixels`: one thread for each processor.
ahead           `Ahead`, shard by shard, beside a device that waits as long for each shard as one thread needs to decode it. What
                counts is the time in excess of the device's: with decoding wholly hidden it is that of the first shard.

What is compared is the ratio to one thread within a round; its median over the rounds is printed. The last line is the same as
JSON. Without --folder the images are noise of ImageNet's usual size, made here, as JPEG.
"""

import argparse
import io
import json
import os
import platform
import time
from itertools import cycle, islice, permutations
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import zooscope.images.torchvision_operators

import numpy as np
import PIL
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from zooscope import ImageSet, load_images
from zooscope.images.ahead import Ahead
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import PixelTransform
from zooscope.images.threads import count_threads

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL_SIZE: Final = (500, 375)
SHARD_SIZE: Final = 50


class Wanted:
    """Takes pixels as a classifier does."""

    def __init__(self, size: int) -> None:
        self.transform = PixelTransform(height=size, width=size, interpolation="bicubic", crop_fraction=0.875)


def generate_images(count: int) -> ImageSet:
    """JPEG files of ImageNet's usual size: smooth shapes with grain, of about 100 kB."""
    generator, files = np.random.default_rng(0), dict[str, bytes]()
    for place in range(count):
        shapes = Image.fromarray(generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(
            USUAL_SIZE, Image.Resampling.BICUBIC
        )
        grain = generator.normal(0, 12, (*USUAL_SIZE[::-1], 3))
        file = io.BytesIO()
        Image.fromarray((np.asarray(shapes) + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        files[f"{place}.jpg"] = file.getvalue()
    labels = np.zeros(count, np.int64)
    return ImageSet(address="generated", ids=tuple(files), labels=labels, class_names=("noise",), read=files.__getitem__)


def time_one_thread(images: ImageSet, wanted: Wanted) -> float:
    """Seconds."""
    start = time.perf_counter()
    for place in range(len(images)):
        make_pixels(wanted.transform, images.image(place))
    return time.perf_counter() - start


def time_several(images: ImageSet, wanted: Wanted) -> float:
    """Seconds."""
    start = time.perf_counter()
    images.pixels(wanted)
    return time.perf_counter() - start


def time_ahead(images: ImageSet, wanted: Wanted, waiting: float) -> float:
    """Seconds in excess of the device's, which waits this long for each shard."""
    shards = [range(start, min(start + SHARD_SIZE, len(images))) for start in range(0, len(images), SHARD_SIZE)]
    start = time.perf_counter()
    with Ahead(images, shards, [(wanted, shard) for shard in range(len(shards))]) as pixels:
        for shard in range(len(shards)):
            pixels.of(wanted, shard)
            time.sleep(waiting)
    return time.perf_counter() - start - waiting * len(shards)


def main() -> None:
    """Runs all methods and prints ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="images, one subfolder per class; else they are generated")
    parser.add_argument("--count", type=int, default=200, help="images")
    parser.add_argument("--size", type=int, default=224, help="of the pixels")
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    images = (
        load_images(f"folder:{arguments.folder}").sample(arguments.count) if arguments.folder else generate_images(arguments.count)
    )
    torch.set_num_threads(1)  # PIL has no threads of its own, and those of torch would blur the comparison
    wanted, console = Wanted(arguments.size), Console()
    waiting = time_one_thread(images, wanted) / len(images) * SHARD_SIZE
    ways: dict[str, Callable[[], float]] = {
        "one thread": lambda: time_one_thread(images, wanted),
        "several": lambda: time_several(images, wanted),
        "ahead": lambda: time_ahead(images, wanted, waiting),
    }
    for way in ways.values():
        way()
    rounds = [{name: ways[name]() for name in order} for order in islice(cycle(permutations(ways)), arguments.rounds)]

    table = Table(
        title=f"{len(images)} images of {images.address}, {wanted.transform.height} pixels, {len(rounds)} rounds",
        caption=f"{count_threads()} threads on {os.cpu_count()} processors; torch {torch.__version__}, PIL {PIL.__version__}.",
    )
    for heading in ("way", "images per second", "ratio to one thread", "least to most"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    results: dict[str, dict[str, float]] = {}
    for name in ways:
        speeds = [len(images) / timings[name] for timings in rounds]
        ratios = [timings["one thread"] / timings[name] for timings in rounds]
        results[name] = {"images_per_second": median(speeds), "ratio": median(ratios)}
        table.add_row(name, f"{median(speeds):.0f}", f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}")
    console.print(table)
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    facts = {"threads": count_threads(), "processors": os.cpu_count(), **versions}
    settings = {"images": images.address, "count": len(images), "size": arguments.size, "rounds": len(rounds)}
    print(json.dumps({"benchmark": "images", **settings, "results": results, "environment": facts}))


if __name__ == "__main__":
    main()
