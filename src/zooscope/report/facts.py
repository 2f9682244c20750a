"""All that the report reads of a study, read once."""

import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool

from zooscope.errors import EmptyPairWarning, WeakSourceWarning
from zooscope.records.entries import Definition
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.report.writing import fraction_of_255
from zooscope.scores.matrices import WEAK_SOURCE_PERCENT
from zooscope.study.study import Study


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """A study's scores and record at one moment.

    Attributes:
        definition: what the study is about.
        class_names: the classes.
        confidence: of all intervals, in (0, 1).
        sat: as `Study.sat` gives it.
        transfer: as `Study.transfer` gives it.
        classifiers: as `Study.classifiers` gives it.
        predictions: everything measured.
    """

    definition: Definition
    class_names: tuple[str, ...]
    confidence: float
    sat: xr.DataArray
    transfer: xr.DataArray
    classifiers: pd.DataFrame
    predictions: Predictions

    @classmethod
    def of(cls, study: Study, *, confidence: float) -> "Facts":
        """Reads a study; what it would warn of is written in the report instead."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EmptyPairWarning)
            warnings.simplefilter("ignore", WeakSourceWarning)
            sat = study.sat(confidence=confidence)
        return cls(
            definition=study.definition,
            class_names=study.class_names,
            confidence=confidence,
            sat=sat,
            transfer=study.transfer(),
            classifiers=study.classifiers(),
            predictions=study.predictions,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers in the study's order."""
        return self.predictions.names

    @property
    def attack(self) -> dict[str, Any]:
        """The attack's settings; its kind under "attack"."""
        settings: dict[str, Any] = json.loads(self.definition.attack)
        return settings

    @property
    def attack_words(self) -> str:
        """The attack in one line; a switch is named only where it is on."""
        settings = [name if value == "yes" else f"{name} {value}" for name, value in self.attack_settings.items() if value != "no"]
        return f"{self.attack['attack']} ({', '.join(settings)})"

    @property
    def attack_settings(self) -> dict[str, str]:
        """The attack's settings as a person writes them."""
        return {name.replace("_", " "): _written(value) for name, value in self.attack.items() if name != "attack"}

    @cached_property
    def measured(self) -> Bool[np.ndarray, "source target"]:
        """Which directions are measured on all images."""
        return np.array([(row != NOT_MEASURED).all(-1) for row in self.predictions.transfer])

    @property
    def measured_percent(self) -> float:
        """How much of the study is measured."""
        return 100 * float(np.mean([(row != NOT_MEASURED).mean() for row in self.predictions.transfer]))

    @cached_property
    def other_pixels(self) -> Bool[np.ndarray, "source target"]:
        """Where attacked pixels are resized on their way: source and target take differently made pixels."""
        transforms = np.asarray(self.column("transform"))
        return np.asarray(transforms[:, None] != transforms[None, :])

    @cached_property
    def weak(self) -> frozenset[str]:
        """Sources whose attack fails too often on themselves."""
        success = self.transfer.to_numpy().diagonal()
        return frozenset(name for name, own in zip(self.names, success, strict=True) if own < WEAK_SOURCE_PERCENT)

    def column(self, name: str) -> list[Any]:
        """A column of the table of classifiers, in the study's order."""
        return list(self.classifiers[name])


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return fraction_of_255(value) if isinstance(value, float) else str(value)
