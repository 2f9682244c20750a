"""How similar classifiers of one architecture are after different training: by seed, hyper-parameters, regime."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.scores.outcomes import PERCENT, Outcomes, PairCells, count_pairs, find_percent
from zooscope.scores.sat import EPSILON_S, take_log_score
from zooscope.statistics.combinations import bound_mean

FEW_IMAGES: Final = 5  # fooled, on average over both directions
MEASURES: Final = ("sat", "percent", "sensitivity")


@dataclass(frozen=True, kw_only=True, eq=False)
class Strategies(ShownInline):
    """Similarity within and between groups of classifiers.

    Intervals cover the choice of images, not of seeds or settings.

    Attributes:
        within: a row per group, index `group`: `classifiers`, `pairs` (with a score), `few_fooled` (those of them of which fewer
            than five images fool: the mean of logarithms is too low with them), `sat` (mean SAT of the pairs, natural log),
            `percent` (mean without the log), `sensitivity` (1 - percent / 100: 0 if every setting gives the same classifier),
            each with `_low` and `_high`. NaN for a group of one.
        between: mean SAT of pairs with one classifier in each of two groups; dimensions `group` and `other`, the diagonal is
            `within`; coordinates `low` and `high`.
        overall: the same numbers as a row of `within`, over all pairs of all classifiers, with or without a group.
        confidence: of the intervals.
    """

    within: pd.DataFrame
    between: xr.DataArray
    overall: pd.Series
    confidence: float


@check_arguments
def compare_strategies(
    scores: Outcomes | xr.DataArray,
    groups: Mapping[str, str],
    *,
    confidence: float = 0.95,
    epsilon_s: float = EPSILON_S,
) -> Strategies:
    """Mean SAT within and between groups, and the sensitivity to what varies within a group.

    Source: Hwang et al., ECCV 2024, Table 3 (mean of the logarithms) and Appendix H (sensitivity, there in words only: low mean
    similarity among settings is high sensitivity; here it is 1 minus the mean share of images that fool, without the logarithm).

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.scores.outcomes import Outcomes
        >>> rate = np.array([[1, 0.8, 0.2], [0.8, 1, 0.2], [0.2, 0.2, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 100)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("cnn 1", "cnn 2", "vit"), counted=np.ones((3, 3, 100), dtype=bool), fooled=fooled)
        >>> found = zooscope.analyses.compare_strategies(outcomes, {"cnn 1": "seeds", "cnn 2": "seeds"})
        >>> found.within.loc["seeds", ["percent_low", "percent", "percent_high"]].round().tolist()
        [70.0, 76.0, 81.0]
        >>> float(found.overall["percent"].round())
        39.0

    Args:
        scores: outcomes of attacked images; or a matrix of SAT (`a`, `b`, coordinate `percent`), which gives no intervals (NaN).
        groups: classifier name to group; a classifier without one counts in `overall` only.
        confidence: of the intervals over images.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.

    Raises:
        InvalidValueError: no classifier has a group, or `groups` names an unknown classifier.
    """
    classifiers = scores.names if isinstance(scores, Outcomes) else tuple(str(name) for name in scores["a"].to_numpy())
    group_of = _assign_groups(classifiers, groups)
    rows, columns = np.triu_indices(len(classifiers), 1)
    cells = None
    if isinstance(scores, Outcomes):
        cells = count_pairs(scores)
        percent = find_percent(cells.fooled.sum(1, dtype=np.int64), cells.counted.sum(1, dtype=np.int64))
    else:
        percent = scores["percent"].to_numpy()[rows, columns].astype(np.float64)
    pairs = _Pairs(percent=percent, cells=cells, epsilon_s=epsilon_s, confidence=confidence)
    names = [group for group in dict.fromkeys(group_of) if group]
    first, second = np.array(group_of, dtype=object)[rows], np.array(group_of, dtype=object)[columns]
    within = {}
    matrix = np.full((3, len(names), len(names)), np.nan)
    for place, group in enumerate(names):
        within[group] = {"classifiers": group_of.count(group), **pairs.summarise((first == group) & (second == group))}
        for other_place, other in enumerate(names):
            chosen = ((first == group) & (second == other)) | ((first == other) & (second == group))
            summary = pairs.summarise(chosen)
            matrix[:, place, other_place] = [summary[key] for key in ("sat", "sat_low", "sat_high")]
    axes = ("group", "other")
    return Strategies(
        within=pd.DataFrame.from_dict(within, orient="index").rename_axis("group"),
        between=xr.DataArray(
            matrix[0],
            dims=axes,
            coords={"group": names, "other": names, "low": (axes, matrix[1]), "high": (axes, matrix[2])},
            name="sat",
        ),
        overall=pd.Series({"classifiers": len(group_of), **pairs.summarise(np.ones(len(rows), dtype=bool))}),
        confidence=confidence,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """All pairs in percent, and what they were computed from; None if that is unknown."""

    percent: Float[np.ndarray, " pair"]
    cells: PairCells | None
    epsilon_s: float
    confidence: float

    def summarise(self, chosen: np.ndarray) -> dict[str, float]:
        """Means over the chosen pairs that have a score, with their intervals."""
        usable = chosen & np.isfinite(self.percent)
        result: dict[str, float] = {"pairs": int(usable.sum()), "few_fooled": self._count_few_fooled(usable)}
        ends = {name: self._bound(name, usable) for name in ("sat", "percent")}
        ends["sensitivity"] = (1 - ends["percent"][1] / PERCENT, 1 - ends["percent"][0] / PERCENT)
        for name in MEASURES:
            low, high = ends[name]
            result |= {name: float(_average(self._convert(name, self.percent[usable]))), f"{name}_low": low, f"{name}_high": high}
        return result

    def _count_few_fooled(self, usable: np.ndarray) -> int:
        """Pairs with so few fooled images that the logarithm of their share is too low on average; 0 where it is not known."""
        if self.cells is None:
            return 0
        return int((self.cells.fooled[usable].sum(1, dtype=np.int64) < 2 * FEW_IMAGES).sum())  # both directions are counted

    def _bound(self, name: str, usable: np.ndarray) -> tuple[float, float]:
        if self.cells is None or not usable.any():
            return float("nan"), float("nan")
        fooled, counted = (counts[usable] for counts in self.cells)
        ends = bound_mean(
            fooled, counted, confidence=self.confidence, scale=lambda share: self._convert(name, PERCENT * share)
        ).interval
        return float(ends.low[0]), float(ends.high[0])

    def _convert(self, name: str, percent: np.ndarray) -> np.ndarray:
        if name == "sat":
            return take_log_score(percent, epsilon_s=self.epsilon_s)
        return percent if name == "percent" else 1 - percent / PERCENT


def _average(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, ignoring NaN; NaN if all values are."""
    known = np.isfinite(values)
    number = known.sum(-1)
    total = np.where(known, values, 0.0).sum(-1)
    return np.asarray(np.divide(total, number, out=np.full(np.shape(number), np.nan), where=number > 0))


def _assign_groups(names: tuple[str, ...], groups: Mapping[str, str]) -> list[str]:
    """The group of every classifier, "" for none."""
    unknown = [name for name in groups if name not in names]
    if unknown:
        msg = f"{unknown[0]} has a group but is not among the classifiers ({len(names)}, {names[0]} first); correct its name."
        raise InvalidValueError(msg)
    result = [groups.get(name) or "" for name in names]
    if not any(result):
        msg = "no classifier has a group; name them in a CSV file (classifier, group), or by the option `group` of an address."
        raise InvalidValueError(msg)
    return result
