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

import pandas as pd

from zooscope.analyses.kin_pairs import Others, Pairs, Tested, compare_others
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline
from zooscope.scores.outcomes import PERCENT, Outcomes
from zooscope.words import list_few

Relation = Literal["derived", "same recipe", "independent", "not sure"]

FEWEST_SEEDS: Final = 2
MOST_NAMES: Final = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Kinship(ShownInline):
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

    1. Derived, if the excess of the pair is significant, and one of both is more alike with the other than with every seed. Not
       sure, if it is significant on other images, but not among other seeds.
    2. Else independent, if A or B is significantly less alike with the seeds and the other one than these are. Not sure, if it is
       still nearer to the seeds' mean likeness than to the largest one of a classifier of another architecture.
    3. Else of the same recipe, if both have one architecture, and every classifier of another one is significantly less alike with
       the seeds than each of both.
    4. Else not sure.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.scores.outcomes import Outcomes
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
    pairs = Pairs.of(outcomes, members)
    known = architectures or {}
    own = {known.get(name, "") for name in members}
    others = [name for name in outcomes.names if known.get(name) and known[name] not in own] if "" not in own else []
    facts = _Facts(
        derived=pairs.test_excess(),
        p_less_alike=pairs.test_less_alike(),
        are_nearest=pairs.are_nearest,
        least_alike=pairs.least_alike,
        seeds_alike=pairs.seeds_alike,
        others=compare_others(outcomes, members, others, alpha),
        architectures=(known.get(a, ""), known.get(b, "")),
    )
    derived, share = facts.derived, float(pairs.shares[0])
    relation, reason = _decide(facts, alpha)
    return Kinship(
        relation=relation,
        reason=reason,
        p_value=derived.p_value,
        p_less_alike=facts.p_less_alike,
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
        others=facts.others.as_near,
        num_others=len(others),
    )


class _Facts(NamedTuple):
    """What the answer is decided by."""

    derived: Tested
    p_less_alike: float
    are_nearest: bool
    least_alike: float
    seeds_alike: float
    others: Others
    architectures: tuple[str, str]


def _decide(facts: _Facts, alpha: float) -> tuple[Relation, str]:
    """The first rule that applies, and why."""
    halfway = (facts.seeds_alike + facts.others.most_alike) / 2
    near = list_few(list(facts.others.as_near), MOST_NAMES)
    first, second = facts.architectures
    alike = "they are neither more nor less alike than independent seeds"
    rules: tuple[tuple[bool, Relation, str], ...] = (
        (
            facts.are_nearest and facts.derived.p_value <= alpha,
            "derived",
            "they are more alike than independent seeds of one recipe",
        ),
        (
            facts.are_nearest and facts.derived.p_images <= alpha,
            "not sure",
            "on these images they are more alike than independent seeds, but these few seeds may scatter as much",
        ),
        (
            facts.p_less_alike <= alpha and facts.least_alike > halfway,
            "not sure",
            "one of them is less alike with the seeds than these are, but nearer to that than classifiers of another architecture",
        ),
        (
            facts.p_less_alike <= alpha,
            "independent",
            "they are not more alike than independent seeds, and one of them is less alike with the seeds than these are",
        ),
        (
            facts.derived.p_value <= alpha,
            "not sure",
            "they are more alike than their likeness with the seeds predicts, but each is as alike with some seed",
        ),
        (not first or not second, "not sure", f"{alike}, but their architectures are not known"),
        (first != second, "not sure", f"{alike}, but their architectures differ"),
        (
            not facts.others.names,
            "not sure",
            f"{alike}, but the study has no classifier of another architecture to compare with",
        ),
        (bool(near), "not sure", f"{alike}, but nor are they told from {near}, of another architecture"),
    )
    for applies, relation, reason in rules:
        if applies:
            return relation, reason
    return (
        "same recipe",
        "they are as alike as independent seeds, and every classifier of another architecture is less alike with these",
    )


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
