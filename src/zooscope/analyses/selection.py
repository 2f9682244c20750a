"""Which classifiers make a good ensemble, chosen on one half of the images and evaluated on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zooscope.analyses.averaging import Average, CleanLogits, find_right_ensembles, measure_metrics
from zooscope.analyses.choosing import Best, find_smallest_set, grow_set
from zooscope.analyses.draws import draw_sets
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import sat
from zooscope.statistics.combinations import bound_combinations
from zooscope.statistics.halves import split_halves
from zooscope.words import format_count

Method = Literal["most diverse", "best predicted", "greedy", "best single classifiers"]
METHODS: Final[tuple[Method, ...]] = ("most diverse", "best predicted", "greedy", "best single classifiers")
NUM_RANDOM: Final = 200
NUM_FITTED: Final = 500
MOST_MEASURED: Final = 1000  # up to this many sets all errors are measured; above it the search is greedy


@dataclass(frozen=True, kw_only=True)
class Regression(ShownInline):
    """ERR of an ensemble predicted from its members: least squares over ensembles of the requested size.

    Attributes:
        intercept: ERR = intercept + by_sat * (mean pairwise SAT) + by_error * (mean error of the members, a share).
        by_sat: per unit of SAT (natural log).
        by_error: per unit of error.
        r_squared: of the fit, on the choosing half.
        num_ensembles: number of ensembles in the fit.
    """

    intercept: float
    by_sat: float
    by_error: float
    r_squared: float
    num_ensembles: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection(ShownInline):
    """Ensembles chosen by several methods, evaluated on images that none was chosen on.

    Attributes:
        chosen: a row per method, index `method` (`METHODS`, then `random` and `best classifier alone`): `members` (a tuple
            of names; empty for `random`), `exact` (whether no set of this size is better by the method's own criterion on the
            choosing half), `choosing_error` (on the choosing half), and on the other half `error`, `low`, `high`, `mean_error`
            (of the members), `err`, `difference` (error minus that of random picks), `difference_low`, `difference_high`. All
            errors are shares.
        best: the row with the lowest error on the other half; can be random picks or a single classifier.
        indistinct: rows whose difference from the best row is explained by the choice of images (the interval of the
            difference contains 0).
        equal: those of `indistinct` that err on exactly the same images as the best row: often the same ensemble.
        regression: the prediction of `best predicted`; None if it could not be fitted.
        random_std: standard deviation of the error over the random picks.
        num_random: number of random picks that `random` averages.
        num_choosing: images used for choosing.
        num_reporting: images used for evaluation.
        confidence: of the intervals (over the images of the reporting half).
    """

    chosen: pd.DataFrame
    best: str
    indistinct: tuple[str, ...]
    equal: tuple[str, ...]
    regression: Regression | None
    random_std: float
    num_random: int
    num_choosing: int
    num_reporting: int
    confidence: float

    @property
    def winner(self) -> str | None:
        """The best row, if every other is worse or chooses the same ensemble; None at a tie."""
        members = self.chosen["members"]
        same = all(members[name] == members[self.best] != () for name in self.indistinct)
        return self.best if same else None


@check_arguments
def select_ensemble(
    logits: CleanLogits,
    outcomes: Outcomes,
    *,
    size: int = 5,
    average: Average = "logits",
    confidence: float = 0.95,
    num_random: int = NUM_RANDOM,
    seed: int = 0,
) -> Selection:
    """Chooses ensembles of one size by several methods, and compares them.

    most diverse: the smallest mean pairwise SAT. best predicted: the smallest error that a regression of ERR on mean pairwise SAT
    and mean error of the members predicts. greedy: the smallest measured error. best single classifiers: the smallest mean error of
    the members. All of these use the choosing half only, also for SAT.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.analyses.averaging import CleanLogits
        >>> from zooscope.scores.outcomes import Outcomes
        >>> generator, labels = np.random.default_rng(0), np.arange(200) % 2
        >>> values = generator.normal(np.eye(2)[labels], [[[1.0]], [[1.0]], [[0.2]]]).astype(np.float16)
        >>> logits = CleanLogits(names=("a", "b", "c"), values=tuple(values), labels=labels)
        >>> counted = np.ones((3, 3, 200), dtype=bool)
        >>> outcomes = Outcomes.from_flags(("a", "b", "c"), counted=counted, fooled=generator.random((3, 3, 200)) < 0.5)
        >>> found = zooscope.analyses.select_ensemble(logits, outcomes, size=2)
        >>> found.chosen.loc["best classifier alone", "members"], found.num_choosing, found.num_reporting
        (('c',), 100, 100)

    Args:
        logits: on clean images.
        outcomes: of attacked images; the same classifiers in the same order, the same images.
        size: members of an ensemble.
        average: of logits or of probabilities.
        confidence: of the intervals.
        num_random: random picks to compare with.
        seed: of the halves, the random picks, and the ensembles in the fit.

    Raises:
        InvalidValueError: the size is not between 2 and the number of classifiers, or logits and outcomes don't fit.
    """
    _require_usable(logits, outcomes, size, num_random)
    split = split_halves(logits.labels, seed=seed)
    chooser = _Chooser(
        logits=logits.take_images(split.choosing),
        outcomes=outcomes.take_images(split.choosing),
        size=size,
        average=average,
        seed=seed,
    )
    found, regression = chooser.choose_all()
    count = len(logits.names)
    generator = np.random.default_rng((seed, 1))
    random = draw_sets([range(count)], size, 1, num_draws=num_random, generator=generator).members
    sets = np.array([best.members for best in found.values()], dtype=np.intp)
    alone = int(chooser.single_error.argmin())
    choosing = chooser.measure_errors(np.concatenate([sets, random]))
    reported = logits.take_images(split.reporting)
    together = find_right_ensembles(reported, [np.concatenate([sets, random])], average=average)[0]
    wrong = np.concatenate(
        [~together[: len(sets)], (~together[len(sets) :]).mean(0, keepdims=True), ~reported.right[[alone]]]
    ).astype(np.float64)
    single = (~reported.right).mean(1)
    members = {**{name: best.members for name, best in found.items()}, "random": (), "best classifier alone": (alone,)}
    table = pd.DataFrame(
        {
            "members": [tuple(logits.names[place] for place in places) for places in members.values()],
            "exact": [*(best.exact for best in found.values()), False, True],
            "choosing_error": [*choosing[: len(sets)], choosing[len(sets) :].mean(), chooser.single_error[alone]],
            "mean_error": [single[list(places)].mean() if places else single[random].mean() for places in members.values()],
            **_judge(wrong, list(members.values()), len(sets), confidence=confidence),
        },
        index=pd.Index(list(members), name="method"),
    )
    table["err"] = 1 - table["error"] / table["mean_error"].where(table["mean_error"] > 0)
    best = str(table["error"].idxmin())
    against = _judge(wrong, list(members.values()), list(members).index(best), confidence=confidence)
    return Selection(
        chosen=table,
        best=best,
        indistinct=tuple(
            name for name, low in zip(members, against["difference_low"], strict=True) if name != best and not low > 0
        ),
        equal=tuple(
            name
            for name, own in zip(members, wrong, strict=True)
            if name != best and np.array_equal(own, wrong[list(members).index(best)])
        ),
        regression=regression,
        random_std=float((~together[len(sets) :]).mean(1).std()),
        num_random=len(random),
        num_choosing=len(split.choosing),
        num_reporting=len(split.reporting),
        confidence=confidence,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chooser:
    """Chooses on one half of the images."""

    logits: CleanLogits
    outcomes: Outcomes
    size: int
    average: Average
    seed: int

    @property
    def single_error(self) -> Float[np.ndarray, " classifier"]:
        """Error of every classifier alone."""
        return np.asarray((~self.logits.right).mean(1))

    def measure_errors(self, sets: Int[np.ndarray, "set member"]) -> Float[np.ndarray, " set"]:
        """Measured error of every ensemble."""
        return np.asarray(measure_metrics(self.logits, [sets], average=self.average)[0].error)

    def choose_all(self) -> tuple[dict[str, Best], Regression | None]:
        """A set by each method."""
        scores, single, count = sat(self.outcomes).score, self.single_error, len(self.logits.names)
        regression = self._fit_regression(scores)

        def find_similarity(sets: Int[np.ndarray, "set member"]) -> Float[np.ndarray, " set"]:
            return average_pairs(scores, sets)

        def predict_error(sets: Int[np.ndarray, "set member"]) -> Float[np.ndarray, " set"]:
            error = np.asarray(single[sets].mean(1))
            if regression is None:
                return error
            return error * (1 - (regression.intercept + regression.by_sat * find_similarity(sets) + regression.by_error * error))

        greedy = (
            find_smallest_set(self.measure_errors, count, self.size)
            if comb(count, self.size) <= MOST_MEASURED
            else grow_set(self.measure_errors, count, self.size, starts=[int(single.argmin())])
        )
        best_singles = Best(tuple(sorted(int(place) for place in np.argsort(single, kind="stable")[: self.size])), exact=True)
        return {
            "most diverse": find_smallest_set(find_similarity, count, self.size),
            "best predicted": find_smallest_set(predict_error, count, self.size),
            "greedy": greedy,
            "best single classifiers": best_singles,
        }, regression

    def _fit_regression(self, scores: Float[np.ndarray, "a b"]) -> Regression | None:
        """Fits to random ensembles of this size."""
        generator = np.random.default_rng((self.seed, 2))
        sets = draw_sets([range(len(scores))], self.size, 1, num_draws=NUM_FITTED, generator=generator).members
        err = measure_metrics(self.logits, [sets], average=self.average)[0].err
        similarity, error = average_pairs(scores, sets), self.single_error[sets].mean(1)
        known = np.isfinite(err) & np.isfinite(similarity)
        design = np.stack([np.ones(known.sum()), similarity[known], error[known]], axis=1)
        if len(design) == 0 or np.linalg.matrix_rank(design) < design.shape[1]:
            return None
        coefficients, *_ = np.linalg.lstsq(design, err[known], rcond=None)
        residual, spread = err[known] - design @ coefficients, err[known] - err[known].mean()
        explained = 1 - (residual @ residual) / (spread @ spread) if spread @ spread > 0 else float("nan")
        return Regression(
            intercept=float(coefficients[0]),
            by_sat=float(coefficients[1]),
            by_error=float(coefficients[2]),
            r_squared=float(explained),
            num_ensembles=len(design),
        )


def average_pairs(scores: Float[np.ndarray, "a b"], sets: Int[np.ndarray, "set member"]) -> Float[np.ndarray, " set"]:
    """Mean score over the pairs of every set of at least two; NaN if a pair has none."""
    rows, columns = np.triu_indices(sets.shape[1], 1)
    return np.asarray(scores[sets[:, rows], sets[:, columns]].mean(1))


def _judge(
    wrong: Float[np.ndarray, "way image"], members: Sequence[tuple[int, ...]], reference: int, *, confidence: float
) -> dict[str, Float[np.ndarray, " way"]]:
    """Errors and their differences from one of them on the same images, with intervals; 0 to 0 where the members are the same."""
    itself = np.eye(len(wrong))
    apart = np.array([[places != members[reference]] for places in members])
    weights = np.concatenate([itself, np.where(apart, itself - itself[reference], 0)])
    value, (low, high) = bound_combinations(wrong, np.ones_like(wrong), weights, confidence=confidence)
    (error, difference), (error_low, difference_low), (error_high, difference_high) = (
        np.split(each, 2) for each in (value, low, high)
    )
    return {
        "error": error,
        "low": error_low,
        "high": error_high,
        "difference": difference,
        "difference_low": difference_low,
        "difference_high": difference_high,
    }


def _require_usable(logits: CleanLogits, outcomes: Outcomes, size: int, num_random: int) -> None:
    if logits.names != outcomes.names or len(logits.labels) != len(outcomes.labels):
        msg = "logits and outcomes must be of the same classifiers, in the same order, and of the same images."
        raise InvalidValueError(msg)
    if not 2 <= size <= len(logits.names):  # noqa: PLR2004
        msg = f"an ensemble must have between 2 and {len(logits.names)} members (all classifiers to choose from): got {size}."
        raise InvalidValueError(msg)
    if num_random < 1:
        msg = f"num_random must be at least 1: got {num_random}."
        raise InvalidValueError(msg)


def describe_winner(found: Selection) -> str:
    """Which method wins, or why none does."""
    best, others = _name_method(found.best), ", ".join(map(_name_method, found.indistinct))
    worse = "Every other method is worse by more than the choice of images explains."
    if found.winner is not None:
        return f"Lowest error: {best}{f' (and {others}: the same ensemble)' if others else ''}. {worse}"
    every = len(found.indistinct) == len(found.chosen) - 1
    rest = "" if every else f" {worse}"
    if set(found.equal) == set(found.indistinct):
        whom = "all methods" if every else f"{best} and {others}"
        return f"No winner: {whom} err on exactly the same of these {format_count(found.num_reporting, 'image')}.{rest}"
    whom = "these methods" if every else f"{best} from {others}"
    return f"No winner: too few images ({found.num_reporting}) to separate {whom}.{rest}"


def _name_method(method: str) -> str:
    return "random picks" if method == "random" else method
