"""`zooscope ensembles`: do less similar classifiers gain more from each other?"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.clustered import NumClusters, cluster_classifiers
from zooscope.cli.groups import Groups, read_groups
from zooscope.cli.options import Confidence, ExistingStudy, Json
from zooscope.words import format_count, format_interval, format_number, format_percent, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.averaging import CleanLogits
    from zooscope.analyses.ensembles import PairEnsembles
    from zooscope.pictures.data import Picture
    from zooscope.records.predictions import Predictions
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope ensembles STUDY --out ensembles.png"
BAND: Final = 0.9
LARGEST: Final = 5
NUM_DRAWS: Final = 100
PERCENT: Final = 100
DIFFERENT: Final = "all, each from another cluster"


class Averaged(StrEnum):
    """What an ensemble averages."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"


class EnsemblesPicture(StrEnum):
    """Which picture to draw."""

    PAIRS = "pairs"
    CLUSTERS = "clusters"
    GROUPS = "groups"


class Metric(StrEnum):
    """Which metric the curves show."""

    ERR = "err"
    ERROR = "error"
    ALL_WRONG = "all_wrong"


Average = Annotated[Averaged, typer.Option(help="What an ensemble averages over its members; the paper averages logits.")]
_Largest = Annotated[int, typer.Option("--largest", metavar="NUMBER", help="Largest number of members of random ensembles.")]
_NumEnsembles = Annotated[
    int,
    typer.Option("--num-ensembles", metavar="NUMBER", help="Largest number of ensembles drawn per number of members and clusters."),
]
_Picture = Annotated[
    EnsemblesPicture,
    typer.Option("--picture", help="What --out draws: all pairs, or random ensembles by clusters or within groups."),
]
_Metric = Annotated[
    Metric,
    typer.Option(
        "--metric", help="For pictures of random ensembles: error reduction rate, top-1 error, or the share that all get wrong."
    ),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    pairs: "PairEnsembles"
    by_clusters: "pd.DataFrame | None"
    by_groups: "pd.DataFrame | None"
    num_clusters: int


def ensembles(
    study: ExistingStudy,
    *,
    average: Average = Averaged.LOGITS,
    num_clusters: NumClusters = None,
    groups: Groups = None,
    largest: _Largest = LARGEST,
    num_ensembles: _NumEnsembles = NUM_DRAWS,
    confidence: Confidence = BAND,
    picture: _Picture = EnsemblesPicture.PAIRS,
    metric: _Metric = Metric.ERR,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure what ensembles gain, by their members' similarity.

    From the stored clean logits: the error reduction rate (1 minus the ensemble's top-1 error over its members' mean error) of all
    pairs against their SAT, with a p value from permuting classifiers; and larger random ensembles from one or more clusters,
    and within groups. Intervals are over images; the band around
    the trend is that of the line, from resampling classifiers.
    """

    def find() -> Answer:
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        found = _find(
            opened,
            read_groups(opened, groups),
            average=average,
            num_clusters=num_clusters,
            sizes=range(2, largest + 1),
            draws=num_ensembles,
            confidence=confidence,
            seed=seed,
        )
        return Answer(
            text=lambda console: _print(console, found),
            values=lambda: _encode(found),
            picture=lambda: _draw(found, picture, metric),
        )

    run_analysis(find, as_json=as_json, out=out)


def take_clean_logits(study: "Snapshot", names: tuple[str, ...], predictions: "Predictions") -> "CleanLogits":
    """The logits of some of a study's classifiers, with the labels.

    Raises:
        UnknownNameError: the study holds no classifier of such a name.
        StudyError: they are not all measured.
    """
    from zooscope.analyses.averaging import CleanLogits

    values = tuple(study.clean_logits(name) for name in names)
    return CleanLogits(names=names, values=values, labels=predictions.labels)


def _find(
    study: "Snapshot",
    groups: dict[str, str],
    *,
    average: Averaged,
    num_clusters: int | None,
    sizes: range,
    draws: int,
    confidence: float,
    seed: int,
) -> _Found:
    from zooscope.analyses.draws import measure_ensembles_by_cluster, measure_ensembles_by_group
    from zooscope.analyses.ensembles import measure_pair_ensembles
    from zooscope.scores.matrices import make_sat_matrix

    predictions = study.predictions
    logits, sat = take_clean_logits(study, study.names, predictions), make_sat_matrix(predictions, confidence=None)
    pairs = measure_pair_ensembles(logits, sat, average=average.value, confidence=confidence, seed=seed)
    clusters = cluster_classifiers(sat, num_clusters, seed=seed)
    settings: Any = {"sizes": sizes, "num_draws": draws, "average": average.value, "confidence": confidence, "seed": seed}
    return _Found(
        pairs=pairs,
        by_clusters=measure_ensembles_by_cluster(logits, clusters, **settings) if clusters else None,
        by_groups=measure_ensembles_by_group(logits, groups, **settings) if groups else None,
        num_clusters=len(set(clusters.values())),
    )


def _draw(found: _Found, picture: EnsemblesPicture, metric: Metric) -> "Picture":
    from zooscope.errors import InvalidValueError
    from zooscope.pictures.ensembles import make_draws_picture, make_pairs_picture

    if picture is EnsemblesPicture.PAIRS:
        return make_pairs_picture(found.pairs)
    draws = found.by_clusters if picture is EnsemblesPicture.CLUSTERS else _join_clusters(found)
    if draws is None or draws.empty:
        msg = f"there are no ensembles to draw by {picture.value}; give groups by --groups FILE, or measure more classifiers."
        raise InvalidValueError(msg)
    return make_draws_picture(draws, "num_clusters" if picture is EnsemblesPicture.CLUSTERS else "group", metric.value)


def _join_clusters(found: _Found) -> "pd.DataFrame | None":
    """Ensembles within groups, and ensembles with every member from another cluster (as in Figure 7 of the paper)."""
    import pandas as pd

    if found.by_groups is None or found.by_clusters is None:
        return found.by_groups
    different = found.by_clusters[found.by_clusters["num_members"] == found.by_clusters["num_clusters"]]
    return pd.concat([found.by_groups, different.drop(columns="num_clusters").assign(group=DIFFERENT)])


def _encode(found: _Found) -> dict[str, Any]:
    trend, pearson = found.pairs.trend, found.pairs.pearson
    return {
        "average": found.pairs.average,
        "pairs": found.pairs.pairs,
        "pearson": asdict(pearson),
        "trend": {
            "slope": trend.slope,
            "intercept": trend.intercept,
            "confidence": trend.confidence,
            "sat": trend.x,
            "err": trend.y,
            "low": trend.low,
            "high": trend.high,
        },
        "clusters": found.num_clusters,
        "draws": [] if found.by_clusters is None else found.by_clusters,
        "groups": [] if found.by_groups is None else found.by_groups,
    }


def _print(console: "Console", found: _Found) -> None:
    pairs, pearson, trend = found.pairs.pairs, found.pairs.pearson, found.pairs.trend
    console.print(f"{format_count(len(pairs), 'ensemble')} of two, average of {found.pairs.average}:")
    numbers = ("SAT", "Members", "Error", "Reduction", f"{PERCENT * trend.confidence:g} % interval")
    made = make_table("Gain the most and the least", *numbers, numbers=numbers)
    names = list(dict.fromkeys([*pairs["a"], *pairs["b"]]))
    short = shorten_names(names)
    order = pairs.sort_values("err", ascending=False, kind="stable").dropna(subset="err")
    for place in [*range(min(3, len(order))), *range(max(3, len(order) - 3), len(order))]:
        row = order.iloc[place]
        made.add_row(
            f"{short[row['a']]} and {short[row['b']]}",
            format_number(row["sat"]),
            format_percent(100 * row["mean_error"]),
            format_percent(100 * row["error"]),
            format_percent(100 * row["err"]),
            format_interval(PERCENT * row["err_low"], PERCENT * row["err_high"], 1),
        )
    console.print(made)
    console.print()
    if not isnan(pearson.r):
        console.print(
            f"SAT and error reduction: r = {pearson.r:.2f}, p = {pearson.p_mantel:.2g} by permuting classifiers (Mantel, "
            f"{pearson.num_permutations} permutations{', all there are' if pearson.exact else ''}; as if all "
            f"{pearson.num_pairs} pairs were independent: {pearson.p_naive:.2g}). One unit of SAT more goes with "
            f"{abs(PERCENT * trend.slope):.1f} points {'less' if trend.slope < 0 else 'more'}."
        )
    else:
        console.print("Too few pairs, or too similar ones, to correlate SAT with the error reduction.")
    if found.by_clusters is not None and not found.by_clusters.empty:
        console.print()
        console.print(
            f"Ensembles by the number of clusters ({found.num_clusters} in all) that members come from; percent, mean +- standard "
            f"deviation over the draws, with the {PERCENT * trend.confidence:g} % interval of the mean reduction over images:"
        )
        console.print(_make_table(found.by_clusters, "num_clusters", "Clusters"))
    if found.by_groups is not None and not found.by_groups.empty:
        console.print()
        console.print("Ensembles from within a group, in the same way:")
        console.print(_make_table(found.by_groups, "group", "Group"))


def _make_table(draws: "pd.DataFrame", by: str, heading: str) -> Any:  # noqa: ANN401  (a table of Rich's)
    numbers = ("Members", "Draws", "Error", "Reduction", "Interval", "All wrong")
    made = make_table("Members", heading, *numbers[1:], numbers=numbers)
    for _, row in draws.iterrows():
        made.add_row(
            str(row["num_members"]),
            str(row[by]),
            f"{'all ' if row['exact'] else ''}{row['num_draws']}",
            *(_format_spread(row[name], row[f"{name}_std"]) for name in ("error", "err")),
            format_interval(PERCENT * row["err_low"], PERCENT * row["err_high"], 1),
            format_number(PERCENT * row["all_wrong"], 1),
        )
    return made


def _format_spread(mean: float, std: float) -> str:
    """In percent; a single ensemble has no spread."""
    return format_number(PERCENT * mean, 1) + ("" if isnan(std) else f" +- {PERCENT * std:.1f}")
