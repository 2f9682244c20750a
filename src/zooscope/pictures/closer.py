"""Whether classifiers are told apart, as bars: SAT of A with B and C; each nearest neighbour's lead over its closest rival."""

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.pictures.data import Bars, BarSeries
from zooscope.scores.closer import Closer
from zooscope.words import format_interval, format_number, shorten_names


def make_closer_picture(names: tuple[str, str, str], sat: xr.DataArray, found: Closer) -> Bars:
    """SAT of the first with each of the others, and the difference in the title."""
    a, *others = names
    short = shorten_names(names)
    cells = [sat.sel(a=a, b=name) for name in others]
    percent = f"{100 * found.confidence:g} %"
    return Bars(
        title=f"{short[a]}: a difference of {format_number(found.difference)} ({percent} interval "
        f"{format_interval(found.low, found.high)})",
        x_label=f"SAT (natural log), with {percent} intervals",
        labels=tuple(f"with {short[name]}" for name in others),
        series=(
            BarSeries(
                name="SAT",
                lengths=np.array([float(cell) for cell in cells]),
                low=np.array([float(cell.low) for cell in cells]),
                high=np.array([float(cell.high) for cell in cells]),
            ),
        ),
    )


def make_nearest_picture(table: pd.DataFrame, confidence: float) -> Bars:
    """The lead of every nearest neighbour over its closest rival; it is sure where the interval is right of 0.

    Args:
        table: of `find_nearest`.
        confidence: of the intervals.
    """
    known = table[table["difference"].notna()].sort_values("difference_low", ascending=False)
    short = shorten_names([str(name) for name in table.index])
    difference, low, high = (known[key].to_numpy(np.float64) for key in ("difference", "difference_low", "difference_high"))
    return Bars(
        title="Is the nearest neighbour sure? Its lead over its closest rival",
        x_label=f"difference of SAT (natural log), with {100 * confidence:g} % intervals",
        labels=tuple(f"{short[str(name)]}: {short[row['nearest']]} over {short[row['rival']]}" for name, row in known.iterrows()),
        series=(BarSeries(name="difference", lengths=difference, low=low, high=high),),
    )
