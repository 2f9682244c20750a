"""`zooscope map`: the classifiers of a study as points of a plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.commands.clusters import NumClustersOrAuto
from zooscope.cli.guesses import Guesses, find_guesses
from zooscope.cli.leaving_out import ComponentsFile, LeaveOut, read_scores, require_components
from zooscope.cli.options import ExistingStudy, Json
from zooscope.words import format_count, shorten_names

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.mapping import Map
    from zooscope.analyses.tree import Tree
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope map STUDY --out map.png"
CLUSTER: Final = "cluster"
MOST_FORKS: Final = 12
SEE: Final = "To see it: --out map.png, or --out map.html."


@dataclass(frozen=True, kw_only=True, eq=False)
class _Colours:
    """What decides the colour of every classifier.

    Attributes:
        name: `cluster`, or a component.
        labels: by classifier, NaN where not known.
        guesses: of the component's values.
    """

    name: str
    labels: "pd.Series"
    guesses: Guesses

    @property
    def marked(self) -> "pd.Series":
        """The labels, guesses marked."""
        return self.guesses.mark_values(self.name, self.labels)

    @property
    def texts(self) -> dict[str, str]:
        """The known labels, guesses marked."""
        return {str(name): str(label) for name, label in self.marked.dropna().items()}

    @property
    def guessed(self) -> list[str]:
        """The classifiers whose label is a guess."""
        return self.guesses.by_component.get(self.name, [])


class How(StrEnum):
    """The method of the map."""

    TREE = "tree"
    TSNE = "tsne"
    MDS = "mds"


_Method = Annotated[
    How | None,
    typer.Option(
        "--method",
        help="A tree (hierarchical clustering), t-SNE, or classical MDS, which is deterministic.",
        show_default="tsne; for fewer than 8 classifiers tree",
    ),
]
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
    method: _Method = None,
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

    For fewer than eight classifiers a plane would show neighbours that are none, so they are drawn as a tree. t-SNE takes as many
    eigenvectors of the SAT matrix as there are clusters, classical MDS all of them, each by its weight. Only nearness has a
    meaning; the axes have none.
    """

    def find() -> Answer:
        from zooscope.analyses.clustering import find_clusters
        from zooscope.analyses.mapping import FEWEST_FEATURES, FEWEST_FOR_TSNE, map_classifiers
        from zooscope.analyses.tree import build_tree
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        sat = read_scores(opened, leave_out)
        grouped = find_clusters(sat, num_clusters, seed=seed)
        chosen, labels = (CLUSTER, grouped.labels) if color.casefold() == CLUSTER else _read_component(opened, components, color)
        names = list(grouped.labels.index)
        guesses = find_guesses(opened, components, names if chosen != CLUSTER else ())
        colours = _Colours(name=chosen, labels=labels.reindex(names), guesses=guesses)
        how = method or (How.TREE if len(grouped.labels) < FEWEST_FOR_TSNE and perplexity is None else How.TSNE)
        if how is How.TREE:
            return _answer_tree(build_tree(sat), colours, is_drawn=bool(out))
        found = map_classifiers(
            sat,
            method="mds" if how is How.MDS else "tsne",
            num_features=None if how is How.MDS else max(grouped.num_clusters, FEWEST_FEATURES),
            perplexity=perplexity,
            seed=seed,
        )
        return _answer_map(found, colours, is_drawn=bool(out))

    run_analysis(find, as_json=as_json, out=out)


def _answer_map(found: "Map", colours: _Colours, *, is_drawn: bool) -> Answer:
    from zooscope.analyses.mapping import find_spread_clusters
    from zooscope.pictures.map import make_map_picture

    spread = find_spread_clusters(found.points, colours.labels) if colours.name == CLUSTER else ()
    return Answer(
        text=lambda console: _print(console, found, colours, spread, is_drawn=is_drawn),
        values=lambda: _encode(found, colours) | {"spread_clusters": spread},
        picture=lambda: make_map_picture(found, colours.texts, colour_by=colours.name, spread=spread),
    )


def _answer_tree(found: "Tree", colours: _Colours, *, is_drawn: bool) -> Answer:
    from zooscope.pictures.map import make_tree_picture

    return Answer(
        text=lambda console: _print_tree(console, found, colours, is_drawn=is_drawn),
        values=lambda: {
            "points": {},
            "labels": colours.labels.astype(object),
            "guesses": colours.guessed,
            "color": colours.name,
            "method": How.TREE.value,
            "num_features": None,
            "perplexity": None,
            "shown": None,
            "order": found.names,
            "forks": [fork._asdict() for fork in found.forks],
        },
        picture=lambda: make_tree_picture(found, colours.texts, colour_by=colours.name),
    )


def _read_component(study: "Snapshot", file: "Path | None", name: str) -> "tuple[str, pd.Series]":
    """A component's name and values; the name may be given in another spelling."""
    from zooscope.components.recognize import make_key, recognize_component
    from zooscope.errors import UnknownNameError

    table = require_components(study, file)
    known = [str(column) for column in table.columns]
    found = [column for column in known if make_key(column) == make_key(name)]
    chosen = name if name in known else found[0] if len(found) == 1 else recognize_component(name)
    if chosen not in known:
        kind = "component"
        raise UnknownNameError(kind, name, known, f"Points are coloured by {CLUSTER} or by one of: {', '.join(known)}.")
    return chosen, table[chosen]


def _encode(found: "Map", colours: _Colours) -> dict[str, Any]:
    return {
        "points": {name: [row["x"], row["y"]] for name, row in found.points.iterrows()},
        "labels": colours.labels.reindex(found.points.index).astype(object),
        "guesses": colours.guessed,
        "color": colours.name,
        "method": found.method,
        "num_features": found.num_features,
        "perplexity": found.perplexity,
        "shown": found.shown,
    }


def _print(console: "Console", found: "Map", colours: _Colours, spread: tuple[str, ...], *, is_drawn: bool) -> None:
    from pandas import isna

    made = make_table("Classifier", colours.name, "x", "y", numbers=("x", "y"))
    labels, short = colours.marked, shorten_names([str(name) for name in found.points.index])
    points = found.points.loc[labels.sort_values(kind="stable").index]
    for name, x, y in zip(points.index, points["x"], points["y"], strict=True):
        label = labels[name]
        made.add_row(short[str(name)], "-" if isna(label) else str(label), f"{x + 0:.3g}", f"{y + 0:.3g}")  # no minus before 0
    console.print(made)
    console.print()
    if found.method != "mds":
        console.print(f"t-SNE, perplexity {found.perplexity:.3g}. Distances between groups that are far apart mean nothing.")
    elif found.num_kept > 2:  # noqa: PLR2004  (the dimensions of the plane)
        console.print(
            f"Classical MDS; the plane shows {100 * found.shown:.0f} % of the squared distances in the {found.num_kept} directions "
            f"that separate groups (of {found.num_features})."
        )
    else:
        others = "; the plane shows nothing of the others" if found.num_features > found.num_kept else ""
        separate = "separates" if found.num_kept == 1 else "separate"
        console.print(
            f"Classical MDS of the {format_count(found.num_kept, 'direction')} that {separate} groups, of "
            f"{found.num_features}{others}."
        )
    if spread:
        console.print(
            f"Note: members of {format_count(len(spread), 'cluster')} ({', '.join(spread)}) are at opposite ends of this plane, "
            "which shows only a part of their similarity; --method tree shows who is joined with whom."
        )
    _print_end(console, colours, is_drawn=is_drawn)


def _print_end(console: "Console", colours: _Colours, *, is_drawn: bool) -> None:
    if colours.guessed:
        console.print("A guess: a value read with little certainty; `zooscope components read CLASSIFIER` prints why.")
    if not is_drawn:
        console.print(SEE)


def _print_tree(console: "Console", found: "Tree", colours: _Colours, *, is_drawn: bool) -> None:
    from pandas import isna

    made = make_table("Classifier", colours.name)
    labels, short = colours.marked, shorten_names(found.names)
    for name in found.names:
        made.add_row(short[name], "-" if isna(labels[name]) else str(labels[name]))
    console.print(made)
    console.print()
    made = make_table("Joined, the most similar first", "Mean SAT", numbers=("Mean SAT",))
    for fork in found.forks[:MOST_FORKS]:
        made.add_row(
            " + ".join(_format_group([short[name] for name in group]) for group in (fork.left, fork.right)), f"{fork.sat:.2f}"
        )
    if len(found.forks) > MOST_FORKS:
        made.add_row(f"... and {len(found.forks) - MOST_FORKS} more", "")
    console.print(made)
    console.print()
    console.print("Tree by average linkage: two groups are joined at the mean SAT of the pairs between them.")
    _print_end(console, colours, is_drawn=is_drawn)


def _format_group(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"
