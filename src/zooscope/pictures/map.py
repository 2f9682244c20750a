"""The map of classifiers, as points or as a tree."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from zooscope.analyses.mapping import Map, Method
from zooscope.analyses.tree import Tree
from zooscope.pictures.data import Forks, Points
from zooscope.words import format_count

UNKNOWN: Final = "not known"
DIMENSIONS: Final = 2  # of the plane: it shows all of two directions, which says nothing
METHOD_NAMES: Final[dict[Method, str]] = {"tsne": "t-SNE", "mds": "classical MDS"}


def make_map_picture(found: Map, labels: Mapping[str, str], *, colour_by: str, spread: Sequence[str] = ()) -> Points:
    """Classifiers as points, coloured by label (Figure 1 of the paper).

    Args:
        found: the map.
        labels: classifier name to cluster or to value of a component; `UNKNOWN` if there is none.
        colour_by: meaning of the labels.
        spread: clusters with members at opposite ends of the map, which the title names.
    """
    table = found.points.assign(label=[labels.get(str(name), UNKNOWN) for name in found.points.index])
    table = table.sort_values("label", key=lambda column: column.map(_rank), kind="stable")
    shown = f" ({100 * found.shown:.0f} % of squared distances)" if found.num_kept > DIMENSIONS and found.shown >= 0 else ""
    torn = f"\nAt opposite ends of this plane: members of {colour_by} {', '.join(spread)}" if spread else ""
    return Points(
        title=f"Map of {len(table)} classifiers by SAT: {METHOD_NAMES[found.method]}{shown}{torn}",
        x_label="",
        y_label="",
        x=table["x"].to_numpy(dtype=np.float64),
        y=table["y"].to_numpy(dtype=np.float64),
        names=tuple(map(str, table.index)),
        groups=tuple(table["label"]),
        group_title=colour_by,
    )


def make_tree_picture(found: Tree, labels: Mapping[str, str], *, colour_by: str) -> Forks:
    """Classifiers as leaves of a tree, coloured by label.

    Args:
        found: the tree.
        labels: as for `make_map_picture`.
        colour_by: meaning of the labels.
    """
    groups = tuple(labels.get(name, UNKNOWN) for name in found.names)
    return Forks(
        title=f"Tree of {format_count(len(found.names), 'classifier')} by SAT: average linkage",
        x_label="mean SAT of the pairs between two groups (natural log)",
        names=found.names,
        groups=groups,
        group_order=tuple(sorted(set(groups), key=_rank)),
        group_title=colour_by,
        branches=found.branches,
        joined=found.forks,
    )


def _rank(label: str) -> tuple[bool, int, str]:
    """Numbers by size, then texts alphabetically, unknown values last."""
    return label == UNKNOWN, int(label) if label.isdecimal() else 0, label
