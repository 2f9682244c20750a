"""The relatives of one classifier of a study, and how they were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isnan
from typing import Final

import numpy as np
import xarray as xr

from zooscope.arguments import check_arguments
from zooscope.errors import StudyError
from zooscope.report.facts import Facts
from zooscope.report.repeat import Repeat, write_repeat
from zooscope.scores.matrices import CONFIDENCE
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.snapshot import Snapshot
from zooscope.words import format_attack, quote_path

MOST_NEAREST: Final = 5
MOST_LEAST_ALIKE: Final = 3


@dataclass(frozen=True, kw_only=True)
class Relative:
    """Another classifier of the study.

    Attributes:
        name: of the classifier.
        sat: its SAT with the card's classifier.
        low: lower end of the score's interval; NaN where scores were imported as published.
        high: upper end.
        percent: of the attacked images that fool the other one, mean of both directions.
        count: images that both classify correctly; None where scores were imported.
    """

    name: str
    sat: float
    low: float
    high: float
    percent: float
    count: int | None


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a model card says of a classifier's relatives.

    Attributes:
        classifier: its name in the study.
        address: where it comes from; empty where it was made by hand.
        weights: SHA-256 of its weights and preprocessing; empty where scores were imported.
        nearest: the most similar classifiers, nearest first.
        least_alike: the least similar of the others, least first.
        num_others: classifiers that it has a score with.
        num_unscored: classifiers of the study that it has no score with.
        is_sure: whether the images show that no other classifier is nearer; None where scores were imported.
        as_near: classifiers that the images don't tell apart from the nearest.
        confidence: of the intervals.
        attack: in one line; empty where scores were imported.
        images: their address; empty where scores were imported.
        num_images: how many images.
        image_digest: SHA-256 of images, ids and labels.
        seed: of the study.
        precision: of passes through networks.
        computing: how networks ran; see `Definition`.
        version: of this zooscope.
        repeat: how to measure the study again; None where scores were imported.
    """

    classifier: str
    address: str
    weights: str
    nearest: tuple[Relative, ...]
    least_alike: tuple[Relative, ...]
    num_others: int
    num_unscored: int
    is_sure: bool | None
    as_near: tuple[str, ...]
    confidence: float
    attack: str
    images: str
    num_images: int
    image_digest: str
    seed: int
    precision: str
    computing: str
    version: str
    repeat: Repeat | None


@check_arguments
def collect_card(study: Snapshot, classifier: str, *, confidence: float = CONFIDENCE) -> Card:
    """The relatives of a classifier, and how they were measured.

    Example:
        >>> import tempfile
        >>> import pandas as pd, zooscope
        >>> folder, names = f"{tempfile.mkdtemp()}/study", ["a", "b", "c"]
        >>> sat = pd.DataFrame([[4.6, 3.0, 2.0], [3.0, 4.6, 1.0], [2.0, 1.0, 4.6]], index=names, columns=names)
        >>> zooscope.Study.from_matrix(folder, sat).close()
        >>> card = collect_card(zooscope.read_snapshot(folder), "a")
        >>> [(relative.name, relative.sat) for relative in card.nearest]
        [('b', 3.0), ('c', 2.0)]

    Args:
        study: as `Study.snapshot` or `read_snapshot` gives it; measured in part, or imported, too.
        classifier: its name in the study.
        confidence: of the intervals, in (0, 1).

    Raises:
        UnknownNameError: the study has no such classifier.
        StudyError: it has no score with any other one.
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    study.require_known(classifier)
    facts = Facts.read(study, confidence=confidence)
    relatives = _rank_relatives(facts.sat, classifier)
    if not relatives:
        raise StudyError(_explain_absence(study, classifier))
    record = next(record for record in study.classifier_records if record.name == classifier)
    neighbour = None if facts.nearest is None else facts.nearest.loc[classifier]
    definition, is_imported = study.definition, study.is_imported
    return Card(
        classifier=classifier,
        address=record.address or "",
        weights="" if is_imported else record.weights,
        nearest=tuple(relatives[:MOST_NEAREST]),
        least_alike=tuple(relatives[MOST_NEAREST:][::-1][:MOST_LEAST_ALIKE]),
        num_others=len(relatives),
        num_unscored=len(study.names) - 1 - len(relatives),
        is_sure=None if neighbour is None else bool(neighbour["is_sure"]),
        as_near=() if neighbour is None else tuple(neighbour["as_near"]),
        confidence=confidence,
        attack="" if is_imported else format_attack(definition.attack_settings),
        images="" if is_imported else definition.images,
        num_images=study.num_images,
        image_digest="" if is_imported else definition.image_digest,
        seed=definition.seed,
        precision=definition.precision,
        computing=definition.computing,
        version=version("zooscope"),
        repeat=None if is_imported else write_repeat(facts),
    )


def _rank_relatives(sat: xr.DataArray, classifier: str) -> Sequence[Relative]:
    """All others that have a score with it, the nearest first."""
    row = sat.sel(a=classifier)
    scores = row.to_numpy()
    order = np.argsort(-scores, kind="stable")  # NaN comes last
    known = [int(place) for place in order if np.isfinite(scores[place]) and str(row["b"][place].item()) != classifier]
    return [_describe(row[place]) for place in known]


def _describe(cell: xr.DataArray) -> Relative:
    low, high, percent, count = (float(cell[name]) for name in ("low", "high", "percent", "count"))
    counted = None if isnan(count) else int(count)
    return Relative(name=str(cell["b"].item()), sat=float(cell), low=low, high=high, percent=percent, count=counted)


def _explain_absence(study: Snapshot, classifier: str) -> str:
    if len(study.names) == 1:
        return f"{classifier} is the only measured classifier of {study.place}; add others to compare it with."
    if not study.is_imported and classifier not in study.sources:
        return f"{classifier} is only a target in {study.place}, and SAT takes both directions; measure it as a source, too."
    again = f"run `zooscope measure {quote_path(study.place)}`"
    return f"{classifier} has no score with any other classifier of {study.place} yet; {again}."
