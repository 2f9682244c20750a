"""From the networks of bundled.toml to the files that ship: weights in float16, each with a card of what exactly those weights do.

    zooscope train recipes/bundled.toml --images folder:cifar10/train --held-out folder:cifar10/test --out bundled
    python recipes/bundle.py bundled --images folder:cifar10/test --out src/zooscope/classifiers/bundled/weights

Writes `NAME.safetensors` and `NAME.json` for every network that is trained, and prints its accuracy before and after rounding.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import zooscope.images.torchvision_operators

import torch
from safetensors.torch import load_file, save
from torch import Tensor

import zooscope
from zooscope.attacks import Attack, LinfPGD, parse_attack
from zooscope.classifiers.bundled.cards import Card
from zooscope.outputs import write_bytes, write_text
from zooscope.training.cards import WEIGHTS, read_card
from zooscope.training.cards import Card as TrainingCard

PREFIX: Final = "cifar10-"
BATCH_SIZE: Final = 500


def round_to_half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in float16; whole numbers stay."""
    return {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}


def measure_accuracy(classifier: zooscope.Classifier, images: zooscope.ImageSet, attack: Attack | None = None) -> float:
    """The share of images that it gets right, clean or attacked."""
    correct = 0
    for start in range(0, len(images), BATCH_SIZE):
        indices = range(start, min(start + BATCH_SIZE, len(images)))
        pixels, labels = images.pixels(classifier, indices), torch.from_numpy(images.labels[list(indices)])
        if attack is not None:
            pixels = attack.perturb(classifier, pixels, labels, list(indices)).pixels
        with torch.inference_mode():
            correct += int((classifier.logits(pixels).argmax(1) == labels).sum())
    return correct / len(images)


def make_card(trained: TrainingCard, accuracy: float, robust_accuracy: float | None) -> Card:
    """The card that ships."""
    settings = trained.settings
    attack = parse_attack(settings["loss.attack"]) if settings["loss.attack"] else None
    against = {"epsilon": attack.epsilon, "attack_step_size": attack.step_size} if isinstance(attack, LinfPGD) else {}
    return Card(
        architecture=settings["network.architecture"].removeprefix("bundled:"),
        seed=settings["seed"],
        test_accuracy=accuracy,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        optimizer=settings["optimizer.name"],
        learning_rate=settings["optimizer.learning_rate"],
        weight_decay=settings["optimizer.weight_decay"],
        warmup=settings["schedule.warmup_epochs"] / settings["epochs"],
        attack_steps=attack.iterations if isinstance(attack, LinfPGD) else 0,
        robust_accuracy=robust_accuracy,
        **against,
    )


def main() -> None:
    """Rounds and measures what is trained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path)
    parser.add_argument("--images", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    images = zooscope.load_images(args.images)
    for folder in sorted(args.trained.iterdir()):
        trained = read_card(folder) if folder.is_dir() else None
        if trained is None:
            continue
        name = trained.name.removeprefix(PREFIX)
        weights, file = round_to_half(load_file(folder / WEIGHTS)), args.out / f"{name}.safetensors"
        write_bytes(file, save(weights))
        classifier = zooscope.load_classifier(f"checkpoint:{file}?architecture={trained.settings['network.architecture']}")
        accuracy, robust_accuracy = measure_accuracy(classifier, images), None
        if trained.settings["loss.attack"]:
            attack = LinfPGD(epsilon=8 / 255, step_size=2 / 255, iterations=20, random_start=True)
            robust_accuracy = measure_accuracy(classifier, images, attack)
        facts = {
            key: value for key, value in asdict(make_card(trained, accuracy, robust_accuracy)).items() if value not in {0.0, None}
        }
        write_text(args.out / f"{name}.json", json.dumps({"seed": 0, **facts}, indent=2) + "\n")
        print(f"{name}: {100 * trained.accuracy:.2f} % as trained, {100 * accuracy:.2f} % in float16", flush=True)


if __name__ == "__main__":
    main()
