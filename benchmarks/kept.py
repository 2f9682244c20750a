"""What a classifier that is added to a measured study costs where its attacked images are kept, against measuring the whole study.

    python benchmarks/kept.py
    python benchmarks/kept.py --count 10 --iterations 10 --added mixer
    python benchmarks/kept.py --sizes bundled:vit bundled:cifar10 --count 50

On disk, in one process, one after the other: the whole study of the bundled classifiers; the study without one of them, which keeps
what it attacks; that one added to it; and added to a copy whose kept images were forgotten, as it was without them. The ratio of
processor times (which other programs disturb less than elapsed ones) to that of the whole is printed, and what it should be by the
costs of one attack step, one pass and one unpacked image, which are measured on each classifier just before. From their means
follows the ratio for the paper's 69 networks:

whole(n) = n attacks + n clean passes + n * n passes;  added(n) = 1 attack + 1 clean pass + (2 n - 1) passes + n - 1 unpackings

The last line is the same as JSON. With --sizes, nothing of this is measured, but the packed bytes of several attacks' images.
"""

import argparse
import json
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import zooscope.images.torchvision_operators

import torch
from rich.console import Console
from rich.table import Table

from zooscope import Classifier, ImageSet, Study, load_classifier, load_images
from zooscope.attacks import LinfPGD, parse_attack
from zooscope.classifiers.bundled.cards import read_cards
from zooscope.classifiers.prepared import prepare
from zooscope.errors import ClassifierError, WeakSourceWarning
from zooscope.kept.packing import pack, unpack
from zooscope.measurements.predict import predict
from zooscope.measurements.transfer import perturb

NUM_OF_THE_PAPER: Final = 69
NUM_STEPS: Final = 5  # of which the cost of one is the mean
ATTACKS: Final = (
    "LinfPGD",
    "LinfPGD?step_size=2/255",
    "LinfPGD?step_size=2/255&random_start=true",
    "APGD",
    "AutoAttack?queries=100",
    "PatchFool?iterations=25",
)


class Costs(NamedTuple):
    """Seconds of the processor per image.

    Attributes:
        step: of an attack.
        test: a forward pass.
        unpacking: of kept pixels.
        num_bytes: of packed pixels.
    """

    step: float
    test: float
    unpacking: float
    num_bytes: float


class Timing(NamedTuple):
    """Seconds."""

    elapsed: float
    processor: float


def time_it(work: Callable[[], object]) -> Timing:
    """Runs something once."""
    elapsed, processor = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - elapsed, time.process_time() - processor)


def measure_costs(classifier: Classifier, images: ImageSet) -> Costs:
    """The costs of one classifier, prepared for speed as the engine prepares it, after a warm-up."""
    classifier = prepare(classifier)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    attack = LinfPGD(iterations=NUM_STEPS)
    attacked = attack.perturb(classifier, pixels, labels).pixels
    packed = pack(attacked, pixels, epsilon=attack.epsilon)
    return Costs(
        step=time_it(lambda: attack.perturb(classifier, pixels, labels)).processor / NUM_STEPS / len(images),
        test=time_it(lambda: predict(classifier, pixels, batch_size=len(images))).processor / len(images),
        unpacking=time_it(lambda: unpack(packed, pixels, epsilon=attack.epsilon)).processor / len(images),
        num_bytes=len(packed) / len(images),
    )


def predict_ratio(all_costs: Sequence[Costs], new: Costs, *, num_classifiers: int, iterations: int) -> float:
    """Seconds of adding the last of so many classifiers, over those of measuring all, by costs per image."""
    step, test, unpacking, _ = (mean(values) for values in zip(*all_costs, strict=True))
    whole = num_classifiers * (iterations * step + test) + num_classifiers**2 * test
    others = num_classifiers - 1
    added = iterations * new.step + new.test + others * (new.test + test) + new.test + others * unpacking
    ratio: float = added / whole
    return ratio


def print_sizes(address: str, images_address: str, *, count: int, iterations: int) -> None:
    """The packed bytes of attacked images, for several attacks."""
    classifier = load_classifier(address)
    images = load_images(images_address).sample(count)
    pixels, labels = images.pixels(classifier), torch.from_numpy(images.labels)
    for text in ATTACKS:
        more = "" if "iterations=" in text else f"{'&' if '?' in text else '?'}iterations={iterations}"
        attack = parse_attack(text + more)
        try:
            attack.require(classifier)
        except ClassifierError:
            continue
        attacked = perturb(attack, classifier, pixels, labels, images.ids, seed=0, batch_size=count).pixels
        size = len(pack(attacked, pixels, epsilon=float(vars(attack)["epsilon"]))) / count
        values = attacked[0].numel()
        print(f"{text:<45}{size:10.0f} bytes an image, {8 * size / values:6.2f} bits a value, 1/{4 * values / size:.1f} of float32")


def run(study: Study, batch_size: int) -> Timing:
    """The time until everything that is missing is measured."""
    return time_it(lambda: study.run(device="cpu", batch_size=batch_size))


def main() -> None:
    """Measures and prints ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--added", default="resnet", help="the bundled classifier that is added")
    parser.add_argument("--count", type=int, default=20, help="images")
    parser.add_argument("--iterations", type=int, default=50, help="of the attack")
    parser.add_argument("--sizes", nargs=2, metavar=("CLASSIFIER", "IMAGES"), help="addresses of what is attacked to be packed")
    arguments = parser.parse_args()
    if arguments.sizes:
        print_sizes(*arguments.sizes, count=arguments.count, iterations=arguments.iterations)
        return
    console = Console()
    warnings.simplefilter("ignore", WeakSourceWarning)

    names = [name for name, card in read_cards().items() if not card.is_robust and name != arguments.added]
    classifiers = {name: load_classifier(f"bundled:{name}") for name in (*names, arguments.added)}
    images = load_images("bundled:cifar10").sample(arguments.count)
    attack = LinfPGD(iterations=arguments.iterations)
    costs = {name: measure_costs(classifier, images) for name, classifier in classifiers.items()}

    def create(folder: Path, chosen: Sequence[str]) -> Study:
        return Study.create(folder, classifiers=[classifiers[name] for name in chosen], images=images, attack=attack)

    def add(folder: Path) -> Timing:
        with Study.open(folder, classifiers=list(classifiers.values()), images=images) as study:
            study.add([classifiers[arguments.added]])
            return run(study, arguments.count)

    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        with create(place / "whole", [*names, arguments.added]) as study:
            whole, expected = run(study, arguments.count), study.predictions.transfer
        with create(place / "kept", names) as study:
            run(study, arguments.count)
        shutil.copytree(place / "kept", place / "forgotten")
        shutil.rmtree(place / "forgotten" / "cache")
        added, forgotten = (add(place / name) for name in ("kept", "forgotten"))
        with Study.open(place / "kept") as study:
            is_same = bool((study.predictions.transfer == expected).all())

    number, everything = len(classifiers), list(costs.values())
    ratios = {
        "added_classifier_over_whole": added.processor / whole.processor,
        "added_without_kept_over_whole": forgotten.processor / whole.processor,
        "elapsed_added_over_whole": added.elapsed / whole.elapsed,
        "by_unit_costs": predict_ratio(everything, costs[arguments.added], num_classifiers=number, iterations=arguments.iterations),
        f"by_unit_costs_for_{NUM_OF_THE_PAPER}": predict_ratio(
            everything,
            Costs(*(mean(values) for values in zip(*everything, strict=True))),
            num_classifiers=NUM_OF_THE_PAPER,
            iterations=arguments.iterations,
        ),
    }
    table = Table(
        title=f"{arguments.added} added to {len(names)} classifiers, {len(images)} images, {attack.iterations} iterations"
    )
    for heading in ("what", "elapsed, s", "processor, s", "share of the whole"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, timing in ((f"all {number} measured", whole), ("added, images kept", added), ("added, nothing kept", forgotten)):
        table.add_row(what, f"{timing.elapsed:.2f}", f"{timing.processor:.2f}", f"{timing.processor / whole.processor:.3f}")
    table.add_row("added, by unit costs", "", "", f"{ratios['by_unit_costs']:.3f}")
    table.add_row(f"the same for {NUM_OF_THE_PAPER}", "", "", f"{ratios[f'by_unit_costs_for_{NUM_OF_THE_PAPER}']:.4f}")
    console.print(table)
    step, test, unpacking, num_bytes = (mean(values) for values in zip(*everything, strict=True))
    console.print(
        f"Per image: a step {1000 * step:.2f} ms, a pass {1000 * test:.2f} ms, unpacking {1000 * unpacking:.2f} ms, "
        f"{num_bytes:.0f} bytes. The predictions are {'the same' if is_same else 'NOT THE SAME'} as measured at once."
    )
    settings = {"added": arguments.added, "count": arguments.count, "iterations": arguments.iterations, "classifiers": number}
    print(json.dumps({"benchmark": "kept", **settings, **ratios, "is_same": is_same, "bytes_per_image": num_bytes}))


if __name__ == "__main__":
    main()
