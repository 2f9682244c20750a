"""Likeness of two classifiers beside that of independent seeds, as bars."""

import numpy as np

from zooscope.analyses.kin import Kinship
from zooscope.pictures.data import Bars, BarSeries
from zooscope.words import shorten_names


def make_kin_picture(a: str, b: str, found: Kinship) -> Bars:
    """Same mistakes of both, what is expected of independent seeds, and those of all other pairs, the most alike first."""
    short = shorten_names([a, b, *found.seeds])
    null = found.pairs.iloc[1:].sort_values("percent", ascending=False)
    labels = [f"{short[a]} and {short[b]}", "expected of independent seeds"]
    labels += [f"{short[row['a']]} and {short[row['b']]}" for _, row in null.iterrows()]
    return Bars(
        title=f"{short[a]} and {short[b]}: {found.relation} (p = {found.p_value:.2g})",
        x_label="attacked images taken for the same wrong class, %",
        labels=tuple(labels),
        series=(BarSeries(name="same mistakes", lengths=np.array([found.percent, found.expected, *null["percent"]])),),
    )
