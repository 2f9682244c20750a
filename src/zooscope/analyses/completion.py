"""The similarities of all pairs, estimated from those to a few landmarks, with an interval for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.stats import spearmanr

from zooscope.analyses.matrix import Matrix, make_square
from zooscope.analyses.pair_features import METHODS, PairFeatures, fit_effects, list_settings
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline

ADDITIVE: Final = METHODS[0]
FEWEST_LANDMARKS: Final = 2
FEWEST_TO_FIT: Final = 10  # extra pairs; with fewer, nothing is fitted to them
NUM_FOLDS: Final = 5
RIDGE: Final = 0.01
MEASURED, ONE_SIDED, ESTIMATED = "measured", "one-sided", "estimated"


@dataclass(frozen=True, kw_only=True, eq=False)
class Completion(ShownInline):
    """Similarities of all pairs.

    Attributes:
        scores: natural log, classifiers as index and columns; measured where they are known, else estimated. NaN on the diagonal.
        kinds: what each is: `measured`; `one-sided`, the measured score of one direction; or `estimated`.
        half_width: by how much an estimate may be off in either direction, so that the interval holds the score of a pair with the
            asked confidence; infinite with too few extra pairs.
        confidence: of the interval, over pairs drawn at random from those that are estimated.
        method: that estimated: `additive`, `nystrom` or `regression`, see `complete_similarity`.
        errors: a row per method, index `method`: `rmse` and `spearman` on extra pairs that it was not fitted to, and
            `cross_validated`, the root mean squared error within those that it was fitted to, by which the method was chosen. Empty
            without such pairs.
        num_extra: extra pairs: measured ones without a landmark.
        landmarks: their names.
    """

    scores: pd.DataFrame
    kinds: pd.DataFrame
    half_width: float
    confidence: float
    method: str
    errors: pd.DataFrame
    num_extra: int
    landmarks: tuple[str, ...]

    @property
    def is_better_than_additive(self) -> bool:
        """Whether another method was chosen than the baseline."""
        return self.method != ADDITIVE


@check_arguments
def complete_similarity(
    matrix: Matrix,
    landmarks: Sequence[str],
    *,
    one_sided: pd.DataFrame | None = None,
    clean: pd.DataFrame | None = None,
    method: str | None = None,
    confidence: float = 0.9,
    seed: int = 0,
) -> Completion:
    """Estimates the similarities that are not measured.

    Every classifier is described by its similarity to the landmarks, its profile. Three methods:

    - `additive`: the mean, and an effect of each classifier. The baseline: it says who is similar to all, not who to whom.
    - `nystrom`: besides, a low-rank part, by Nystrom's method on what the effects leave of the profiles. With R the profiles and W
      those of the landmarks (its diagonal, which is not measured or far larger than the rest, set to 0), it is
      R (W^2 + c)^-1 W R': a ridge in place of the inverse, which small eigenvalues would blow up, as W is indefinite.
    - `regression`: a ridge regression on all that, the distance and the product of two profiles, and how often two classifiers
      predict the same class on clean images.

    Extra pairs, measured ones without a landmark, must be drawn at random from the others, see `draw_pairs`. Half of them fit the
    few numbers of each method and choose the method by cross-validation; the other half gives the intervals: split conformal
    prediction, valid for pairs drawn in the same way, whatever the method.

    Source: Williams and Seeger, Using the Nystrom method to speed up kernel machines, NeurIPS 2000; Ray et al., Sublinear time
    approximation of text similarity matrices, AAAI 2022 (indefinite matrices); Gui, Barber and Ma, Conformalized matrix completion,
    NeurIPS 2023.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> from zooscope.analyses import draw_pairs
        >>> generator = np.random.default_rng(0)
        >>> easy, names = generator.normal(size=40), [f"classifier {number}" for number in range(40)]
        >>> truth = pd.DataFrame(3 + 0.3 * (easy[:, None] + easy), index=names, columns=names)
        >>> known, landmarks = truth.to_numpy(copy=True), names[:4]
        >>> known[4:, 4:] = np.nan
        >>> for a, b in draw_pairs(names, landmarks, 60):
        ...     known[names.index(a), names.index(b)] = known[names.index(b), names.index(a)] = truth.loc[a, b]
        >>> found = zooscope.analyses.complete_similarity(truth.where(~np.isnan(known)), landmarks)
        >>> found.method, bool((found.scores - truth).abs().max().max() < 0.1)
        ('additive', True)

    Args:
        matrix: SAT of all pairs (natural log), symmetric; NaN where it is not known. The diagonal is not read.
        landmarks: classifiers whose similarities to all others are known.
        one_sided: one-sided SAT, landmarks as index, all classifiers as columns: the profiles where not all is measured both ways.
        clean: for `regression`: how often two classifiers predict the same class on clean images, see `measure_clean_agreement`.
        method: to be used whatever its error; if left out, the baseline unless another has a smaller error.
        confidence: of the intervals, in (0, 1).
        seed: decides which extra pairs fit, and which give the intervals.

    Raises:
        UnknownNameError: there is no such landmark or method.
        InvalidValueError: there are fewer than two landmarks, the similarity of one to another classifier is not known, the
            confidence is out of range, or there are too few extra pairs for the method that is asked for.
    """
    if not 0 < confidence < 1:
        msg = f"confidence must be between 0 and 1: got {confidence:g}."
        raise InvalidValueError(msg)
    if method is not None and method not in METHODS:
        kind = "method"
        raise UnknownNameError(kind, method, METHODS, f"Similarities are completed by {', '.join(METHODS)}.")
    known = make_square(matrix)
    names = list(known.index)
    places = _find_places(names, landmarks)
    profiles = _make_profiles(known, places, one_sided)
    effects = fit_effects(profiles, places)
    features = PairFeatures(effects, places, clean=None if clean is None else _take("clean", clean, names, names))
    scores = known.to_numpy(copy=True)
    is_landmark = np.isin(np.arange(len(names)), places)
    rows, columns = np.triu_indices(len(names), 1)
    has_landmark = is_landmark[rows] | is_landmark[columns]
    is_extra = np.isfinite(scores[rows, columns]) & ~has_landmark
    extra = np.random.default_rng(seed).permutation(np.flatnonzero(is_extra))
    pairs, truth = (rows[extra], columns[extra]), scores[rows[extra], columns[extra]]
    fitting = np.arange(len(extra)) < len(extra) / 2
    asked = [name for name in METHODS if method in {None, name}]
    guess = _guess(features, is_one_sided=one_sided is not None)
    if fitting.sum() < FEWEST_TO_FIT and method not in {None, ADDITIVE}:
        msg = (
            f"{method} is fitted to at least {2 * FEWEST_TO_FIT} measured pairs without a landmark: got {len(extra)}; measure more."
        )
        raise InvalidValueError(msg)
    if fitting.sum() >= FEWEST_TO_FIT:
        used = pairs[0][fitting], pairs[1][fitting]
        fits = {name: _fit(features, name, used, truth[fitting]) for name in asked}
        if ADDITIVE in fits and (own := _measure_guess(guess, features, used, truth[fitting])).error <= fits[ADDITIVE].error:
            fits[ADDITIVE] = own
        chosen = min(asked, key=lambda name: (fits[name].error, METHODS.index(name)))
        left = ~fitting
        errors = _measure_errors(features, fits, (pairs[0][left], pairs[1][left]), truth[left])
        fit = fits[chosen]
    else:
        chosen, left, errors = (
            ADDITIVE,
            np.ones(len(extra), dtype=bool),
            pd.DataFrame(columns=["rmse", "spearman", "cross_validated"]),
        )
        fit = guess
    estimate = fit.predict(features, (rows, columns))
    half_width = find_half_width(truth[left] - fit.predict(features, (pairs[0][left], pairs[1][left])), confidence)
    kinds = np.full(scores.shape, MEASURED, dtype=object)
    unknown = np.isnan(scores[rows, columns])
    filled, named = np.where(unknown, estimate, scores[rows, columns]), np.where(unknown, ESTIMATED, MEASURED).astype(object)
    one_way = unknown & has_landmark
    filled[one_way] = _take_one_way(profiles, places, rows[one_way], columns[one_way])
    named[one_way] = ONE_SIDED
    for values, upper in ((scores, filled), (kinds, named)):
        values[rows, columns] = values[columns, rows] = upper
    return Completion(
        scores=pd.DataFrame(scores, index=known.index, columns=known.columns),
        kinds=pd.DataFrame(kinds, index=known.index, columns=known.columns),
        half_width=half_width,
        confidence=confidence,
        method=chosen,
        errors=errors,
        num_extra=len(extra),
        landmarks=tuple(names[place] for place in places),
    )


@check_arguments
def draw_pairs(names: Sequence[str], landmarks: Sequence[str], count: int, *, seed: int = 0) -> tuple[tuple[str, str], ...]:
    """Pairs without a landmark, drawn at random without replacement: those to be measured for `complete_similarity`.

    More pairs of the same seed begin with the same pairs; the order of the names doesn't matter.

    Example:
        >>> from zooscope.analyses import draw_pairs
        >>> draw_pairs(["a", "b", "c", "d"], ["d"], 2)
        (('b', 'c'), ('a', 'b'))

    Args:
        names: of all classifiers.
        landmarks: some of them.
        count: how many; all if there are not so many.
        seed: of the draw.

    Raises:
        InvalidValueError: the count is negative.
    """
    if count < 0:
        msg = f"the number of pairs must be at least 0: got {count}."
        raise InvalidValueError(msg)
    others = sorted(set(names) - set(landmarks))
    rows, columns = np.triu_indices(len(others), 1)
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    return tuple((others[rows[place]], others[columns[place]]) for place in order)


def find_half_width(residuals: Float[np.ndarray, " pair"], confidence: float) -> float:
    """Half the width of a split conformal interval: the smallest size of error that holds ceil((n + 1) confidence) of n.

    Example:
        >>> find_half_width(np.arange(1.0, 10.0), 0.9), find_half_width(np.arange(1.0, 9.0), 0.9)
        (9.0, inf)
    """
    rank = int(np.ceil((len(residuals) + 1) * confidence - 1e-9))
    return float(np.sort(np.abs(residuals))[rank - 1]) if rank <= len(residuals) else float("inf")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """A linear function of pair features."""

    method: str
    setting: float
    intercept: float
    weights: Float[np.ndarray, " feature"]
    error: float

    def predict(
        self, features: PairFeatures, pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]
    ) -> Float[np.ndarray, " pair"]:
        return np.asarray(self.intercept + features.make(self.method, self.setting, pairs) @ self.weights)


def _find_places(names: Sequence[str], landmarks: Sequence[str]) -> Int[np.ndarray, " landmark"]:
    for name in landmarks:
        if name not in names:
            kind = "landmark"
            raise UnknownNameError(kind, name, names, f"There are {', '.join(names)}.")
    places = np.array([place for place, name in enumerate(names) if name in landmarks], dtype=np.int64)
    if len(places) < FEWEST_LANDMARKS:
        msg = f"at least {FEWEST_LANDMARKS} landmarks are needed: got {len(places)}."
        raise InvalidValueError(msg)
    return places


def _make_profiles(
    known: pd.DataFrame, places: Int[np.ndarray, " landmark"], one_sided: pd.DataFrame | None
) -> Float[np.ndarray, "classifier landmark"]:
    names = list(known.index)
    chosen = [names[place] for place in places]
    profiles = known[chosen].to_numpy(copy=True) if one_sided is None else _take("one_sided", one_sided, chosen, names).T.copy()
    profiles[places, np.arange(len(places))] = np.nan
    unknown = np.argwhere(np.isnan(profiles) & (np.arange(len(names))[:, None] != places))
    if len(unknown):
        row, column = unknown[0]
        msg = (
            f"the similarity of {names[row]} to the landmark {chosen[column]} is not known ({len(unknown)} such); measure it, or "
            "take other landmarks."
        )
        raise InvalidValueError(msg)
    return profiles


def _take(what: str, table: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> Float[np.ndarray, "row column"]:
    """Some cells of a table.

    Raises:
        InvalidValueError: the table doesn't have them.
    """
    for kind, wanted, there in (("row", rows, table.index), ("column", columns, table.columns)):
        missing = [name for name in wanted if name not in there]
        if missing:
            msg = f"{what} has no {kind} {missing[0]}; give it the landmarks and the classifiers of the matrix."
            raise InvalidValueError(msg)
    return np.asarray(table.loc[list(rows), list(columns)].to_numpy(np.float64))


def _fit(
    features: PairFeatures,
    method: str,
    pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]],
    truth: Float[np.ndarray, " pair"],
) -> _Fit:
    """The setting with the smallest cross-validated error, fitted to all pairs."""
    folds = np.arange(len(truth)) % NUM_FOLDS
    best = float("inf"), float("nan")
    for setting in list_settings(method):
        table = features.make(method, setting, pairs)
        residuals = np.empty(len(truth))
        for fold in range(NUM_FOLDS):
            held = folds == fold
            intercept, weights = _solve(table[~held], truth[~held])
            residuals[held] = truth[held] - intercept - table[held] @ weights
        error = float(np.sqrt(np.mean(residuals**2)))
        if error < best[0]:
            best = error, setting
    intercept, weights = _solve(features.make(method, best[1], pairs), truth)
    return _Fit(method=method, setting=best[1], intercept=intercept, weights=weights, error=best[0])


def _solve(
    table: Float[np.ndarray, "pair feature"], truth: Float[np.ndarray, " pair"]
) -> tuple[float, Float[np.ndarray, " feature"]]:
    """Ridge regression on standardised features."""
    means, scales = table.mean(axis=0), table.std(axis=0)
    scales[scales == 0] = 1.0
    scaled = (table - means) / scales
    weights = (
        np.linalg.solve(scaled.T @ scaled + RIDGE * len(table) * np.eye(table.shape[1]), scaled.T @ (truth - truth.mean())) / scales
    )
    return float(truth.mean() - means @ weights), weights


def _guess(features: PairFeatures, *, is_one_sided: bool) -> _Fit:
    """The additive model without extra pairs: whole effects; of one-sided profiles half ones, as they say nothing of sources.

    The mean of the profiles is that of pairs with a landmark. Where the effect of a landmark is known, it is taken out of it.
    """
    effects = features.effects
    weight, intercept = (0.5, effects.mean) if is_one_sided else (1.0, effects.mean - effects.of_landmarks)
    return _Fit(method=ADDITIVE, setting=0.0, intercept=intercept, weights=np.array([weight]), error=float("nan"))


def _measure_guess(
    guess: _Fit,
    features: PairFeatures,
    pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]],
    truth: Float[np.ndarray, " pair"],
) -> _Fit:
    """The guess with its error: with few pairs it may be better than what is fitted to them."""
    return replace(guess, error=float(np.sqrt(np.mean((truth - guess.predict(features, pairs)) ** 2))))


def _measure_errors(
    features: PairFeatures,
    fits: dict[str, _Fit],
    pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]],
    truth: Float[np.ndarray, " pair"],
) -> pd.DataFrame:
    rows = []
    for name, fit in fits.items():
        estimate = fit.predict(features, pairs)
        has_order = len(truth) > 2 and np.ptp(truth) > 0 and np.ptp(estimate) > 0  # noqa: PLR2004  (a correlation)
        rows.append(
            {
                "method": name,
                "rmse": float(np.sqrt(np.mean((truth - estimate) ** 2))) if len(truth) else float("nan"),
                "spearman": float(spearmanr(truth, estimate).statistic) if has_order else float("nan"),
                "cross_validated": fit.error,
            }
        )
    return pd.DataFrame(rows).set_index("method")


def _take_one_way(
    profiles: Float[np.ndarray, "classifier landmark"],
    places: Int[np.ndarray, " landmark"],
    rows: Int[np.ndarray, " pair"],
    columns: Int[np.ndarray, " pair"],
) -> Float[np.ndarray, " pair"]:
    """The one-sided score of pairs with a landmark; of two landmarks it can't be unknown both ways, and the first counts."""
    number = {int(place): column for column, place in enumerate(places)}
    return np.array(
        [
            profiles[column, number[row]] if row in number else profiles[row, number[column]]
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ]
    )
