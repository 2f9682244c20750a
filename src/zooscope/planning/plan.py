"""The plan of a study: what is still to be measured, and what it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float

from zooscope.allocator import keeping_memory
from zooscope.attacks.base import Cost
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.errors import InvalidValueError
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.planning.passes import Pass, count_pass
from zooscope.planning.speed import MOST, Speed, calibrate
from zooscope.records.predictions import NOT_MEASURED
from zooscope.study.study import Study

ROW: Final = 120  # bytes of a row of the record besides its values
EMPTY: Final = 45_000  # bytes of a record of which nothing is measured
_TESTED: Final = 0.5  # where between the least and the most possible the images lie that two classifiers both get right


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one classifier takes.

    Attributes:
        name: the classifier's.
        gradients: passes forward and back, of one image each.
        forwards: forward passes, of one image each.
        one: of one image.
        speed: of this machine; None where it was not measured.
    """

    name: str
    gradients: float
    forwards: float
    one: Pass
    speed: Speed | None = None

    @property
    def flops(self) -> float:
        """Floating-point operations of all its passes."""
        return self.gradients * self.one.gradient + self.forwards * self.one.forward

    @property
    def seconds(self) -> float | None:
        """Time of all its passes on this machine."""
        if self.speed is None:
            return None
        warm_up = self.speed.warm_up if self.gradients + self.forwards > 0 else 0.0
        return warm_up + self.gradients * self.speed.gradient + self.forwards * self.speed.forward


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is still to be measured of a study.

    Attributes:
        shares: by classifier.
        num_images: of the study.
        bytes: that the record will grow by.
        batch_size: images that go through a network at once.
    """

    shares: tuple[Share, ...]
    num_images: int
    bytes: int
    batch_size: int

    @property
    def gradients(self) -> int:
        """Passes of one image forward and back."""
        return round(sum(share.gradients for share in self.shares))

    @property
    def forwards(self) -> int:
        """Forward passes of one image."""
        return round(sum(share.forwards for share in self.shares))

    @property
    def flops(self) -> float:
        """Floating-point operations."""
        return sum(share.flops for share in self.shares)

    @property
    def seconds(self) -> float | None:
        """Time on this machine; None where nothing was calibrated."""
        times = [share.seconds for share in self.shares]
        return None if None in times else sum(time for time in times if time is not None)

    @property
    def weights(self) -> int:
        """Bytes of all networks."""
        return sum(share.one.weights for share in self.shares)

    @property
    def peak(self) -> int:
        """Bytes that the largest attack takes: a network's weights, and what a batch keeps for the way back."""
        return max((share.one.weights + share.one.kept * self.batch_size for share in self.shares), default=0)


def plan_study(
    study: Study,
    *,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    kept: KeptAttacks | None = None,
    listen: ProgressListener = lambda _: None,
) -> Plan:
    """Counts what `Study.run` would still do, and measures how long this machine takes for it.

    Each classifier runs for a few seconds on some of the images. Where its clean images are not measured yet, their number that it
    gets right is estimated from these; that two classifiers both get an image right, as half way between the least and the most
    possible. Attacks count with what they cost at most.

    Args:
        study: with its classifiers and images at hand; nothing is written.
        device: as for `Study.run`.
        batch_size: as for `Study.run`.
        kept: attacked images that `Study.run` will find; those in the study's folder if left out.
        listen: called after every classifier.

    Raises:
        InvalidValueError: the batch size is not positive, or the attack doesn't say what it costs.
        StudyError: a classifier or the images are not at hand.
    """
    shelf = study.shelf(device=device, batch_size=batch_size)
    speeds, passes = dict[str, Speed](), dict[str, Pass]()
    with keeping_memory():
        for number, name in enumerate(study.names, 1):
            passes[name] = _count(study.classifier(name))
            few = min(MOST, study.num_images)
            pixels = study.images.take(range(few)).pixels(study.classifier(name))
            labels, is_source = study.images.labels[:few], name in study.sources
            speeds[name] = calibrate(shelf.classifier(name), pixels, labels, batch_size=batch_size, is_source=is_source)
            listen(Progress(phase="calibrate", done=number, total=len(study.names), item=name))
    return plan_passes(
        study.names,
        passes,
        cost=_require_cost(study),
        sources=study.sources,
        transforms={name: study.classifier(name).transform.description for name in study.names},
        accuracies={name: speed.accuracy for name, speed in speeds.items()},
        num_images=study.num_images,
        num_classes=len(study.class_names),
        batch_size=batch_size,
        speeds=speeds,
        done=Done.of(study, study.kept_attacks() if kept is None else kept),
    )


@dataclass(frozen=True, kw_only=True)
class Done:
    """What of a study is measured.

    Attributes:
        clean: shares of the images of which each classifier's predictions are known.
        tested: shares of the images by source and target.
        controls: shares of the images by transform and target.
        right: which images classifiers get right, where all are known.
        kept: classifiers whose attacked images are kept, all of them.
    """

    clean: Mapping[str, float]
    tested: Mapping[tuple[str, str], float]
    controls: Mapping[tuple[str, str], float]
    right: Mapping[str, Bool[np.ndarray, " image"]]
    kept: frozenset[str] = frozenset()

    @classmethod
    def of(cls, study: Study, kept: KeptAttacks | None) -> "Done":
        """Of a study as it stands, and of its kept attacks."""
        known = study.predictions
        labels = known.labels
        held = {} if kept is None else kept.describe()
        right = {
            name: said == labels for name, said in zip(known.names, known.clean, strict=True) if not (said == NOT_MEASURED).any()
        }
        return cls(
            clean={name: float((said != NOT_MEASURED).mean()) for name, said in zip(known.names, known.clean, strict=True)},
            tested={
                (source, target): float((said != NOT_MEASURED).mean())
                for source, row in zip(known.sources, known.transfer, strict=True)
                for target, said in zip(known.names, row, strict=True)
            },
            controls={way: float((said != NOT_MEASURED).mean()) for way, said in known.controls.items()},
            right=right,
            kept=frozenset(name for name, one in held.items() if name in right and one.images >= right[name].sum()),
        )


NOTHING: Final = Done(clean={}, tested={}, controls={}, right={})


def plan_passes(
    names: Sequence[str],
    passes: Mapping[str, Pass],
    *,
    cost: Cost,
    sources: Sequence[str],
    transforms: Mapping[str, str],
    accuracies: Mapping[str, float],
    num_images: int,
    num_classes: int,
    batch_size: int,
    speeds: Mapping[str, Speed] | None = None,
    done: Done = NOTHING,
) -> Plan:
    """The plan from numbers alone.

    Args:
        names: the classifiers.
        passes: of each.
        cost: of the attack, per image.
        sources: those that are attacked.
        transforms: of each; controls are measured where they differ.
        accuracies: share of the images that each gets right, where that is not measured.
        num_images: of the study.
        num_classes: of the images.
        batch_size: images that go through a network at once.
        speeds: of this machine.
        done: what is measured.
    """
    both = _estimate_both(names, accuracies, done)
    gradients, forwards = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    rows = values = 0.0
    seen = set[tuple[str, str]]()
    for target in names:
        missing = 1 - done.clean.get(target, 0.0)
        forwards[target] += missing * num_images
        values += missing * num_images * (2 * num_classes + 4)
    for row, source in enumerate(names):
        if source not in sources:
            continue
        attacked = 0.0
        for column, target in enumerate(names):
            missing = max(0.0, 1 - done.tested.get((source, target), 0.0))
            attacked = max(attacked, missing)
            forwards[target] += missing * num_images * both[row, column]
            values += missing * num_images * (1 if num_classes < 112 else 2)  # noqa: PLR2004  (what fits into eight bits)
            rows += missing > 0
            way = (transforms[source], target)
            if transforms[source] != transforms[target] and way not in seen:
                seen.add(way)
                forwards[target] += max(0.0, 1 - done.controls.get(way, 0.0)) * num_images
        attacked = 0.0 if source in done.kept else attacked
        gradients[source] += attacked * num_images * both[row, row] * cost.gradients
        forwards[source] += attacked * num_images * both[row, row] * cost.forwards
    shares = tuple(
        Share(
            name=name,
            gradients=gradients[name],
            forwards=forwards[name],
            one=passes[name],
            speed=None if speeds is None else speeds[name],
        )
        for name in names
    )
    return Plan(
        shares=shares, num_images=num_images, bytes=round(EMPTY * (not done.clean) + values + rows * ROW), batch_size=batch_size
    )


def _estimate_both(names: Sequence[str], accuracies: Mapping[str, float], done: Done) -> Float[np.ndarray, "source target"]:
    """Shares of the images that two classifiers both get right; on the diagonal, those that one does."""
    known = [done.right.get(name) for name in names]
    alone = np.array([accuracies[name] if one is None else one.mean() for name, one in zip(names, known, strict=True)])
    most, least = np.minimum.outer(alone, alone), np.clip(np.add.outer(alone, alone) - 1, 0, None)
    both = least + _TESTED * (most - least)
    for row, first in enumerate(known):
        for column, second in enumerate(known):
            if first is not None and second is not None:
                both[row, column] = (first & second).mean()
    np.fill_diagonal(both, alone)
    return np.asarray(both)


def _count(classifier: Classifier) -> Pass:
    return count_pass(classifier.network, classifier.transform.size)


def _require_cost(study: Study) -> Cost:
    cost = study.attack.cost
    if cost is None:
        msg = f"{type(study.attack).__name__} doesn't say what it costs (Attack.cost), so the study can't be planned."
        raise InvalidValueError(msg)
    return cost
