"""The map of classifiers, as points."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from zooscope.analyses.mapping import Map, Method
from zooscope.pictures.data import Points

UNKNOWN: Final = "not known"
METHOD_NAMES: Final[dict[Method, str]] = {"tsne": "t-SNE", "mds": "classical MDS"}


def make_map_picture(found: Map, labels: Mapping[str, str], *, colour_by: str) -> Points:
    """Classifiers as points, coloured by label (Figure 1 of the paper).

    Args:
        found: the map.
        labels: classifier name to cluster or to value of a component; `UNKNOWN` if there is none.
        colour_by: meaning of the labels.
    """
    table = found.points.assign(label=[labels.get(str(name), UNKNOWN) for name in found.points.index])
    table = table.sort_values("label", key=lambda column: column.map(_rank), kind="stable")
    shown = "" if np.isnan(found.shown) else f" ({100 * found.shown:.0f} % of squared distances)"
    return Points(
        title=f"Map of {len(table)} classifiers by SAT: {METHOD_NAMES[found.method]}{shown}",
        x_label="",
        y_label="",
        x=table["x"].to_numpy(dtype=np.float64),
        y=table["y"].to_numpy(dtype=np.float64),
        names=tuple(map(str, table.index)),
        groups=tuple(table["label"]),
        group_title=colour_by,
    )


def _rank(label: str) -> tuple[bool, int, str]:
    """Numbers by size, then texts alphabetically, unknown values last."""
    return label == UNKNOWN, int(label) if label.isdecimal() else 0, label
