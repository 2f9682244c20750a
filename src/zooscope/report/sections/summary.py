"""The opening of the report: the main numbers of the study."""

from dataclasses import dataclass

from zooscope.report.facts import Facts
from zooscope.report.sections.pairs import Pair
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


def summarise_study(facts: Facts, pairs: tuple[Pair, ...]) -> Summary:
    """The numbers of a study; `pairs` are all its pairs, the most alike first."""
    known = [pair for pair in pairs if pair.is_known]
    return Summary(
        num_classifiers=len(facts.names),
        num_sources=len(facts.sources),
        num_images=facts.num_images,
        num_classes=len(facts.class_names),
        images=facts.definition.images,
        attack=format_attack(facts.attack),
        confidence_percent=100 * facts.confidence,
        most_alike=known[0] if known else None,
        least_alike=known[-1] if len(known) > 1 else None,
        separable=""
        if (extremes := find_extremes(facts.sat)) is None
        else describe_extremes(extremes, num_images=facts.num_images, confidence=facts.confidence),
        measured_percent=facts.measured_percent,
        weak=tuple(name for name in facts.names if name in facts.weak),
        waiting=facts.waiting,
        refused=facts.refused,
        num_empty=sum(pair.measured and not pair.is_known for pair in pairs),
    )
