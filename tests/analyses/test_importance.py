"""A planted component comes out on top and noise does not, also on classifiers that were held out."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score

from tests.analyses.planted import planted, reordered, scores_for
from tests.specimens import Array
from zooscope.analyses.importance import (
    BOOSTING,
    Fitted,
    Importance,
    explain_share,
    measure_component_importance,
    measure_permutation_drops,
)
from zooscope.analyses.matrix import make_square
from zooscope.errors import InvalidValueError
from zooscope.statistics.mantel import mantel

COUNT = 18
CAUSE = np.arange(COUNT) % 3


def components_for(table: pd.DataFrame) -> pd.DataFrame:
    """One component that decides, three of chance, one that all share."""
    generator = np.random.default_rng(4)
    noise = {f"noise {number}": generator.choice(["x", "y", "z"], COUNT) for number in range(3)}
    return pd.DataFrame({"same": "1", "cause": np.array(list("abc"))[CAUSE], **noise}, index=table.index)


MATRIX = scores_for(CAUSE, noise=0.3)
COMPONENTS = components_for(MATRIX)


@pytest.fixture(autouse=True)
def fewer_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here doesn't need all 500."""
    monkeypatch.setitem(BOOSTING, "n_estimators", 100)


@cache
def found() -> Importance:
    return measure_component_importance(MATRIX, COMPONENTS, num_permutations=499)


def test_the_settings_are_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert BOOSTING == {"n_estimators": 500, "max_depth": 12, "min_samples_split": 4, "learning_rate": 0.02}


def test_a_planted_component_is_on_top_and_noise_is_not() -> None:
    table = found().components
    assert table.index[0] == "cause"
    for column in ("mean", "held_out_mean", "correlation"):
        assert table.loc["cause", column] > 3 * table[column].drop("cause").abs().max()
    assert table.loc["cause", "p_value"] == 1 / 500
    assert table["p_value"].drop("cause").min() > 0.02
    assert found().r2_in_sample > found().r2_held_out > 0.5


def test_counts_and_what_is_left_out_are_told() -> None:
    assert (found().num_pairs, found().num_folds, found().num_permutations) == (COUNT * (COUNT - 1) // 2, 5, 499)
    assert found().constant == ("same",)
    assert "same" not in found().components.index
    assert found().left_out == ()


def test_the_order_of_the_classifiers_and_of_the_components_does_not_matter() -> None:
    again = measure_component_importance(
        reordered(MATRIX), COMPONENTS[COMPONENTS.columns[::-1]].sample(frac=1, random_state=0), num_permutations=499
    )
    pd.testing.assert_frame_equal(again.components, found().components, check_exact=True)
    assert (again.r2_in_sample, again.r2_held_out) == (found().r2_in_sample, found().r2_held_out)


def test_the_numbers_are_those_of_scikit_learn() -> None:
    names = sorted(MATRIX.index)
    rows, columns = np.triu_indices(COUNT, 1)
    table = COMPONENTS.loc[names, sorted(found().components.index)]
    differs = np.stack([table[name].to_numpy()[rows] != table[name].to_numpy()[columns] for name in table], axis=1)
    scores = MATRIX.loc[names, names].to_numpy()[rows, columns]
    regressor = GradientBoostingRegressor(**BOOSTING, random_state=0).fit(differs, scores)
    assert found().r2_in_sample == pytest.approx(r2_score(scores, regressor.predict(differs)))
    theirs = permutation_importance(regressor, differs, scores, n_repeats=40, random_state=0)
    ours = found().components.loc[list(table.columns)]
    standard_errors = np.hypot(theirs.importances_std / np.sqrt(40), ours["std"] / np.sqrt(10))
    assert (np.abs(theirs.importances_mean - ours["mean"]) < 4 * standard_errors).all()


def test_no_held_out_classifier_was_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    fit = GradientBoostingRegressor.fit

    def counted(self: Any, differs: Array, scores: Array) -> Any:  # noqa: ANN401  (scikit-learn is untyped)
        seen.append(len(scores))
        return fit(self, differs, scores)

    monkeypatch.setattr(GradientBoostingRegressor, "fit", counted)
    measure_component_importance(MATRIX.iloc[:7, :7], COMPONENTS.iloc[:7], num_folds=3, num_permutations=1, num_repeats=1)
    assert seen == [21, 6, 10, 10]  # pairs of 7, and of the 4 or 5 classifiers outside of a fold of 3, 2 or 2


def test_drops_of_several_test_sets_are_pooled() -> None:
    """With a regressor that returns a column as it is, shuffling another one costs nothing."""

    class FirstColumn:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, 0] * 1.0

    generator = np.random.default_rng(0)
    parts = [Fitted(FirstColumn(), differs, differs[:, 0] * 1.0) for differs in (generator.random((n, 2)) < 0.5 for n in (30, 500))]
    drops = measure_permutation_drops(parts, 200, seed=0)
    assert explain_share(parts) == 1
    assert (drops[:, 1] == 0).all()
    assert drops[:, 0].mean() == pytest.approx(2, abs=0.1)  # the error of a shuffled column is twice its variance


def test_significance_is_that_of_the_mantel_test() -> None:
    scores = make_square(MATRIX)
    cause = COMPONENTS.loc[scores.index, "cause"].to_numpy()
    test = mantel(scores.to_numpy(), (cause[:, None] == cause) * 1.0, num_permutations=499, seed=0)
    assert found().components.loc["cause", "correlation"] == test.r
    assert found().components.loc["cause", "p_value"] == test.p_mantel


def test_values_that_refine_yes_can_be_taken_as_yes() -> None:
    table = COMPONENTS.assign(cause=np.array(["Yes (ECA)", "Yes (SE)", "No"])[CAUSE])[["cause"]]
    fine = measure_component_importance(MATRIX, table, num_permutations=1, num_repeats=1)
    coarse = measure_component_importance(MATRIX, table, collapse=True, num_permutations=1, num_repeats=1)
    assert fine.r2_in_sample > coarse.r2_in_sample + 0.2


def test_classifiers_with_an_unknown_component_are_left_out_and_so_are_columns_nobody_knows() -> None:
    table = COMPONENTS.assign(unknown=None)
    table.iloc[[2, 5], 2] = np.nan
    part = measure_component_importance(MATRIX, table, num_permutations=1, num_repeats=1)
    assert part.left_out == tuple(sorted(COMPONENTS.index[[2, 5]]))
    assert part.num_pairs == 16 * 15 // 2
    assert "unknown" not in [*part.components.index, *part.constant]


def test_one_component_and_four_classifiers_are_enough() -> None:
    part = measure_component_importance(MATRIX.iloc[:4, :4], COMPONENTS[["cause"]].iloc[:4])
    assert part.num_pairs == 6
    assert part.num_folds == 4
    assert np.isfinite(part.components["mean"]).all()


def test_numbers_that_are_too_small_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_repeats must be at least 1: got 0"):
        measure_component_importance(MATRIX, COMPONENTS, num_repeats=0)
    with pytest.raises(InvalidValueError, match="num_folds must be at least 2: got 1"):
        measure_component_importance(MATRIX, COMPONENTS, num_folds=1)


def test_too_few_classifiers_with_components_are_refused() -> None:
    for table in (COMPONENTS.iloc[:3], COMPONENTS.rename(index=str.upper)):
        with pytest.raises(
            InvalidValueError, match=r"needs at least 4 classifiers with scores and components: got \d of 18; give a table"
        ):
            measure_component_importance(MATRIX, table)


def test_what_can_not_be_explained_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="all classifiers have the same components; take classifiers that differ"):
        measure_component_importance(MATRIX, COMPONENTS[["same"]])
    flat = planted([5], noise=0)
    table = pd.DataFrame({"cause": list("aabbb")}, index=flat.index)
    with pytest.raises(InvalidValueError, match=r"all pairs have the same score, 3.8, so components have nothing to explain"):
        measure_component_importance(flat, table)
