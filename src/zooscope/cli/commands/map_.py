"""`zooscope map`: the classifiers of a study as points of a plane."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.commands.clusters import NumClustersOrAuto
from zooscope.cli.guesses import Guesses, find_guesses
from zooscope.cli.leaving_out import ComponentsFile, LeaveOut, read_scores, require_components
from zooscope.cli.options import ExistingStudy, Json
from zooscope.words import shorten_names

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.mapping import Map
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope map STUDY --out map.png"
CLUSTER: Final = "cluster"


class How(StrEnum):
    """The method of the map."""

    TSNE = "tsne"
    MDS = "mds"


_Method = Annotated[How, typer.Option("--method", help="t-SNE, or classical MDS, which is deterministic.")]
_Color = Annotated[
    str,
    typer.Option("--color", metavar="NAME", help="The colour of the points: cluster, or a component such as 'base architecture'."),
]
_Perplexity = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        help="Of t-SNE: roughly the number of neighbours kept near.",
        show_default="the square root of the number of classifiers",
    ),
]


def map_(
    study: ExistingStudy,
    *,
    method: _Method = How.TSNE,
    color: _Color = CLUSTER,
    num_clusters: NumClustersOrAuto = None,
    components: ComponentsFile = None,
    perplexity: _Perplexity = None,
    leave_out: LeaveOut = None,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Map the classifiers of a study: similar ones near each other.

    t-SNE takes as many eigenvectors of the SAT matrix as there are clusters, classical MDS all of them, each by its weight.
    Only nearness has a meaning; the axes have none.
    """

    def find() -> Answer:
        from zooscope.analyses.clustering import find_clusters
        from zooscope.analyses.mapping import FEWEST_FEATURES, map_classifiers
        from zooscope.pictures.map import make_map_picture
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        sat = read_scores(opened, leave_out)
        grouped = find_clusters(sat, num_clusters, seed=seed)
        labels = grouped.labels if color == CLUSTER else _read_component(opened, components, color)
        found = map_classifiers(
            sat,
            method=method.value,
            num_features=None if method is How.MDS else max(grouped.num_clusters, FEWEST_FEATURES),
            perplexity=perplexity,
            seed=seed,
        )
        guesses = find_guesses(opened, components, list(found.points.index) if color != CLUSTER else ())
        own = labels.reindex(found.points.index)
        marked = guesses.mark_values(color, own)
        return Answer(
            text=lambda console: _print(console, found, marked, color, guesses=guesses, is_drawn=bool(out)),
            values=lambda: {**_encode(found, own, color), "guesses": guesses.by_component.get(color, [])},
            picture=lambda: make_map_picture(
                found, {str(name): str(label) for name, label in marked.dropna().items()}, colour_by=color
            ),
        )

    run_analysis(find, as_json=as_json, out=out)


def _read_component(study: "Snapshot", file: "Path | None", name: str) -> "pd.Series":
    from zooscope.errors import UnknownNameError

    table = require_components(study, file)
    if name not in table.columns:
        kind, known = "component", [str(column) for column in table.columns]
        raise UnknownNameError(kind, name, known, f"Points are coloured by {CLUSTER} or by one of: {', '.join(known)}.")
    return table[name]


def _encode(found: "Map", labels: "pd.Series", color: str) -> dict[str, Any]:
    return {
        "points": {name: [row["x"], row["y"]] for name, row in found.points.iterrows()},
        "labels": labels.astype(object),
        "color": color,
        "method": found.method,
        "num_features": found.num_features,
        "perplexity": found.perplexity,
        "shown": found.shown,
    }


def _print(console: "Console", found: "Map", labels: "pd.Series", color: str, *, guesses: Guesses, is_drawn: bool) -> None:
    from pandas import isna

    made = make_table("Classifier", color, "x", "y", numbers=("x", "y"))
    short = shorten_names([str(name) for name in found.points.index])
    points = found.points.loc[labels.sort_values(kind="stable").index]
    for name, x, y in zip(points.index, points["x"], points["y"], strict=True):
        label = labels[name]
        made.add_row(short[str(name)], "-" if isna(label) else str(label), f"{x + 0.0:.3g}", f"{y + 0.0:.3g}")
    console.print(made)
    console.print()
    if found.method == "mds":
        console.print(f"Classical MDS; the plane shows {100 * found.shown:.0f} % of the squared distances.")
    else:
        console.print(f"t-SNE, perplexity {found.perplexity:.3g}. Distances between groups that are far apart mean nothing.")
    if guesses.by_component.get(color):
        console.print("A guess: a value read with little certainty; `zooscope components read CLASSIFIER` prints why.")
    if not is_drawn:
        console.print("To see it: --out map.png, or --out map.html.")
