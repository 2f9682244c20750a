"""Everything that the report reads from a study, read once."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, final, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float, Int

from zooscope.addresses import parse_address
from zooscope.analyses.averaging import CleanLogits
from zooscope.analyses.clustering import Clusters, find_clusters
from zooscope.classifiers.addresses import find_group
from zooscope.errors import EmptyPairWarning, InvalidValueError, OneSidedWarning, StudyError, WeakSourceWarning
from zooscope.records.entries import Definition
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.report.rivals import Rival, collect_rivals
from zooscope.scores.matrices import WEAK_SOURCE_PERCENT
from zooscope.scores.outcomes import Outcomes
from zooscope.study.snapshot import Snapshot

MOST_LOGITS: Final = 60_000_000  # numbers that are read for ensembles
MOST_PAIR_IMAGES: Final = 3_000_000  # predictions of ensembles of two
MOST_IN_ENSEMBLES: Final = 150
MOST_CLUSTERED: Final = 400


@runtime_checkable
class HasSnapshot(Protocol):
    """An open study: it gives a snapshot, and images, clean and attacked."""

    def snapshot(self) -> Snapshot:
        """The record as it is now."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """A study's scores and record at one moment.

    Attributes:
        study: the study itself, to make examples of attacked images.
        now: the study as it is at this moment, for the analyses.
        path: the study's folder; None for one in memory.
        definition: images, attack and seed of the study.
        class_names: the classes.
        confidence: of all intervals, in (0, 1).
        names: the classifiers in the study's order.
        sources: those that are attacked.
        waiting: classifiers that were added, and of which nothing is measured yet.
        refused: classifiers that can't be measured, with the reason.
        sat: as `Study.sat` gives it.
        transfer: as `Study.transfer` gives it; NaN where scores were imported as published.
        normalized: as `Study.sat` gives it with `normalize`; None where scores were imported.
        nearest: as `Study.nearest` gives it; None where scores were imported.
        same_mistake: as `Study.same_mistake` gives it; None where scores were imported.
        classifiers: as `Study.classifiers` gives it; without columns where scores were imported.
        transforms: how each classifier's pixels are made, field by field; empty where that is not known.
        predictions: everything measured; None where scores were imported.
        class_matchings: how the outputs of each classifier are matched with the images' classes.
        implausible: what is odd about the accuracy of classifiers, as sentences.
        left_out: what lay beside the images and is not used: how many of each kind.
    """

    study: HasSnapshot | Snapshot
    now: Snapshot
    path: Path | None
    definition: Definition
    class_names: tuple[str, ...]
    confidence: float
    names: tuple[str, ...]
    sources: tuple[str, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]
    sat: xr.DataArray
    transfer: xr.DataArray
    normalized: xr.DataArray | None
    nearest: pd.DataFrame | None
    same_mistake: xr.DataArray | None
    classifiers: pd.DataFrame
    transforms: tuple[dict[str, Any], ...]
    predictions: Predictions | None
    class_matchings: dict[str, str]
    implausible: tuple[str, ...]
    left_out: dict[str, int]

    @classmethod
    def read(cls, study: HasSnapshot | Snapshot, *, confidence: float) -> "Facts":
        """Reads a study; its warnings are written in the report instead."""
        now = study if isinstance(study, Snapshot) else study.snapshot()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EmptyPairWarning)
            warnings.simplefilter("ignore", OneSidedWarning)
            warnings.simplefilter("ignore", WeakSourceWarning)
            sat = now.sat(confidence=confidence)
            normalized = None if now.is_imported else now.sat(confidence=confidence, normalize=True)
            nearest = None if now.is_imported else now.nearest(confidence=confidence)
        return cls(
            study=study,
            now=now,
            path=now.path,
            definition=now.definition,
            class_names=now.class_names,
            confidence=confidence,
            names=now.names,
            sources=now.sources,
            waiting=now.waiting,
            refused=now.refused,
            sat=sat,
            transfer=_make_unknown_transfer(sat) if now.is_imported else now.transfer(),
            normalized=normalized,
            nearest=nearest,
            same_mistake=None if now.is_imported else now.same_mistake(confidence=confidence),
            classifiers=pd.DataFrame(index=pd.Index(now.names, name="name")) if now.is_imported else now.classifiers(),
            transforms=tuple(record.transform_settings for record in now.classifier_records),
            predictions=None if now.is_imported else now.predictions,
            class_matchings=now.class_matchings,
            implausible=() if now.is_imported else tuple(now.implausible.values()),
            left_out=now.left_out,
        )

    @property
    def is_imported(self) -> bool:
        """Whether these are imported published scores, without predictions."""
        return self.predictions is None

    def require_predictions(self) -> Predictions:
        """Everything measured.

        Raises:
            StudyError: the scores were imported as published.
        """
        if self.predictions is None:
            msg = "the scores were imported as published, so there are no predictions; measure these classifiers into a new study."
            raise StudyError(msg)
        return self.predictions

    @property
    def num_images(self) -> int:
        """How many images there are; 0 where scores were imported."""
        return len(self.image_ids)

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images; none where scores were imported."""
        return () if self.predictions is None else tuple(self.predictions.image_ids)

    @property
    def attack(self) -> dict[str, Any]:
        """The attack's settings; its kind under "attack"."""
        settings: dict[str, Any] = self.definition.attack_settings
        return settings

    @cached_property
    def measured(self) -> Bool[np.ndarray, "source target"]:
        """Which (source, target) cells are measured on all images."""
        if self.predictions is None:
            return np.asarray(~np.isnan(self.sat.to_numpy()))
        return self.predictions.find_complete()

    @property
    def measured_percent(self) -> float:
        """Percent of the study that is measured."""
        if self.predictions is None:
            return 100.0
        rows = [self.predictions.take_source(name) for name in self.sources]
        measured = sum((row != NOT_MEASURED).mean(-1).sum() for row in rows)
        num_waiting = len(self.waiting)
        return 100 * float(measured / (len(self.sources) + num_waiting) / (len(self.names) + num_waiting))

    @cached_property
    def other_pixels(self) -> Bool[np.ndarray, "source target"]:
        """Where source and target have different transforms."""
        if self.is_imported:
            return np.zeros((len(self.names),) * 2, dtype=np.bool_)
        transforms = np.asarray(self.take_column("transform"))
        return np.asarray(transforms[:, None] != transforms[None, :])

    @cached_property
    def clusters(self) -> Clusters:
        """The groups of similar classifiers.

        Raises:
            InvalidValueError: there are none, as where a pair has no score; or there are too many classifiers for a page that is
                written in seconds.
        """
        if len(self.names) > MOST_CLUSTERED:
            msg = f"it takes minutes for more than {MOST_CLUSTERED} classifiers; `zooscope clusters STUDY` finds them."
            raise InvalidValueError(msg)
        return find_clusters(self.sat)

    @cached_property
    def components(self) -> pd.DataFrame:
        """Components that are known of some classifier, with a row per classifier; NaN where a value is not known."""
        return self.now.components().dropna(axis="columns", how="all")

    @cached_property
    def groups(self) -> dict[str, str]:
        """The group of training settings of each classifier whose address names one."""
        if self.is_imported:
            return {}
        addresses = zip(self.names, self.take_column("address"), strict=True)
        named = {name: find_group(parse_address(address)) if address else None for name, address in addresses}
        return {name: group for name, group in named.items() if group}

    @cached_property
    def few_images(self) -> Int[np.ndarray, " image"]:
        """Images, evenly spaced, that analyses of ensembles take, so that a page is written in seconds."""
        size = len(self.names)
        most = min(MOST_LOGITS // (size * len(self.class_names)), MOST_PAIR_IMAGES // max(1, size * (size - 1) // 2))
        count = min(self.num_images, max(1, most))
        return np.linspace(0, self.num_images - 1, count).round().astype(np.int64)

    def read_few_logits(self, command: str) -> CleanLogits:
        """Clean logits on `few_images`.

        Args:
            command: what computes the same of more classifiers, in time.

        Raises:
            StudyError: they are not all measured, or there are too many classifiers for a page that is written in seconds.
        """
        if len(self.names) > MOST_IN_ENSEMBLES:
            msg = f"it takes minutes for more than {MOST_IN_ENSEMBLES} classifiers; `{command}` computes it."
            raise StudyError(msg)
        predictions = self.require_predictions()
        values = tuple(self.now.clean_logits(name)[self.few_images] for name in self.names)
        return CleanLogits(names=self.names, values=values, labels=predictions.labels[self.few_images])

    def take_few_outcomes(self) -> Outcomes:
        """The outcomes of attacks on `few_images`."""
        return self.now.outcomes.take_images(self.few_images)

    def explain_few_images(self) -> tuple[str, ...]:
        """A remark if analyses of ensembles take only some of the images."""
        if len(self.few_images) == self.num_images:
            return ()
        few = f"On {len(self.few_images)} of the {self.num_images} images, so that this page is written quickly"
        return (f"{few}; the command takes all.",)

    def hide_folders(self, text: str) -> str:
        """A text without the paths above the study and above the working folder, which are no reader's business."""
        text = text.replace(str(self.path), self.path.name) if self.path else text
        return text.replace(f"{Path.cwd()}/", "")

    @cached_property
    def found_rivals(self) -> tuple[tuple[Rival, ...], dict[str, str]]:
        """Other similarities, and how to measure those that are missing; none of either where scores were imported."""
        return ((), {}) if self.is_imported else collect_rivals(self.now, confidence=self.confidence)

    @property
    def white_box(self) -> Float[np.ndarray, " classifier"]:
        """Percent of its own images on which the attack on a classifier fools it; as published where scores were imported."""
        found = self.sat["percent"] if self.is_imported else self.transfer
        return np.asarray(found.to_numpy().diagonal(), dtype=np.float64)

    @cached_property
    def weak(self) -> frozenset[str]:
        """Sources whose attack fools themselves on too few images."""
        return frozenset(name for name, own in zip(self.names, self.white_box, strict=True) if own < WEAK_SOURCE_PERCENT)

    def take_column(self, name: str) -> list[Any]:
        """A column of the table of classifiers, in the study's order."""
        return list(self.classifiers[name])


def _make_unknown_transfer(sat: xr.DataArray) -> xr.DataArray:
    axes, unknown = ("source", "target"), np.full(sat.shape, np.nan)
    return xr.DataArray(unknown, dims=axes, coords={"control": (axes, unknown)})
