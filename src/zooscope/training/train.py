"""One network trained by its recipe, epoch by epoch, from wherever it was left."""

import json
import time
from dataclasses import asdict, dataclass, replace
from math import isfinite, nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int
from timm.optim import create_optimizer_v2, list_optimizers
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from zooscope.addresses import parse_address
from zooscope.allocator import keeping_memory
from zooscope.classifiers.addresses import find_name
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, TrainingError, UnknownNameError, ZooscopeError, first_line
from zooscope.outputs import write_bytes, write_text
from zooscope.training.accelerating import make_accelerator
from zooscope.training.augmentation import Augmentation
from zooscope.training.batches import Batches, Share
from zooscope.training.cards import CARD, WEIGHTS, Card, read_card
from zooscope.training.checkpoints import (
    Epoch,
    State,
    read_state,
    remove_states,
    require_same,
    save_weights,
    write_progress,
    write_state,
)
from zooscope.training.curves import write_curves
from zooscope.training.data import Data
from zooscope.training.decoded import has_room
from zooscope.training.network import build_classifier, describe_checkpoint
from zooscope.training.objective import Objective, Result, prepare_network
from zooscope.training.predictions import write_predictions
from zooscope.training.progress import TrainingListener, TrainingProgress
from zooscope.training.randomness import derive_seed, seed_all
from zooscope.training.recipe import OptimizerSettings, Recipe

TEST_BATCH: Final = 256
FLOAT: Final = 4  # bytes


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which of many networks it is, for the progress."""

    number: int = 1
    of: int = 1


def train_network(
    recipe: Recipe,
    data: Data,
    folder: Path,
    *,
    device: str | torch.device = "auto",
    listen: TrainingListener = lambda _: None,
    place: Place = Place(),
) -> Card:
    """Trains a network, or goes on where its training was left; does nothing where it is trained.

    Writes `weights.safetensors`, `card.json`, `curves.csv` and `held_out.csv` into the folder, and after each epoch its state.

    Args:
        recipe: all that decides the weights.
        data: its images.
        folder: of this network alone.
        device: `auto` takes a GPU where there is one; with several processes Accelerate chooses.
        listen: is told after each step.
        place: which of many it is, for the progress.

    Returns:
        What is known of it.

    Raises:
        StudyError: the folder holds a training by another recipe, or can't be written.
        TrainingError: the loss is not finite; the state after the last good epoch is kept.
        ZooscopeError: the recipe can't be used.
    """
    done = read_card(folder)
    if done is not None:
        require_same(folder, recipe, done.settings)
        return done
    return _Training(recipe, data, folder, device=device, listen=listen, place=place).run()


class _Training:
    """A training under way."""

    def __init__(
        self, recipe: Recipe, data: Data, folder: Path, *, device: str | torch.device, listen: TrainingListener, place: Place
    ) -> None:
        self._recipe, self._data, self._folder, self._listen, self._place = recipe, data, folder, listen, place
        self._accelerator = make_accelerator(recipe.precision, device)
        here = self._accelerator.device
        self._classifier = build_classifier(recipe, data.train.class_names)
        self._classifier.network.to(here, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
        self._objective = Objective(recipe, self._classifier, here)
        network = prepare_network(self._classifier, is_taught=bool(recipe.loss.teacher))
        optimizer = make_optimizer(network, recipe.optimizer)
        share = Share(self._accelerator.process_index, self._accelerator.num_processes)
        augmentation = Augmentation(recipe.augmentation, self._classifier)
        self._batches = Batches(recipe, data.decoded, data.labels, augmentation, share)
        self._average = ModelEmaV3(network, decay=recipe.average) if recipe.average else None
        self._epochs: tuple[Epoch, ...] = ()
        state = read_state(folder, recipe)
        if state is not None:
            network.load_state_dict(dict(state.weights))
            optimizer.load_state_dict(state.optimizer["optimizer"])
            if self._average is not None:
                self._average.module.load_state_dict(dict(state.average))
            self._epochs = state.epochs
        self._schedule = make_schedule(optimizer, recipe, self._batches.steps_per_epoch)
        self._network, self._optimizer = self._accelerator.prepare(network, optimizer)
        scaler = self._accelerator.scaler
        if state is not None and scaler is not None and "scaler" in state.optimizer:
            scaler.load_state_dict(state.optimizer["scaler"])
        self._held_out: dict[int, Tensor] = {}  # pixels by the position of their first image

    def run(self) -> Card:
        if not self._epochs and self._accelerator.is_main_process:
            write_progress(self._folder, self._recipe, ())
        with keeping_memory():
            return self._run_epochs()

    def _run_epochs(self) -> Card:
        for epoch in range(len(self._epochs), self._recipe.epochs):
            started = time.perf_counter()
            loss, training_accuracy = self._run_epoch(epoch)
            if not all(weight.isfinite().all() for weight in self._network.parameters()):
                raise TrainingError(self._describe_divergence("a weight is not finite", epoch, self._batches.steps_per_epoch))
            accuracy = self._measure_accuracy() if self._accelerator.is_main_process else nan
            row = Epoch(
                epoch=epoch + 1,
                learning_rate=float(self._optimizer.param_groups[0]["lr"]),
                loss=loss,
                training_accuracy=training_accuracy,
                accuracy=accuracy,
                seconds=time.perf_counter() - started,
            )
            self._epochs = (*self._epochs, row)
            self._keep()
            self._report(epoch, self._batches.steps_per_epoch, loss, training_accuracy)
        return self._finish()

    def _run_epoch(self, epoch: int) -> tuple[float, float]:
        """Trains for an epoch; gives the mean loss and the accuracy on its images."""
        recipe, steps = self._recipe, self._batches.steps_per_epoch
        total_loss, num_correct, num_images = 0.0, 0, 0
        self._network.train()
        for step, (pixels, labels) in enumerate(self._batches.draw(epoch)):
            self._schedule.step_update(epoch * steps + step)
            with seed_all(recipe.seed, "step", epoch, step, self._accelerator.process_index):
                seed = derive_seed(recipe.seed, "attack", epoch, step, self._accelerator.process_index)
                result = self._compute(pixels.to(self._accelerator.device), labels.to(self._accelerator.device), seed)
                loss = result.loss.item()
                if not isfinite(loss):
                    raise TrainingError(self._describe_divergence(f"the loss is {loss}", epoch, step + 1))
                self._optimizer.zero_grad()
                self._accelerator.backward(result.loss)
                if recipe.optimizer.clip_norm:
                    self._accelerator.clip_grad_norm_(self._network.parameters(), recipe.optimizer.clip_norm)
                self._optimizer.step()
            if self._average is not None:
                self._average.update(self._accelerator.unwrap_model(self._network), step=epoch * steps + step)
            total_loss += loss * len(labels)
            num_correct += int(result.num_correct)
            num_images += len(labels)
            self._report(epoch, step + 1, total_loss / num_images, num_correct / num_images, num_new=len(labels))
        return total_loss / num_images, num_correct / num_images

    def _compute(self, pixels: Float[Tensor, "batch channel height width"], labels: Int[Tensor, " batch"], seed: int) -> Result:
        """The loss of a step.

        Raises:
            ClassifierError: the network fails on such a batch, as for want of memory.
        """
        try:
            with self._accelerator.autocast():
                return self._objective.compute(self._network, pixels, labels, seed=seed)
        except ZooscopeError:
            raise
        except Exception as error:  # each network has its own way to fail
            msg = (
                f"{self._recipe.name} can't be trained on batches of {len(pixels)} images ({first_line(error)}); change batch_size."
            )
            raise ClassifierError(msg) from error

    def _describe_divergence(self, what: str, epoch: int, step: int) -> str:
        kept = f"its weights after epoch {epoch} are kept in {self._folder}" if epoch else "no epoch was finished"
        return (
            f"{self._recipe.name}: {what} in epoch {epoch + 1}, step {step}; {kept}. "
            "Lower the learning rate or clip gradients (optimizer.clip_norm), and train into another folder."
        )

    def _report(self, epoch: int, step: int, loss: float, training_accuracy: float, *, num_new: int = 0) -> None:
        if not self._accelerator.is_main_process:
            return
        self._listen(
            TrainingProgress(
                name=self._recipe.name,
                number=self._place.number,
                of=self._place.of,
                epoch=epoch + 1,
                epochs=self._recipe.epochs,
                step=step,
                steps=self._batches.steps_per_epoch,
                loss=loss,
                training_accuracy=training_accuracy,
                accuracy=self._epochs[-1].accuracy if self._epochs else nan,
                num_images=num_new,
                is_tested=not num_new,
            )
        )

    @property
    def _tested(self) -> Classifier:
        """The classifier in eval mode, with the weights that are kept."""
        if self._average is not None:
            return replace(self._classifier, network=self._average.module.eval())
        self._classifier.network.eval()
        return self._classifier

    def _measure_accuracy(self) -> float:
        """The share of the held-out images that it gets right."""
        return float((self._predict() == self._data.held_out.labels).mean())

    @torch.no_grad()
    def _predict(self) -> Int[np.ndarray, " image"]:
        """The classes that it predicts for the held-out images."""
        classifier, images = self._tested, self._data.held_out
        height, width = classifier.transform.size
        is_kept, parts = has_room(FLOAT * 3 * height * width * len(images)), []
        for start in range(0, len(images), TEST_BATCH):
            pixels = self._held_out.get(start)
            if pixels is None:
                pixels = images.pixels(classifier, range(start, min(start + TEST_BATCH, len(images))))
                if is_kept:
                    self._held_out[start] = pixels
            parts.append(classifier.logits(pixels.to(self._accelerator.device)).argmax(1).cpu())
        return torch.cat(parts).numpy()

    def _keep(self) -> None:
        """Writes the state and the curves."""
        if self._accelerator.is_main_process:
            scaler = self._accelerator.scaler
            state = State(
                weights=self._accelerator.unwrap_model(self._network).state_dict(),
                average={} if self._average is None else self._average.module.state_dict(),
                optimizer={
                    "optimizer": self._optimizer.state_dict(),
                    **({} if scaler is None else {"scaler": scaler.state_dict()}),
                },
                epochs=self._epochs,
            )
            write_state(self._folder, self._recipe, state)
            write_curves(self._folder, self._epochs)
        self._accelerator.wait_for_everyone()

    def _finish(self) -> Card:
        """Writes the weights, then the card, which says that all is there."""
        classifier = self._tested
        card = Card(
            name=self._recipe.name,
            folder=self._folder.name,
            architecture=self._recipe.network.architecture or self._recipe.network.start,
            group=self._recipe.group,
            seed=self._recipe.seed,
            accuracy=self._epochs[-1].accuracy,
            epochs=len(self._epochs),
            seconds=sum(epoch.seconds for epoch in self._epochs),
            num_images=len(self._data.train),
            num_held_out=len(self._data.held_out),
            images=self._data.train.address,
            held_out=self._data.held_out.address,
            teacher_address=self._recipe.loss.teacher or None,
            teacher=find_name(parse_address(self._recipe.loss.teacher)) if self._recipe.loss.teacher else None,
            checkpoint=describe_checkpoint(classifier, self._recipe.network),
            settings=json.loads(json.dumps(self._recipe.settings)),
        )
        if self._accelerator.is_main_process:
            write_bytes(self._folder / WEIGHTS, save_weights(classifier.network.state_dict()))
            write_predictions(self._folder, self._data.held_out, self._predict())
            write_text(self._folder / CARD, json.dumps(asdict(card), indent=2) + "\n")
            remove_states(self._folder)
        self._accelerator.wait_for_everyone()
        return card


def make_optimizer(network: nn.Module, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Timm's optimiser for a network.

    Raises:
        UnknownNameError: timm has none of that name.
        InvalidValueError: it can't be used for this network.
    """
    known = [str(name) for name in list_optimizers()]
    if settings.name not in known:
        kind = "optimizer.name"
        raise UnknownNameError(kind, settings.name, known, "timm.optim.list_optimizers() lists them.")
    try:
        optimizer: torch.optim.Optimizer = create_optimizer_v2(
            network,
            opt=settings.name,
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            layer_decay=settings.layer_decay if settings.layer_decay < 1 else None,
        )
    except Exception as error:  # each has its own way to refuse
        msg = f"timm's optimiser {settings.name} can't be made ({first_line(error)}); take another, such as adamw or sgd."
        raise InvalidValueError(msg) from error
    return optimizer


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps_per_epoch: int) -> Any:  # noqa: ANN401  (timm's is untyped)
    """Timm's schedule of the learning rate, per step."""
    settings = recipe.schedule
    is_constant = settings.name == "constant"
    schedule, _ = create_scheduler_v2(
        optimizer,
        sched="step" if is_constant else settings.name,
        num_epochs=recipe.epochs - settings.warmup_epochs if settings.warmup_prefix else recipe.epochs,  # type: ignore[arg-type]
        decay_epochs=recipe.epochs + 1 if is_constant else settings.decay_epochs,
        decay_rate=settings.decay_rate,
        min_lr=settings.lowest_learning_rate,
        warmup_lr=settings.warmup_learning_rate,
        warmup_prefix=settings.warmup_prefix,
        warmup_epochs=settings.warmup_epochs,  # type: ignore[arg-type]  # it is multiplied by the steps of an epoch
        step_on_epochs=False,
        updates_per_epoch=steps_per_epoch,
    )
    return schedule
