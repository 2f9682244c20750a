"""A heading and a table of facts."""

import html
from collections.abc import Mapping
from typing import Final

from zooscope.words import cut_middle, escape_controls

LONGEST: Final = 300  # characters of a fact
_TABLE: Final = '<table style="border-collapse: collapse">'
_NAME: Final = '<th style="text-align: left; font-weight: normal; padding: 0 1em 0 0; opacity: 0.7; vertical-align: top">'
_VALUE: Final = '<td style="text-align: left; padding: 0">'


def escape(text: object) -> str:
    """A text that a page shows as it is, without characters that turn or hide others."""
    return html.escape(escape_controls(str(text)))


def format_facts(heading: str, facts: Mapping[str, object], *parts: str) -> str:
    """A heading, a row for every fact, and further parts in HTML.

    Example:
        >>> format_facts("Study", {"images": 200}).count("<tr>")
        1

    Args:
        heading: a word.
        facts: names and values; long ones are cut in the middle, empty ones left out.
        *parts: HTML that is put below.
    """
    rows = [
        f"<tr>{_NAME}{escape(name)}</th>{_VALUE}{escape(cut_middle(str(value), LONGEST))}</td></tr>"
        for name, value in facts.items()
        if str(value)
    ]
    table = f"{_TABLE}{''.join(rows)}</table>" if rows else ""
    return f"<div><strong>{escape(heading)}</strong>{table}{''.join(parts)}</div>"
