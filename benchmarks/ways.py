"""Ways to do the same job, each in a process of its own: floors, zooscope, and a careful script.

floor           What is unavoidable: the bare networks, forward and gradient to the input, times iterations, on exactly the
                images that zooscope attacks and in batches of 100; one forward pass for every (attacked image, target) that
                counts; the clean passes. No step, no projection, no decoding, no record, no score.
passes          The same passes, by the networks as zooscope prepares them and in its batches: what is more in `zooscope` is the
                engine's own.
zooscope        `Study.in_memory(...)`, `run`, `sat`: images decoded, classifiers and images fingerprinted, everything recorded.
exact           The same with `exact=True`: networks as they are, and not a bit changed.
torchattacks    A careful script with torchattacks' PGD: parameters frozen, images decoded once, only images that the source gets
                right attacked, in batches of 100; every target run on all attacked images, without gradients; numpy counts.

Processes, because zooscope changes how a process takes memory.
"""

import json
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import zooscope.images.torchvision_operators

import numpy as np
import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchattacks import PGD

from zooscope import Classifier, ImageSet, PixelTransform, Study, load_classifier, load_images
from zooscope.allocator import keeping_memory
from zooscope.attacks import LinfPGD
from zooscope.classifiers.prepared import prepare
from zooscope.measurements.batches import run_batches

BATCH_SIZE: Final = 100

Matrix = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """The work, as it is handed to a process.

    Attributes:
        networks: names of bundled classifiers, or `timm:NAME` for one of timm's with random weights, at 224 pixels.
        count: images.
        iterations: of the attack.
        threads: of torch; 0 for torch's own choice.
    """

    networks: tuple[str, ...]
    count: int
    iterations: int
    threads: int = 0


class Timing(NamedTuple):
    """Seconds of one way in one round, and the scores that came out."""

    elapsed: float
    processor: float
    percent: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A job in memory. Random networks are right by definition: the labels are what the first one says."""

    classifiers: tuple[Classifier, ...]
    images: ImageSet
    attack: LinfPGD

    @classmethod
    def of(cls, job: Job) -> "Ready":
        """Loads what the job names."""
        classifiers = tuple(load(name) for name in job.networks)
        images = load_images("bundled:cifar10").sample(job.count)
        if any(name.startswith("timm:") for name in job.networks):
            said = [predict(Normalised(classifiers[0]), batch) for batch in images.pixels(classifiers[0]).split(BATCH_SIZE)]
            images = replace(images, labels=torch.cat(said).numpy())
        return cls(classifiers=classifiers, images=images, attack=LinfPGD(iterations=job.iterations))


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


def load(name: str) -> Classifier:
    """A bundled classifier, or one of timm's with random weights."""
    if not name.startswith("timm:"):
        return load_classifier(f"bundled:{name}")
    torch.manual_seed(0)
    network = timm.create_model(name.removeprefix("timm:"), num_classes=10).eval()
    return Classifier(name=name, network=network, num_classes=10, transform=PixelTransform(height=224, width=224))


def run_zooscope(ready: Ready, *, exact: bool = False) -> Matrix:
    """The job as zooscope does it; SAT in percent."""
    with Study.in_memory(classifiers=ready.classifiers, images=ready.images, attack=ready.attack, exact=exact) as study:
        study.run(device="cpu", allow_chance=True)
        percent: Matrix = study.sat(confidence=None)["percent"].to_numpy()
    return percent


def run_exact(ready: Ready) -> Matrix:
    """The job as zooscope does it with `exact=True`."""
    return run_zooscope(ready, exact=True)


def run_torchattacks(ready: Ready) -> Matrix:
    """The job as a careful user of torchattacks writes it; SAT in percent."""
    networks = [Normalised(classifier).eval() for classifier in ready.classifiers]
    pixels, labels = ready.images.pixels(ready.classifiers[0]), torch.from_numpy(ready.images.labels)
    right = [torch.cat([predict(network, batch) for batch in pixels.split(BATCH_SIZE)]) == labels for network in networks]
    fooled = np.zeros((len(networks), len(networks)))
    for row, source in enumerate(networks):
        attack = PGD(
            source, eps=ready.attack.epsilon, alpha=ready.attack.step_size, steps=ready.attack.iterations, random_start=False
        )
        for chosen in torch.arange(len(labels)).split(BATCH_SIZE):
            shown = chosen[right[row][chosen]]
            attacked = attack(pixels[shown], labels[shown])
            for column, target in enumerate(networks):
                wrong = predict(target, attacked) != labels[shown]
                fooled[row, column] += int((wrong & right[column][shown]).sum())
    counted = np.array([[int((first & second).sum()) for second in right] for first in right])
    percent: Matrix = 100 * (fooled + fooled.T) / (2 * counted)
    return percent


def run_floor(ready: Ready) -> None:
    """The passes through bare networks that no way can avoid."""
    pixels, labels = ready.images.pixels(ready.classifiers[0]), torch.from_numpy(ready.images.labels)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (ready.classifiers[0].mean, ready.classifiers[0].std))
    pixels = (pixels - mean) / std
    shards = torch.arange(len(labels)).split(BATCH_SIZE)
    networks = [classifier.network for classifier in ready.classifiers]
    right = [torch.cat([predict(network, pixels[shard]) for shard in shards]) == labels for network in networks]
    for row, source in enumerate(networks):
        for shard in shards:
            chosen = shard[right[row][shard]]
            shown, truth = pixels[chosen].requires_grad_(), labels[chosen]
            for _ in range(ready.attack.iterations):
                torch.autograd.grad(cross_entropy(source(shown), truth, reduction="sum"), shown)
            for column, target in enumerate(networks):
                predict(target, pixels[chosen[right[column][chosen]]])


def run_passes(ready: Ready) -> None:
    """The passes through prepared networks, in the engine's batches."""
    pixels, labels = ready.images.pixels(ready.classifiers[0]), torch.from_numpy(ready.images.labels)
    shards = torch.arange(len(labels)).split(BATCH_SIZE)
    with keeping_memory():
        classifiers = [prepare(classifier) for classifier in ready.classifiers]
        right = [torch.cat([_classify(classifier, pixels[shard]) for shard in shards]) == labels for classifier in classifiers]
        for row, source in enumerate(classifiers):
            for shard in shards:
                chosen = shard[right[row][shard]]
                _follow(source, pixels[chosen], labels[chosen], iterations=ready.attack.iterations)
                for column, target in enumerate(classifiers):
                    _classify(target, pixels[chosen[right[column][chosen]]])


def _follow(source: Classifier, pixels: Tensor, labels: Tensor, *, iterations: int) -> None:
    def work(classifier: Classifier, here: slice) -> None:
        shown = pixels[here].requires_grad_()
        for _ in range(iterations):
            torch.autograd.grad(cross_entropy(classifier.logits(shown), labels[here], reduction="sum"), shown)

    run_batches(source, len(pixels), BATCH_SIZE, work)


def _classify(target: Classifier, pixels: Tensor) -> Tensor:
    def work(classifier: Classifier, here: slice) -> Tensor:
        with torch.inference_mode():
            return classifier.logits(pixels[here]).argmax(1)

    return torch.cat([torch.empty(0, dtype=torch.long), *run_batches(target, len(pixels), BATCH_SIZE, work)])


def predict(network: nn.Module, pixels: Tensor) -> Tensor:
    """Predicted classes."""
    with torch.inference_mode():
        predicted: Tensor = network(pixels).argmax(1)
    return predicted


WAYS: Final[dict[str, Callable[[Ready], Matrix | None]]] = {
    "floor": run_floor,
    "passes": run_passes,
    "zooscope": run_zooscope,
    "exact": run_exact,
    "torchattacks": run_torchattacks,
}


def measure_time(way: str, job: Job) -> Timing:
    """One way, in a process of its own; loading torch, networks and images is not counted."""
    said = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, __file__, way, json.dumps(asdict(job))], check=True, capture_output=True, text=True
    )
    return Timing(**json.loads(said.stdout.splitlines()[-1]))


def describe_environment(job: Job) -> dict[str, Any]:
    """The machine and the versions that the numbers depend on."""
    processors = Path("/proc/cpuinfo")
    lines = processors.read_text(encoding="utf-8").splitlines() if processors.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "threads": job.threads or torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def summarise(rounds: list[dict[str, Timing]], *, to: str) -> dict[str, dict[str, float]]:
    """Medians over the rounds: seconds of each way, and its ratio to another within a round."""
    return {
        way: {
            "seconds": median(timings[way].elapsed for timings in rounds),
            "ratio": median(timings[way].elapsed / timings[to].elapsed for timings in rounds),
            "processor_ratio": median(timings[way].processor / timings[to].processor for timings in rounds),
        }
        for way in rounds[0]
    }


def main() -> None:
    """Runs one way, warmed up, and prints its timing: what `measure_time` calls."""
    if len(sys.argv) < 3:
        print(__doc__)
        return
    warnings.simplefilter("ignore")
    way, given = sys.argv[1], json.loads(sys.argv[2])
    job = Job(**{**given, "networks": tuple(given["networks"])})
    if job.threads:
        torch.set_num_threads(job.threads)
    WAYS[way](Ready.of(replace(job, count=min(job.count, 4), iterations=1)))
    ready = Ready.of(job)
    elapsed, processor = time.perf_counter(), time.process_time()
    percent = WAYS[way](ready)
    elapsed, processor = time.perf_counter() - elapsed, time.process_time() - processor
    print(json.dumps({"elapsed": elapsed, "processor": processor, "percent": [] if percent is None else percent.tolist()}))


if __name__ == "__main__":
    main()
