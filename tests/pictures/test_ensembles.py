import numpy as np
import pytest

from tests.analyses.zoo import matrix_of, synthetic_logits
from zooscope.analyses.draws import measure_ensembles_by_cluster, measure_ensembles_by_group
from zooscope.analyses.ensembles import PairEnsembles, measure_pair_ensembles
from zooscope.pictures.ensembles import make_draws_picture, make_pairs_picture


def found(size: int = 6) -> PairEnsembles:
    values = np.random.default_rng(0).uniform(1, 2, (size, size))
    scores = values + values.T
    scores[0, 1] = scores[1, 0] = np.nan
    return measure_pair_ensembles(synthetic_logits(size, num_images=80), matrix_of(scores))


def test_points_are_the_pairs_with_a_score_in_percent() -> None:
    result = found()
    picture = make_pairs_picture(result)
    known = result.pairs.dropna()
    assert len(picture.x) == 14
    np.testing.assert_allclose(picture.x, known["sat"])
    np.testing.assert_allclose(picture.y, 100 * known["err"])
    assert picture.names[0] == "classifier 0 and classifier 2"


def test_the_title_and_the_legend_say_what_the_line_is() -> None:
    result = found()
    picture = make_pairs_picture(result)
    assert f"r = {result.pearson.r:.2f}" in picture.title
    assert picture.trend is not None
    assert picture.trend.name == "trend, 90 % band"
    np.testing.assert_allclose(picture.trend.y, 100 * result.trend.y)
    assert (picture.trend.low <= picture.trend.y).all()
    assert (picture.trend.y <= picture.trend.high).all()


def test_a_line_without_a_band_is_not_said_to_have_one() -> None:
    scores = np.array([[5.0, 1.0, 2.0], [1.0, 5.0, 3.0], [2.0, 3.0, 5.0]])
    picture = make_pairs_picture(measure_pair_ensembles(synthetic_logits(3), matrix_of(scores)))
    assert picture.trend is not None
    assert np.isnan(picture.trend.low).all()
    assert picture.trend.name == "trend"


def test_one_pair_has_no_line_and_no_correlation() -> None:
    picture = make_pairs_picture(measure_pair_ensembles(synthetic_logits(2), matrix_of(np.full((2, 2), 3.0))))
    assert picture.trend is None
    assert "r =" not in picture.title


@pytest.mark.parametrize(
    ("metric", "label"), [("err", "error reduction"), ("error", "top-1 error"), ("all_wrong", "every member gets wrong")]
)
def test_every_number_of_clusters_is_a_curve_in_percent(metric: str, label: str) -> None:
    logits = synthetic_logits(9, num_images=60)
    draws = measure_ensembles_by_cluster(logits, {name: place % 3 for place, name in enumerate(logits.names)}, sizes=(2, 3))
    picture = make_draws_picture(draws, "num_clusters", metric)  # type: ignore[arg-type]  # a parametrized literal
    assert [curve.name for curve in picture.curves] == ["1 cluster", "2 clusters", "3 clusters"]
    assert label in picture.y_label
    rows = draws[draws["num_clusters"] == 2]
    np.testing.assert_allclose(picture.curves[1].x, rows["num_members"])
    np.testing.assert_allclose(picture.curves[1].y, 100 * rows[metric])
    np.testing.assert_allclose(picture.curves[1].high - picture.curves[1].y, 100 * rows[f"{metric}_std"])


def test_many_curves_have_no_bands_that_would_cover_each_other() -> None:
    logits = synthetic_logits(8, num_images=60)
    draws = measure_ensembles_by_cluster(logits, {name: place % 4 for place, name in enumerate(logits.names)}, sizes=(2, 4))
    assert all(np.isnan(curve.low).all() for curve in make_draws_picture(draws, "num_clusters").curves)


def test_every_group_is_a_curve() -> None:
    logits = synthetic_logits(6, num_images=60)
    groups = {name: ("seeds", "regimes")[place % 2] for place, name in enumerate(logits.names)}
    picture = make_draws_picture(measure_ensembles_by_group(logits, groups, sizes=(2, 3)), "group")
    assert [curve.name for curve in picture.curves] == ["seeds", "regimes"]
    assert np.isnan(picture.curves[0].low[-1])  # a single ensemble of three has no spread
