"""The content of `show`, as data: read once, then drawn or written as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.classifiers.class_matching import describe_matchings
from zooscope.cli.terminal import collect_notes
from zooscope.errors import StudyError
from zooscope.images.left_out import describe_left_out
from zooscope.records.predictions import NOT_MEASURED
from zooscope.scores.extremes import Extremes, find_extremes
from zooscope.words import explain_control, quote_path

if TYPE_CHECKING:
    from zooscope.study.snapshot import Snapshot

LARGE_CONTROL_PERCENT: Final = 5.0
MOST_NOTES: Final = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Overview:
    """A study at one moment.

    Attributes:
        study: its folder.
        sat: as of `Study.sat`, normalised if that was asked for.
        transfer: as of `Study.transfer`.
        classifiers: as of `Study.classifiers`.
        attack: the attack's name and settings.
        images: address of the images.
        num_images: number of images; 0 if scores were imported as published, then the rest is not known.
        num_measured: number of measured images, of the pair with the fewest and of the pair with the most.
        sources: the classifiers that are attacked.
        one_sided: SAT from one direction, if not all classifiers are attacked; else None.
        nearest: as of `Study.nearest`; None for imported and for normalised scores.
        extremes: the nearest and the farthest pair; None if fewer than two pairs have a score.
        class_matchings: how the outputs of each classifier are matched with the images' classes.
        left_out: what lay beside the images and is not used: how many of each kind.
        permutations: for classifiers whose outputs seem to be in another order, which output stands for each class.
        notes: caveats of the scores.
    """

    study: str
    sat: xr.DataArray
    transfer: xr.DataArray
    classifiers: pd.DataFrame
    attack: dict[str, Any]
    images: str
    num_images: int
    num_measured: tuple[int, int]
    sources: tuple[str, ...]
    one_sided: xr.DataArray | None
    nearest: pd.DataFrame | None
    extremes: Extremes | None
    class_matchings: dict[str, str]
    permutations: dict[str, tuple[int, ...]]
    left_out: dict[str, int]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers."""
        return tuple(str(name) for name in self.sat["a"].to_numpy())

    @property
    def is_normalized(self) -> bool:
        """Whether the scores are divided by the sources' own success."""
        return bool(self.sat.attrs.get("normalized"))

    @property
    def doubtful(self) -> frozenset[tuple[int, int]]:
        """The nearest neighbours that are not sure, as cells of the matrix."""
        if self.nearest is None:
            return frozenset()
        unsure = self.nearest[self.nearest["nearest"].notna() & ~self.nearest["is_sure"]]
        return frozenset((self.names.index(str(name)), self.names.index(row["nearest"])) for name, row in unsure.iterrows())


def make_overview(study: "Snapshot", *, confidence: float, normalize: bool = False) -> Overview:
    """Everything that `show` prints; with `normalize` the scores are divided by the sources' own success.

    Raises:
        StudyError: the study holds no classifier, or a published matrix was to be normalised.
        InvalidValueError: the confidence is not in (0, 1).
    """
    if not study.names:
        advice = f"holds no classifiers; add some: `zooscope measure {quote_path(study.path)} --classifiers ...`"
        if study.waiting:
            advice = f"is not measured yet, {len(study.waiting)} classifiers wait: `zooscope measure {quote_path(study.path)}`"
        msg = " ".join([f"{study.path} {advice}", *_name_absent(study)])
        raise StudyError(msg)
    if study.is_imported and not normalize:
        return _describe_imported(study)
    return _describe_measured(study, confidence=confidence, normalize=normalize)


def _describe_imported(study: "Snapshot") -> Overview:
    """The overview of a published matrix: scores only."""
    sat = study.sat()
    unknown = pd.DataFrame(np.nan, index=list(study.names), columns=["clean_accuracy", "white_box_success"])
    axes = ("source", "target")
    transfer = xr.DataArray(np.full(sat.shape, np.nan), dims=axes, coords={"control": (axes, np.full(sat.shape, np.nan))})
    return Overview(
        study=str(study.path),
        sat=sat,
        transfer=transfer,
        classifiers=unknown,
        attack=study.definition.attack_settings,
        images="",
        num_images=0,
        num_measured=(0, 0),
        sources=(),
        one_sided=None,
        nearest=None,
        extremes=find_extremes(sat),
        class_matchings={},
        permutations={},
        left_out={},
        notes=(),
    )


def _describe_measured(study: "Snapshot", *, confidence: float, normalize: bool) -> Overview:
    predictions = study.predictions
    with collect_notes() as warned:
        sat = study.sat(confidence=confidence, normalize=normalize)
        nearest = None if normalize else study.nearest(confidence=confidence)
    transfer = study.transfer()
    measured = np.array([(predictions.take_source(name) != NOT_MEASURED).sum(-1) for name in study.sources])
    definition = study.definition
    transforms = {record.name: record.transform_settings for record in study.classifier_records}
    return Overview(
        study=str(study.path),
        sat=sat,
        transfer=transfer,
        classifiers=study.classifiers(),
        attack=definition.attack_settings,
        images=definition.images,
        num_images=len(predictions.labels),
        num_measured=(int(measured.min()), int(measured.max())),
        sources=study.sources,
        one_sided=study.one_sided(normalize=normalize) if len(study.sources) < len(study.names) else None,
        nearest=nearest,
        extremes=find_extremes(sat),
        class_matchings=study.class_matchings,
        left_out=study.left_out,
        permutations={name: found.outputs for name, found in study.permutations.items()},
        notes=(
            *_name_absent(study),
            *([f"Left out of the images: {describe_left_out(study.left_out)}."] if study.left_out else []),
            *_cut(list(describe_matchings(study.class_matchings)[1])),
            *_cut(list(study.implausible.values())),
            *_cut(warned),
            *_cut(_list_large_controls(transfer, transforms)),
        ),
    )


def encode_overview(study: "Snapshot", *, confidence: float) -> dict[str, Any]:
    """The same for programs, and what no terminal has room for: matrices as lists of rows, NaN as None.

    Raises:
        StudyError: the study holds no classifier.
        InvalidValueError: the confidence is not in (0, 1).
    """
    view = make_overview(study, confidence=confidence)
    matrices = {"sat": view.sat} | {key: view.sat[key] for key in ("low", "high", "percent", "count")}
    matrices |= {"transfer": view.transfer, "control": view.transfer.control}
    if not study.is_imported:
        matrices |= _find_beside(study, confidence)
    return {
        "study": view.study,
        "classifiers": list(view.names),
        "attack": view.attack,
        "images": {"address": view.images, "count": view.num_images, "measured": list(view.num_measured)},
        **({} if view.one_sided is None else _encode_one_sided(view, view.one_sided)),
        "confidence": view.sat.attrs["confidence"],
        "epsilon_s": view.sat.attrs["epsilon_s"],
        **{key: replace_nan(matrix.to_numpy().tolist()) for key, matrix in matrices.items()},
        "clean_accuracy": replace_nan(view.classifiers["clean_accuracy"].tolist()),
        "white_box_success": replace_nan(view.classifiers["white_box_success"].tolist()),
        "extremes": None if view.extremes is None else view.extremes._asdict(),
        "nearest": None if view.nearest is None else _encode_nearest(view.nearest),
        "class_matching": [view.class_matchings.get(name) or None for name in view.names],
        "permutations": {name: list(outputs) for name, outputs in view.permutations.items()},
        "left_out": view.left_out,
        "notes": list(view.notes),
    }


def _find_beside(study: "Snapshot", confidence: float) -> dict[str, xr.DataArray]:
    """Normalised scores and same mistakes, with their intervals."""
    with collect_notes():  # what they warn of is in the overview's notes
        normalized = study.sat(confidence=confidence, normalize=True)
    same = study.same_mistake(confidence=confidence)
    return {
        key: values
        for name, matrix in (("normalized", normalized), ("same_mistake", same))
        for key, values in ((name, matrix), (f"{name}_low", matrix.low), (f"{name}_high", matrix.high))
    }


def _encode_nearest(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The neighbours in the order of the classifiers."""
    return [
        {
            "nearest": row["nearest"],
            "certainty": replace_nan(float(row["certainty"])),
            "is_sure": bool(row["is_sure"]),
            "as_near": list(row["as_near"]),
        }
        for _, row in table.iterrows()
    ]


def _encode_one_sided(view: Overview, scores: xr.DataArray) -> dict[str, Any]:
    return {"sources": list(view.sources), "one_sided": replace_nan(scores.to_numpy().tolist())}


def replace_nan(value: Any) -> Any:  # noqa: ANN401  (numbers in lists of any depth)
    """The same numbers with None for NaN, which JSON doesn't have."""
    if isinstance(value, list):
        return [replace_nan(part) for part in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _name_absent(study: "Snapshot") -> list[str]:
    """Classifiers that were asked for and are in no score."""
    names = ", ".join(study.waiting)
    waiting = (
        [f"Not measured yet: {names}; `zooscope measure {quote_path(study.path)}` goes on."]
        if study.names and study.waiting
        else []
    )
    return [*waiting, *_cut([f"{name} is left out: {reason}" for name, reason in study.refused.items()])]


def _list_large_controls(transfer: xr.DataArray, transforms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Pairs with many errors from the source's preprocessing alone, the largest first."""
    control, names = transfer.control.to_numpy(), transfer["source"].to_numpy()
    places = [tuple(place) for place in np.argwhere(control > LARGE_CONTROL_PERCENT)]
    return [
        f"{names[target]} gets {control[source, target]:.0f} % of the images of {names[source]} wrong without any attack, only "
        f"because they are preprocessed for {names[source]}{_explain(transforms[names[source]], transforms[names[target]])}; under "
        f"attack it is {transfer.to_numpy()[source, target]:.0f} %."
        for source, target in sorted(places, key=lambda place: -control[place])
    ]


def _explain(source: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    reason = explain_control(source, target)
    return f" ({reason})" if reason else ""


def _cut(notes: list[str]) -> list[str]:
    more = len(notes) - MOST_NOTES
    return notes if more <= 0 else [*notes[:MOST_NOTES], f"... and {more} more of this kind."]
