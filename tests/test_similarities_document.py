"""docs/similarities.md has the facts that the scores say of themselves."""

from pathlib import Path

from zooscope.scores.registry import SIMILARITIES
from zooscope.scores.similarity import Similarity

DOCUMENT = (Path(__file__).parents[1] / "docs" / "similarities.md").read_text(encoding="utf-8")


def write_row(score: Similarity) -> str:
    """A score's row of the table."""
    cost = f"{score.passes_per_image} pass{'es' if score.passes_per_image > 1 else ''} per image" if score.passes_per_image else ""
    cells = (
        f"`{score.name}`",
        score.title,
        f"{score.lowest:g} to {score.highest:g}",
        "yes" if score.is_symmetric else "no",
        "more similar" if score.larger_is_more_similar else "less similar",
        "depends" if score.with_itself is None else f"{score.with_itself:g}",
        f"`--also {score.also}`" if score.also else "`measure`",
        cost or (f"{score.passes:,} passes" if score.passes else "none"),
        score.resampling,
    )
    return f"| {' | '.join(cells)} |"


def test_the_table_has_a_row_for_each_score() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert rows == [write_row(score) for score in SIMILARITIES.values()]
