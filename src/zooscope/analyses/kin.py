"""Whether one classifier is derived from another, is another seed of its recipe, or is independent of it.

The null is that both are independent seeds of one recipe, as others are that are named. The likeness of two independent seeds is
taken for the sum of one number per classifier, which holds how easily it is fooled and how well its attacks transfer, and noise:
y(i, j) = c(i) + c(j) + e(i, j). What a pair has in common beyond that is its excess: y(A, B) minus c(A) + c(B), fitted to all other
pairs of A, B and the seeds. With two seeds S and T it is y(A, B) + y(S, T) - (y(A, S) + y(A, T) + y(B, S) + y(B, T)) / 2, the
four-point condition by which trees are built from distances. So a copy that is less accurate than its origin, and less alike with
everyone, is not taken for independent by that.

The excess is tested twice: against other images, by its interval over images; and against other seeds, by the scatter of the other
pairs around their sums, with Student's t, as the scatter is known from few pairs: of k seeds it has (k * k + k - 4) / 2 degrees of
freedom, 1 of two seeds, 4 of three. The larger p value counts, so that independent seeds are not called derived more often than
stated, however much of the noise comes from images, and however much from seeds.

Source: Buneman, The Recovery of Trees from Measures of Dissimilarity (1971), for the four-point condition. Cook and Weisberg,
Residuals and Influence in Regression (1982), for the test of a single cell as an outlier of a linear model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Int8
from scipy.stats import norm, t

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError
from zooscope.scores.outcomes import PERCENT, Outcomes
from zooscope.statistics.combinations import bound_combinations
from zooscope.words import list_few

Relation = Literal["derived", "same recipe", "independent", "not sure"]

FEWEST_SEEDS: Final = 2
CONFIDENCE: Final = 0.95
MOST_NAMES: Final = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Kinship:
    """How two classifiers are related.

    Attributes:
        relation: "derived": one of the other, or both of a third one; "same recipe": alike as its seeds are; "independent": less
            alike than its seeds are; "not sure".
        reason: why, as a clause.
        p_value: of the null that both are independent seeds of the recipe, against one being derived from the other.
        p_less_alike: of the same null, against one of them being less alike with the seeds than they are.
        alpha: both are compared with it: how often independent seeds are called derived.
        percent: likeness of both.
        expected: of independent seeds that are as alike with the seeds as these two are.
        p_images: what `p_value` is of the images alone: the same classifiers on other images.
        p_seeds: and of the seeds alone; `p_value` is the larger one.
        seeds: known independent seeds of the recipe.
        pairs: a row for every pair of both and the seeds; columns `a`, `b`, `percent`.
        others: classifiers of another architecture that are as alike with the seeds as one of both, or more, or not told from it.
        num_others: classifiers of another architecture.
    """

    relation: Relation
    reason: str
    p_value: float
    p_less_alike: float
    alpha: float
    percent: float
    expected: float
    p_images: float
    p_seeds: float
    seeds: tuple[str, ...]
    pairs: pd.DataFrame
    others: tuple[str, ...]
    num_others: int

    @property
    def excess(self) -> float:
        """Likeness beyond that of independent seeds, in percentage points."""
        return self.percent - self.expected


class _Tested(NamedTuple):
    """Whether a value is above 0 by chance, of the images and of the seeds."""

    value: float
    p_images: float
    p_seeds: float

    @property
    def p_value(self) -> float:
        return max(self.p_images, self.p_seeds)


@check_arguments
def find_kinship(
    outcomes: Outcomes,
    a: str,
    b: str,
    seeds: Sequence[str],
    *,
    architectures: Mapping[str, str] | None = None,
    alpha: float = 0.05,
) -> Kinship:
    """Is B derived from A, made by the same recipe, or independent? See the module's first lines.

    The likeness is symmetric, so it can't tell which of both came first, nor a copy of A from another copy of what A was copied
    from.

    1. Derived, if the excess of the pair is significant; not sure, if it is on other images, but not among other seeds.
    2. Else independent, if A or B is significantly less alike with the seeds and the other one than these are.
    3. Else of the same recipe, if both have one architecture, and every classifier of another one is significantly less alike with
       the seeds than each of both.
    4. Else not sure.

    Example:
        >>> import zooscope.analyses
        >>> generator, rate = np.random.default_rng(0), np.full((5, 5), 0.5)
        >>> rate[0, 1] = rate[1, 0] = 0.9
        >>> fooled = generator.random((5, 5, 200)) < rate[..., None]
        >>> names = ("vit", "copy", "seed 1", "seed 2", "seed 3")
        >>> outcomes = Outcomes.from_flags(names, counted=np.ones((5, 5, 200), dtype=bool), fooled=fooled)
        >>> found = zooscope.analyses.find_kinship(outcomes, "vit", "copy", names[2:])
        >>> found.relation, found.p_value < 0.01
        ('derived', True)

    Args:
        outcomes: of attacked images: of all that fool (as SAT counts them), or of same mistakes.
        a: a classifier.
        b: another one.
        seeds: two or more classifiers of the recipe of A or B, trained from other seeds, independently of A, of B and of each
            other.
        architectures: by classifier; "" or missing where it isn't known.
        alpha: in (0, 0.5): the share of independent seeds that are called derived.

    Raises:
        InvalidValueError: there are fewer than two seeds, a name comes twice, or alpha is out of range.
        UnknownNameError: a name isn't there.
        StudyError: a pair has no score.
    """
    if not 0 < alpha < 0.5:  # noqa: PLR2004
        msg = f"alpha must be in (0, 0.5), as 0.05: got {alpha:g}."
        raise InvalidValueError(msg)
    members = (a, b, *seeds)
    _require_members(outcomes.names, members)
    pairs = _Pairs.of(outcomes, members)
    derived = pairs.test_excess()
    p_less_alike = pairs.test_less_alike()
    known = architectures or {}
    own = {known.get(name, "") for name in members}
    others = [name for name in outcomes.names if known.get(name) and known[name] not in own] if "" not in own else []
    as_near = _find_as_near(outcomes, members, others, alpha)
    share = float(pairs.shares[0])
    doubts = _list_doubts((known.get(a, ""), known.get(b, "")), others, as_near)
    if derived.p_value <= alpha:
        relation: Relation = "derived"
        reason = "they are more alike than independent seeds of one recipe"
    elif derived.p_images <= alpha:
        relation = "not sure"
        reason = "on these images they are more alike than independent seeds, but these few seeds may scatter as much"
    elif p_less_alike <= alpha:
        relation = "independent"
        reason = "they are not more alike than independent seeds, and one of them is less alike with the seeds than these are"
    elif doubts:
        relation, reason = "not sure", doubts[0]
    else:
        relation = "same recipe"
        reason = "they are as alike as independent seeds, and every classifier of another architecture is less alike with these"
    return Kinship(
        relation=relation,
        reason=reason,
        p_value=derived.p_value,
        p_less_alike=p_less_alike,
        alpha=alpha,
        percent=PERCENT * share,
        expected=PERCENT * (share - derived.value),
        p_images=derived.p_images,
        p_seeds=derived.p_seeds,
        seeds=tuple(seeds),
        pairs=pd.DataFrame(
            {
                "a": [members[row] for row in pairs.rows],
                "b": [members[column] for column in pairs.columns],
                "percent": PERCENT * pairs.shares,
            }
        ),
        others=as_near,
        num_others=len(others),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """All pairs of A, B and the seeds, in this order, the first is A with B."""

    size: int
    rows: Int[np.ndarray, " pair"]
    columns: Int[np.ndarray, " pair"]
    fooled: Int8[np.ndarray, "pair image"]
    counted: Int8[np.ndarray, "pair image"]
    shares: Float[np.ndarray, " pair"]

    @classmethod
    def of(cls, outcomes: Outcomes, members: Sequence[str]) -> "_Pairs":
        places = np.array([outcomes.names.index(name) for name in members])
        rows, columns = np.triu_indices(len(members), 1)
        cells = outcomes.take_pairs(places[rows], places[columns])
        counts = cells.counted.sum(1, dtype=np.int64)
        if not counts.all():
            empty = int(np.argmin(counts))
            msg = (
                f"{members[rows[empty]]} and {members[columns[empty]]} have no score: no image that both classify correctly is "
                "measured both ways."
            )
            raise StudyError(msg)
        return cls(
            size=len(members),
            rows=rows,
            columns=columns,
            fooled=cells.fooled,
            counted=cells.counted,
            shares=cells.fooled.sum(1, dtype=np.int64) / counts,
        )

    @property
    def step(self) -> float:
        """Shares are multiples of about this; what scatters less is taken to scatter by a part of it, not to be equal for sure."""
        return 1 / float(self.counted.sum(1, dtype=np.int64).max())

    @property
    def design(self) -> Float[np.ndarray, "pair member"]:
        """1 for both members of a pair: a pair's likeness is the sum of their numbers."""
        members = np.arange(self.size)
        return np.asarray((members == self.rows[:, None]) | (members == self.columns[:, None]), dtype=np.float64)

    def test_excess(self) -> _Tested:
        """Of the first pair, over the sum of its two members' numbers, fitted to all other pairs."""
        first, rest = self.design[0], self.design[1:]
        fit = np.linalg.pinv(rest)
        weights = np.concatenate([[1.0], -(first @ fit)])
        residuals = self.shares[1:] - rest @ (fit @ self.shares[1:])
        degrees = len(rest) - self.size
        squares = max((residuals**2).sum(), self.step**2 / 16)  # with two seeds: both other sums differ by half a step
        return self._test(weights, float(np.sqrt(squares / degrees * (weights**2).sum())), degrees)

    def test_less_alike(self) -> float:
        """The p value of A or B, whichever is less alike with all others, being less alike than these are with each other."""
        means = self.design.T / (self.size - 1)
        p_values = []
        for member in (0, 1):
            others = np.delete(means, member, axis=0)
            mine = others @ self.shares
            scatter = max(mine.std(ddof=1), self.step / (self.size - 1)) * np.sqrt(1 + 1 / len(mine))
            p_values.append(self._test(others.mean(0) - means[member], float(scatter), len(mine) - 1).p_value)
        return min(1.0, 2 * min(p_values))

    def _test(self, weights: Float[np.ndarray, " pair"], scatter: float, degrees: int) -> _Tested:
        """Whether a weighted sum of shares is above 0; the scatter is its standard error as other pairs tell it."""
        values, low = _bound_below(self.fooled, self.counted, weights[None])
        value = float(values[0])
        by_images = float(values[0] - low[0]) / float(norm.ppf((1 + CONFIDENCE) / 2))
        return _Tested(
            value,
            p_images=float(norm.sf(value / by_images)) if by_images > 0 else 0.5,
            p_seeds=float(t.sf(value / scatter, degrees)),
        )


def _bound_below(
    fooled: Int8[np.ndarray, "pair image"],
    counted: Int8[np.ndarray, "pair image"],
    weights: Float[np.ndarray, "sum pair"],
    confidence: float = CONFIDENCE,
) -> tuple[Float[np.ndarray, " sum"], Float[np.ndarray, " sum"]]:
    """Weighted sums of shares, and the lower ends of their intervals over images."""
    found = bound_combinations(fooled, counted, weights, confidence=confidence)
    return found.value, found.interval.low


def _find_as_near(outcomes: Outcomes, members: Sequence[str], others: Sequence[str], alpha: float) -> tuple[str, ...]:
    """Which others are not significantly less alike with the seeds than A and B are."""
    places = [outcomes.names.index(name) for name in (*members, *others)]
    seeds, candidates = places[2 : len(members)], [*places[:2], *places[len(members) :]]
    pairs = [(one, seed) for one in candidates for seed in seeds]
    cells = outcomes.take_pairs(*(np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True)))
    weights = np.zeros((len(others), 2, len(candidates), len(seeds)))
    for row in range(len(others)):
        for member in (0, 1):
            weights[row, member, member], weights[row, member, 2 + row] = 1 / len(seeds), -1 / len(seeds)
    if not len(others):
        return ()
    flat = weights.reshape(2 * len(others), -1)
    _, low = _bound_below(cells.fooled, cells.counted, flat, 1 - 2 * alpha)
    is_less_alike = np.asarray((low.reshape(len(others), 2) > 0).all(1))  # NaN, of a pair that shares no image, is not above 0
    return tuple(name for name, told in zip(others, is_less_alike, strict=True) if not told)


def _list_doubts(architectures: tuple[str, str], others: Sequence[str], as_near: Sequence[str]) -> list[str]:
    """What speaks against taking both for seeds of one recipe, if nothing else is shown."""
    first, second = architectures
    alike = "they are neither more nor less alike than independent seeds"
    doubts = []
    if not first or not second:
        doubts.append(f"{alike}, but their architectures are not known")
    elif first != second:
        doubts.append(f"{alike}, but their architectures differ")
    elif not others:
        doubts.append(f"{alike}, but the study has no classifier of another architecture to compare with")
    if as_near:
        doubts.append(f"{alike}, but nor are they told from {list_few(list(as_near), MOST_NAMES)}, of another architecture")
    return doubts


def _require_members(names: Sequence[str], members: Sequence[str]) -> None:
    for name in members:
        if name not in names:
            what = "classifier"
            raise UnknownNameError(what, name, names, "`zooscope show` lists the study's classifiers.")
    twice = [name for place, name in enumerate(members) if name in members[:place]]
    if twice:
        msg = f"{twice[0]} is named twice; A, B and the seeds must all be different classifiers."
        raise InvalidValueError(msg)
    if len(members) < 2 + FEWEST_SEEDS:
        msg = (
            f"kinship takes two or more seeds besides A and B: got {len(members) - 2}; measure two or more classifiers that were "
            "trained by the recipe of A from other seeds, and name them."
        )
        raise InvalidValueError(msg)
