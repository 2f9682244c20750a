"""The promise of every measurement: what is missing from a record, and arrays from a task."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from zooscope.attacks.base import Attack, Attacked
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import Precision
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform
from zooscope.kept.work import Work
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow, FactRow


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A unit of work: one measurement of one classifier on one shard. Holds names and small arrays, so that it can be pickled.

    Attributes:
        measurement: makes arrays from the task.
        subject: the classifier of which something is measured; of an attack, the source.
        shard: of the images.
        objects: other classifiers that the measurement needs; of an attack, the targets that are missing.
        controls: those of them whose control is missing, too.
        right: which images of the shard each classifier gets right when clean; empty for measurements that don't ask.
    """

    measurement: "Measurement"
    subject: str
    shard: int
    objects: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    right: Mapping[str, Bool[np.ndarray, " image"]] = field(default_factory=dict)


class Result(NamedTuple):
    """What a task gives: written together, or not at all."""

    arrays: tuple[ArrayRow, ...]
    facts: tuple[FactRow, ...] = ()


@runtime_checkable
class Bench(Protocol):
    """What a measurement is given to work with; `zooscope.engine.shelf.Shelf` is one."""

    @property
    def batch_size(self) -> int:
        """Images that go through a network at once."""

    @property
    def precision(self) -> Precision:
        """Of the passes through networks."""

    @property
    def allow_nonfinite(self) -> bool:
        """Whether logits that are NaN or infinite on attacked images are recorded as such; else they are an error."""

    def classifier(self, name: str) -> Classifier:
        """A classifier, on its device. Another call may move it away: take one, use it, then take the next."""

    def pixels(self, name: str, shard: int) -> Float[Tensor, "image channel height width"]:
        """The images of a shard as a classifier takes them; not to be written to."""

    def pixels_as(self, transform: PixelTransform, shard: int) -> Float[Tensor, "image channel height width"]:
        """The images of a shard, made in another way; not to be written to."""

    @property
    def images(self) -> ImageSet:
        """All images of the study."""

    def labels(self, shard: int) -> Int[np.ndarray, " image"]:
        """The true classes of the images of a shard."""

    def ids(self, shard: int) -> Sequence[str]:
        """The ids of the images of a shard."""

    def attacked(self, work: Work, make: Callable[[], Attacked]) -> Attacked:
        """Attacked images: those that are kept, or made, and then perhaps kept. They are the same in every bit."""


@dataclass(frozen=True, kw_only=True)
class Measurement(ABC):
    """Settings of a measurement, validated when made; the fields are its identity, as with attacks.

    A new one is a class with `kind`, `missing` and `measure`: nothing else has to know of it.
    """

    @property
    @abstractmethod
    def kind(self) -> str:
        """What its arrays are called in the record."""

    @property
    def phase(self) -> str:
        """What is being done, for `Progress`."""
        return self.kind

    @property
    def digest(self) -> str:
        """The identity of the settings: SHA-256 of the fields; empty where there are none, or where the study defines them."""
        return describe_settings(self)

    @property
    def is_by_shard(self) -> bool:
        """Whether a task is about the images of one shard; else its number counts something else."""
        return True

    @property
    def takes_own_pixels(self) -> bool:
        """Whether a task takes the pixels of its shard as its subject takes them, so that they can be made ahead."""
        return True

    def require(self, records: Records) -> None:
        """Refuses a study that it can't measure; asked before anything is measured. By default it can measure all.

        Raises:
            StudyError: it can't.
        """
        del records

    @abstractmethod
    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Tasks still to do, shard by shard, so that a half-measured study is a study of fewer images.

        Args:
            records: what there is.
            sources: the classifiers that are to be attacked.
        """

    def name_kept(self, task: Task, bench: Bench) -> str:
        """The unit of attacked images that a task asks its bench for, see `zooscope.kept.work.name_unit`.

        Empty where it asks for none, as by default.
        """
        del task, bench
        return ""

    @abstractmethod
    def measure(self, task: Task, bench: Bench) -> Result:
        """The arrays of a task; without side effects, and equal for equal tasks.

        Raises:
            ClassifierError: a classifier doesn't behave.
        """

    def num_images(self, task: Task, *, shard_size: int) -> int:
        """How many images a task has to do, for `Progress`."""
        del task
        return shard_size

    def num_passes(self, task: Task, *, shard_size: int, is_kept: bool) -> int:
        """How many forward passes of one image a task takes, or what takes as long, for `Progress`; by default one for each image.

        Args:
            task: what is to be done.
            shard_size: images of the shard.
            is_kept: whether the attacked images that it asks for are kept, see `name_kept`.
        """
        del is_kept
        return self.num_images(task, shard_size=shard_size)


def find_missing_of_each(measurement: Measurement, records: Records, *, kinds: Sequence[str] = ()) -> tuple[Task, ...]:
    """One task for each classifier and shard of which the record lacks an array of this measurement.

    Args:
        measurement: of one array per classifier and shard, or several.
        records: what there is.
        kinds: of all its arrays; its own kind alone if left out.
    """
    done = set.intersection(*(records.present(kind, measurement.digest) for kind in kinds or (measurement.kind,)))
    return tuple(
        Task(measurement=measurement, subject=name, shard=shard)
        for shard in range(len(records.shards))
        for name in records.wanted
        if (name, "", shard) not in done
    )


def describe_settings(measurement: Measurement, *, without: Sequence[str] = ()) -> str:
    """SHA-256 of a measurement's fields; empty where there are none."""
    settings = {one.name: _describe(getattr(measurement, one.name)) for one in fields(measurement) if one.name not in without}
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest() if settings else ""


def _describe(value: object) -> object:
    return value.description if isinstance(value, Attack) else value
