"""How the numbers of a report were measured, and how to reproduce them."""

import math
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final, final

from zooscope.images.left_out import describe_left_out
from zooscope.report.facts import Facts
from zooscope.report.repeat import Repeat, write_repeat
from zooscope.report.sections.base import Need, Part, Section, fill_template
from zooscope.words import format_settings

PACKAGES: Final = ("zooscope", "torch", "timm", "numpy", "scipy", "plotly")


@final
class MethodsSection(Section):
    """The method in words, all settings, the command, and digests."""

    title = "How this was measured"
    anchor = "methods"
    needs = frozenset({Need.PREDICTIONS})

    def show(self, facts: Facts) -> Part:
        """Everything needed to judge the numbers, or to reproduce them."""
        return Part(html=fill_template("methods.html", methods=collect_methods(facts)))


@dataclass(frozen=True, kw_only=True)
class Methods:
    """Settings, digests and versions.

    Attributes:
        attack: the attack's name.
        settings: its settings as a person writes them.
        images: address of the image set.
        left_out: what lay beside the images and is not used, in words; empty if nothing.
        num_images: how many images.
        image_digest: SHA-256 over images, ids and labels.
        seed: of the study.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.
        lowest: the score of a pair that never fools each other.
        confidence_percent: of the intervals.
        weights: (classifier, address, SHA-256 of its weights).
        versions: (package, version) on the machine that wrote this page.
        repeat: the command that measures the study again.
    """

    attack: str
    settings: dict[str, str]
    images: str
    left_out: str
    num_images: int
    image_digest: str
    seed: int
    epsilon_s: float
    lowest: float
    confidence_percent: float
    weights: tuple[tuple[str, str, str], ...]
    versions: tuple[tuple[str, str], ...]
    repeat: Repeat


def collect_methods(facts: Facts) -> Methods:
    """Collects the content of the last section."""
    return Methods(
        attack=str(facts.attack["attack"]),
        settings=format_settings({name: value for name, value in facts.attack.items() if name != "attack"}),
        images=facts.definition.images,
        left_out=describe_left_out(facts.left_out),
        num_images=facts.num_images,
        image_digest=facts.definition.image_digest,
        seed=facts.definition.seed,
        epsilon_s=float(facts.sat.attrs["epsilon_s"]),
        lowest=math.log(facts.sat.attrs["epsilon_s"]),
        confidence_percent=100 * facts.confidence,
        weights=tuple(zip(facts.names, facts.take_column("address"), facts.take_column("weights"), strict=True)),
        versions=_find_versions(),
        repeat=write_repeat(facts),
    )


def _find_versions() -> tuple[tuple[str, str], ...]:
    found = [("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:  # records are read without torch, too
            continue
    return tuple(found)
