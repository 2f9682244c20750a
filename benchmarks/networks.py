"""Networks one by one: zooscope against a careful script, each network attacked and tested by itself.

    python benchmarks/networks.py
    python benchmarks/networks.py --networks timm:mobilenetv2_100 vit --iterations 5 --rounds 2

See `ways.py`. Of timm's networks at 224 pixels the weights are random, and every image counts. The ways take turns; the ratio of
elapsed times within a round is compared, its median over the rounds printed: how many times as fast zooscope is. The last line is
JSON.
"""

import argparse
import json
from math import exp, fsum, log
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table
from ways import Job, describe_environment, measure_time

LARGE: Final = (
    "timm:resnet18",
    "timm:resnet50",
    "timm:mobilenetv2_100",
    "timm:tf_efficientnet_lite0",
    "timm:vit_small_patch16_224",
)
SMALL: Final = ("resnet", "convnext", "efficientnet", "vit", "mixer")
WAYS: Final = ("zooscope", "exact", "torchattacks")


def main() -> None:
    """Runs every network in all ways and prints how many times as fast zooscope is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=(*LARGE, *SMALL))
    parser.add_argument("--iterations", type=int, default=10, help="of the attack")
    parser.add_argument("--large", type=int, default=24, help="images for networks at 224 pixels")
    parser.add_argument("--small", type=int, default=200, help="images for bundled networks")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console, results = Console(), dict[str, dict[str, float]]()
    table = Table(title=f"Times as fast as a careful script, {arguments.iterations} iterations, {arguments.rounds} rounds")
    for heading in ("network", "images", "zooscope", "exact"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name in arguments.networks:
        count = arguments.large if name.startswith("timm:") else arguments.small
        job = Job(networks=(name,), count=count, iterations=arguments.iterations)
        faster: dict[str, list[float]] = {way: [] for way in WAYS}
        for number in range(arguments.rounds):
            timings = {way: measure_time(way, job) for way in (WAYS if number % 2 == 0 else reversed(WAYS))}
            for way in WAYS:
                faster[way].append(timings["torchattacks"].elapsed / timings[way].elapsed)
        results[name] = {way: median(faster[way]) for way in WAYS}
        console.print(f"{name}: " + ", ".join(f"{way} {', '.join(f'{one:.2f}' for one in faster[way])}" for way in WAYS[:2]))
        table.add_row(name, str(count), *(f"{results[name][way]:.2f}" for way in WAYS[:2]))
    means = {way: exp(fsum(log(one[way]) for one in results.values()) / len(results)) for way in WAYS[:2]}
    table.add_row("geometric mean", "", *(f"{means[way]:.2f}" for way in WAYS[:2]))
    console.print(table)
    print(json.dumps({"benchmark": "networks", "faster": results, "means": means, "environment": describe_environment(job)}))


if __name__ == "__main__":
    main()
