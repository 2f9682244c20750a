"""A card as Markdown. Names are untrusted: each is written as code, so that nothing in it is read as Markdown or HTML."""

import re
from collections.abc import Sequence
from math import isnan
from typing import Final

from zooscope.card.collect import Card, Relative
from zooscope.records.entries import COMPILED, EXACT, FAST
from zooscope.words import (
    escape_controls,
    format_count,
    format_interval,
    format_number,
    format_percent,
    list_few,
    quote_markdown,
)

PAPER: Final = "https://arxiv.org/abs/2210.11407"
MOST_RIVALS: Final = 5
SHORTEST_FENCE: Final = 3
COMPUTING: Final = {EXACT: "as they are", FAST: "prepared for speed", COMPILED: "prepared for speed and compiled"}


def format_card(card: Card) -> str:
    """A section for a model card, as Markdown that ends in a newline.

    Example:
        >>> from zooscope.card.collect import Relative
        >>> relative = Relative(name="b", sat=3.0, low=2.9, high=3.1, percent=20.0, count=90)
        >>> print(format_relatives([relative], confidence=0.95))
        | classifier | SAT | 95 % interval | fooled |
        | --- | ---: | --- | ---: |
        | `b` | 3.00 | 2.90 to 3.10 | 20.0 % |
    """
    parts = [
        f"## Similarity of {quote_markdown(card.classifier)} to other classifiers",
        _explain(card),
        f"**Nearest{f' of {card.num_others}' if card.num_others > len(card.nearest) else ''}**",
        format_relatives(card.nearest, confidence=card.confidence),
        _say_how_sure(card),
        *(["**Least alike**", format_relatives(card.least_alike, confidence=card.confidence)] if card.least_alike else []),
        "**How this was measured**",
        _list_settings(card),
        *_format_command(card),
    ]
    return "\n\n".join(parts) + "\n"


def format_relatives(relatives: Sequence[Relative], *, confidence: float) -> str:
    """A table of other classifiers; without intervals where none is known."""
    has_intervals = not all(isnan(relative.low) for relative in relatives)
    interval = [f"{100 * confidence:g} % interval"] if has_intervals else []
    rows = [["classifier", "SAT", *interval, "fooled"], ["---", "---:", *("---" for _ in interval), "---:"]]
    for relative in relatives:
        bounds = [format_interval(relative.low, relative.high)] if has_intervals else []
        score, percent = format_number(relative.sat), format_percent(relative.percent)
        rows.append([quote_markdown(relative.name), score, *bounds, percent])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _explain(card: Card) -> str:
    unscored = f" {format_count(card.num_unscored, 'classifier')} of the study have no score with it." if card.num_unscored else ""
    return (
        f"SAT, [similarity by attack transferability]({PAPER}), is the natural logarithm of the percentage of images on which an "
        "adversarial example made for one classifier also fools the other, mean of both directions: 4.61 is 100 %, 3.00 is 20 %. "
        f"Compared with {format_count(card.num_others, 'other classifier')}.{unscored}"
    )


def _say_how_sure(card: Card) -> str:
    if card.is_sure is None:
        return "These scores were imported from a published matrix, which has no intervals."
    nearest, images = quote_markdown(card.nearest[0].name), format_count(card.num_images, "image")
    if card.is_sure:
        what = "every other classifier is farther" if card.num_others > 1 else "there is no other"
        return f"The nearest is certain on these {images}: {what}."
    rivals = list_few([quote_markdown(name) for name in card.as_near], MOST_RIVALS)
    return f"The nearest is not certain: these {images} don't tell {nearest} apart from {rivals}."


def _list_settings(card: Card) -> str:
    lines = [f"zooscope {card.version}"]
    if card.address:
        lines.insert(
            0, f"classifier: {quote_markdown(card.address)}, SHA-256 of weights and preprocessing {quote_markdown(card.weights)}"
        )
    if card.images:
        digest = quote_markdown(card.image_digest)
        lines += [
            f"attack: {quote_markdown(card.attack)}",
            f"images: {quote_markdown(card.images)}, {card.num_images}, seed {card.seed}, SHA-256 {digest}",
            f"precision: {quote_markdown(card.precision)}, networks {COMPUTING[card.computing]}",
        ]
    return "\n".join(f"- {line}" for line in lines)


def _format_command(card: Card) -> list[str]:
    """The command in a block whose fence nothing within ends, and what it doesn't reproduce."""
    if card.repeat is None:
        return []
    caveats = [" ".join(card.repeat.caveats)] if card.repeat.caveats else []
    if not card.repeat.command:
        return caveats
    command = escape_controls(card.repeat.command)
    fence = "`" * max([SHORTEST_FENCE, *(len(run) + 1 for run in re.findall("`+", command))])
    return ["To measure the same study again:", f"{fence}sh\n{command}\n{fence}", *caveats]
