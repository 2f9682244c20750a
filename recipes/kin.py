"""The recipe of docs/kin.md: classifiers of known kinship, and the studies that hold them.

    python recipes/kin.py --data cifar10.npz --out kin
    python recipes/kin_tables.py --studies kin --out docs/kin.png       # the tables and the picture
    python recipes/kin_rates.py                                         # the table of simulated rates

Two zoos. `bundled`: bundled classifiers, with copies of bundled:vit and bundled:convnext that are quantised to 8 and 4 bits and
back, pruned, or have noise in their weights. `short`: six seeds of one short recipe, such copies of three of them, fine-tuned
copies of two, and students distilled from one. An epoch is 10,000 images of CIFAR-10's training set. `--data` is an .npz with
train_images, uint8 of shape (count, 32, 32, 3), and train_labels. What is made lies in `--out`; killed and started again, the
script goes on where it was.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import zooscope.images.torchvision_operators

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import zooscope
from zooscope.classifiers.bundled.architectures import ARCHITECTURES
from zooscope.classifiers.classifier import Classifier
from zooscope.measurements import Features

COUNT: Final = 160
EPOCH: Final = 10_000
BATCH: Final = 128
OTHERS: Final = ("vit", "swin", "mixer", "resnet", "visformer")
BUNDLED: Final = ("vit", "vit_seed1", "vit_seed2", "convnext", "convnext_seed1", "convnext_seed2", *OTHERS[1:])
BASES: Final = ("vit", "convnext")
SHORT: Final = tuple(f"short{seed}" for seed in range(6))
SHORT_EPOCHS: Final = 5
COPIED: Final = SHORT[:3]
PRUNED: Final = (30, 60)
PRUNED_AND_TUNED: Final = 90
NOISE: Final = (3, 10, 30, 60)
TUNED: Final = {"tuned": (1, 3, 10), "retuned": (1, 3)}  # epochs
RATES: Final = {"tuned": 1.2e-5, "retuned": 1e-3}  # of AdamW, constant; the short recipe goes up to 2e-3
STUDENT_EPOCHS: Final = 5
STUDENTS: Final = {"short0": ("convnext", "resnet"), "short1": ()}
RETUNED: Final = ("short0",)
TRAINED: Final = ("short0", "short1")
BITS: Final = (8, 4)

MEAN: Final = (0.4914, 0.4822, 0.4465)
STD: Final = (0.2470, 0.2435, 0.2616)

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


class Data(NamedTuple):
    """Training images (uint8) and labels."""

    images: Tensor
    labels: Tensor


def load_cifar10(file: Path) -> Data:
    """Training images, channels first."""
    with np.load(file) as arrays:
        return Data(torch.from_numpy(arrays["train_images"]).permute(0, 3, 1, 2), torch.from_numpy(arrays["train_labels"]).long())


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images moved by up to four pixels each way (borders reflected), half of them mirrored; normalised."""
    count, _, height, width = images.shape
    padded = nn.functional.pad(images.float(), (4, 4, 4, 4), mode="reflect") / 255
    top, left = torch.randint(0, 9, (2, count, 1, 1, 1), generator=generator)
    rows = top + torch.arange(height).view(1, 1, -1, 1)
    columns = left + torch.arange(width).view(1, 1, 1, -1)
    mirror = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    columns = torch.where(mirror, columns.flip(-1), columns)
    moved = padded[torch.arange(count).view(-1, 1, 1, 1), torch.arange(3).view(1, -1, 1, 1), rows, columns]
    return (moved - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


# Copies without training


def quantise(network: nn.Module, bits: int) -> None:
    """Rounds weights to so many bits and back, symmetric, with one scale per output channel."""
    most = 2 ** (bits - 1) - 1
    for weight in list_weights(network):
        scale = weight.flatten(1).abs().amax(1).clamp(min=1e-12).view(-1, *[1] * (weight.ndim - 1)) / most
        weight.copy_((weight / scale).round() * scale)


def prune(network: nn.Module, percent: int) -> None:
    """Zeroes the smallest weights of the whole network; they stay zero in later training."""
    weights = list_weights(network)
    sizes = torch.cat([weight.abs().flatten() for weight in weights])
    threshold = sizes.kthvalue(max(1, round(len(sizes) * percent / 100))).values
    for parameter in network.parameters():
        if parameter.ndim > 1:
            kept = parameter.data.abs() > threshold
            parameter.data.mul_(kept)
            parameter.register_hook(kept.mul)


def add_noise(network: nn.Module, percent: int) -> None:
    """Adds Gaussian noise to every weight, in percent of the standard deviation of its tensor."""
    generator = torch.Generator().manual_seed(0)
    for weight in list_weights(network):
        weight.add_(torch.randn(weight.shape, generator=generator) * weight.std() * percent / 100)


def list_weights(network: nn.Module) -> list[Tensor]:
    """Matrices and kernels; no biases, no gains of norms."""
    return [parameter.data for parameter in network.parameters() if parameter.ndim > 1]


CHANGES: Final[dict[str, Callable[[nn.Module], None]]] = {
    **{f"int{bits}": partial(quantise, bits=bits) for bits in BITS},
    **{f"pruned{percent}": partial(prune, percent=percent) for percent in PRUNED},
    **{f"noise{percent}": partial(add_noise, percent=percent) for percent in NOISE},
}


# Copies and seeds that are trained


def train(
    network: nn.Module, data: Data, *, epochs: int, rate: float, seed: int, loss: Loss, is_constant: bool = False
) -> Iterator[int]:
    """Trains by AdamW; gives the number of epochs after each of them. The rate is constant, or goes up and down once."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.95, 0.999), weight_decay=0.05)
    steps = EPOCH // BATCH
    once = torch.optim.lr_scheduler.OneCycleLR
    schedule = None if is_constant else once(optimizer, rate, total_steps=epochs * steps, pct_start=0.15)
    for epoch in range(1, epochs + 1):
        network.train()
        for batch in torch.randperm(len(data.images), generator=generator)[: steps * BATCH].split(BATCH):
            pixels = augment(data.images[batch], generator)
            optimizer.zero_grad()
            loss(network, pixels, data.labels[batch]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            if schedule is not None:
                schedule.step()
        network.eval()
        yield epoch


def follow_labels(network: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with the true classes."""
    return nn.functional.cross_entropy(network(pixels), labels)


def follow_teacher(teacher: nn.Module) -> Loss:
    """Cross-entropy with the teacher's probabilities, on the same augmented images."""

    def loss(network: nn.Module, pixels: Tensor, _: Tensor) -> Tensor:
        with torch.no_grad():
            told = teacher(pixels).softmax(1)
        return nn.functional.cross_entropy(network(pixels), told)

    return loss


def build(architecture: str, seed: int) -> nn.Module:
    """An untrained network."""
    torch.manual_seed(seed)  # timm's initialisers draw from the global generator
    return ARCHITECTURES[architecture](10)


class Made:
    """Networks that are made once and kept in a folder."""

    def __init__(self, folder: Path, data: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.path = folder, data
        self.loaded: Data | None = None

    @property
    def data(self) -> Data:
        """Training images, read when something is trained."""
        if self.loaded is None:
            self.loaded = load_cifar10(self.path)
        return self.loaded

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return (self.folder / f"{name}.safetensors").exists()

    def keep(self, name: str, network: nn.Module) -> None:
        """Writes its weights."""
        print(f"made {name}", flush=True)
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, self.folder / f"{name}.safetensors")

    def load(self, name: str, architecture: str, like: Classifier) -> Classifier:
        """The classifier, with all but the network like another."""
        network = build(architecture, 0)
        network.load_state_dict(load_file(self.folder / f"{name}.safetensors"))
        return replace(like, name=name, network=network.eval(), address=None, architecture=architecture)


def make_copies(made: Made, base: Classifier, architecture: str) -> list[str]:
    """Names of the copies of a classifier that take no training."""
    short = base.name.removeprefix("bundled:")
    for change, apply in CHANGES.items():
        if not made.has(f"{short}-{change}"):
            network = build(architecture, 0)
            network.load_state_dict(base.network.state_dict())
            with torch.no_grad():
                apply(network)
            made.keep(f"{short}-{change}", network)
    return [f"{short}-{change}" for change in CHANGES]


def make_tuned(made: Made, base: Classifier, architecture: str) -> list[str]:
    """Fine-tuned copies, all of one rate from one training; and one that is pruned first."""
    short = base.name.removeprefix("bundled:")
    result: list[str] = []
    for kind, rate in RATES.items():
        if kind == "retuned" and short not in RETUNED:
            continue
        names = {epochs: f"{short}-{kind}{epochs}" for epochs in TUNED[kind]}
        result += names.values()
        if not all(map(made.has, names.values())):
            network = build(architecture, 0)
            network.load_state_dict(base.network.state_dict())
            for epoch in train(
                network, made.data, epochs=max(TUNED[kind]), rate=rate, seed=0, loss=follow_labels, is_constant=True
            ):
                if epoch in names:
                    made.keep(names[epoch], network)
    pruned = f"{short}-pruned{PRUNED_AND_TUNED}-tuned1"
    if not made.has(pruned):
        network = build(architecture, 0)
        network.load_state_dict(base.network.state_dict())
        prune(network, PRUNED_AND_TUNED)
        for _ in train(network, made.data, epochs=1, rate=RATES["tuned"], seed=0, loss=follow_labels, is_constant=True):
            made.keep(pruned, network)
    return [*result, pruned]


def make_student(made: Made, base: Classifier, architecture: str) -> str:
    """A student of a classifier, from first weights of its own."""
    name = f"{base.name.removeprefix('bundled:')}-student-{architecture}"
    if not made.has(name):
        network = build(architecture, 100)
        for _ in train(network, made.data, epochs=STUDENT_EPOCHS, rate=1e-3, seed=100, loss=follow_teacher(base.network)):
            pass
        made.keep(name, network)
    return name


def make_short(made: Made, name: str) -> None:
    """A seed of the short recipe."""
    if not made.has(name):
        seed = SHORT.index(name)
        network = build("convnext", seed)
        for _ in train(network, made.data, epochs=SHORT_EPOCHS, rate=2e-3, seed=seed, loss=follow_labels):
            pass
        made.keep(name, network)


# The zoos


def collect_copies(made: Made, base: Classifier, architecture: str, *, is_trained: bool) -> list[Classifier]:
    """What is derived of a classifier."""
    short = base.name.removeprefix("bundled:")
    architectures = dict.fromkeys(make_copies(made, base, architecture), architecture)
    if is_trained and short in TRAINED:
        architectures |= dict.fromkeys(make_tuned(made, base, architecture), architecture)
        architectures |= {make_student(made, base, student): student for student in STUDENTS[short]}
    return [made.load(name, own, base) for name, own in architectures.items()]


def collect_bundled(made: Made) -> list[Classifier]:
    """Bundled classifiers, and what is derived of two of them."""
    bundled = [zooscope.load_classifier(f"bundled:{name}") for name in BUNDLED]
    bases = [one for one in bundled if one.name.removeprefix("bundled:") in BASES]
    return [*bundled, *(copy for one in bases for copy in collect_copies(made, one, one.architecture, is_trained=False))]


def collect_short(made: Made) -> list[Classifier]:
    """The seeds of the short recipe, and what is derived of some."""
    like = zooscope.load_classifier("bundled:convnext")
    seeds = []
    for name in SHORT:
        make_short(made, name)
        seeds.append(made.load(name, "convnext", like))
    copies = [copy for one in seeds[: len(COPIED)] for copy in collect_copies(made, one, "convnext", is_trained=True)]
    return [*seeds, *copies, *(zooscope.load_classifier(f"bundled:{name}") for name in OTHERS)]


def measure(folder: Path, classifiers: list[Classifier], *, count: int) -> zooscope.Snapshot:
    """What a study of these classifiers holds, measured as far as it isn't yet."""
    images = zooscope.load_images("bundled:cifar10").sample(count, seed=0)
    if zooscope.Study.exists(folder):
        with zooscope.Study.open(folder) as opened:
            known = set(opened.names)
        handed = [one for one in classifiers if one.name in known and one.address is None]
        study = zooscope.Study.open(folder, images=images, classifiers=handed)
        study.add([one for one in classifiers if one.name not in known])
    else:
        study = zooscope.Study.create(folder, classifiers=classifiers, images=images)
    with study:
        study.run(device="cpu", batch_size=100, also=[Features()], allow_chance=True)
        return study.snapshot()


def main() -> None:
    """Makes and measures what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    made = Made(args.out / "weights", args.data)
    measure(args.out / "short", collect_short(made), count=args.count)
    measure(args.out / "bundled", collect_bundled(made), count=args.count)


if __name__ == "__main__":
    main()
