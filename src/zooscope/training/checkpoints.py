"""The state of a training after each epoch, on disk: what is there is complete, also after `kill -9`.

epoch-3.safetensors      weights, and their average under `average.`
epoch-3.optimizer.pt     the optimiser's state
progress.json            which epoch is the last one, and the curves until then; written last
"""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from zooscope.errors import StudyError
from zooscope.outputs import write_bytes, write_text
from zooscope.training.recipe import Recipe

PROGRESS: Final = "progress.json"
AVERAGE: Final = "average."


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """A row of the curves.

    Attributes:
        epoch: counted from 1.
        learning_rate: of its last step.
        loss: mean over the training images, in nats.
        training_accuracy: share of the training images, augmented as they are.
        accuracy: share of the held-out images.
        seconds: how long it took, with the test.
    """

    epoch: int
    learning_rate: float
    loss: float
    training_accuracy: float
    accuracy: float
    seconds: float


class State(NamedTuple):
    """Where a training stands.

    Attributes:
        weights: of the network, by name.
        average: their moving average; empty where none is kept.
        optimizer: its state, and the gradient scaler's.
        epochs: the curves so far.
    """

    weights: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    epochs: tuple[Epoch, ...]


def write_state(folder: Path, recipe: Recipe, state: State) -> None:
    """Writes the state after an epoch, then removes the one before.

    Raises:
        StudyError: it can't be written.
    """
    stem = f"epoch-{len(state.epochs)}"
    tensors = {**state.weights, **{f"{AVERAGE}{name}": value for name, value in state.average.items()}}
    write_bytes(folder / f"{stem}.safetensors", save_weights(tensors))
    buffer = io.BytesIO()
    torch.save(dict(state.optimizer), buffer)
    write_bytes(folder / f"{stem}.optimizer.pt", buffer.getvalue())
    write_progress(folder, recipe, state.epochs)
    remove_states(folder, except_for=stem)


def write_progress(folder: Path, recipe: Recipe, epochs: Sequence[Epoch]) -> None:
    """Writes how far a training is; before the first epoch, too, so that a folder that can't be written is found at once.

    Raises:
        StudyError: it can't be written.
    """
    progress = {"recipe": recipe.settings, "epochs": [asdict(epoch) for epoch in epochs]}
    write_text(folder / PROGRESS, json.dumps(progress, indent=2) + "\n")


def read_state(folder: Path, recipe: Recipe) -> State | None:
    """The last state that was written; None before the end of the first epoch.

    Raises:
        StudyError: it is of another recipe, or damaged.
    """
    if not (folder / PROGRESS).is_file():
        return None
    try:
        progress = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        epochs = tuple(Epoch(**epoch) for epoch in progress["epochs"])
        require_same(folder, recipe, progress["recipe"])
        if not epochs:
            return None
        stem = folder / f"epoch-{len(epochs)}"
        tensors = load_file(stem.with_name(f"{stem.name}.safetensors"))
        optimizer = torch.load(stem.with_name(f"{stem.name}.optimizer.pt"), map_location="cpu", weights_only=True)
    except StudyError:
        raise
    except Exception as error:  # a damaged file makes each reader stumble in its own way
        msg = f"the training in {folder} can't be continued, since its files are damaged; remove the folder to train anew."
        raise StudyError(msg) from error
    return State(
        weights={name: value for name, value in tensors.items() if not name.startswith(AVERAGE)},
        average={name.removeprefix(AVERAGE): value for name, value in tensors.items() if name.startswith(AVERAGE)},
        optimizer=optimizer,
        epochs=epochs,
    )


def require_same(folder: Path, recipe: Recipe, settings: Mapping[str, Any]) -> None:
    """Refuses to continue under another recipe.

    Raises:
        StudyError: some settings differ; the first is named.
    """
    now: dict[str, Any] = json.loads(json.dumps(recipe.settings))
    for name in dict.fromkeys([*settings, *now]):
        if settings.get(name) != now.get(name):
            msg = (
                f"{folder} was trained with {name} = {settings.get(name)!r}, and the recipe says {now.get(name)!r}; "
                "name another folder, or change the recipe back."
            )
            raise StudyError(msg)


def save_weights(weights: Mapping[str, Tensor]) -> bytes:
    """Weights as safetensors; a tensor that stands under two names is written twice."""
    return save({name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in weights.items()})


def remove_states(folder: Path, *, except_for: str = "") -> None:
    """Removes the states of earlier epochs, and what a killed process left half-written; of a trained network all of it."""
    for file in [*folder.glob("epoch-*"), *folder.glob(".*.part"), *([] if except_for else [folder / PROGRESS])]:
        if not except_for or not file.name.startswith(f"{except_for}."):
            with suppress(OSError):
                file.unlink()
