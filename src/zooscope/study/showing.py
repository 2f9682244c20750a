"""What a notebook shows in the place of a study."""

import warnings
from typing import Protocol, runtime_checkable

import xarray as xr

from zooscope.errors import ZooscopeWarning
from zooscope.inline.facts import format_facts
from zooscope.inline.matrix import show_matrix
from zooscope.records.entries import Definition
from zooscope.words import format_attack, format_count


@runtime_checkable
class Shown(Protocol):
    """What a snapshot tells of a study."""

    @property
    def place(self) -> str: ...  # noqa: D102  (as of Snapshot)
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def waiting(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def refused(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def num_images(self) -> int: ...  # noqa: D102
    @property
    def definition(self) -> Definition: ...  # noqa: D102
    @property
    def is_imported(self) -> bool: ...  # noqa: D102

    def sat(self, *, confidence: float | None) -> xr.DataArray: ...  # noqa: D102


def show_study(kind: str, study: Shown) -> str:
    """Counts and settings of a study, and its SAT as a heat map.

    Args:
        kind: the heading.
        study: a snapshot.
    """
    counts = [format_count(len(study.names), "measured classifier")]
    counts += [f"{len(study.waiting)} to be measured"] if study.waiting else []
    counts += [f"{len(study.refused)} refused"] if study.refused else []
    facts: dict[str, object] = {"folder": study.place, "classifiers": ", ".join(counts)}
    if study.is_imported:
        facts["scores"] = "imported from a published matrix"
    else:
        facts["images"] = f"{study.num_images} of {study.definition.images}, seed {study.definition.seed}"
        facts["attack"] = format_attack(study.definition.attack_settings)
    if not study.names:
        return format_facts(kind, facts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooscopeWarning)
        matrix = show_matrix(study.sat(confidence=None))
    return format_facts(kind, facts, matrix or "")
