"""The bars of the importance are its numbers."""

import numpy as np
import pandas as pd

from zooscope.analyses.importance import Importance
from zooscope.pictures.importance import make_importance_picture


def test_each_component_has_a_bar_in_sample_and_one_held_out() -> None:
    table = pd.DataFrame(
        {"mean": [0.9, 0.1], "std": [0.1, 0.05], "held_out_mean": [0.5, -0.1], "held_out_std": [0.2, 0.01]},
        index=pd.Index(["stem layer", "activation"], name="component"),
    )
    found = Importance(
        components=table,
        r2_in_sample=0.94,
        r2_held_out=-0.3,
        num_pairs=6,
        num_folds=2,
        num_permutations=9,
        constant=(),
        left_out=(),
    )
    picture = make_importance_picture(found)
    in_sample, held_out = picture.series
    assert picture.labels == ("stem layer", "activation")
    assert in_sample.name == "training pairs: R² = 0.94"
    assert held_out.name == "pairs with a held-out classifier: R² = -0.30"
    assert in_sample.low is not None
    assert held_out.high is not None
    np.testing.assert_allclose(in_sample.lengths, [0.9, 0.1])
    np.testing.assert_allclose(in_sample.low, [0.8, 0.05])
    np.testing.assert_allclose(held_out.high, [0.7, -0.09])
