"""The recipe of the bundled zoo: trains its classifiers on CIFAR-10's training set and writes weights and cards.

    python recipes/bundled_zoo.py --data cifar10 --out weights                    # every classifier, downloads CIFAR-10
    python recipes/bundled_zoo.py --data cifar10.npz --out weights --names vit vit_seed1

`--data` is a folder for torchvision's CIFAR10, or an .npz with train_images, train_labels, test_images, test_labels. Each
classifier is written as `<name>.safetensors` (float16) with `<name>.json` beside it, holding the accuracy of exactly those weights
on the 10,000 test images; an existing classifier is skipped. One classifier takes about ten minutes on a processor
core.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import zooscope.images.torchvision_operators

import numpy as np
import torch
from safetensors.torch import save
from timm.optim import create_optimizer_v2
from torch import Tensor, nn
from torchvision.datasets import CIFAR10

from zooscope.classifiers.bundled.architectures import ARCHITECTURES
from zooscope.outputs import write_bytes, write_text

MEAN: Final = (0.4914, 0.4822, 0.4465)
STD: Final = (0.2470, 0.2435, 0.2616)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one classifier is trained: one-cycle cosine schedule, random crops and flips, cross-entropy.

    With `attack_steps`, on adversarial examples alone (Madry et al., ICLR 2018): PGD from a random point of the ball of `epsilon`,
    with steps of `attack_step_size`, both in pixel units.
    """

    architecture: str
    seed: int = 0
    epochs: int = 6
    batch_size: int = 128
    optimizer: str = "muon"
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    warmup: float = 0.15
    epsilon: float = 0.0
    attack_step_size: float = 0.0
    attack_steps: int = 0


RECIPES: Final[dict[str, Recipe]] = {
    "resnet": Recipe(architecture="resnet"),
    "resnet_robust": Recipe(
        architecture="resnet", epochs=8, weight_decay=0.01, epsilon=8 / 255, attack_step_size=4 / 255, attack_steps=4
    ),
    "resnext_gn": Recipe(architecture="resnext_gn"),
    "convnext": Recipe(architecture="convnext", epochs=12, learning_rate=6e-3),
    "convnext_seed1": Recipe(architecture="convnext", seed=1, epochs=12, learning_rate=6e-3),
    "convnext_seed2": Recipe(architecture="convnext", seed=2, epochs=12, learning_rate=6e-3),
    "efficientnet": Recipe(architecture="efficientnet"),
    "vit": Recipe(architecture="vit", epochs=8),
    "vit_seed1": Recipe(architecture="vit", seed=1, epochs=8),
    "vit_seed2": Recipe(architecture="vit", seed=2, epochs=8),
    "swin": Recipe(architecture="swin", epochs=8),
    "visformer": Recipe(architecture="visformer"),
    "mixer": Recipe(architecture="mixer", epochs=8),
}


def load_cifar10(data: Path) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images, training labels, test images, test labels; images uint8 of shape (count, 3, 32, 32)."""
    if data.suffix == ".npz":
        with np.load(data) as arrays:
            parts = [arrays[f"{split}_{kind}"] for split in ("train", "test") for kind in ("images", "labels")]
    else:
        sets = [CIFAR10(str(data), train=train, download=True) for train in (True, False)]
        parts = [part for dataset in sets for part in (dataset.data, np.asarray(dataset.targets))]
    train_images, train_labels, test_images, test_labels = (torch.from_numpy(np.asarray(part)) for part in parts)
    to_channels_first = (0, 3, 1, 2)
    return train_images.permute(to_channels_first), train_labels.long(), test_images.permute(to_channels_first), test_labels.long()


def normalise(images: Tensor, device: torch.device) -> Tensor:
    """Images as the networks see them: float, channels last in memory, normalised by CIFAR-10's mean and standard deviation."""
    pixels = images.to(device, dtype=torch.float32, memory_format=torch.channels_last) / 255
    shape = (1, 3, 1, 1)
    return (pixels - torch.tensor(MEAN, device=device).view(shape)) / torch.tensor(STD, device=device).view(shape)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images moved by up to four pixels each way (borders reflected) and half of them mirrored."""
    count, _, height, width = images.shape
    padded = nn.functional.pad(images.float(), (4, 4, 4, 4), mode="reflect").to(torch.uint8)
    top, left = torch.randint(0, 9, (2, count, 1, 1, 1), generator=generator)
    rows = top + torch.arange(height).view(1, 1, -1, 1)
    columns = left + torch.arange(width).view(1, 1, 1, -1)
    mirror = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    columns = torch.where(mirror, columns.flip(-1), columns)
    return padded[torch.arange(count).view(-1, 1, 1, 1), torch.arange(3).view(1, -1, 1, 1), rows, columns]


def attack(
    network: nn.Module, pixels: Tensor, labels: Tensor, *, epsilon: float, step_size: float, steps: int, generator: torch.Generator
) -> Tensor:
    """Normalised images moved by projected gradient descent within `epsilon` of pixel units, from a random start."""
    std = torch.tensor(STD, device=pixels.device).view(1, 3, 1, 1)
    lowest, highest = ((value - torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)) / std for value in (0.0, 1.0))
    low, high = torch.maximum(pixels - epsilon / std, lowest), torch.minimum(pixels + epsilon / std, highest)
    attacked = low + (high - low) * torch.rand(pixels.shape, generator=generator).to(pixels)
    for _ in range(steps):
        attacked.requires_grad_()
        loss = nn.functional.cross_entropy(network(attacked), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, attacked)
        attacked = (attacked.detach() + step_size / std * gradient.sign()).clamp(low, high)
    return attacked.contiguous(memory_format=torch.channels_last)


def train(recipe: Recipe, images: Tensor, labels: Tensor, device: torch.device) -> nn.Module:
    """A network trained by the recipe; the seed decides its first weights, the order of images and the augmentation."""
    torch.manual_seed(recipe.seed)  # timm's initialisers draw from the global generator
    generator = torch.Generator().manual_seed(recipe.seed)
    network = ARCHITECTURES[recipe.architecture](10).to(device).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
    optimizer = create_optimizer_v2(network, opt=recipe.optimizer, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps_per_epoch = len(images) // recipe.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps_per_epoch, pct_start=recipe.warmup, cycle_momentum=False
    )
    for epoch in range(recipe.epochs):
        started, correct, total_loss = time.perf_counter(), 0, 0.0
        order = torch.randperm(len(images), generator=generator)
        for batch in order[: steps_per_epoch * recipe.batch_size].split(recipe.batch_size):
            pixels = normalise(augment(images[batch], generator), device)
            answers = labels[batch].to(device)
            if recipe.attack_steps:
                network.eval()
                pixels = attack(
                    network,
                    pixels,
                    answers,
                    epsilon=recipe.epsilon,
                    step_size=recipe.attack_step_size,
                    steps=recipe.attack_steps,
                    generator=generator,
                )
                network.train()
            logits = network(pixels)
            loss = nn.functional.cross_entropy(logits, answers)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            correct += int((logits.detach().argmax(1) == answers).sum())
            total_loss += loss.item()
        count = steps_per_epoch * recipe.batch_size
        print(
            f"{recipe.architecture} seed {recipe.seed} epoch {epoch + 1}/{recipe.epochs}: "
            f"training accuracy {100 * correct / count:.1f} %, loss {total_loss / steps_per_epoch:.3f}, "
            f"{count / (time.perf_counter() - started):.0f} images/s",
            flush=True,
        )
    return network.eval()


def measure_accuracy(network: nn.Module, images: Tensor, labels: Tensor, device: torch.device) -> float:
    """Share of images classified correctly."""
    with torch.inference_mode():
        answers = torch.cat([network(normalise(batch, device)).argmax(1).cpu() for batch in images.split(500)])
    return float((answers == labels).double().mean())


def measure_robust_accuracy(network: nn.Module, images: Tensor, labels: Tensor, device: torch.device, *, epsilon: float) -> float:
    """Share of images classified correctly after 20 steps of PGD from a random start, each a quarter of `epsilon` long."""
    generator, correct = torch.Generator().manual_seed(0), 0
    for batch, answers in zip(images.split(500), labels.split(500), strict=True):
        pixels, truth = normalise(batch, device), answers.to(device)
        attacked = attack(network, pixels, truth, epsilon=epsilon, step_size=epsilon / 4, steps=20, generator=generator)
        with torch.inference_mode():
            correct += int((network(attacked).argmax(1) == truth).sum())
    return correct / len(labels)


def round_to_half(network: nn.Module) -> dict[str, Tensor]:
    """The network's weights in float16; the network keeps the rounded values, so that these are measured."""
    state = {
        key: value.detach().half().cpu().contiguous() if value.is_floating_point() else value.detach().cpu()
        for key, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return state


def main() -> None:
    """Trains what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="*", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    train_images, train_labels, test_images, test_labels = load_cifar10(args.data)
    for name in args.names:
        card = args.out / f"{name}.json"
        if card.exists():
            print(f"{name}: there already")
            continue
        recipe = RECIPES[name]
        network = train(recipe, train_images, train_labels, device)
        state = round_to_half(network)
        write_bytes(args.out / f"{name}.safetensors", save(state))
        test_accuracy = measure_accuracy(network, test_images, test_labels, device)
        facts = {**asdict(recipe), "test_accuracy": test_accuracy}
        if recipe.attack_steps:
            facts["robust_accuracy"] = measure_robust_accuracy(network, test_images, test_labels, device, epsilon=recipe.epsilon)
        write_text(card, json.dumps(facts, indent=2) + "\n")
        print(f"{name}: test accuracy {100 * test_accuracy:.2f} %", flush=True)


if __name__ == "__main__":
    main()
