"""A small job, several bundled classifiers compared, in the ways of `ways.py`: floors, zooscope, a careful script.

    python benchmarks/engine.py
    python benchmarks/engine.py --networks resnet vit --count 24 --iterations 10 --rounds 3

The ways take turns, in another order each round. What is compared is the ratio to the floor within a round; its median over the
rounds is printed, of elapsed time and of processor time. The last line is the same as JSON.
"""

import argparse
import json
from itertools import cycle, islice, permutations
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from ways import WAYS, Job, Timing, describe_environment, measure_time, summarise

NETWORKS: Final = ("resnet", "convnext", "vit", "mixer", "efficientnet")


def main() -> None:
    """Runs all ways and prints ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="names of bundled classifiers")
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--iterations", type=int, default=50, help="of the attack")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0, help="of torch")
    arguments = parser.parse_args()
    job = Job(networks=tuple(arguments.networks), count=arguments.count, iterations=arguments.iterations, threads=arguments.threads)
    console = Console()
    rounds: list[dict[str, Timing]] = []
    for order in islice(cycle(permutations(WAYS)), 0, 24 * arguments.rounds, 7):
        if len(rounds) == arguments.rounds:
            break
        rounds.append({way: measure_time(way, job) for way in order})
        console.print(f"round {len(rounds)}: " + ", ".join(f"{way} {rounds[-1][way].elapsed:.2f} s" for way in order))
    percent = {way: np.asarray(rounds[0][way].percent) for way in WAYS}
    difference = {way: float(np.abs(percent[way] - percent["torchattacks"]).max()) for way in ("zooscope", "exact")}

    facts, results = describe_environment(job), summarise(rounds, to="floor")
    table = Table(
        title=f"{len(job.networks)} classifiers, {job.count} images, {job.iterations} iterations, {len(rounds)} rounds",
        caption=f"{facts['cpu']}, threads: {facts['threads']}, torch {facts['torch']}. SAT differs from torchattacks' by at most "
        f"{difference['zooscope']:.1f} points (zooscope) and {difference['exact']:.1f} (exact).",
    )
    for heading in ("way", "seconds", "ratio to the floor", "of processor time"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, numbers in results.items():
        table.add_row(way, f"{numbers['seconds']:.2f}", f"{numbers['ratio']:.3f}", f"{numbers['processor_ratio']:.3f}")
    console.print(table)
    ratios = {"zooscope_over_floor": results["zooscope"]["ratio"]}
    for other in ("passes", "torchattacks"):
        ratios[f"zooscope_over_{other}"] = summarise(rounds, to=other)["zooscope"]["ratio"]
    ratios["zooscope_over_passes_processor"] = summarise(rounds, to="passes")["zooscope"]["processor_ratio"]
    settings = {"networks": job.networks, "count": job.count, "iterations": job.iterations, "rounds": len(rounds)}
    print(json.dumps({"benchmark": "engine", **settings, **ratios, "results": results, "environment": facts}))


if __name__ == "__main__":
    main()
