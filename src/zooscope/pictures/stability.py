"""The spread of SAT by the number of images, as curves."""

import numpy as np

from zooscope.analyses.stability import Stability
from zooscope.pictures.data import Band, Curves


def make_stability_picture(found: Stability) -> Curves:
    """The spread measured over the sets, and predicted from all images (Table 1 of the paper)."""
    sizes, measured = found.by_size.index.to_numpy(np.float64), found.by_size["std"].to_numpy(np.float64)
    expected = found.by_size["expected"].to_numpy(np.float64)
    usable, nothing = measured > 0, np.full(len(sizes), np.nan)  # a logarithmic axis can't show a spread of 0
    what = f"{found.pairs['a'].iloc[0]} and {found.pairs['b'].iloc[0]}" if len(found.pairs) == 1 else f"{len(found.pairs)} pairs"
    return Curves(
        title=f"How SAT varies from one set of images to another: {what}",
        x_label="images in a set",
        y_label="standard deviation of SAT (percent points)",
        curves=(
            Band(
                x=sizes[usable],
                y=measured[usable],
                low=nothing[usable],
                high=nothing[usable],
                name=f"over {found.num_sets} sets",
            ),
            Band(x=sizes, y=expected, low=nothing, high=nothing, name="expected, 1 / sqrt(images)"),
        ),
        logarithmic=frozenset({"x", "y"}),
    )
