"""Which architectural components explain the similarity of classifiers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import r2_score

from zooscope.analyses.matrix import Matrix, keep_complete, make_square
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.statistics.mantel import mantel

# "The number of boosting stages, maximum depth, minimum number of samples, and learning rate": Appendix B of the paper. The minimum
# is taken as that of a node to be split, which is where scikit-learn has a whole number of at least 2.
BOOSTING: Final = {"n_estimators": 500, "max_depth": 12, "min_samples_split": 4, "learning_rate": 0.02}
NUM_REPEATS: Final = 10
NUM_FOLDS: Final = 5
NUM_PERMUTATIONS: Final = 1999
FEWEST_CLASSIFIERS: Final = 4
REFINED_YES: Final = re.compile(r"(Yes|No) \(.*\)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Importance(ShownInline):
    """How far each component explains similarity.

    Attributes:
        components: a row per component, the most important first, index `component`: `mean` and `std` (permutation importance: the
            drop in R2 on the training pairs when this component's column is shuffled, over the shuffles);
            `held_out_mean` and `held_out_std` (the same on pairs with a held-out classifier); `correlation`
            (Pearson, of having the same value and SAT, over pairs) and `p_value` (Mantel: classifiers are permuted, since pairs
            that share one are not independent; two-sided, not corrected for several components).
        r2_in_sample: share of the variance of SAT that the components explain in the training pairs.
        r2_held_out: the same in pairs with a held-out classifier. 0 is no better than predicting the mean; it can be negative.
            If it is far below `r2_in_sample`, the regressor overfits, and importance in sample says little.
        num_pairs: of classifiers with all components known.
        num_folds: number of groups in which classifiers were held out, each group once.
        num_permutations: permutations behind the p values.
        constant: components left out because all classifiers have the same value.
        left_out: classifiers left out because one of their components is not known.
    """

    components: pd.DataFrame
    r2_in_sample: float
    r2_held_out: float
    num_pairs: int
    num_folds: int
    num_permutations: int
    constant: tuple[str, ...]
    left_out: tuple[str, ...]


class Fitted(NamedTuple):
    """A regressor and pairs to test it on.

    Attributes:
        regressor: of scikit-learn.
        differs: whether the classifiers of a pair differ in a component.
        scores: SAT of the pairs.
    """

    regressor: Any
    differs: Bool[np.ndarray, "pair component"]
    scores: Float[np.ndarray, " pair"]


@check_arguments
def measure_component_importance(
    matrix: Matrix,
    components: pd.DataFrame,
    *,
    collapse: bool = False,
    num_repeats: int = NUM_REPEATS,
    num_folds: int = NUM_FOLDS,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> Importance:
    """Predicts SAT from whether two classifiers have the same components, and measures which components matter.

    A gradient boosting regressor predicts the SAT of all pairs from their differences (each component: same or not). A component
    is important if shuffling its column worsens the prediction. The paper measures this on the training pairs. Since pairs share
    classifiers, it is also measured on held-out classifiers: classifiers are split at random into five groups, each group is held
    out in turn, and the test pairs are those with at least one of its classifiers.

    Source: Hwang et al., ECCV 2024, Section 4.1, Appendix B and Fig. 3; Breiman, Random forests, 2001.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names, stem = list("abcdef"), np.array(["conv", "conv", "conv", "patch", "patch", "patch"])
        >>> sat = np.where(stem[:, None] == stem, 4.0, 2.0)
        >>> components = pd.DataFrame({"stem": stem, "width": [1, 2, 1, 2, 1, 2]}, index=names)
        >>> matrix = pd.DataFrame(sat, index=names, columns=names)
        >>> found = zooscope.analyses.measure_component_importance(matrix, components, num_permutations=99)
        >>> found.components.index.tolist(), round(found.r2_held_out, 2)
        (['stem', 'width'], 1.0)

    Args:
        matrix: SAT of all pairs (natural log); symmetric; the diagonal is not read.
        components: a row per classifier, a column per component, any values; NaN if not known.
        collapse: whether values that refine yes or no count as yes or no: "Yes (ECA)" and "Yes (SE)" as "Yes".
        num_repeats: how often each column is shuffled.
        num_folds: number of groups in which classifiers are held out, at most the number of classifiers.
        num_permutations: of classifiers, for the p values.
        seed: of everything random. The answer doesn't depend on the order of the classifiers.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete; fewer than four classifiers have all components; all
            pairs have the same score; all components are constant; or a number is too small.
    """
    for name, value, least in (("num_repeats", num_repeats, 1), ("num_folds", num_folds, 2)):
        if value < least:
            msg = f"{name} must be at least {least}: got {value}."
            raise InvalidValueError(msg)
    scores = make_square(matrix)
    table, left_out = _keep_known(components, list(scores.index), collapse=collapse)
    scores = keep_complete(scores.loc[table.index, list(table.index)])
    constant = tuple(str(name) for name in table.columns if len(set(table[name])) == 1)
    table = table[sorted(set(table.columns) - set(constant))]
    values = scores.to_numpy()
    rows, columns = np.triu_indices(len(table), 1)
    _require_contrast(table, values[rows, columns])
    differs = {name: table[name].to_numpy()[:, None] != table[name].to_numpy() for name in table.columns}
    pairs = _Pairs(rows, columns, np.stack([differs[name][rows, columns] for name in differs], axis=1), values[rows, columns])
    in_sample = [Fitted(_fit(pairs.differs, pairs.scores, seed), pairs.differs, pairs.scores)]
    held_out = _fit_held_out(pairs, len(table), min(num_folds, len(table)), seed)
    result = pd.DataFrame(index=pd.Index(table.columns, name="component"))
    for prefix, fitted in (("", in_sample), ("held_out_", held_out)):
        drops = measure_permutation_drops(fitted, num_repeats, seed=seed)
        result[f"{prefix}mean"], result[f"{prefix}std"] = drops.mean(axis=0), drops.std(axis=0)
    tests = [mantel(values, 1.0 - differ, num_permutations=num_permutations, seed=seed) for differ in differs.values()]
    result["correlation"], result["p_value"] = [test.r for test in tests], [test.p_mantel for test in tests]
    return Importance(
        components=result.sort_values("mean", ascending=False, kind="stable"),
        r2_in_sample=explain_share(in_sample),
        r2_held_out=explain_share(held_out),
        num_pairs=len(pairs.scores),
        num_folds=len(held_out),
        num_permutations=tests[0].num_permutations,
        constant=constant,
        left_out=left_out,
    )


def collapse_value(value: str) -> str:
    """A value without its refinement: "Yes" for "Yes (ECA)".

    Example:
        >>> collapse_value("Yes (Lambda, Halo)"), collapse_value("NAS (CNN)")
        ('Yes', 'NAS (CNN)')
    """
    refined = REFINED_YES.fullmatch(value)
    return refined[1] if refined else value


def measure_permutation_drops(fitted: Sequence[Fitted], num_repeats: int, *, seed: int) -> Float[np.ndarray, "repeat component"]:
    """The drop in R2 when a component's column is shuffled among the pairs of each test set, over all test sets together."""
    generator, num_components = np.random.default_rng(seed), fitted[0].differs.shape[1]
    predicted = []
    for part in fitted:
        shuffled = np.tile(part.differs, (num_repeats, num_components, 1, 1))
        for repeat, component in np.ndindex(num_repeats, num_components):
            shuffled[repeat, component, :, component] = generator.permutation(part.differs[:, component])
        predicted.append(_predict(part.regressor, shuffled))
    scores, whole = np.concatenate([part.scores for part in fitted]), explain_share(fitted)
    everywhere = np.concatenate(predicted, axis=-1)
    return np.array([[whole - r2_score(scores, values) for values in row] for row in everywhere])


def explain_share(fitted: Sequence[Fitted]) -> float:
    """Share of the variance explained (R2), over all test sets together."""
    scores = np.concatenate([part.scores for part in fitted])
    return float(r2_score(scores, np.concatenate([_predict(part.regressor, part.differs) for part in fitted])))


class _Pairs(NamedTuple):
    rows: Int[np.ndarray, " pair"]
    columns: Int[np.ndarray, " pair"]
    differs: Bool[np.ndarray, "pair component"]
    scores: Float[np.ndarray, " pair"]


def _keep_known(components: pd.DataFrame, names: list[str], *, collapse: bool) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The components of these classifiers, columns as text, and the classifiers left out because none is known."""
    table = components.set_axis(components.columns.astype(str), axis=1).reindex(names).dropna(axis=1, how="all")
    known = table.dropna() if len(table.columns) else table.iloc[:0]
    if len(known) < FEWEST_CLASSIFIERS:
        msg = (
            f"importance needs at least {FEWEST_CLASSIFIERS} classifiers with scores and components: got {len(known)} of "
            f"{len(names)}; give a table of components that has them."
        )
        raise InvalidValueError(msg)
    known = known.astype(str)
    return known.map(collapse_value) if collapse else known, tuple(name for name in names if name not in known.index)


def _require_contrast(table: pd.DataFrame, scores: Float[np.ndarray, " pair"]) -> None:
    if table.columns.empty:
        msg = "all classifiers have the same components; take classifiers that differ."
        raise InvalidValueError(msg)
    if np.ptp(scores) == 0:
        msg = f"all pairs have the same score, {scores[0]:.3g}, so components have nothing to explain."
        raise InvalidValueError(msg)


def _fit(differs: Bool[np.ndarray, "pair component"], scores: Float[np.ndarray, " pair"], seed: int) -> Any:  # noqa: ANN401  (scikit-learn is untyped)
    return GradientBoostingRegressor(**BOOSTING, random_state=seed).fit(differs, scores)


def _fit_held_out(pairs: _Pairs, num_classifiers: int, num_folds: int, seed: int) -> list[Fitted]:
    """A regressor per fold, trained on pairs without the fold's classifiers, and the pairs with them."""
    order = np.random.default_rng(seed).permutation(num_classifiers)
    result = []
    for fold in np.array_split(order, num_folds):
        tested = np.isin(pairs.rows, fold) | np.isin(pairs.columns, fold)
        regressor = _fit(pairs.differs[~tested], pairs.scores[~tested], seed)
        result.append(Fitted(regressor, pairs.differs[tested], pairs.scores[tested]))
    return result


def _predict(
    regressor: Any,  # noqa: ANN401  (scikit-learn is untyped)
    differs: Bool[np.ndarray, "*sets component"],
) -> Float[np.ndarray, "*sets"]:
    """Predictions, computed once per distinct row: thousands of shuffled pairs have few distinct rows."""
    rows = differs.reshape(-1, differs.shape[-1])
    _, first, place = np.unique(_make_keys(rows), return_index=True, return_inverse=True)
    return np.asarray(regressor.predict(rows[first])[place]).reshape(differs.shape[:-1])


def _make_keys(rows: Bool[np.ndarray, "row component"]) -> Shaped[np.ndarray, " row"]:
    """One value per row, equal for equal rows."""
    packed = np.packbits(rows, axis=1)
    return np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
