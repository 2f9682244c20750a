from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.analyses.zoo import matrix_of, names_of
from tests.specimens import Array
from zooscope.analyses.similarity_comparison import compare_similarities, make_likeness
from zooscope.errors import InvalidValueError
from zooscope.statistics.mantel import mantel

NAMES = names_of(8)
ARCHITECTURES = {name: f"kind {place // 2}" for place, name in enumerate(NAMES)}
ROWS, COLUMNS = np.triu_indices(8, 1)
IS_SAME = ROWS // 2 == COLUMNS // 2


def symmetric(seed: int, size: int = 8) -> Array:
    values = np.random.default_rng(seed).normal(size=(size, size))
    return values + values.T


def families(noise: float, seed: int) -> Array:
    """Pairs of equal architecture are more alike, up to noise."""
    kind = np.arange(8) // 2
    return np.asarray((kind[:, None] == kind) + noise * symmetric(seed))


def compare(matrices: dict[str, Array], **options: Any) -> Any:  # noqa: ANN401  (pandas' types are too wide for tests)
    settings: dict[str, Any] = {"architectures": ARCHITECTURES, "num_permutations": 99, "num_resamples": 400}
    return compare_similarities({name: matrix_of(values) for name, values in matrices.items()}, **settings | options)


def test_the_auc_is_that_of_scikit_learn_and_correlations_are_those_of_mantel_and_scipy() -> None:
    matrices = {"one": families(0.5, 1), "other": families(0.5, 2), "none": symmetric(3)}
    gains = symmetric(4)
    found = compare(matrices, gains=matrix_of(gains))
    for name, values in matrices.items():
        assert found.same_architecture.answers.loc[name, "value"] == pytest.approx(roc_auc_score(IS_SAME, values[ROWS, COLUMNS]))
        expected = stats.pearsonr(values[ROWS, COLUMNS], gains[ROWS, COLUMNS]).statistic
        assert found.ensembles.answers.loc[name, "value"] == pytest.approx(expected)
        assert found.ensemble_p[name] == mantel(values, gains, num_permutations=99).p_mantel
    for (first, second), (_, row) in zip(combinations(matrices, 2), found.correlations.iterrows(), strict=True):
        tested = mantel(matrices[first], matrices[second], num_permutations=99)
        assert (row["first"], row["second"], row["r"], row["p_mantel"]) == (first, second, tested.r, tested.p_mantel)
    assert (found.num_same, found.num_other) == (4, 24)


def test_differences_are_those_of_the_answers_and_have_paired_intervals() -> None:
    good = families(0.5, 1)
    matrices = {"good": good, "nearly": good + 0.1 * symmetric(5), "noise": symmetric(6)}
    found = compare(matrices, gains=matrix_of(-families(0.3, 7)))
    for ranking in (found.same_architecture, found.ensembles):
        answers, differences = ranking.answers["value"], ranking.differences.set_index(["first", "second"])
        for first, second in combinations(matrices, 2):
            assert differences.loc[(first, second), "difference"] == pytest.approx(answers[first] - answers[second])
        width = differences["high"] - differences["low"]
        assert 2 * width[("good", "nearly")] < width[("good", "noise")]  # the same draws for both
    row = found.ensembles.differences.set_index(["first", "second"]).loc[("good", "noise")]
    assert row["low"] < row["difference"] < row["high"]


def test_pairs_without_a_score_are_left_out_and_differences_take_pairs_with_both() -> None:
    holed = families(0.5, 1)
    holed[0, :2] = holed[:2, 0] = np.nan
    whole = families(0.5, 2)
    found = compare({"holed": holed, "whole": whole})
    known = np.isfinite(holed[ROWS, COLUMNS])
    assert found.same_architecture.answers["num_pairs"].tolist() == [27, 28]
    assert found.same_architecture.answers.loc["whole", "value"] == pytest.approx(roc_auc_score(IS_SAME, whole[ROWS, COLUMNS]))
    both = [roc_auc_score(IS_SAME[known], each[ROWS, COLUMNS][known]) for each in (holed, whole)]
    assert found.same_architecture.differences["difference"].item() == pytest.approx(both[0] - both[1])


def test_classifiers_of_unknown_architecture_are_in_no_pair_that_is_told_apart() -> None:
    values = families(0.5, 1)
    found = compare({"one": values}, architectures={name: kind for name, kind in ARCHITECTURES.items() if kind != "kind 0"})
    known = ROWS > 1
    assert (found.num_same, found.num_other) == (3, 12)
    expected = roc_auc_score(IS_SAME[known], values[ROWS, COLUMNS][known])
    assert found.same_architecture.answers["value"].item() == pytest.approx(expected)
    empty = compare({"one": values}, architectures=dict.fromkeys(NAMES, ""))
    assert (empty.num_same, empty.num_other) == (0, 0)
    assert np.isnan(empty.same_architecture.answers["value"].item())


def test_one_pair_has_no_answers() -> None:
    found: Any = compare_similarities(
        {"a": matrix_of(symmetric(0, 2)), "b": matrix_of(symmetric(1, 2))},
        architectures=dict.fromkeys(names_of(2), "same"),
        gains=matrix_of(symmetric(2, 2)),
    )
    assert (found.num_same, found.num_other) == (1, 0)
    for ranking in (found.same_architecture, found.ensembles):
        assert np.isnan(ranking.answers[["value", "low", "high"]]).all(axis=None)
        assert np.isnan(ranking.differences[["difference", "low", "high"]]).all(axis=None)
    assert np.isnan(found.correlations["r"]).all()


def test_a_perfect_auc_has_no_interval_and_one_pair_of_equal_architecture_neither() -> None:
    perfect = compare({"perfect": families(0.0, 0) + 1e-6 * symmetric(1)})
    assert perfect.same_architecture.answers.iloc[0, :1].item() == 1
    assert np.isnan(perfect.same_architecture.answers[["low", "high"]]).all(axis=None)
    single = ["same", "same", *map(str, range(6))]
    found = compare({"one": symmetric(3)}, architectures=dict(zip(NAMES, single, strict=True)))
    assert np.isfinite(found.same_architecture.answers["value"].item())
    assert np.isnan(found.same_architecture.answers[["low", "high"]]).all(axis=None)


@pytest.mark.parametrize(("size", "has_interval"), [(4, False), (5, True)])
def test_four_classifiers_are_too_few_for_an_interval(size: int, has_interval: bool) -> None:  # noqa: FBT001
    found: Any = compare_similarities(
        {"a": matrix_of(symmetric(0, size))},
        architectures=dict.fromkeys(names_of(size), "same"),
        gains=matrix_of(symmetric(2, size)),
        num_resamples=400,
    )
    answer = found.ensembles.answers.iloc[0]
    assert np.isfinite(answer["value"])
    assert np.isfinite(answer["low"]) == has_interval


def test_a_constant_score_has_no_correlation() -> None:
    found = compare({"flat": np.full((8, 8), 0.3), "one": symmetric(1)}, gains=matrix_of(symmetric(2)))
    assert np.isnan(found.correlations["r"].item())
    assert np.isnan(found.ensembles.answers.loc["flat", "value"])
    assert found.same_architecture.answers.loc["flat", "value"] == 0.5
    assert found.num_same == 4


def test_another_order_of_the_classifiers_changes_nothing() -> None:
    values, gains, order = families(0.5, 1), symmetric(2), np.random.default_rng(0).permutation(8)
    here, there = np.ix_(order, order), tuple(np.array(NAMES)[order])
    straight = compare({"one": values}, gains=matrix_of(gains))
    turned: Any = compare_similarities(
        {"one": matrix_of(values[here], there)},
        architectures=ARCHITECTURES,
        gains=matrix_of(gains[here], there),
        num_permutations=99,
        num_resamples=400,
    )
    pd.testing.assert_frame_equal(straight.ensembles.answers, turned.ensembles.answers)
    pd.testing.assert_frame_equal(straight.same_architecture.answers, turned.same_architecture.answers)


def test_a_likeness_is_larger_for_what_is_more_similar_and_the_mean_of_both_directions() -> None:
    directed = pd.DataFrame([[0.0, 0.2], [0.6, 0.0]], index=["a", "b"], columns=["a", "b"])
    np.testing.assert_allclose(make_likeness(directed, larger_is_more_similar=False), [[0, -0.4], [-0.4, 0]])
    np.testing.assert_allclose(make_likeness(matrix_of(directed.to_numpy()), larger_is_more_similar=True), [[0, 0.4], [0.4, 0]])


def test_scores_of_other_classifiers_are_refused() -> None:
    settings: Any = {"architectures": {}}
    with pytest.raises(InvalidValueError, match="classifier 2 is not in both one and gains"):
        compare_similarities({"one": matrix_of(symmetric(0, 3))}, gains=matrix_of(symmetric(0, 2)), **settings)
    with pytest.raises(InvalidValueError, match="at least one score"):
        compare_similarities({}, **settings)
    with pytest.raises(InvalidValueError, match="num_resamples must be at least 1: got 0"):
        compare({"one": symmetric(0)}, num_resamples=0)
    with pytest.raises(InvalidValueError, match="confidence must be in"):
        compare({"one": symmetric(0)}, confidence=95)
