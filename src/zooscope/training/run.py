"""`zooscope.train` and `zooscope.distill`: the networks of a recipe."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zooscope.arguments import check_arguments
from zooscope.classifiers.selection import select_classifiers
from zooscope.training.distill import list_students
from zooscope.training.progress import TrainingListener
from zooscope.training.recipe import Recipe
from zooscope.training.recipe_file import read_recipe_file
from zooscope.training.sweep import Sweep, list_tuned, take_part
from zooscope.training.zoo import Trained, train_recipes


def ignore(_: object) -> None:
    """Listens to nothing."""


@check_arguments
def train(
    recipe: str | Path,
    out: str | Path,
    *,
    images: str | None = None,
    held_out: str | None = None,
    changes: Mapping[str, Any] | None = None,
    start: str | Iterable[str] | None = None,
    part: str | None = None,
    device: str = "auto",
    listen: TrainingListener = ignore,
) -> Trained:
    """Trains the networks of a recipe, or goes on where that was left; those that are trained stay as they are.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import zooscope
        >>> few = {"images.count": 64, "images.held_out_count": 20, "batch_size": 32, "epochs": 1}
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "mine.toml")
        ...     _ = file.write_text("network.architecture = 'bundled:resnet'")
        ...     trained = zooscope.train(file, folder, images="bundled:cifar10", changes=few, device="cpu")
        >>> [(card.name, card.epochs, card.num_images) for card in trained.cards]
        [('mine', 1, 64)]

    Args:
        recipe: a TOML file, see docs/training.md.
        out: the folder where the networks and their zoo file go.
        images: the address of the images to train on, instead of the recipe's.
        held_out: likewise of those to test on.
        changes: settings by dotted name, instead of the recipe's.
        start: classifiers to fine-tune, each under its name, instead of the recipe's network: addresses, patterns, zoo files.
        part: the share of the networks to train, such as `2/8`.
        device: `auto` takes a GPU where there is one.
        listen: is told after each step.

    Returns:
        The cards of the networks, and why others failed: their loss was not finite.

    Raises:
        UnknownNameError: there is no such setting, architecture, optimiser or image source.
        InvalidValueError: a setting can't be used.
        MissingFileError: there is no such recipe.
        StudyError: the folder holds a training by another recipe, or can't be written.
        ZooscopeError: the images or classifiers can't be had.
    """
    recipes = list_networks(recipe, images=images, held_out=held_out, changes=changes, start=start, part=part)
    return train_recipes(recipes, Path(out), device=device, listen=listen)


def list_networks(
    recipe: str | Path,
    *,
    images: str | None = None,
    held_out: str | None = None,
    changes: Mapping[str, Any] | None = None,
    start: str | Iterable[str] | None = None,
    part: str | None = None,
) -> tuple[Recipe, ...]:
    """The recipe of each network that `train` would train, with the same arguments."""
    sweep = _read(recipe, images, held_out, changes)
    if start is None:
        recipes = sweep.list_recipes()
    else:
        recipes = list_tuned(sweep, select_classifiers([start] if isinstance(start, str) else start))
    return recipes if part is None else take_part(recipes, part)


@check_arguments
def distill(
    recipe: str | Path,
    out: str | Path,
    teachers: str | Iterable[str],
    *,
    images: str | None = None,
    held_out: str | None = None,
    changes: Mapping[str, Any] | None = None,
    part: str | None = None,
    device: str = "auto",
    listen: TrainingListener = ignore,
) -> Trained:
    """Trains one student per teacher, by hard distillation; see `train`.

    Source: Touvron et al., Training data-efficient image transformers and distillation through attention, ICML 2021, Section 4.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import zooscope
        >>> few = {"images.count": 64, "images.held_out_count": 20, "batch_size": 32, "epochs": 1}
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "student.toml")
        ...     _ = file.write_text("network.architecture = 'bundled:vit'")
        ...     students = zooscope.distill(file, folder, "bundled:resnet", images="bundled:cifar10", changes=few, device="cpu")
        >>> [(card.name, card.teacher) for card in students.cards]
        [('student-of-resnet', 'bundled:resnet')]

    Args:
        recipe: of the student.
        out: the folder where the students and their zoo file go.
        teachers: addresses, patterns, zoo files.
        images: see `train`.
        held_out: see `train`.
        changes: see `train`.
        part: see `train`.
        device: see `train`.
        listen: see `train`.

    Raises:
        ClassifierError: a teacher can't be had, or has other classes than the images.
        ZooscopeError: as `train`.
    """
    named = select_classifiers([teachers] if isinstance(teachers, str) else teachers)
    recipes = list_students(_read(recipe, images, held_out, changes), named)
    return train_recipes(recipes if part is None else take_part(recipes, part), Path(out), device=device, listen=listen)


def _read(recipe: str | Path, images: str | None, held_out: str | None, changes: Mapping[str, Any] | None) -> Sweep:
    addresses = {"images.train": images, "images.held_out": held_out}
    given = {name: address for name, address in addresses.items() if address is not None}
    return read_recipe_file(Path(recipe), {**(changes or {}), **given})
