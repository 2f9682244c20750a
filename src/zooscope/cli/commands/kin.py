"""`zooscope kin`: is B derived from A, made by the same recipe, or independent?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import Answer, Out, make_table, run_analysis
from zooscope.cli.completion import complete_classifier
from zooscope.cli.groups import Groups, read_groups
from zooscope.cli.options import ExistingStudy, Json
from zooscope.errors import InvalidValueError
from zooscope.words import format_count, format_interval, format_number, list_few, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.kin import Kinship
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope kin STUDY timm:a timm:b --seeds timm:c timm:d"
ALPHA: Final = 0.05
SMALLEST_P: Final = 1e-4
FEW_SEEDS: Final = 2
MOST_NAMES: Final = 4
TITLES: Final = {
    "sat": "SAT",
    "same_mistake": "same mistakes, %",
    "error_consistency": "kappa",
    "capa": "CAPA",
    "cka": "CKA",
    "gradient_cosine": "gradient cosine",
}

_A = Annotated[
    str, typer.Argument(metavar="A", help="A classifier of the study.", show_default=False, autocompletion=complete_classifier)
]
_B = Annotated[
    str,
    typer.Argument(metavar="B", help="One that may be derived from it.", show_default=False, autocompletion=complete_classifier),
]
_Seeds = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME...",
        help="Two or more classifiers of the study, trained by the recipe of A from other seeds, and not derived from it. Write "
        "A and B first. Without any, the group of A is taken (see --groups).",
        show_default=False,
        autocompletion=complete_classifier,
    ),
]
_Alpha = Annotated[float, typer.Option(metavar="SHARE", help="How often independent seeds may be called derived.")]


def kin(
    study: ExistingStudy,
    a: _A,
    b: _B,
    *,
    seeds: _Seeds = None,
    groups: Groups = None,
    alpha: _Alpha = ALPHA,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Say whether B is derived from A.

    Derived (a copy that was fine-tuned, quantised, pruned, distilled), another seed of the same recipe, or independent: by the
    share of attacked images that both take for the same wrong class, compared with two or more other seeds of the recipe, which
    must be in the study. Which of both came first can't be told.
    """

    def find() -> Answer:
        from zooscope.analyses.kin import find_kinship
        from zooscope.pictures.kin import make_kin_picture
        from zooscope.scores.outcomes import find_same_mistakes
        from zooscope.study.kin import collect_evidence
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        opened.require_measured("predictions")
        for name in (a, b, *(seeds or ())):
            opened.require_known(name)
        architectures = {record.name: record.architecture for record in opened.classifier_records}
        chosen = tuple(seeds) if seeds else _find_seeds(opened, a, b, groups, architectures)
        found = find_kinship(find_same_mistakes(opened.predictions), a, b, chosen, architectures=architectures, alpha=alpha)
        evidence = collect_evidence(opened, a, b, chosen)
        return Answer(
            text=lambda console: _print(console, opened, (a, b), found, evidence),
            values=lambda: _encode(opened, (a, b), found, evidence),
            picture=lambda: make_kin_picture(a, b, found),
        )

    run_analysis(find, as_json=as_json, out=out)


def _find_seeds(study: "Snapshot", a: str, b: str, groups: Path | None, architectures: dict[str, str]) -> tuple[str, ...]:
    """The others of the group of A, or of B where A has none.

    Raises:
        InvalidValueError: none has a group.
    """
    group_of = read_groups(study, groups)
    group = group_of.get(a) or group_of.get(b)
    if group:
        return tuple(name for name in study.names if group_of.get(name) == group and name not in {a, b})
    alike = [name for name in study.names if architectures[name] == architectures[a] and name not in {a, b}]
    named = f" Of the architecture of {a} are {list_few(alike, MOST_NAMES)}." if alike else ""
    msg = (
        f"nothing is known of other seeds of {a}, to compare with: name two or more classifiers of the study that were trained by "
        f"its recipe from other seeds (--seeds NAME...), or measure some.{named}"
    )
    raise InvalidValueError(msg)


def _print(console: "Console", study: "Snapshot", names: tuple[str, str], found: "Kinship", evidence: "pd.DataFrame") -> None:
    short = shorten_names([*names, *found.seeds])
    a, b = (short[name] for name in names)
    console.print(
        {
            "derived": f"{b} is derived from {a}, or {a} from {b}, or both from a third one: {found.reason}.",
            "same recipe": f"{a} and {b} are made by the same recipe from other seeds: {found.reason}.",
            "independent": f"{a} and {b} are independent: {found.reason}.",
            "not sure": f"Not sure how {a} and {b} are related: {found.reason}.",
        }[found.relation]
    )
    console.print()
    made = make_table("Score", "This pair", "Seeds, mean", "lowest to highest", numbers=("This pair", "Seeds, mean"))
    for score, row in evidence.iterrows():
        made.add_row(
            TITLES[str(score)],
            format_number(row["both"]),
            format_number(row["seeds_mean"]),
            format_interval(row["seeds_low"], row["seeds_high"]),
        )
    console.print(made)
    console.print()
    seeds = list_few([short[name] for name in found.seeds], MOST_NAMES)
    console.print(
        f"Same mistakes: {found.percent:.0f} %; {found.expected:.0f} % is expected of independent seeds that are as alike with "
        f"{seeds}. p {_format_p(found.p_value)}, the larger of two: other images {_format_p(found.p_images)}, other seeds "
        f"{_format_p(found.p_seeds)}."
    )
    console.print(
        f"Null: both are independent seeds of one recipe; at most {100 * found.alpha:g} % of such pairs are called derived. "
        f"{format_count(study.num_images, 'image')}, {format_count(len(found.seeds), 'seed')} to compare with."
    )
    if len(found.seeds) <= FEW_SEEDS:
        console.print("With two seeds p is rarely below 0.005, and copies may be missed; a third one helps much.")


def _format_p(p_value: float) -> str:
    return "< 0.0001" if p_value < SMALLEST_P else f"= {p_value:.2g}"


def _encode(study: "Snapshot", names: tuple[str, str], found: "Kinship", evidence: "pd.DataFrame") -> dict[str, Any]:
    return {
        "study": study.place,
        "a": names[0],
        "b": names[1],
        "relation": found.relation,
        "reason": found.reason,
        "p_value": found.p_value,
        "p_images": found.p_images,
        "p_seeds": found.p_seeds,
        "p_less_alike": found.p_less_alike,
        "false_positive_rate": found.alpha,
        "null": "independent seeds of one recipe",
        "same_mistakes": found.percent,
        "expected": found.expected,
        "evidence": evidence.reset_index(),
        "seeds": found.seeds,
        "pairs": found.pairs,
        "as_near": found.others,
        "num_others": found.num_others,
        "images": study.num_images,
    }
