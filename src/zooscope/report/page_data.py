"""What the page's scripts know of a study: names, orders and components as JSON, all matrices packed."""

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from zooscope.analyses.tree import order_by_cluster
from zooscope.errors import InvalidValueError
from zooscope.pictures.colours import GROUPS, SEQUENCE
from zooscope.report.facts import Facts
from zooscope.report.packing import Packed, Plane, pack_flags, pack_planes
from zooscope.report.pairs import Gap, find_gaps, mask_diagonal
from zooscope.report.rivals import Rival
from zooscope.scores.sat import RANGE
from zooscope.words import explain_control, shorten_names

SCORE_PRECISION: Final = 5e-4
PERCENT_PRECISION: Final = 5e-3
NARROWEST_RANGE: Final = 0.5
MOST_IN_FULL: Final = 400  # classifiers; of more only SAT and both directions are on the page
MOST_FLAGS: Final = 4_000_000  # bits of (source, target, image): half a megabyte
MOST_TRANSFORMS: Final = 40  # different ones, of which every two are explained
MOST_VALUES: Final = 60  # different values of a component; one with more, such as a name, makes no groups


@dataclass(frozen=True, kw_only=True)
class PageData:
    """What a page holds for its scripts.

    Attributes:
        study: JSON, safe inside a script element.
        matrices: packed planes.
        flags: which image each attack fools, packed; empty where these are too many, or not known.
    """

    study: str
    matrices: str
    flags: str


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number of every pair.

    Attributes:
        key: of the planes.
        title: in the list of quantities, and in front of a value.
        reading: how to read it, in one line.
        values: NaN where unknown.
        ends: lower and upper ends of the intervals; None if there are none.
        is_symmetric: whether both directions are the same; otherwise rows are sources and columns targets.
        is_percent: whether it is a percentage.
        is_alike: whether larger is more similar.
        limits: values at both ends of the colours; None for those of the data.
    """

    key: str
    title: str
    reading: str
    values: Float[np.ndarray, "a b"]
    ends: tuple[Float[np.ndarray, "a b"], Float[np.ndarray, "a b"]] | None = None
    is_symmetric: bool = True
    is_percent: bool = False
    is_alike: bool = True
    limits: tuple[float, float] | None = None

    @property
    def planes(self) -> dict[str, Plane]:
        """The planes that it is packed in."""
        precision = PERCENT_PRECISION if self.is_percent else SCORE_PRECISION
        named = dict(zip(("low", "high"), self.ends or (), strict=False))
        return {
            key: Plane(values=values.astype(np.float64), precision=precision, is_symmetric=self.is_symmetric)
            for key, values in {self.key: self.values, **{f"{self.key}.{end}": values for end, values in named.items()}}.items()
        }

    def describe(self) -> dict[str, Any]:
        """What scripts know of it, besides its planes."""
        return {
            "key": self.key,
            "title": self.title,
            "reading": self.reading,
            "hasEnds": self.ends is not None,
            "isSymmetric": self.is_symmetric,
            "isPercent": self.is_percent,
            "isAlike": self.is_alike,
            "limits": self.limits,
        }


def make_page_data(facts: Facts) -> PageData:
    """Everything that the page's scripts show."""
    quantities = list_quantities(facts)
    planes = {name: plane for quantity in quantities for name, plane in quantity.planes.items()}
    planes |= _count(facts)
    packed = pack_planes(planes)
    return PageData(
        study=escape_data(json.dumps(_describe_study(facts, quantities, packed))), matrices=packed.text, flags=_pack_outcomes(facts)
    )


def escape_data(text: str) -> str:
    """JSON that is safe inside a script element: nothing in it can end the element or open a comment."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def list_quantities(facts: Facts) -> list[Quantity]:
    """All that is known of every pair, SAT first."""
    score, percent = facts.sat.to_numpy(), facts.sat["percent"].to_numpy()
    found = [
        Quantity(
            key="sat",
            title="SAT",
            reading="SAT: natural logarithm of the percentage of images on which an attack on one fools the other.",
            values=score,
            ends=None if facts.is_imported else (facts.sat.low.to_numpy(), facts.sat.high.to_numpy()),
            limits=find_colour_range(score),
        ),
        Quantity(
            key="percent",
            title="Fooled, both directions",
            reading="Percentage of images on which an attack on one fools the other, mean of both directions.",
            values=percent,
            is_percent=True,
        ),
    ]
    if facts.is_imported:
        return found
    rivals = facts.found_rivals[0] if len(facts.names) <= MOST_IN_FULL else ()
    return [*found, *_list_directed(facts), *map(_describe_rival, rivals)]


def _list_directed(facts: Facts) -> list[Quantity]:
    found = [
        Quantity(
            key="transfer",
            title="Fooled, by direction",
            reading="Percentage of images on which the attack on the row's classifier fools the column's.",
            values=facts.transfer.to_numpy(),
            is_symmetric=False,
            is_percent=True,
        )
    ]
    if len(facts.names) > MOST_IN_FULL:
        return found
    if facts.same_mistake is not None:
        found.append(
            Quantity(
                key="same",
                title="Same mistake",
                reading="Percentage of images, attacked on the row's classifier, that both take for the same wrong class.",
                values=facts.same_mistake.to_numpy(),
                ends=_take_ends(facts.same_mistake),
                is_symmetric=False,
                is_percent=True,
            )
        )
    if facts.normalized is not None and not np.isnan(facts.normalized).all():
        found.append(
            Quantity(
                key="normalized",
                title="Normalised SAT",
                reading="SAT, each direction divided by how often the attack fools its own source.",
                values=facts.normalized.to_numpy(),
                ends=_take_ends(facts.normalized),
            )
        )
    if facts.other_pixels.any():
        control = np.where(facts.other_pixels, facts.transfer["control"].to_numpy(), np.nan)
        found.append(
            Quantity(
                key="control",
                title="Control",
                reading="Percentage of clean images that the column's classifier gets wrong without any attack, only because "
                "they are preprocessed for the row's (size, crop, interpolation).",
                values=control,
                is_symmetric=False,
                is_percent=True,
            )
        )
    return found


def _describe_rival(rival: Rival) -> Quantity:
    matrix, name = rival.matrix, rival.similarity.name
    values = matrix.to_numpy().astype(np.float64)
    return Quantity(
        key=f"rival {name}",
        title=name.replace("_", " "),
        reading=f"{rival.similarity.title[0].upper()}{rival.similarity.title[1:]}.",
        values=values,
        ends=_take_ends(matrix) if "low" in matrix.coords else None,
        is_symmetric=bool(np.array_equal(values, values.T, equal_nan=True)),
        is_alike=rival.similarity.larger_is_more_similar,
    )


def _take_ends(matrix: xr.DataArray) -> tuple[Float[np.ndarray, "a b"], Float[np.ndarray, "a b"]]:
    return matrix.low.to_numpy(), matrix.high.to_numpy()


def _count(facts: Facts) -> dict[str, Plane]:
    """Images that count, those that are fooled both ways, and why there is no score; as numbers."""
    counts = {"gap": find_gaps(facts)}
    if not facts.is_imported:
        counts |= {"count": facts.sat["count"].to_numpy(), "both": _count_both(facts)}
    return {name: Plane(values=np.asarray(values, np.float64), precision=1.0, is_symmetric=True) for name, values in counts.items()}


def _count_both(facts: Facts) -> Float[np.ndarray, "a b"]:
    """How many images are fooled in both directions."""
    size, outcomes = len(facts.names), facts.now.outcomes
    both = np.zeros((size, size))
    for row, place in enumerate(outcomes.attacked):
        others = outcomes.attacked[row:]
        both[place, others] = (outcomes.take_pairs(np.full(len(others), place), others).fooled == 2).sum(-1)  # noqa: PLR2004
    return np.maximum(both, both.T)


def _pack_outcomes(facts: Facts) -> str:
    """Whether each attack fools each target, image by image; empty where these are too many."""
    size = len(facts.names)
    if facts.is_imported or size * size * facts.num_images > MOST_FLAGS:
        return ""
    fooled = np.zeros((size, size, facts.num_images), dtype=np.bool_)
    for source, cells in facts.now.outcomes.iterate_sources():
        fooled[source] = cells.fooled
    return pack_flags(fooled.ravel())


def _describe_study(facts: Facts, quantities: list[Quantity], packed: Packed) -> dict[str, Any]:
    short = shorten_names(facts.names)
    order, branches = order_by_cluster(mask_diagonal(facts.sat.to_numpy()))
    return {
        "names": facts.names,
        "short": [short[name] for name in facts.names],
        "confidence": 100 * facts.confidence,
        "colours": SEQUENCE,
        "groupColours": GROUPS,
        "quantities": [quantity.describe() for quantity in quantities],
        "planes": packed.planes,
        "order": order,
        "branches": branches,
        "groups": _list_groups(facts),
        "nearest": _list_nearest(facts),
        "isWeak": [name in facts.weak for name in facts.names],
        "gaps": [gap.reason for gap in Gap],
        "images": facts.image_ids if size_of_flags(facts) <= MOST_FLAGS else (),
        **_describe_transforms(facts),
    }


def size_of_flags(facts: Facts) -> int:
    """How many (source, target, image) there are."""
    return len(facts.names) ** 2 * facts.num_images


def _list_groups(facts: Facts) -> dict[str, list[str]]:
    """What classifiers can be ordered, filtered and coloured by: clusters, and components; "" where not known."""
    found: dict[str, list[str]] = {}
    try:
        labels = facts.clusters.labels
        found["cluster"] = [str(labels[name]) for name in facts.names]
    except InvalidValueError:
        pass
    table = facts.components
    for component in table.columns:
        if 1 < table[component].nunique() <= MOST_VALUES:
            found[str(component)] = ["" if pd.isna(value) else str(value) for value in table[component]]
    return found


def _list_nearest(facts: Facts) -> list[dict[str, Any]]:
    """Each classifier's nearest neighbour, whether that is sure, and which others may be it."""
    if facts.nearest is None:
        return []
    place = {name: number for number, name in enumerate(facts.names)}
    return [
        {"of": place.get(row["nearest"], -1), "isSure": bool(row["is_sure"]), "orElse": [place[name] for name in row["as_near"]]}
        for _, row in facts.nearest.iterrows()
    ]


def _describe_transforms(facts: Facts) -> dict[str, Any]:
    """What each preprocessing has otherwise than each other one: (source, target), by number."""
    if facts.is_imported:
        return {"transforms": [], "differences": []}
    different = list({json.dumps(fields, sort_keys=True): fields for fields in facts.transforms}.values())
    if len(different) > MOST_TRANSFORMS:
        return {"transforms": [], "differences": []}
    return {
        "transforms": [different.index(fields) for fields in facts.transforms],
        "differences": [[explain_control(source, target) for target in different] for source in different],
    }


def find_colour_range(score: Float[np.ndarray, "a b"]) -> tuple[float, float]:
    """From the smallest to the largest score of different classifiers.

    Pairs that never fool each other share the first colour: their logarithm is so low that it would take up most of the range.
    """
    known = mask_diagonal(score)
    known = known[~np.isnan(known)]
    if not len(known):
        return 0.0, RANGE[1]
    above = known[known > RANGE[0] + 1e-9]
    low, high = (float(above.min()), float(above.max())) if len(above) else RANGE
    if high - low < NARROWEST_RANGE:
        middle = (low + high) / 2
        low, high = middle - NARROWEST_RANGE / 2, middle + NARROWEST_RANGE / 2
    return low, min(high, RANGE[1])
