"""`zooscope components STUDY`: which components explain a study's scores."""

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.guesses import Guesses, find_guesses
from zooscope.cli.leaving_out import ComponentsFile, LeaveOut, read_scores, require_components
from zooscope.cli.options import ExistingStudy, Json
from zooscope.words import shorten_names

if TYPE_CHECKING:
    from rich.console import Console

    from zooscope.analyses.importance import Importance

EXAMPLE: Final = "zooscope components STUDY --components components.csv --out importance.png"

_Collapse = Annotated[
    bool, typer.Option("--collapse", help="Merge values that refine yes or no: Yes (ECA) and Yes (SE) become Yes.")
]
_Permutations = Annotated[
    int, typer.Option("--permutations", metavar="NUMBER", help="Permutations of the classifiers for p values.")
]
_Folds = Annotated[int, typer.Option("--folds", metavar="NUMBER", help="Number of groups in which classifiers are held out.")]


def importance(
    study: ExistingStudy,
    *,
    components: ComponentsFile = None,
    collapse: _Collapse = False,
    leave_out: LeaveOut = None,
    folds: _Folds = 5,
    permutations: _Permutations = 1999,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure which architectural components explain SAT.

    A gradient boosting regressor predicts SAT from the components that two classifiers have in common. A component's importance
    is the drop in the share of variance explained (R2) when that component is shuffled: on the training pairs, as in the paper,
    and on pairs with a held-out classifier. p values come from permuting classifiers (Mantel).
    """

    def find() -> Answer:
        from zooscope.analyses.importance import measure_component_importance
        from zooscope.pictures.importance import make_importance_picture
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        found = measure_component_importance(
            read_scores(opened, leave_out),
            require_components(opened, components),
            collapse=collapse,
            num_folds=folds,
            num_permutations=permutations,
            seed=seed,
        )
        kept = [name for name in opened.names if name not in {*(leave_out or ()), *found.left_out}]
        guesses = find_guesses(opened, components, kept)
        marked = replace(found, components=found.components.rename(index=guesses.mark_component))
        return Answer(
            text=lambda console: _print(console, marked, guesses),
            values=lambda: {**_encode(found), "guesses": guesses.by_component},
            picture=lambda: make_importance_picture(marked),
        )

    run_analysis(find, as_json=as_json, out=out)


def _encode(found: "Importance") -> dict[str, Any]:
    rows = found.components
    return {
        "importance": {name: {"mean": row["mean"], "std": row["std"]} for name, row in rows.iterrows()},
        "held_out": {name: {"mean": row["held_out_mean"], "std": row["held_out_std"]} for name, row in rows.iterrows()},
        "r2": {"in_sample": found.r2_in_sample, "held_out": found.r2_held_out},
        "correlation": rows["correlation"],
        "p_value": rows["p_value"],
        "num_pairs": found.num_pairs,
        "num_folds": found.num_folds,
        "num_permutations": found.num_permutations,
        "constant": list(found.constant),
        "left_out": list(found.left_out),
    }


def _print(console: "Console", found: "Importance", guesses: Guesses) -> None:
    console.print(
        f"Importance of components, over {found.num_pairs} pairs of classifiers: R2 = {found.r2_in_sample:.2f} on the training "
        f"pairs, {found.r2_held_out:.2f} on pairs with a held-out classifier (in {found.num_folds} groups)."
    )
    console.print()
    numbers = ("Importance", "Held out", "r", "p")
    made = make_table("Component", *numbers, numbers=numbers)
    for name, row in found.components.iterrows():
        made.add_row(
            str(name),
            f"{row['mean']:.3f} ± {row['std']:.3f}",
            f"{row['held_out_mean']:.3f} ± {row['held_out_std']:.3f}",
            "-" if isnan(row["correlation"]) else f"{row['correlation']:.2f}",
            "-" if isnan(row["p_value"]) else f"{row['p_value']:.2g}",
        )
    console.print(made)
    console.print()
    console.print(
        "Importance: drop in R2 when the component is shuffled, with its standard deviation. r: correlation of having it in common "
        f"and SAT; p: how often {found.num_permutations} permutations of classifiers give as much (not corrected for several "
        "components)."
    )
    if found.r2_held_out < found.r2_in_sample / 2:
        console.print("Note: the prediction is much worse for held-out classifiers; trust the column `Held out`.")
    if guesses.by_component:
        console.print(guesses.describe())
    if found.constant:
        console.print(f"Note: left out, because all classifiers have the same value: {', '.join(found.constant)}.")
    if found.left_out:
        console.print(
            f"Note: classifiers left out, because a component is not known: {', '.join(shorten_names(found.left_out).values())}."
        )
