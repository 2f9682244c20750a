"""How the numbers of a report came about, and how to get them again."""

import math
import platform
import shlex
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from zooscope.report.facts import Facts
from zooscope.statistics.bootstrap import NUM_RESAMPLES

PACKAGES: Final = ("zooscope", "torch", "timm", "numpy", "scipy", "plotly")
OPTIONS: Final = {"epsilon": "--epsilon", "step_size": "--step-size", "iterations": "--iterations"}


@dataclass(frozen=True, kw_only=True)
class Methods:
    """Settings, digests and versions.

    Attributes:
        attack: the attack's name.
        settings: its settings as a person writes them.
        images: address of the image set.
        num_images: how many images.
        image_digest: SHA-256 over images, ids and labels.
        seed: of the study.
        epsilon_s: the smallest percentage that the score tells from none.
        lowest: the score of a pair that never fools each other.
        num_resamples: bootstrap draws.
        confidence_percent: of the intervals.
        weights: (classifier, address, SHA-256 of its weights).
        versions: (package, version) where this page was written.
        command: measures and draws the same again.
        is_repeatable: whether every classifier has an address to load it from.
    """

    attack: str
    settings: dict[str, str]
    images: str
    num_images: int
    image_digest: str
    seed: int
    epsilon_s: float
    lowest: float
    num_resamples: int
    confidence_percent: float
    weights: tuple[tuple[str, str, str], ...]
    versions: tuple[tuple[str, str], ...]
    command: str
    is_repeatable: bool


def methods(facts: Facts, folder: Path | None) -> Methods:
    """Collects what the last part of the report says."""
    return Methods(
        attack=str(facts.attack["attack"]),
        settings=facts.attack_settings,
        images=facts.definition.images,
        num_images=len(facts.predictions.labels),
        image_digest=facts.definition.image_digest,
        seed=facts.definition.seed,
        epsilon_s=float(facts.sat.attrs["epsilon_s"]),
        lowest=math.log(facts.sat.attrs["epsilon_s"]),
        num_resamples=NUM_RESAMPLES,
        confidence_percent=100 * facts.confidence,
        weights=tuple(zip(facts.names, facts.column("address"), facts.column("weights"), strict=True)),
        versions=_versions(),
        command=command(facts, folder),
        is_repeatable=all(facts.column("address")),
    )


def command(facts: Facts, folder: Path | None) -> str:
    """The command that measures the same again into a new folder, and draws it."""
    study = (folder.name if folder else "") or "study"
    words = ["zooscope", "measure", study, "--images", facts.definition.images, "--count", str(len(facts.predictions.labels))]
    words += ["--seed", str(facts.definition.seed)]
    for field, option in OPTIONS.items():
        if field in facts.attack:
            words += [option, _exact(facts.attack[field])]
    words += ["--random-start"] if facts.attack.get("random_start") else []
    words += ["--classifiers", *(address for address in facts.column("address") if address)]
    return f"{shlex.join(words)} && {shlex.join(['zooscope', 'report', study])}"


def _exact(value: float) -> str:
    """A setting as the command line reads it without loss."""
    steps = round(255 * value)
    return f"{steps}/255" if steps > 0 and steps / 255 == value and value < 1 else f"{value!r}"


def _versions() -> tuple[tuple[str, str], ...]:
    found = [("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:  # records are read without torch, too
            continue
    return tuple(found)
