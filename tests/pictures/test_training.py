import numpy as np
import pandas as pd

from zooscope.pictures.training import make_curves_picture


def make_tables(count: int) -> dict[str, pd.DataFrame]:
    epochs = pd.Index([1, 2, 3], name="epoch")
    return {f"net{number}": pd.DataFrame({"accuracy": [0.1, 0.2, 0.3 + number / 100]}, index=epochs) for number in range(count)}


def test_a_few_networks_have_a_line_each_without_a_band() -> None:
    picture = make_curves_picture(make_tables(3), dict.fromkeys(make_tables(3), "all"))
    assert [curve.name for curve in picture.curves] == ["net0", "net1", "net2"]
    np.testing.assert_allclose(picture.curves[2].y, [10, 20, 32])
    assert np.isnan(picture.curves[2].low).all()


def test_many_networks_have_a_line_per_group_from_the_lowest_to_the_highest() -> None:
    groups = {f"net{number}": "even" if number % 2 == 0 else "odd" for number in range(10)}
    picture = make_curves_picture(make_tables(10), groups)
    assert [curve.name for curve in picture.curves] == ["even (5)", "odd (5)"]
    last = [(curve.low[-1], curve.y[-1], curve.high[-1]) for curve in picture.curves]
    np.testing.assert_allclose(last, [(30, 34, 38), (31, 35, 39)])
