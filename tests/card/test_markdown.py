"""A card is read by a Markdown parser of its own: what it shows is what was measured, whatever names hold."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from zooscope.card import collect_card, format_card
from zooscope.study.snapshot import read_snapshot
from zooscope.words import escape_controls, quote_markdown

HOSTILE = (
    "a|b",
    "`code`",
    "``",
    "\\|",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "<img src=x onerror=alert(1)>",
    "</code><script>alert(1)</script>",
    "**bold** _it_ ~s~ #h @you $x$ &lt;",
    " - spaces ",
    "new\n\n# line",
    "https://example.org",
    "\u202egnitset",
)


class Page(HTMLParser):
    """What a reader of the rendered Markdown sees."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.codes: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown))
        self.rows = [[cell.rstrip("\n") for cell in row] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in {"style", "href", "class"} for name, _ in attrs)
        if tag == "code":
            self.codes.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "code" and self.codes:
            self.codes[-1] += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self.tags.append("")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_quoted_name_is_one_piece_of_code(name: str) -> None:
    for text in (quote_markdown(name), f"| {quote_markdown(name)} | 1 |\n| --- | --- |\n"):
        page = Page(text)
        assert page.codes == [escape_controls(name)]
        assert {"a", "img", "script", "strong", "em", "s", "h1"}.isdisjoint(page.tags)


def test_a_card_shows_hostile_names_and_nothing_of_them_runs(tmp_path: Path) -> None:
    write_study(tmp_path, HOSTILE)
    card = collect_card(read_snapshot(tmp_path), HOSTILE[0])
    page = Page(format_card(card))
    assert {"img", "script", "em", "h1"}.isdisjoint(page.tags)
    assert page.tags.count("h2") == 1
    shown = [row[0] for row in page.rows if row[0] != "classifier"]
    assert shown == [escape_controls(one.name) for one in (*card.nearest, *card.least_alike)]
    assert all(len(row) == 4 for row in page.rows)


def test_the_card_says_what_was_measured(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"), num_images=600)
    card = collect_card(read_snapshot(tmp_path), "a")
    text = format_card(card)
    first = card.nearest[0]
    assert f"| `b` | {first.sat:.2f} | {first.low:.2f} to {first.high:.2f} | {first.percent:.1f} % |" in text
    assert "The nearest is certain on these 600 images: every other classifier is farther." in text
    assert "- attack: `LinfPGD (epsilon 8/255, step size 0.1, iterations 50)`" in text
    assert f"- images: `bundled:cifar10`, 600, seed 0, SHA-256 `{card.image_digest}`" in text
    assert any(" zooscope measure " in code for code in Page(text).codes)


def test_a_nearest_that_is_not_certain_is_named_with_its_rivals(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"), num_images=9)
    assert "these 9 images don't tell `b` apart from `c`." in format_card(collect_card(read_snapshot(tmp_path), "a"))


def test_an_imported_card_has_no_column_of_intervals(tmp_path: Path) -> None:
    text = format_card(collect_card(read_snapshot(write_imported(tmp_path / "study")), "network 03"))
    assert Page(text).rows[0] == ["classifier", "SAT", "fooled"]
    assert "imported from a published matrix, which has no intervals" in text


def test_no_fence_is_ended_by_what_is_in_the_command(tmp_path: Path) -> None:
    write_study(tmp_path / "```\n# x", ("a", "b"))
    page = Page(format_card(collect_card(read_snapshot(tmp_path / "```\n# x"), "a")))
    assert "h1" not in page.tags
    assert any("'```\\n# x'" in code for code in page.codes)
