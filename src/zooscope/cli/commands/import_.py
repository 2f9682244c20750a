"""`zooscope import`: a study of published scores."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json

EXAMPLE: Final = "zooscope import sat.csv STUDY --components components.csv"

_Matrix = Annotated[
    Path,
    typer.Argument(
        metavar="MATRIX.csv",
        help="A square matrix of SAT (natural log), names in the header and in the first column; empty cells are unknown scores.",
        show_default=False,
    ),
]
_Study = Annotated[Path, typer.Argument(metavar="STUDY", help="The folder for the study; it is made.", show_default=False)]
_Components = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV with classifiers in the first column and a column per component.",
        show_default=False,
    ),
]


def import_(matrix: _Matrix, study: _Study, components: _Components = None, as_json: Json = False) -> None:
    """Make a study of a published matrix.

    Components may be written as in the paper's tables or in other ways (Pooling (stem), 2D SA, GELU, 1 for Yes). What is read as
    something else and what is not known is listed; unknown columns and values are kept.

    Commands that need only the matrix work on it: `show`, `clusters`, `components`, `map`, `teachers`. Others explain what they
    need.
    """
    from zooscope.analyses.matrix import read_matrix
    from zooscope.components.recognize import recognize_components
    from zooscope.components.table import read_component_table
    from zooscope.exchange.published import import_matrix
    from zooscope.study.snapshot import read_snapshot

    recognized = None if components is None else recognize_components(read_component_table(components))
    import_matrix(study, read_matrix(matrix), components=None if recognized is None else recognized.table)
    made = read_snapshot(study)
    names, known = made.names, made.components().notna().any(axis=1)
    if as_json:
        say_json(
            {
                "study": str(study),
                "classifiers": list(names),
                "with_components": [str(name) for name in known.index[known]],
                "changes": list(recognized.changes) if recognized else [],
                "unknown": list(recognized.unknown) if recognized else [],
            }
        )
        return
    say(f"{study}: {len(names)} classifiers, scores imported as published")
    if recognized is not None:
        for sentence in recognized.changes:
            say(f"Components: {sentence}")
        say(f"Components of {int(known.sum())} of them")
