"""Groups of similar classifiers, what each has in common, and how stable it is."""

from typing import Final, final

from zooscope.analyses.cluster_keywords import find_keywords, find_shared_values
from zooscope.analyses.reclustering import DISSOLVED, STABLE, ClusterStability, measure_cluster_stability
from zooscope.pictures.clusters import make_cluster_stability_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Part
from zooscope.report.sections.figures import NOTHING, Cell, Row, make_figure, make_table
from zooscope.words import shorten_names

NUM_DRAWS: Final = 50  # the command takes 200
MOST_DRAWN: Final = 100  # classifiers; a cell of this picture is an element of the page


@final
class ClustersSection(Analysis):
    """The clusters."""

    title = "Clusters"
    anchor = "clusters"
    reading = (
        "Groups of classifiers that attacks transfer between. Keywords are the components that tell a group from the others; a "
        "group is stable if it is found again on other draws of the images."
    )
    command = "zooscope clusters STUDY"

    def show(self, facts: Facts) -> Part:
        """A row per cluster, and how often two classifiers are together."""
        grouped, short = facts.clusters, shorten_names(facts.names)
        stable = None if facts.is_imported else measure_cluster_stability(grouped, facts.require_predictions(), num_draws=NUM_DRAWS)
        keywords = _list_keywords(facts)
        rows: list[Row] = [
            [
                Cell(text=str(number), value=number),
                ", ".join(short[name] for name in names),
                "; ".join(keywords.get(number, ())) or NOTHING,
                *([] if stable is None else _describe_stability(stable, number)),
            ]
            for number, names in grouped.members.items()
        ]
        headings = ["Cluster", "Classifiers", "Keywords", *([] if stable is None else ["Verdict", "Jaccard index"])]
        blocks = [make_table("clusters", headings, rows)]
        if stable is not None and len(facts.names) <= MOST_DRAWN:
            blocks.append(make_figure(make_cluster_stability_picture(grouped, stable), "cluster-stability"))
        return self.fill(facts, *blocks, remarks=_remark(facts, stable, has_keywords=bool(keywords)))


def _list_keywords(facts: Facts) -> dict[int, list[str]]:
    """The keywords of every cluster; none where no components are known."""
    table = facts.components
    if table.empty or not table.notna().to_numpy().any():
        return {}
    labels = facts.clusters.labels
    found = find_keywords(table, labels, without=find_shared_values(table, labels))
    keywords: dict[int, list[str]] = {}
    for _, row in found.iterrows():
        keywords.setdefault(int(row["cluster"]), []).append(f"{row['component']}: {row['value']}")
    return keywords


def _describe_stability(stable: ClusterStability, number: int) -> tuple[str, Cell]:
    table = stable.clusters
    return str(table["verdict"][number]) or "the same by construction", Cell.of_number(float(table["jaccard"][number]))


def _remark(facts: Facts, stable: ClusterStability | None, *, has_keywords: bool) -> list[str]:
    remarks = []
    if stable is not None:
        remarks.append(
            f"Over {stable.num_draws} draws of the images (the command takes 200), partitions agree with this one by an adjusted "
            f"Rand index of {stable.adjusted_rand:.2f} (1: the same, 0: by chance). Stable: a mean Jaccard index from {STABLE:g} "
            f"on; unsure: above {DISSOLVED:g}; else noise."
        )
    else:
        remarks.append("An imported matrix has no images to resample, so the clusters' stability is not known.")
    if not has_keywords:
        remarks.append(
            "No components are known, so there are no keywords; `zooscope clusters STUDY --components FILE.csv` takes a table."
        )
    if facts.clusters.by_eigengap:
        remarks.append("The number of clusters is chosen by the largest eigengap.")
    return remarks
