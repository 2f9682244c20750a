"""A few images before and after the attack, with every classifier's predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float32

from zooscope.analyses.tree import order_by_cluster
from zooscope.errors import StudyError, ZooscopeError
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.report.facts import Facts
from zooscope.report.pairs import mask_diagonal
from zooscope.report.pixels import amplify, encode_data_address, find_amplification
from zooscope.report.sections.base import Need, Part, Section, fill_template, read_source

Pixels = Float32[np.ndarray, "image height width channel"]
NUM_IMAGES: Final = 6
MAX_SOURCES: Final = 24
MAX_VALUES: Final = 2_000_000  # values of all examples together: the page still loads quickly, and the attacks take seconds


@runtime_checkable
class MakesExamples(Protocol):
    """A study that has attacked images, or can attack its images again; what is read from the record alone can't."""

    def examples(self, source: str, positions: Sequence[int]) -> tuple[Pixels, Pixels]:
        """Some images, clean and attacked through a source."""


@final
class GallerySection(Section):
    """Attacked images of every source, as far as the page can hold them."""

    title = "A few images, attacked"
    anchor = "gallery"
    needs = frozenset({Need.PREDICTIONS, Need.TORCH})

    def show(self, facts: Facts) -> Part:
        """A panel per source, in the order of the matrix.

        Raises:
            StudyError: the page is made from the record alone.
        """
        if not isinstance(facts.study, MakesExamples):
            msg = "this page is made from the record alone, which holds no images; `zooscope report STUDY` shows them."
            raise StudyError(msg)
        gallery = make_gallery(facts.study, facts.require_predictions(), _order_names(facts), facts.class_names)
        gallery = replace(gallery, remarks=tuple(map(facts.hide_folders, gallery.remarks)))
        return Part(html=fill_template("gallery.html", gallery=gallery, Verdict=Verdict), scripts=(read_source("gallery.js"),))


class Verdict(Enum):
    """The result of a classifier on an attacked image."""

    FOOLED = "fooled"
    RIGHT = "right"
    WRONG_BEFORE = "wrong before the attack, so not counted"
    NOT_MEASURED = "not measured yet"


@dataclass(frozen=True, kw_only=True)
class Response:
    """The prediction of one classifier.

    Attributes:
        name: of the classifier.
        says: the predicted class: of the clean image if that is wrong, else of the attacked one; empty if not measured.
        verdict: the result.
        is_source: whether it is the source of the attack.
    """

    name: str
    says: str
    verdict: Verdict
    is_source: bool


@dataclass(frozen=True, kw_only=True)
class Example:
    """One image attacked through one source.

    Attributes:
        image_id: of the image.
        label: its true class.
        clean: the clean pixels as a `data:` address.
        perturbation: what the attack adds, amplified around grey; None if the image is not attacked.
        attacked: the attacked pixels; None if the image is not attacked.
        responses: every classifier's prediction; empty if the image is not attacked.
        source_says: the source's prediction for the clean image.
    """

    image_id: str
    label: str
    clean: str
    perturbation: str | None
    attacked: str | None
    responses: tuple[Response, ...]
    source_says: str

    def select_responses(self, verdict: Verdict) -> tuple[Response, ...]:
        """The responses with one verdict."""
        return tuple(response for response in self.responses if response.verdict is verdict)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The chosen images attacked through one source."""

    source: str
    size: tuple[int, int]
    factor: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Panels by source, and sentences that say what is not shown and why."""

    panels: tuple[Panel, ...]
    remarks: tuple[str, ...]


def make_gallery(study: MakesExamples, predictions: Predictions, names: Sequence[str], class_names: tuple[str, ...]) -> Gallery:
    """A few images, clean and attacked; the predictions come from the record.

    Args:
        study: has the attacked images, or attacks them again.
        predictions: of the study.
        names: the classifiers in display order.
        class_names: of the study.

    Returns:
        Panels in that order. A source that can't be loaded is left out, with the reason in the remarks.
    """
    chosen = choose_images(predictions, NUM_IMAGES)
    if not chosen:
        return Gallery(panels=(), remarks=("No image is measured yet.",))
    panels: list[Panel] = []
    remarks: list[str] = []
    most, reasons = MAX_SOURCES, dict[str, str]()
    for name in pick_evenly(names, MAX_SOURCES):
        if len(panels) >= most:
            continue
        try:
            panel = _make_panel(study, predictions, names, class_names, source=name, chosen=chosen)
        except (ZooscopeError, OSError) as error:
            reasons[name] = str(error)
            continue
        panels.append(panel)
        most = max(1, MAX_VALUES // (len(chosen) * panel.size[0] * panel.size[1]))
    if len(panels) + len(reasons) < len(names):
        remarks.append(f"Attacks made on {len(panels)} of the {len(names)} classifiers are shown, to keep the page small.")
    return Gallery(panels=tuple(panels), remarks=(*remarks, *_explain_missing(reasons)))


def choose_images(predictions: Predictions, num_images: int) -> tuple[int, ...]:
    """Positions of the images to show: those that most classifiers classify correctly when clean, different classes first."""
    right = (predictions.clean == predictions.labels).sum(0)
    measured = np.zeros(len(predictions.labels), dtype=np.bool_)
    for row in predictions.transfer:
        measured |= (row != NOT_MEASURED).any(0)
    ranked = [int(place) for place in np.argsort(-right, kind="stable") if measured[place]]
    firsts: dict[int, int] = {}
    for place in ranked:
        firsts.setdefault(int(predictions.labels[place]), place)
    others = [place for place in ranked if place not in firsts.values()]
    return tuple(([*firsts.values(), *others])[:num_images])


def pick_evenly(names: Sequence[str], count: int) -> tuple[str, ...]:
    """At most `count` names, evenly spaced in the sequence, in its order."""
    if len(names) <= count:
        return tuple(names)
    return tuple(names[int(place)] for place in np.linspace(0, len(names) - 1, count).round())


def list_responses(
    predictions: Predictions, names: Sequence[str], class_names: tuple[str, ...], *, source: str, position: int
) -> tuple[Response, ...]:
    """Every classifier's prediction for one image attacked through a source, from the record; the source first."""
    place = {name: row for row, name in enumerate(predictions.names)}
    label, said = predictions.labels[position], predictions.take_source(source)
    result = []
    for name in sorted(names, key=lambda name: name != source):
        clean = int(predictions.clean[place[name], position])
        attacked = int(said[place[name], position])
        if NOT_MEASURED in (clean, attacked):
            says, verdict = "", Verdict.NOT_MEASURED
        elif clean != label:
            says, verdict = class_names[clean], Verdict.WRONG_BEFORE
        else:
            says, verdict = class_names[attacked], Verdict.RIGHT if attacked == label else Verdict.FOOLED
        result.append(Response(name=name, says=says, verdict=verdict, is_source=name == source))
    return tuple(result)


def _make_panel(
    study: MakesExamples,
    predictions: Predictions,
    names: Sequence[str],
    class_names: tuple[str, ...],
    *,
    source: str,
    chosen: tuple[int, ...],
) -> Panel:
    clean, attacked = study.examples(source, chosen)
    factor = find_amplification(attacked - clean)
    said = predictions.clean[predictions.names.index(source)]
    examples = []
    for position, before, after in zip(chosen, clean, attacked, strict=True):
        is_attacked = bool(said[position] == predictions.labels[position])
        examples.append(
            Example(
                image_id=predictions.image_ids[position],
                label=class_names[predictions.labels[position]],
                clean=encode_data_address(before),
                perturbation=encode_data_address(amplify(after - before, factor)) if is_attacked else None,
                attacked=encode_data_address(after) if is_attacked else None,
                responses=list_responses(predictions, names, class_names, source=source, position=position) if is_attacked else (),
                source_says=class_names[said[position]] if said[position] != NOT_MEASURED else "",
            )
        )
    return Panel(source=source, size=_find_size(clean), factor=factor, examples=tuple(examples))


def _order_names(facts: Facts) -> tuple[str, ...]:
    """The classifiers in the order of the matrix."""
    order, _ = order_by_cluster(mask_diagonal(facts.sat.to_numpy()))
    return tuple(facts.names[place] for place in order)


def _find_size(pixels: Float32[np.ndarray, "image height width channel"]) -> tuple[int, int]:
    height, width = pixels.shape[1:3]
    return width, height


def _explain_missing(reasons: dict[str, str]) -> tuple[str, ...]:
    """One sentence for all sources that can't be shown, with the reason for the first."""
    if not reasons:
        return ()
    first, *others = reasons
    named = first + (f" and {len(others)} more" if others else "")
    return (f"Attacks made on {named} can't be shown: {reasons[first]}",)
