"""The classifiers as points of a plane."""

import json
from typing import TYPE_CHECKING, final

from markupsafe import Markup

from zooscope.analyses.mapping import FEWEST_FOR_TSNE, find_spread_clusters, map_classifiers
from zooscope.analyses.tree import build_tree
from zooscope.errors import InvalidValueError
from zooscope.pictures.map import make_tree_picture
from zooscope.report.facts import Facts
from zooscope.report.page_data import escape_data
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Part, fill_template, read_source
from zooscope.report.sections.figures import make_figure, round_numbers
from zooscope.words import list_few

if TYPE_CHECKING:
    import pandas as pd


@final
class MapSection(Analysis):
    """The map, or the tree of few classifiers."""

    title = "Map"
    anchor = "map"
    reading = (
        "Similar classifiers are near each other. Only nearness has a meaning: the axes have none, nor have distances between "
        "groups that are far apart. Click a point to choose it."
    )
    command = "zooscope map STUDY --out map.html"

    def show(self, facts: Facts) -> Part:
        """A plane of few classifiers would show neighbours that are none, so they are drawn as a tree."""
        if len(facts.names) < FEWEST_FOR_TSNE:
            return self._show_tree(facts)
        found = map_classifiers(facts.sat)
        points = found.points.loc[list(facts.names)]
        data = {
            "title": f"Map of {len(facts.names)} classifiers by SAT",
            "x": round_numbers(points["x"].to_numpy(float)),
            "y": round_numbers(points["y"].to_numpy(float)),
        }
        html = fill_template(
            "map.html",
            reading=self.reading,
            data=Markup(escape_data(json.dumps(data))),  # noqa: S704  (escaped)
            remarks=[f"t-SNE of the spectral features of SAT, perplexity {found.perplexity:.3g}.", *_find_spread(facts, points)],
        )
        return Part(html=html, scripts=(read_source("map.js"),))

    def _show_tree(self, facts: Facts) -> Part:
        tree = build_tree(facts.sat)
        picture = make_tree_picture(tree, {}, colour_by="")
        reading = (
            "Groups are joined at the mean SAT of the pairs between them; those that join early are alike. Fewer than "
            "eight classifiers make no map."
        )
        return self.fill(facts, make_figure(picture, "tree"), reading=reading)


def _find_spread(facts: Facts, points: "pd.DataFrame") -> list[str]:
    """A remark on clusters that the plane tears apart."""
    try:
        spread = find_spread_clusters(points, facts.clusters.labels)
    except InvalidValueError:
        return []
    return [f"At opposite ends of this plane: members of cluster {list_few(spread, 5)}."] if spread else []
