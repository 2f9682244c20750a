"""The memory that attacks take on a large network: 1,000 classes, 224 pixels, 100 images at once.

    python benchmarks/memory.py
    python benchmarks/memory.py --network vit_small_patch16_224 --attacks Square FAB

Each attack runs in a process of its own, on a timm network with random weights, as `zooscope measure` calls it. The radius is so
small that no image fools the network, so all images stay in the attack; few iterations and queries are enough, as each takes the
same memory. Prints the peak of the process's resident memory; `none` makes network and images and attacks nothing. `LinfPGD`, which
attacks a whole batch at once, is measured where it is named: it takes 9.7 GB on ResNet-50.
"""

import argparse
import json
import resource
import subprocess
import sys
from typing import Final

import zooscope.images.torchvision_operators

import timm
import torch

from zooscope.attacks import APGD, FAB, Attack, AutoAttack, LinfPGD, Square
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.images.pixel_transform import PixelTransform
from zooscope.measurements.transfer import perturb

SIDE: Final = 224
NUM_CLASSES: Final = 1000
TINY: Final = 1e-6
KIBIBYTES_PER_GIGABYTE: Final = 1e9 / 1024
ATTACKS: Final[dict[str, Attack | None]] = {
    "none": None,
    "APGD": APGD(epsilon=TINY, iterations=2),
    "FAB": FAB(epsilon=TINY, iterations=2, num_targets=2),
    "Square": Square(epsilon=TINY, queries=3),
    "AutoAttack": AutoAttack(epsilon=TINY, iterations=2, num_targets=1, queries=3),
    "LinfPGD": LinfPGD(epsilon=TINY, step_size=TINY, iterations=2),
}


def attack_once(network: str, attack: Attack | None, *, count: int, batch_size: int) -> None:
    """Attacks random images, and prints the peak memory of this process in GB as JSON."""
    torch.manual_seed(0)
    classifier = Classifier(
        name=network,
        network=timm.create_model(network, num_classes=NUM_CLASSES).eval(),
        num_classes=NUM_CLASSES,
        transform=PixelTransform(height=SIDE, width=SIDE),
    )
    pixels = torch.rand((count, 3, SIDE, SIDE))
    if attack is not None:
        with torch.no_grad():
            labels = torch.cat([classifier.logits(part).argmax(1) for part in pixels.split(10)])
        ids = [str(place) for place in range(count)]
        attacked = perturb(attack, classifier, pixels, labels, ids, seed=0, batch_size=batch_size)
        fooled = int(attacked.facts.get("fooled", torch.zeros(count)).sum())
        if fooled > count // 10:
            sys.exit(f"{fooled} of {count} images fool the network, so they left the attack early; make the radius smaller.")
    print(json.dumps({"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTES_PER_GIGABYTE}))


def main() -> None:
    """Measures each attack in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=[name for name in ATTACKS if name != "LinfPGD"])
    parser.add_argument("--count", type=int, default=BATCH_SIZE)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--here", action="store_true", help="run the first attack in this process")
    args = parser.parse_args()
    if args.here:
        attack_once(args.network, ATTACKS[args.attacks[0]], count=args.count, batch_size=args.batch_size)
        return
    print(f"{args.network}, {NUM_CLASSES} classes, {SIDE} pixels, {args.count} images in batches of {args.batch_size}")
    for name in args.attacks:
        command = [sys.executable, __file__, "--here", "--network", args.network, "--attacks", name]
        command += ["--count", str(args.count), "--batch-size", str(args.batch_size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  (this script itself)
        print(f"{name:<12}{json.loads(done.stdout)['peak_gb']:5.1f} GB", flush=True)


if __name__ == "__main__":
    main()
