"""`zooscope place`: where a new classifier belongs among those of a study."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.clustered import NumClusters, cluster_classifiers, take_classifiers
from zooscope.cli.completion import complete_classifier
from zooscope.cli.options import ADDRESSES, CONFIDENCE, AllowChance, BatchSize, Confidence, Device, ExistingStudy, Json, Trust
from zooscope.words import explain_control, format_count, format_interval, format_number, format_percent, shorten_names

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from zooscope.analyses.placement import OneSided, Placement
    from zooscope.records.predictions import Predictions

EXAMPLE: Final = 'zooscope place STUDY --classifier "timm:resnet18?weights=r18.safetensors"'
NUM_NEAREST: Final = 8
LARGE_CONTROL_PERCENT: Final = 5.0


class PlacementPicture(StrEnum):
    """Which picture to draw."""

    TARGETS = "targets"
    DIRECTIONS = "directions"


_Classifier = Annotated[
    str,
    typer.Option(
        "--classifier",
        metavar="ADDRESS",
        help=f"The new one: {ADDRESSES}. Or the name of one in the study, which is then left out and placed without measuring.",
        show_default=False,
        autocompletion=complete_classifier,
    ),
]
_Picture = Annotated[
    PlacementPicture,
    typer.Option("--picture", help="What --out draws: SAT to all targets, or one direction of SAT against both in the study."),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attacked:
    """The new classifier's row of outcomes."""

    name: str
    targets: tuple[str, ...]
    fooled: "np.ndarray[Any, Any]"
    counted: "np.ndarray[Any, Any]"
    control: "np.ndarray[Any, Any]"
    clean_accuracy: float
    is_new: bool
    transform: dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    attacked: _Attacked
    placement: "Placement"
    directions: "OneSided"
    transforms: dict[str, dict[str, Any]]


def place(
    study: ExistingStudy,
    *,
    classifier: _Classifier,
    num_clusters: NumClusters = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    allow_chance: AllowChance = False,
    trust: Trust = False,
    confidence: Confidence = CONFIDENCE,
    picture: _Picture = PlacementPicture.TARGETS,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Find the classifiers that a new one is most similar to.

    Only the new classifier is attacked, and the study's are tested on its attacked images: the nearest ones, and the cluster with
    the largest mean one-sided SAT, with the share of bootstrap draws of the images that agree. Also shows how well one direction
    predicts both. The study is not changed; `measure` adds a classifier to it.
    """

    def find() -> Answer:
        from zooscope.analyses.placement import compare_directions, find_usual_sat, place_classifier
        from zooscope.pictures.placement import make_one_sided_picture, make_placement_picture
        from zooscope.scores.matrices import make_sat_matrix
        from zooscope.scores.outcomes import find_outcomes
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        predictions = opened.predictions
        transforms = {record.name: record.transform_settings for record in opened.classifier_records}
        outcomes, sat = find_outcomes(predictions), make_sat_matrix(predictions, confidence=None)
        row = (
            _leave_out(predictions, classifier, transforms[classifier])
            if classifier in predictions.names
            else _measure(study, classifier, device=device, batch_size=batch_size, allow_chance=allow_chance, trust=trust)
        )
        others = list(row.targets)
        clusters = cluster_classifiers(sat.sel(a=others, b=others), num_clusters, seed=seed)
        found = _Found(
            attacked=row,
            placement=place_classifier(
                row.targets,
                row.fooled,
                row.counted,
                clusters=clusters,
                usual=find_usual_sat(take_classifiers(outcomes, row.targets)),
                confidence=confidence,
                seed=seed,
            ),
            directions=compare_directions(outcomes, clusters=cluster_classifiers(sat, num_clusters, seed=seed), seed=seed),
            transforms=transforms,
        )
        return Answer(
            text=lambda console: _print(console, found),
            values=lambda: _encode(found),
            picture=lambda: (
                make_placement_picture(found.placement, row.name)
                if picture is PlacementPicture.TARGETS
                else make_one_sided_picture(found.directions)
            ),
        )

    run_analysis(find, as_json=as_json, out=out)


def _leave_out(predictions: "Predictions", name: str, transform: dict[str, Any]) -> _Attacked:
    """A classifier of the study, treated as new."""
    import numpy as np

    from zooscope.scores.outcomes import PERCENT, find_outcomes, measure_control

    outcomes, own = find_outcomes(predictions), predictions.names.index(name)
    others = np.delete(np.arange(len(predictions.names)), own)
    cells = outcomes.take_cells(np.full(len(others), own), others)
    return _Attacked(
        name=name,
        targets=tuple(predictions.names[place] for place in others),
        fooled=cells.fooled,
        counted=cells.counted,
        control=measure_control(predictions)[own, others],
        clean_accuracy=float(PERCENT * (predictions.clean[own] == predictions.labels).mean()),
        is_new=False,
        transform=transform,
    )


def _measure(path: Path, address: str, *, device: str, batch_size: int | None, allow_chance: bool, trust: bool) -> _Attacked:
    """A new classifier, attacked on the study's images."""
    from zooscope.cli.measuring import drop_none
    from zooscope.cli.progress import progress_bar

    with progress_bar() as listen:
        from zooscope.classifiers.load import load_classifier
        from zooscope.scores.outcomes import find_percent
        from zooscope.study.newcomer import measure_newcomer
        from zooscope.study.study import Study

        with Study.open(path, trust=trust) as study:
            classifier = load_classifier(address)
            found = measure_newcomer(
                study,
                classifier,
                device=device,
                allow_chance=allow_chance,
                listen=listen,
                **drop_none(batch_size=batch_size),
            )
    return _Attacked(
        name=found.name,
        targets=found.targets,
        fooled=found.fooled,
        counted=found.counted,
        control=find_percent(found.damaged.sum(1), found.counted.sum(1)),
        clean_accuracy=found.clean_accuracy,
        is_new=True,
        transform=json.loads(classifier.transform.description),
    )


def _encode(found: _Found) -> dict[str, Any]:
    row, placement, directions = found.attacked, found.placement, found.directions
    return {
        "classifier": row.name,
        "clean_accuracy": row.clean_accuracy,
        "targets": placement.targets.reset_index().assign(control=_list_controls(found)),
        "cluster": placement.cluster,
        "cluster_share": placement.share,
        "nearest": str(placement.targets.index[0]),
        "nearest_share": placement.nearest_share,
        "clusters": placement.clusters.reset_index(),
        "corrected": None if placement.corrected is None else placement.corrected.reset_index(),
        "confidence": placement.confidence,
        "one_sided": {
            "pearson": asdict(directions.pearson),
            "recovered": directions.recovered,
            "recovered_corrected": directions.recovered_corrected,
            "recoverable": directions.num_recoverable,
        },
    }


def _list_controls(found: _Found) -> list[float]:
    """In the order of the placement's targets."""
    by_name = dict(zip(found.attacked.targets, found.attacked.control.tolist(), strict=True))
    return [by_name[str(name)] for name in found.placement.targets.index]


def _print(console: "Console", found: _Found) -> None:
    row, placement, directions = found.attacked, found.placement, found.directions
    short = shorten_names([row.name, *row.targets])
    how = "attacked now" if row.is_new else "left out of the study, placed by its own attack alone"
    console.print(f"{short[row.name]} ({row.clean_accuracy:.1f} % of the clean images right), {how}")
    ends = f"{100 * placement.confidence:g} % interval"
    numbers = ("SAT, one-sided", ends, "Fooled", "Cluster")
    made = make_table("Nearest", *numbers, numbers=numbers)
    for name, target in placement.targets.head(NUM_NEAREST).iterrows():
        made.add_row(
            short[str(name)],
            format_number(target["sat"]),
            format_interval(target["low"], target["high"]),
            format_percent(target["percent"]),
            "-" if target["cluster"] is None else str(target["cluster"]),
        )
    console.print(made)
    console.print()
    if placement.cluster is not None:
        console.print(_make_clusters_table(placement))
        console.print()
        agree = f"{100 * placement.share:.0f} % of bootstrap draws of the images agree"
        console.print(f"Placed in cluster {placement.cluster}; {'there is no other' if len(placement.clusters) == 1 else agree}.")
    if len(placement.targets) > 1:
        console.print(f"{100 * placement.nearest_share:.0f} % of the draws agree on the nearest.")
    if placement.corrected is not None and len(placement.corrected) > 1:
        console.print(
            f"After subtracting each target's usual SAT, it is cluster {placement.corrected.index[0]} "
            f"({100 * placement.corrected['share'].iloc[0]:.0f} % of draws)."
        )
    console.print(_describe_directions(directions))
    large = [
        str(name)
        for name, control in zip(placement.targets.index, _list_controls(found), strict=True)
        if control > LARGE_CONTROL_PERCENT
    ]
    if large:
        reason = explain_control(found.attacked.transform, found.transforms[large[0]])
        gets = f"{format_count(len(large), 'target')} {'gets' if len(large) == 1 else 'get'}"
        console.print(
            f"Note: {gets} more than {LARGE_CONTROL_PERCENT:g} % of the images wrong without any attack, only because they are "
            f"preprocessed for {found.attacked.name} ({short[large[0]]}{f': {reason}' if reason else ''})."
        )


def _make_clusters_table(placement: "Placement") -> "Table":
    ends = f"{100 * placement.confidence:g} % interval"
    numbers = ("Classifiers", "Mean SAT", ends, "Most alike in")
    made = make_table("Cluster", *numbers, numbers=numbers)
    for cluster, values in placement.clusters.iterrows():
        made.add_row(
            str(cluster),
            format_number(values["classifiers"], 0),
            format_number(values["sat"]),
            format_interval(values["low"], values["high"]),
            f"{100 * values['share']:.0f} % of draws",
        )
    return made


def _describe_directions(directions: "OneSided") -> str:
    pearson = directions.pearson
    if isnan(pearson.r):
        return "The study has too few pairs to say how well one direction predicts both."
    recovered = (
        f" Placed by their own attack alone, {directions.recovered} of the {directions.num_recoverable} classifiers that share a "
        f"cluster are assigned to it; corrected as above, {directions.recovered_corrected}."
        if directions.num_recoverable
        else ""
    )
    return f"In the study, one direction of SAT and both have r = {pearson.r:.2f}.{recovered}"
