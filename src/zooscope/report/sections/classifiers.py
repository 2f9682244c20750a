"""The table of classifiers: architecture, accuracy, and the most similar other classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from jaxtyping import Bool

from zooscope.classifiers.class_matching import describe_matchings
from zooscope.records.predictions import NOT_MEASURED
from zooscope.report.facts import Facts
from zooscope.report.sections.base import Need, Part, Section, fill_template
from zooscope.scores import outcomes
from zooscope.statistics.bootstrap import Interval
from zooscope.statistics.shares import bound_shares
from zooscope.words import list_few

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMES: Final = 3


@dataclass(frozen=True, kw_only=True)
class ClassifierRow:
    """One classifier.

    Attributes:
        number: its place in the study.
        name: of the classifier.
        architecture: its name.
        size: of its pixels, width by height; the recorded transform if that can't be read.
        clean_accuracy: percent of the clean images that it classifies correctly.
        clean_interval: ends of the interval, percent.
        white_box_success: percent of its own images on which its attack fools it.
        white_box_interval: ends of the interval, percent.
        is_weak: whether the white-box success is below 90 %.
        nearest: the most similar classifier; None if no score is known.
        nearest_score: SAT of the two; NaN if no score is known.
        doubt: which others may be the nearest, in a few words; empty if it is sure.
    """

    number: int
    name: str
    architecture: str
    size: str
    clean_accuracy: float
    clean_interval: tuple[float, float]
    white_box_success: float
    white_box_interval: tuple[float, float]
    is_weak: bool
    nearest: str | None
    nearest_score: float
    doubt: str


@final
class ClassifiersSection(Section):
    """The table; it can be sorted by every column."""

    title = "The classifiers"
    anchor = "classifiers"
    needs = frozenset({Need.PREDICTIONS})

    def show(self, facts: Facts) -> Part:
        """A row per classifier."""
        matched, sentences = describe_matchings(facts.class_matchings)
        rows = describe_classifiers(facts)
        return Part(
            html=fill_template(
                "classifiers.html",
                classifiers=rows,
                has_weak=bool(facts.weak),
                has_doubt=any(row.doubt for row in rows),
                matched=matched,
                remarks=(*sentences, *facts.implausible),
            )
        )


def describe_classifiers(facts: Facts) -> tuple[ClassifierRow, ...]:
    """A row per classifier, in the study's order."""
    predictions = facts.require_predictions()
    attacked = outcomes.find_outcomes(predictions)
    everyone = np.arange(len(facts.names))
    known = predictions.clean != NOT_MEASURED
    clean = _find_intervals(facts, known & (predictions.clean == predictions.labels), known)
    white_box = _find_intervals(facts, *attacked.take_cells(everyone, everyone))
    return tuple(_make_row(facts, place, clean, white_box) for place in range(len(everyone)))


def _make_row(facts: Facts, place: int, clean: Interval, white_box: Interval) -> ClassifierRow:
    nearest = None if facts.nearest is None else facts.nearest.iloc[place]
    return ClassifierRow(
        number=place,
        name=facts.names[place],
        architecture=facts.take_column("architecture")[place],
        size=_format_size(facts.transforms[place]),
        clean_accuracy=float(facts.take_column("clean_accuracy")[place]),
        clean_interval=(100 * float(clean.low[place]), 100 * float(clean.high[place])),
        white_box_success=float(facts.take_column("white_box_success")[place]),
        white_box_interval=(100 * float(white_box.low[place]), 100 * float(white_box.high[place])),
        is_weak=facts.names[place] in facts.weak,
        nearest=None if nearest is None else nearest["nearest"],
        nearest_score=float("nan") if nearest is None else float(nearest["sat"]),
        doubt="" if nearest is None else _describe_doubt(nearest),
    )


def _describe_doubt(nearest: "pd.Series[Any]") -> str:
    """The others that may be the nearest."""
    return f"or {list_few(nearest['as_near'], MOST_NAMES)}" if nearest["as_near"] else ""


def _find_intervals(
    facts: Facts, hits: Bool[np.ndarray, "classifier image"], counted: Bool[np.ndarray, "classifier image"]
) -> Interval:
    """Intervals over images, as for the scores."""
    return bound_shares(hits.astype(np.int8), counted.astype(np.int8), confidence=facts.confidence)


def _format_size(transform: Mapping[str, Any]) -> str:
    return f"{transform['width']} \N{MULTIPLICATION SIGN} {transform['height']}" if {"width", "height"} <= transform.keys() else ""
