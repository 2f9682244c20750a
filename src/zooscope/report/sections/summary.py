"""The opening of the report: the main numbers of the study."""

from dataclasses import dataclass

import numpy as np

from zooscope.report.facts import Facts
from zooscope.report.pairs import Gap, Pair, find_ends, find_gaps
from zooscope.scores.extremes import describe_extremes, find_extremes
from zooscope.words import format_attack


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The study in a few numbers.

    Attributes:
        num_classifiers: how many classifiers there are.
        num_sources: how many of them are attacked.
        num_images: how many images.
        num_classes: how many classes.
        images: address of the image set.
        attack: the attack and its settings in one line.
        confidence_percent: of the intervals.
        most_alike: the pair of different classifiers with the highest score; None if no score is known.
        least_alike: the one with the lowest; None if fewer than two scores are known.
        separable: which pairs these images don't tell from the most or the least alike; empty if none.
        measured_percent: how much of the study is measured.
        weak: sources whose attack is too weak.
        waiting: classifiers that were added, and of which nothing is measured yet.
        refused: classifiers that can't be measured, with the reason.
        num_empty: measured pairs without a score, because no image is classified correctly by both.
    """

    num_classifiers: int
    num_sources: int
    num_images: int
    num_classes: int
    images: str
    attack: str
    confidence_percent: float
    most_alike: Pair | None
    least_alike: Pair | None
    separable: str
    measured_percent: float
    weak: tuple[str, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]
    num_empty: int


def summarise_study(facts: Facts) -> Summary:
    """The numbers of a study."""
    most_alike, least_alike = find_ends(facts)
    return Summary(
        num_classifiers=len(facts.names),
        num_sources=len(facts.sources),
        num_images=facts.num_images,
        num_classes=len(facts.class_names),
        images=facts.definition.images,
        attack=format_attack(facts.attack),
        confidence_percent=100 * facts.confidence,
        most_alike=most_alike,
        least_alike=least_alike,
        separable=""
        if (extremes := find_extremes(facts.sat)) is None
        else describe_extremes(extremes, num_images=facts.num_images, confidence=facts.confidence),
        measured_percent=facts.measured_percent,
        weak=tuple(name for name in facts.names if name in facts.weak),
        waiting=facts.waiting,
        refused=facts.refused,
        num_empty=int(np.triu(find_gaps(facts) == Gap.NO_IMAGE, 1).sum()),
    )
