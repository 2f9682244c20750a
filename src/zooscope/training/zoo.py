"""A folder of trained networks, and the zoo file by which they are measured.

OUT/zoo.toml                  every network that is trained, with its group
OUT/NAME/weights.safetensors  its weights
OUT/NAME/card.json            what is known of it
OUT/NAME/curves.csv           loss and accuracy by epoch
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from zooscope.errors import TrainingError
from zooscope.outputs import write_text
from zooscope.toml_file import write_value
from zooscope.training.accelerating import is_main_process
from zooscope.training.cards import WEIGHTS, Card, read_card
from zooscope.training.data import load_data
from zooscope.training.progress import TrainingListener
from zooscope.training.recipe import Recipe
from zooscope.training.train import Place, train_network

ZOO: Final = "zoo.toml"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What became of a sweep.

    Attributes:
        cards: of the networks that are trained, in their order.
        failures: why the others are not, by name.
    """

    cards: tuple[Card, ...]
    failures: dict[str, str]


def train_recipes(
    recipes: Sequence[Recipe],
    folder: Path,
    *,
    device: str | torch.device = "auto",
    listen: TrainingListener = lambda _: None,
) -> Trained:
    """Trains networks one after the other, each in a folder of its name; those that are trained are left as they are.

    Args:
        recipes: of the networks, of the same images.
        folder: where their folders and the zoo file go.
        device: see `train_network`.
        listen: is told after each step.

    Raises:
        StudyError: a folder holds a training by another recipe, or can't be written.
        ZooscopeError: a recipe can't be used. A network that diverges is a failure, not an error.
    """
    data, cards, failures = None, [], {}
    for number, recipe in enumerate(recipes, start=1):
        own = folder / recipe.folder
        if data is None or data.settings != recipe.images:
            data = load_data(recipe.images)
        try:
            cards.append(
                train_network(recipe, data, own, device=device, listen=listen, place=Place(number=number, of=len(recipes)))
            )
        except TrainingError as error:
            failures[recipe.name] = str(error)
        if is_main_process():
            write_zoo(folder)
    return Trained(cards=tuple(cards), failures=failures)


def list_cards(folder: Path) -> dict[str, Card]:
    """The cards of all trained networks in a folder, whoever trained them, by the names of their folders.

    Raises:
        StudyError: a card can't be read.
    """
    return {own.name: card for own in sorted(folder.iterdir()) if own.is_dir() and (card := read_card(own)) is not None}


def write_zoo(folder: Path) -> None:
    """Writes the zoo file of all trained networks in a folder.

    Raises:
        StudyError: a card can't be read, or the file can't be written.
    """
    cards = list_cards(folder)
    if cards:
        write_text(folder / ZOO, "\n".join(_write_entry(name, card) for name, card in cards.items()))


def _write_entry(folder: str, card: Card) -> str:
    keys: dict[str, Any] = {
        "name": card.name,
        "address": f"checkpoint:{folder}/{WEIGHTS}",
        **({"group": card.group} if card.group else {}),
        **card.checkpoint,
    }
    lines = [f"{json.dumps(key) if '.' in key else key} = {write_value(value)}" for key, value in keys.items()]
    return "\n".join(["[[classifiers]]", *lines, ""])
