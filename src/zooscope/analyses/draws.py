"""Ensembles of several classifiers, drawn from several clusters or from within a group."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Int

from zooscope.analyses.averaging import Average, CleanLogits, Metrics, compute_metrics, find_right_ensembles
from zooscope.analyses.reductions import bootstrap_mean_reduction
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError

NUM_DRAWS: Final = 100
LARGEST: Final = 10
CONFIDENCE: Final = 0.9

Ways = list[list[int]]
Key = TypeVar("Key", int, str)


class Draws(NamedTuple):
    """Ensembles of one size.

    Attributes:
        members: positions of classifiers, ascending, a row per ensemble.
        exact: whether these are all ensembles of this kind.
    """

    members: Int[np.ndarray, "ensemble member"]
    exact: bool


@check_arguments
def measure_ensembles_by_cluster(
    logits: CleanLogits,
    clusters: Mapping[str, Hashable],
    *,
    sizes: Sequence[int],
    num_draws: int = NUM_DRAWS,
    average: Average = "logits",
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> pd.DataFrame:
    """Errors of ensembles of N, by the number k of clusters that their members come from.

    All sets of N classifiers from exactly k clusters are equally likely. If there are at most `num_draws`, each is taken once.

    Source: Hwang et al., ECCV 2024, Section 5.1, Figures 6 and F.1.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.analyses.averaging import CleanLogits
        >>> cnn, vit = np.float16([[[9, 0], [9, 0], [3, 0], [0, 9]], [[9, 0], [1, 0], [0, 9], [2, 0]]])
        >>> logits = CleanLogits(names=("cnn 1", "cnn 2", "vit"), values=(cnn, cnn, vit), labels=np.array([0, 0, 1, 1]))
        >>> clusters = {"cnn 1": 1, "cnn 2": 1, "vit": 2}
        >>> found = zooscope.analyses.measure_ensembles_by_cluster(logits, clusters, sizes=[2])
        >>> found[["num_clusters", "num_draws", "err"]].to_numpy().tolist()
        [[1.0, 1.0, 0.0], [2.0, 2.0, 1.0]]

    Args:
        logits: on clean images.
        clusters: classifier name to cluster.
        sizes: the N; sizes that these classifiers can't fill are left out.
        num_draws: the most ensembles per N and k.
        average: of logits or of probabilities.
        confidence: of the interval of the mean error reduction rate, by bootstrap over images.
        seed: of the draws.

    Returns:
        A row per `num_members` (N) and `num_clusters` (k, 1 to N) that has an ensemble: `num_draws`, `exact`, and the mean
        and the standard deviation over the draws (NaN for a single one) of `error`, `err` and `all_wrong` (shares in [0, 1]):
        `error`, `error_std`, ...; and `err_low` and `err_high`, the interval of the mean `err` (NaN if resampling finds no spread).

    Raises:
        InvalidValueError: a classifier has no cluster, or a size or the number of draws is not positive.
    """
    _require_usable(logits, clusters, sizes, num_draws, what="cluster")
    cluster_of = [clusters[name] for name in logits.names]
    places = [[place for place, cluster in enumerate(cluster_of) if cluster == each] for each in dict.fromkeys(cluster_of)]
    generator = np.random.default_rng(seed)
    found = {
        (size, count): draw_sets(places, size, count, num_draws=num_draws, generator=generator)
        for size in sizes
        for count in range(1, size + 1)
    }
    return _make_table(logits, found, ("num_members", "num_clusters"), average, confidence)


@check_arguments
def measure_ensembles_by_group(
    logits: CleanLogits,
    groups: Mapping[str, str],
    *,
    sizes: Sequence[int],
    num_draws: int = NUM_DRAWS,
    average: Average = "logits",
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> pd.DataFrame:
    """Errors of ensembles of N classifiers of one group, for every group: seeds, hyper-parameters, regimes, architectures.

    Source: Hwang et al., ECCV 2024, Section 5.1, Figure 7.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.analyses.averaging import CleanLogits
        >>> first, second = np.float16([[[9, 0], [9, 0], [3, 0], [0, 9]], [[9, 0], [1, 0], [0, 9], [2, 0]]])
        >>> logits = CleanLogits(names=("seed 1", "seed 2"), values=(first, second), labels=np.array([0, 0, 1, 1]))
        >>> groups = {"seed 1": "seeds", "seed 2": "seeds"}
        >>> found = zooscope.analyses.measure_ensembles_by_group(logits, groups, sizes=[2])
        >>> found[["group", "error", "err"]].to_numpy().tolist()
        [['seeds', 0.0, 1.0]]

    Args:
        logits: on clean images.
        groups: classifier name to group; classifiers without one are left out.
        sizes: the N; sizes that a group is too small for are left out.
        num_draws: the most ensembles per N and group.
        average: of logits or of probabilities.
        confidence: of the interval of the mean error reduction rate, by bootstrap over images.
        seed: of the draws.

    Returns:
        As `measure_ensembles_by_cluster`, with `group` instead of `num_clusters`.

    Raises:
        InvalidValueError: no classifier has a group, or a size or the number of draws is not positive.
    """
    known = logits.take_classifiers(tuple(name for name in logits.names if name in groups))
    _require_usable(known, groups, sizes, num_draws, what="group")
    group_of = [groups[name] for name in known.names]
    generator = np.random.default_rng(seed)
    places = {group: [place for place, other in enumerate(group_of) if other == group] for group in dict.fromkeys(group_of)}
    found = {
        (size, group): draw_sets([members], size, 1, num_draws=num_draws, generator=generator)
        for group, members in places.items()
        for size in sizes
    }
    return _make_table(known, found, ("num_members", "group"), average, confidence)


def draw_sets(clusters: Sequence[Sequence[int]], size: int, count: int, *, num_draws: int, generator: np.random.Generator) -> Draws:
    """Different sets of `size` members from exactly `count` of the clusters, all equally likely.

    Args:
        clusters: the members' positions, cluster by cluster; no position twice.
        size: members per set.
        count: number of clusters that the members of each set come from.
        num_draws: the most sets; all sets if there are no more.
        generator: source of randomness.

    Returns:
        The sets; empty if there is none.
    """
    ways = _count_sets(clusters, size, count)
    total = ways[0][count][size]
    if total == 0:
        return Draws(np.empty((0, size), dtype=np.intp), exact=True)
    if total <= 2 * num_draws:  # nearly all sets: drawing until all differ would take long
        every = np.array(sorted(tuple(sorted(members)) for members in _list_all(clusters, size, count)), dtype=np.intp)
        if total <= num_draws:
            return Draws(every, exact=True)
        return Draws(every[np.sort(generator.choice(total, num_draws, replace=False))], exact=False)
    found: dict[tuple[int, ...], None] = {}
    while len(found) < num_draws:
        found[_draw_one(clusters, ways, size, count, generator)] = None
    return Draws(np.array(list(found), dtype=np.intp), exact=False)


def _count_sets(clusters: Sequence[Sequence[int]], size: int, count: int) -> list[Ways]:
    """At [i][k][n]: the number of sets of n members from exactly k of the clusters from the i-th on; integers of any size."""
    result: list[Ways] = [[[int(k == n == 0) for n in range(size + 1)] for k in range(count + 1)]]
    for members in reversed(clusters):
        behind, here = result[0], [[0] * (size + 1) for _ in range(count + 1)]
        binomials = _list_binomials(len(members), size)
        for k in range(count + 1):
            for n in range(size + 1):
                here[k][n] = behind[k][n]
                if k > 0:
                    here[k][n] += sum(binomials[taken] * behind[k - 1][n - taken] for taken in range(1, n + 1))
        result.insert(0, here)
    return result


def _list_binomials(number: int, most: int) -> list[int]:
    result = [1]
    for taken in range(1, most + 1):
        result.append(result[-1] * (number - taken + 1) // taken)
    return result


def _draw_one(
    clusters: Sequence[Sequence[int]], ways: list[Ways], size: int, count: int, generator: np.random.Generator
) -> tuple[int, ...]:
    """One set, all equally likely: the number to take from each cluster is drawn in proportion to the sets that it leaves."""
    members: list[int] = []
    k, n = count, size
    for place, cluster in enumerate(clusters):
        behind, binomials = ways[place + 1], _list_binomials(len(cluster), n)
        weights = [behind[k][n]] + [binomials[taken] * behind[k - 1][n - taken] if k > 0 else 0 for taken in range(1, n + 1)]
        total = sum(weights)
        taken = int(generator.choice(n + 1, p=[weight / total for weight in weights]))
        if taken:
            members += (cluster[chosen] for chosen in generator.choice(len(cluster), taken, replace=False))
            k, n = k - 1, n - taken
    return tuple(sorted(members))


def _list_all(clusters: Sequence[Sequence[int]], size: int, count: int) -> Iterator[tuple[int, ...]]:
    """All sets, cluster by cluster."""
    if not clusters:
        if size == count == 0:
            yield ()
        return
    first, rest = clusters[0], clusters[1:]
    yield from _list_all(rest, size, count)
    if count > 0:
        for taken in range(1, min(len(first), size) + 1):
            for behind in _list_all(rest, size - taken, count - 1):
                for here in combinations(first, taken):
                    yield (*here, *behind)


def _make_table(
    logits: CleanLogits, draws: Mapping[tuple[int, Key], Draws], leading: tuple[str, str], average: Average, confidence: float
) -> pd.DataFrame:
    """A row per kind of ensembles, if there are any; all are measured in one pass over the logits."""
    some = {key: found for key, found in draws.items() if len(found.members) > 0}
    rows: list[dict[str, object]] = []
    outcomes = find_right_ensembles(logits, [found.members for found in some.values()], average=average)
    for (key, found), right in zip(some.items(), outcomes, strict=True):
        row: dict[str, object] = dict(zip(leading, key, strict=True))
        row |= {"num_draws": len(found.members), "exact": found.exact}
        row["err_low"], row["err_high"] = bootstrap_mean_reduction(logits, found.members, right, confidence=confidence)
        for name, value in compute_metrics(logits, found.members, right)._asdict().items():
            known = value[np.isfinite(value)]
            row[name] = float(known.mean()) if len(known) else float("nan")
            row[f"{name}_std"] = float(known.std()) if len(known) > 1 else float("nan")
        rows.append(row)
    names = [
        *leading,
        "num_draws",
        "exact",
        *(part for name in Metrics._fields for part in (name, f"{name}_std")),
        "err_low",
        "err_high",
    ]
    return pd.DataFrame(rows, columns=names)


def _require_usable(
    logits: CleanLogits, groups: Mapping[str, Hashable], sizes: Sequence[int], num_draws: int, *, what: str
) -> None:
    if not logits.names:
        msg = f"no classifier has a {what}; give one to at least two."
        raise InvalidValueError(msg)
    for name in logits.names:
        if name not in groups:
            msg = f"{name} has no {what}; give it one, or leave it out."
            raise InvalidValueError(msg)
    if not sizes or min(sizes) < 1 or num_draws < 1:
        msg = f"an ensemble needs at least one member and one draw: got sizes {list(sizes)} and {num_draws} draws."
        raise InvalidValueError(msg)
