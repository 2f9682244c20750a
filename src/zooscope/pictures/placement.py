"""A placed classifier, as bars; one direction of SAT against both, as points."""

import numpy as np

from zooscope.analyses.placement import OneSided, Placement
from zooscope.pictures.data import Band, Bars, BarSeries, Points
from zooscope.pictures.labels import FEW, join_pairs


def make_placement_picture(found: Placement, name: str) -> Bars:
    """One-sided SAT of a classifier to every target, the nearest at the top."""
    targets = found.targets[found.targets["sat"].notna()]
    labels = [str(target) if cluster is None else f"{target} (cluster {cluster})" for target, cluster in targets["cluster"].items()]
    sat, low, high = (targets[key].to_numpy(np.float64) for key in ("sat", "low", "high"))
    where = "" if found.cluster is None else f", placed in cluster {found.cluster}"
    return Bars(
        title=f"{name} attacked{where}",
        x_label=f"one-sided SAT (natural log), with {100 * found.confidence:g} % intervals",
        labels=tuple(labels),
        series=(BarSeries(name="one-sided SAT", lengths=sat, low=low, high=high),),
    )


def make_one_sided_picture(found: OneSided) -> Points:
    """SAT in both directions against SAT in one, over all ordered pairs of a study (Figure H.1 of the paper)."""
    known = found.pairs.dropna()
    pearson = found.pearson
    return Points(
        title="SAT from one direction and from both" + ("" if np.isnan(pearson.r) else f": r = {pearson.r:.2f}"),
        x_label="one-sided SAT (natural log): only the first of a pair is attacked",
        y_label="SAT (natural log)",
        x=known["one_sided"].to_numpy(np.float64),
        y=known["sat"].to_numpy(np.float64),
        names=tuple(f"{source} to {target}" for source, target in zip(known["source"], known["target"], strict=True)),
        are_named=len(known) <= FEW,
        labels=join_pairs(known["source"], known["target"], "to"),
        trend=Band.of_trend(found.trend),
    )
