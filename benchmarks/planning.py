"""Whether a plan comes true: time planned against time measured.

    python benchmarks/planning.py
    python benchmarks/planning.py --classifiers resnet vit --count 40 --rounds 1

A study of bundled classifiers is planned, then measured, several times; printed are both times, their ratio, and the bytes planned
and taken on disk. The plan is to be within 30 % on a machine that does nothing else. The last line is JSON.
"""

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import zooscope.images.torchvision_operators

import torch
from rich.console import Console
from rich.table import Table

from zooscope import Study, load_images
from zooscope.planning.plan import plan_study

CLASSIFIERS: Final = ("resnet", "convnext", "vit", "mixer", "efficientnet")


def main() -> None:
    """Plans and measures in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", nargs="+", default=CLASSIFIERS, help="names of bundled classifiers")
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    addresses, images = (
        [f"bundled:{name}" for name in arguments.classifiers],
        load_images("bundled:cifar10").sample(arguments.count),
    )
    table = Table(title=f"{len(addresses)} classifiers, {arguments.count} images")
    for heading in ("planned, s", "measured, s", "planned over measured", "planned, kB", "on disk, kB"):
        table.add_column(heading, justify="right")
    ratios, sizes = list[float](), list[float]()
    for _ in range(arguments.rounds):
        with (
            tempfile.TemporaryDirectory() as folder,
            Study.create(Path(folder) / "study", classifiers=addresses, images=images) as study,
        ):
            plan = plan_study(study, device="cpu")
            began = perf_counter()
            study.run(device="cpu", cache_limit=0)
            seconds = perf_counter() - began
            size = (Path(folder) / "study" / "study.db").stat().st_size
        planned = plan.seconds or 0.0
        ratios.append(planned / seconds)
        sizes.append(plan.bytes / size)
        table.add_row(f"{planned:.1f}", f"{seconds:.1f}", f"{ratios[-1]:.2f}", f"{plan.bytes / 1000:.0f}", f"{size / 1000:.0f}")
    Console().print(table)
    facts = {"torch": torch.__version__, "threads": torch.get_num_threads(), "count": arguments.count}
    print(
        json.dumps({"benchmark": "planning", **facts, "planned_over_measured": median(ratios), "bytes_planned_over": median(sizes)})
    )


if __name__ == "__main__":
    main()
