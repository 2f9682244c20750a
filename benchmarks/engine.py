"""A whole small job, several bundled classifiers compared: zooscope against a lower bound and a careful script.

    python benchmarks/engine.py
    python benchmarks/engine.py --classifiers resnet vit --count 50 --iterations 10 --rounds 3

Three methods for the same work, in one process, in turn, in another order each round, after a warm-up:

floor           What is unavoidable: the bare networks, forward and gradient to the input, times iterations, on exactly the
                images that zooscope attacks and in the same batches; one forward pass for every (attacked image, target) that
                counts; the clean passes. No step, no projection, no decoding, no record, no score.
zooscope        `Study.in_memory(...)`, `run`, `sat`: images decoded, classifiers and images fingerprinted, everything recorded.
torchattacks    A careful script with torchattacks' PGD: parameters frozen, images decoded once, only images that the source gets
                right attacked, in the same batches; every target run on all attacked images, without gradients; numpy counts.

What is compared is the ratio to the floor within a round; its median over the rounds is printed, of elapsed time and of processor
time. The last line is the same as JSON.
"""

import argparse
import gc
import json
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, permutations
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import zooscope.images.torchvision_operators

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchattacks import PGD

from zooscope import Classifier, ImageSet, Study, load_classifier, load_images
from zooscope.attacks import LinfPGD
from zooscope.errors import WeakSourceWarning

CLASSIFIERS: Final = ("resnet", "convnext", "vit", "mixer", "efficientnet")
BATCH_SIZE: Final = 100

Matrix = np.ndarray[Any, np.dtype[np.float64]]
Way = Callable[["Job"], Matrix | None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """The work; nothing in it is loaded yet.

    Attributes:
        classifiers: loaded, on the CPU.
        images: to be attacked, not decoded.
        attack: its settings.
        right: which images each classifier gets right, computed in advance for the floor.
    """

    classifiers: tuple[Classifier, ...]
    images: ImageSet
    attack: LinfPGD
    right: tuple[Tensor, ...]

    def copy_fresh(self) -> "Job":
        """The same job, without the fingerprints that classifiers and images remember."""
        return replace(self, classifiers=tuple(replace(classifier) for classifier in self.classifiers), images=replace(self.images))


class Timing(NamedTuple):
    """Seconds of one method in one round."""

    elapsed: float
    processor: float


def run_zooscope(job: Job) -> Matrix:
    """The job as zooscope does it; SAT in percent."""
    with Study.in_memory(classifiers=job.classifiers, images=job.images, attack=job.attack) as study:
        study.run(device="cpu", batch_size=BATCH_SIZE)
        percent: Matrix = study.sat(confidence=None)["percent"].to_numpy()
    return percent


class Normalised(nn.Module):
    """A network with its normalisation, as torchattacks needs it."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network = classifier.network
        self.mean, self.std = (nn.Buffer(torch.tensor(values).view(3, 1, 1)) for values in (classifier.mean, classifier.std))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of pixels in [0, 1]."""
        logits: Tensor = self.network((pixels - self.mean) / self.std)
        return logits


def run_torchattacks(job: Job) -> Matrix:
    """The job as a careful user of torchattacks writes it; SAT in percent."""
    networks = [Normalised(classifier).eval() for classifier in job.classifiers]
    pixels, labels = job.images.pixels(job.classifiers[0]), torch.from_numpy(job.images.labels)
    right = [torch.cat([predict(network, batch) for batch in pixels.split(BATCH_SIZE)]) == labels for network in networks]
    fooled = np.zeros((len(networks), len(networks)))
    for row, source in enumerate(networks):
        attack = PGD(source, eps=job.attack.epsilon, alpha=job.attack.step_size, steps=job.attack.iterations, random_start=False)
        for chosen in torch.arange(len(labels)).split(BATCH_SIZE):
            shown = chosen[right[row][chosen]]
            attacked = attack(pixels[shown], labels[shown])
            for column, target in enumerate(networks):
                wrong = predict(target, attacked) != labels[shown]
                fooled[row, column] += int((wrong & right[column][shown]).sum())
    counted = np.array([[int((first & second).sum()) for second in right] for first in right])
    percent: Matrix = 100 * (fooled + fooled.T) / (2 * counted)
    return percent


def predict(network: nn.Module, pixels: Tensor) -> Tensor:
    """Predicted classes."""
    with torch.inference_mode():
        predicted: Tensor = network(pixels).argmax(1)
    return predicted


def run_floor(job: Job) -> None:
    """The passes through bare networks that no method can avoid."""
    pixels, labels = FLOOR_PIXELS[job.images.ids], torch.from_numpy(job.images.labels)
    shards = torch.arange(len(labels)).split(BATCH_SIZE)
    for classifier in job.classifiers:
        for shard in shards:
            predict(classifier.network, pixels[shard])
    for source, source_right in zip(job.classifiers, job.right, strict=True):
        for shard in shards:
            chosen = shard[source_right[shard]]
            shown, truth = pixels[chosen].requires_grad_(), labels[chosen]
            for _ in range(job.attack.iterations):
                torch.autograd.grad(cross_entropy(source.network(shown), truth, reduction="sum"), shown)
            for target, target_right in zip(job.classifiers, job.right, strict=True):
                predict(target.network, pixels[chosen[target_right[chosen]]])


FLOOR_PIXELS: dict[tuple[str, ...], Tensor] = {}
WAYS: Final[dict[str, Way]] = {"floor": run_floor, "zooscope": run_zooscope, "torchattacks": run_torchattacks}


def prepare(names: Sequence[str], *, count: int, iterations: int) -> Job:
    """The job, and what the floor needs in advance."""
    classifiers = tuple(load_classifier(f"bundled:{name}") for name in names)
    images = load_images("bundled:cifar10").sample(count)
    pixels, labels = images.pixels(classifiers[0]), torch.from_numpy(images.labels)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifiers[0].mean, classifiers[0].std))
    FLOOR_PIXELS[images.ids] = (pixels - mean) / std
    right = tuple(predict(classifier.network, FLOOR_PIXELS[images.ids]) == labels for classifier in classifiers)
    return Job(classifiers=classifiers, images=images, attack=LinfPGD(iterations=iterations), right=right)


def measure_time(way: Way, job: Job) -> Timing:
    """The time of one method."""
    fresh = job.copy_fresh()
    gc.collect()
    elapsed, processor = time.perf_counter(), time.process_time()
    way(fresh)
    return Timing(time.perf_counter() - elapsed, time.process_time() - processor)


def describe_environment() -> dict[str, Any]:
    """The machine and the versions that the numbers depend on."""
    processors = Path("/proc/cpuinfo")
    lines = processors.read_text(encoding="utf-8").splitlines() if processors.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def main() -> None:
    """Runs all methods and prints ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", nargs="+", default=CLASSIFIERS, help="names of bundled classifiers")
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--iterations", type=int, default=50, help="of the attack")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of torch")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    console = Console()
    warnings.simplefilter("ignore", WeakSourceWarning)

    warm_up = prepare(arguments.classifiers, count=min(arguments.count, 20), iterations=2)
    for way in WAYS.values():
        way(warm_up.copy_fresh())
    job = prepare(arguments.classifiers, count=arguments.count, iterations=arguments.iterations)
    rounds: list[dict[str, Timing]] = []
    for order in islice(cycle(permutations(WAYS)), arguments.rounds):
        rounds.append({name: measure_time(WAYS[name], job) for name in order})
        console.print(f"round {len(rounds)}: " + ", ".join(f"{name} {rounds[-1][name].elapsed:.2f} s" for name in order))
    difference = float(np.abs(run_zooscope(job.copy_fresh()) - run_torchattacks(job.copy_fresh())).max())

    facts = describe_environment()
    num_classifiers = len(job.classifiers)
    table = Table(
        title=f"{num_classifiers} classifiers, {len(job.images)} images, {job.attack.iterations} iterations, {len(rounds)} rounds",
        caption=f"{facts['cpu']}, threads: {facts['threads']}, torch {facts['torch']}. SAT of zooscope and "
        f"torchattacks differs by at most {difference:.2f} percent points (signs of gradients that are nearly zero).",
    )
    for heading in ("way", "seconds", "ratio to the floor", "least to most", "ratio of processor time"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    results: dict[str, dict[str, float]] = {}
    for name in WAYS:
        ratios = [timings[name].elapsed / timings["floor"].elapsed for timings in rounds]
        processor = [timings[name].processor / timings["floor"].processor for timings in rounds]
        seconds = median(timings[name].elapsed for timings in rounds)
        results[name] = {"seconds": seconds, "ratio": median(ratios), "processor_ratio": median(processor)}
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        table.add_row(name, f"{seconds:.2f}", f"{median(ratios):.3f}", spread, f"{median(processor):.3f}")
    console.print(table)
    settings = {"classifiers": list(arguments.classifiers), "count": arguments.count, "iterations": arguments.iterations}
    print(json.dumps({"benchmark": "engine", **settings, "rounds": len(rounds), "results": results, "environment": facts}))


if __name__ == "__main__":
    main()
