"""All pairs as a heat map, and as a table."""

import math
from typing import Final, final

import numpy as np
from jaxtyping import Float

from zooscope.analyses.tree import order_by_cluster
from zooscope.pictures.colours import SEQUENCE
from zooscope.pictures.similarity_map import SimilarityMap, draw_similarity_map, read_plotly_script
from zooscope.report.facts import Facts
from zooscope.report.sections.base import Part, Section, fill_template, read_source, show_interval, show_number, show_percent
from zooscope.report.sections.pairs import Pair, Share, make_pair_grid, rank_pairs
from zooscope.scores.sat import RANGE
from zooscope.words import cut_middle

NAME_LENGTH: Final = 40
NARROWEST_RANGE: Final = 0.5


@final
class HeatMapSection(Section):
    """The heat map, its scale, and the table of the same numbers."""

    title = "Who is alike"
    anchor = "heat-map"

    def show(self, facts: Facts) -> Part:
        """Uses the scores only, so it works for an imported matrix, too."""
        picture = map_similarity(facts)
        pairs = rank_pairs(make_pair_grid(facts))
        html = fill_template(
            "heat_map.html",
            heat_map=picture,
            pairs=pairs,
            colours=SEQUENCE,
            confidence_percent=100 * facts.confidence,
            is_imported=facts.is_imported,
            has_controls=any(pair.control_a_to_b is not None for pair in pairs),
            figure=escape_data(draw_similarity_map(picture).to_json()),
        )
        return Part(html=html, scripts=(read_plotly_script(), read_source("heat_map.js")))


def map_similarity(facts: Facts) -> SimilarityMap:
    """Orders all pairs so that similar classifiers are side by side."""
    score = facts.sat.to_numpy().copy()
    np.fill_diagonal(score, np.nan)
    order, branches = order_by_cluster(score)
    grid = make_pair_grid(facts)
    return SimilarityMap(
        names=tuple(facts.names[place] for place in order),
        score=score[np.ix_(order, order)],
        white_box=facts.white_box[list(order)],
        weak=np.asarray([facts.names[place] in facts.weak for place in order]),
        hover=tuple(tuple(_describe(facts, grid[row][column]) for column in order) for row in order),
        colour_range=_find_colour_range(score),
        branches=branches,
    )


def escape_data(text: str) -> str:
    """JSON that is safe inside a script element: nothing in it can end the element or open a comment."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _describe(facts: Facts, pair: Pair) -> tuple[str, ...]:
    if pair.a == pair.b:
        return _describe_itself(facts, pair)
    names = cut_middle(pair.a, NAME_LENGTH), cut_middle(pair.b, NAME_LENGTH)
    title = f"{names[0]} and {names[1]}"
    if not pair.is_known:
        return title, f"no score: {pair.reason}"
    return (
        title,
        f"SAT {show_number(pair.score)} ({100 * facts.confidence:g} % interval {show_interval(pair.low, pair.high)})",
        f"{names[0]} \N{RIGHTWARDS ARROW} {names[1]}: {show_percent(pair.a_to_b)} fooled{_describe_same_mistake(pair.same_a_to_b)}",
        f"{names[1]} \N{RIGHTWARDS ARROW} {names[0]}: {show_percent(pair.b_to_a)} fooled{_describe_same_mistake(pair.same_b_to_a)}",
        *_describe_normalized(pair),
        *([] if pair.count is None else [f"of {pair.count} images that both get right when clean"]),
        *_describe_control(pair),
    )


def _describe_same_mistake(share: Share) -> str:
    return "" if math.isnan(share.percent) else f", {show_percent(share.percent)} into the same wrong class"


def _describe_normalized(pair: Pair) -> tuple[str, ...]:
    if math.isnan(pair.normalized):
        return ()
    ends = show_interval(pair.normalized_low, pair.normalized_high)
    return (f"normalised SAT {show_number(pair.normalized)} ({ends})",)


def _describe_control(pair: Pair) -> tuple[str, ...]:
    """The errors without attack, and what is preprocessed otherwise."""
    if pair.control_a_to_b is None or pair.control_b_to_a is None:
        return ()
    ways = ((pair.b, pair.a, pair.control_a_to_b, pair.reason_a_to_b), (pair.a, pair.b, pair.control_b_to_a, pair.reason_b_to_a))
    return tuple(
        f"{cut_middle(target, NAME_LENGTH)} without attack: {show_percent(control)} wrong, preprocessed for "
        f"{cut_middle(source, NAME_LENGTH)}{f' ({reason})' if reason else ''}"
        for target, source, control, reason in ways
    )


def _describe_itself(facts: Facts, pair: Pair) -> tuple[str, ...]:
    name = cut_middle(pair.a, NAME_LENGTH)
    if not pair.is_known:
        return name, f"no white-box success: {pair.reason}"
    lines = (
        name,
        f"attacked itself: {show_percent(pair.a_to_b)} fooled (white-box success)",
        f"of {pair.count} images that it gets right",
    )
    return (*lines, "a weak source: all scores in its row are too low") if pair.a in facts.weak else lines


def _find_colour_range(score: Float[np.ndarray, "a b"]) -> tuple[float, float]:
    """From the smallest to the largest score.

    Pairs that never fool each other share the first colour: their logarithm is so low that it would take up most of the range.
    """
    known = score[~np.isnan(score)]
    if not len(known):
        return 0.0, RANGE[1]
    above = known[known > RANGE[0] + 1e-9]
    low, high = (float(above.min()), float(above.max())) if len(above) else RANGE
    if high - low < NARROWEST_RANGE:
        middle = (low + high) / 2
        low, high = middle - NARROWEST_RANGE / 2, middle + NARROWEST_RANGE / 2
    return low, min(high, RANGE[1])
