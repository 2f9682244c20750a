"""What ensembles gain, by their members' similarity."""

from math import isnan
from typing import Final, final

from markupsafe import Markup

from zooscope.analyses.draws import measure_ensembles_by_cluster
from zooscope.analyses.ensembles import PairEnsembles, measure_pair_ensembles
from zooscope.errors import InvalidValueError
from zooscope.pictures.ensembles import make_draws_picture, make_pairs_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Need, Part, show_number
from zooscope.report.sections.figures import Cell, Row, make_figure, make_table
from zooscope.words import shorten_names

NUM_PERMUTATIONS: Final = 499
NUM_DRAWS: Final = 50
SIZES: Final = range(2, 6)
MOST_ROWS: Final = 10  # at each end


@final
class EnsemblesSection(Analysis):
    """Ensembles of two against their SAT, and larger ones by clusters."""

    title = "Ensembles"
    anchor = "ensembles"
    needs = frozenset({Need.PREDICTIONS})
    reading = (
        "The error reduction rate is how much smaller an ensemble's error is than that of its members. Where the line falls, "
        "less similar classifiers gain more from each other."
    )
    command = "zooscope ensembles STUDY"

    def show(self, facts: Facts) -> Part:
        """All pairs, or ensembles of more from one or several clusters."""
        logits = facts.read_few_logits(self.command)
        found = measure_pair_ensembles(logits, facts.sat, num_permutations=NUM_PERMUTATIONS)
        blocks = [make_figure(make_pairs_picture(found), "ensembles-of-two")]
        try:
            clusters = {str(name): int(label) for name, label in facts.clusters.labels.items()}
            sizes = [size for size in SIZES if size <= len(clusters)]
            draws = measure_ensembles_by_cluster(logits, clusters, sizes=sizes, num_draws=NUM_DRAWS)
            if not draws.empty:
                blocks.append(make_figure(make_draws_picture(draws, "num_clusters"), "ensembles-by-clusters"))
        except InvalidValueError:
            pass  # there are no clusters, as where a pair has no score
        blocks.append(_make_table(found, facts))
        return self.fill(facts, *blocks, sentences=_describe(found), remarks=facts.explain_few_images())


def _describe(found: PairEnsembles) -> list[str]:
    pearson, trend = found.pearson, found.trend
    if isnan(pearson.r):
        return ["Too few pairs, or too similar ones, to correlate SAT with the error reduction."]
    tested = f"SAT and error reduction: r = {show_number(pearson.r)}, p = {pearson.p_mantel:.2g} by permuting classifiers."
    points, way = abs(100 * trend.slope), "less" if trend.slope < 0 else "more"
    return [f"{tested} One unit of SAT more goes with {points:.1f} points {way} of error reduction."]


def _make_table(found: PairEnsembles, facts: Facts) -> Markup:
    """The ensembles that gain the most and the least."""
    short = shorten_names(facts.names)
    ranked = found.pairs.dropna(subset="err").sort_values("err", ascending=False, kind="stable")
    few = min(MOST_ROWS, len(ranked) // 2)
    ends = ranked.take([*range(len(ranked) - few if len(ranked) <= 2 * MOST_ROWS else few), *range(len(ranked) - few, len(ranked))])
    rows: list[Row] = [
        [
            short[row["a"]],
            short[row["b"]],
            Cell.of_number(row["sat"]),
            *(Cell.of_number(100 * row[key], decimals=1, unit=" %") for key in ("mean_error", "error")),
            Cell.of_number(100 * row["err"], 100 * row["err_low"], 100 * row["err_high"], decimals=1, unit=" %"),
        ]
        for _, row in ends.iterrows()
    ]
    return make_table("ensembles", ["A", "B", "SAT", "Members' error", "Ensemble's error", "Error reduction"], rows)
