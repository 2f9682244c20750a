"""`zooscope clusters`: groups of similar classifiers, what each has in common, and how stable it is."""

from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, run_analysis
from zooscope.cli.guesses import Guesses, find_guesses, mark
from zooscope.cli.leaving_out import ComponentsFile, LeaveOut, find_components, read_scores
from zooscope.cli.options import ExistingStudy, Json
from zooscope.words import format_count, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console

    from zooscope.analyses.clustering import Clusters
    from zooscope.analyses.reclustering import ClusterStability
    from zooscope.pictures.data import HeatMap
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope clusters STUDY --num-clusters auto --out clusters.png"
AUTO: Final = "auto"
NUM_GAPS: Final = 3
INDENT: Final = "  "


class ClustersPicture(StrEnum):
    """What the picture shows."""

    DISTANCES = "distances"
    SAT = "sat"
    STABILITY = "stability"


def parse_num_clusters(text: str) -> int | str:
    """A number of clusters, or `AUTO`."""
    if text.lower() == AUTO:
        return AUTO
    if text.isdecimal() and int(text) > 0:
        return int(text)
    msg = f"{text!r} is not a number of clusters; write a number from 1 on, or auto."
    raise typer.BadParameter(msg)


NumClustersOrAuto = Annotated[
    Any,  # int, "auto" or None, which typer has no type for
    typer.Option(
        "--num-clusters",
        parser=parse_num_clusters,
        metavar="NUMBER",
        help="Number of clusters; auto takes the number with the largest eigengap.",
        show_default="10; for fewer than 20 classifiers auto",
    ),
]
_Draws = Annotated[int, typer.Option("--draws", metavar="NUMBER", help="Draws of the images to measure stability; 0 for none.")]
_Picture = Annotated[
    ClustersPicture,
    typer.Option(
        "--picture",
        help="What --out draws: distances of spectral features, SAT, or the share of draws in which two classifiers are together.",
    ),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    sat: "xr.DataArray"
    clusters: "Clusters"
    keywords: "pd.DataFrame | None"
    guesses: Guesses
    shared: list[tuple[str, str]]
    stability: "ClusterStability | None"
    no_keywords: str
    no_stability: str


def clusters(
    study: ExistingStudy,
    *,
    num_clusters: NumClustersOrAuto = None,
    components: ComponentsFile = None,
    leave_out: LeaveOut = None,
    draws: _Draws = 200,
    picture: _Picture = ClustersPicture.DISTANCES,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Group the classifiers of a study.

    Spectral clustering of the SAT matrix: which classifiers are alike, which components each group has in common (its keywords),
    and how often the groups are found again when the images are resampled.
    """

    def find() -> Answer:
        from zooscope.analyses.cluster_keywords import find_shared_values
        from zooscope.analyses.clustering import find_clusters
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        sat = read_scores(opened, leave_out)
        grouped = find_clusters(sat, num_clusters, seed=seed)
        table, guesses = find_components(opened, components), find_guesses(opened, components, list(grouped.labels.index))
        shared = find_shared_values(table, grouped.labels)
        words, no_words = _find_keywords(table, grouped, without=shared)
        if words is not None:
            words = words.assign(guessed=_find_guessed(words, table, grouped, guesses))
        stable, no_stable = _measure_stability(opened, grouped, draws, seed=seed)
        found = _Found(
            sat=sat,
            clusters=grouped,
            keywords=words,
            guesses=guesses,
            shared=shared,
            stability=stable,
            no_keywords=no_words,
            no_stability=no_stable,
        )
        return Answer(
            text=lambda console: _print(console, found), values=lambda: _encode(found), picture=lambda: _draw(found, picture)
        )

    run_analysis(find, as_json=as_json, out=out)


def _find_keywords(
    components: "pd.DataFrame", grouped: "Clusters", *, without: list[tuple[str, str]]
) -> tuple["pd.DataFrame | None", str]:
    """The keywords, or the reason why there are none."""
    from zooscope.analyses.cluster_keywords import find_keywords

    if not components.reindex(grouped.labels.index).notna().any(axis=None):
        return None, "no components of these classifiers are known; give them by --components FILE.csv"
    return find_keywords(components, grouped.labels, without=without), ""


def _find_guessed(keywords: "pd.DataFrame", components: "pd.DataFrame", grouped: "Clusters", guesses: Guesses) -> list[bool]:
    """For each keyword, whether it is a guess of a classifier of its cluster."""
    rows = zip(keywords["cluster"], keywords["component"], keywords["value"], strict=True)
    return [
        any(
            grouped.labels[name] == cluster and components.loc[name, component] == value
            for name in guesses.by_component.get(component, ())
        )
        for cluster, component, value in rows
    ]


def _measure_stability(study: "Snapshot", grouped: "Clusters", draws: int, *, seed: int) -> tuple["ClusterStability | None", str]:
    """The stability of the clusters, or the reason why it is not known."""
    from zooscope.analyses.reclustering import measure_cluster_stability

    if study.is_imported:
        return None, (
            "an imported matrix has no images to resample; measure these classifiers "
            "(`zooscope measure FOLDER --classifiers ... --images ...`)"
        )
    if draws == 0:
        return None, "no draws were requested"
    return measure_cluster_stability(grouped, study.predictions, num_draws=draws, seed=seed), ""


def _draw(found: _Found, picture: ClustersPicture) -> "HeatMap":
    from zooscope.errors import StudyError
    from zooscope.pictures.clusters import make_cluster_stability_picture, make_distances_picture, make_sat_picture

    if picture is ClustersPicture.SAT:
        return make_sat_picture(found.clusters, found.sat)
    if picture is ClustersPicture.DISTANCES:
        return make_distances_picture(found.clusters)
    if found.stability is None:
        msg = f"there is no stability to draw: {found.no_stability}."
        raise StudyError(msg)
    return make_cluster_stability_picture(found.clusters, found.stability)


def _list_words(found: _Found, cluster: int) -> list[str]:
    if found.keywords is None:
        return []
    own = found.keywords[found.keywords["cluster"] == cluster]
    return [f"{row['component']}: {mark(row['value']) if row['guessed'] else row['value']}" for _, row in own.iterrows()]


def _encode(found: _Found) -> dict[str, Any]:
    grouped, stable = found.clusters, found.stability
    return {
        "labels": grouped.labels,
        "num_clusters": len(grouped.members),
        "by_eigengap": grouped.by_eigengap,
        "keywords": None if found.keywords is None else {number: _list_words(found, number) for number in grouped.members},
        "keywords_shared": [f"{component}: {value}" for component, value in found.shared],
        "keywords_missing": found.no_keywords or None,
        "stability": None
        if stable is None
        else {
            "num_draws": stable.num_draws,
            "adjusted_rand": stable.adjusted_rand,
            "clusters": stable.clusters.to_dict(orient="index"),
            "co_assignment": {name: row.to_dict() for name, row in stable.co_assignment.iterrows()},
        },
        "stability_missing": found.no_stability or None,
        "eigengaps": grouped.gaps.reset_index(),
        "objective": grouped.objective,
        "restarts": grouped.restarts,
        "times_met": grouped.times_met,
    }


def _print(console: "Console", found: _Found) -> None:
    grouped, members = found.clusters, found.clusters.members
    short = shorten_names([str(name) for name in grouped.labels.index])
    how = "chosen by the largest eigengap" if grouped.by_eigengap else "as requested"
    console.print(f"{len(grouped.labels)} classifiers in {format_count(len(members), 'cluster')}, {how}")
    for number, names in members.items():
        console.print()
        console.print(f"Cluster {number}: {format_count(len(names), 'classifier')}{_describe_stability(found, number)}")
        console.print(f"{INDENT}{', '.join(short[name] for name in names)}")
        if words := _list_words(found, number):
            console.print(f"{INDENT}Keywords: {'; '.join(words)}")
    console.print()
    if found.shared:
        shared = "; ".join(f"{component}: {value}" for component, value in found.shared)
        console.print(f"No keywords, since most classifiers of every cluster have them: {shared}.")
    if found.stability is not None:
        from zooscope.analyses.reclustering import DISSOLVED, STABLE
        from zooscope.analyses.spectral import FEW

        console.print(
            f"Over {found.stability.num_draws} draws of the images, partitions agree with this one by an adjusted Rand index of "
            f"{found.stability.adjusted_rand:.2f} (1: the same, 0: by chance). A cluster is stable from a mean Jaccard index of "
            f"{STABLE:g} on, unsure above {DISSOLVED:g}, else noise."
        )
        if len(grouped.labels) < FEW:
            console.print(
                f"Of fewer than {FEW} classifiers no cluster is called stable: chance often gives the same groups. `zooscope map` "
                "shows who is nearest to whom, as a tree."
            )
    console.print(f"Largest eigengaps: {_format_gaps(grouped)}.")
    console.print(
        f"K-means reached this partition's objective in {grouped.times_met} of {grouped.restarts} starts"
        + (", which is rare: a better one may exist." if grouped.times_met < 3 else ".")  # noqa: PLR2004  (met again, and once more)
    )
    for what, reason in (("keywords", found.no_keywords), ("stability", found.no_stability)):
        if reason:
            console.print(f"Note: no {what}: {reason}.")


def _describe_stability(found: _Found, number: int) -> str:
    if found.stability is None:
        return ""
    table = found.stability.clusters
    together, jaccard, exact = (float(table[name][number]) for name in ("together", "jaccard", "exact"))
    verdict = str(table["verdict"][number]) or "the same by construction"
    if isnan(together):
        return f", {verdict}: alone in {100 * exact:.0f} % of draws (Jaccard {jaccard:.2f})"
    return f", {verdict}: two of them together in {100 * together:.0f} % of draws (Jaccard {jaccard:.2f})"


def _format_gaps(grouped: "Clusters") -> str:
    """The largest gaps that show groups."""
    from zooscope.analyses.clustering import find_group_gaps

    gaps = find_group_gaps(grouped.gaps, len(grouped.labels)).nlargest(NUM_GAPS)
    largest = [f"{gap:.2g} after {format_count(int(number), 'cluster')}" for number, gap in gaps.items()]  # type: ignore[call-overload]
    return ", ".join(largest) or "none that show groups"
