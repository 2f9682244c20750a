"""`zooscope complete`: the similarities of all pairs, from those to a few landmarks."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.measuring import drop_none, split_names
from zooscope.cli.options import BatchSize, Confidence, Device, ExistingStudy, Json, Trust
from zooscope.errors import InvalidValueError
from zooscope.words import format_count, format_number, list_few, quote_path, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.completion import Completion
    from zooscope.analyses.rehearsal import Rehearsal
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope complete STUDY --measure 200"
BAND: Final = 0.9
NUM_ADVISED: Final = 200
MOST_NAMES: Final = 4

_Landmarks = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|NAMES",
        help="For a study in which all are attacked: rehearse with so many classifiers as landmarks, or with these (separated by "
        "commas), and compare with what is hidden.",
        show_default="the study's sources",
    ),
]
_Measure = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        help="Measure so many random pairs without a landmark first, both ways, into the study; those that are there count.",
        show_default=False,
    ),
]
_Extra = Annotated[
    int, typer.Option("--extra", metavar="NUMBER", help="In a rehearsal: random pairs without a landmark that are not hidden.")
]
_Pack = Annotated[
    Path | None,
    typer.Option(
        "--pack",
        metavar="FILE",
        help="The pack whose images --measure takes, if they are not at their address.",
        show_default=False,
    ),
]
_Method = Annotated[
    str | None, typer.Option("--method", metavar="NAME", help="additive, nystrom or regression.", show_default="the best one")
]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    study: Path
    completion: "Completion"
    rehearsal: "Rehearsal | None"
    advised: tuple[tuple[str, str], ...]


def complete(
    study: ExistingStudy,
    *,
    landmarks: _Landmarks = None,
    measure: _Measure = None,
    extra: _Extra = NUM_ADVISED,
    method: _Method = None,
    pack: _Pack = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    trust: Trust = False,
    confidence: Confidence = BAND,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Estimate the SAT of pairs that were not measured.

    Takes a study in which only some classifiers, the landmarks, were attacked: one of `probe run`, or of `measure --sources`. An
    additive model is the baseline that others have to beat. Random pairs without a landmark, measured both ways, fit it and give
    each estimate its interval: --measure measures them. A study in which all are attacked, or an imported matrix, is a rehearsal:
    with --landmarks it is completed as if the rest were not known, and compared with it.
    """

    def find() -> Answer:
        from zooscope.pictures.completion import make_completion_picture, make_rehearsal_picture
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        is_whole = opened.is_imported or len(opened.sources) == len(opened.names)
        if is_whole:
            found = _rehearse(
                study, opened, landmarks, measure=measure, extra=extra, method=method, confidence=confidence, seed=seed
            )
        else:
            if landmarks is not None:
                msg = f"the landmarks of {study} are its sources ({list_few(opened.sources, MOST_NAMES)}); leave --landmarks out."
                raise InvalidValueError(msg)
            if measure is not None:
                _measure(study, opened, measure, pack, seed=seed, device=device, trust=trust, **drop_none(batch_size=batch_size))
                opened = read_snapshot(study)
            found = _complete(study, opened, method=method, confidence=confidence, seed=seed)
        return Answer(
            text=lambda console: _print(console, found),
            values=lambda: _encode(found),
            picture=lambda: (
                make_completion_picture(found.completion) if found.rehearsal is None else make_rehearsal_picture(found.rehearsal)
            ),
        )

    run_analysis(find, as_json=as_json, out=out)


def _read_scores(opened: "Snapshot") -> "tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]":
    """SAT, one-sided SAT of the sources, and how often clean predictions agree; a published matrix has only the first."""
    import warnings

    import pandas as pd

    from zooscope.analyses.landmarks import measure_clean_agreement
    from zooscope.errors import OneSidedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OneSidedWarning)
        scores = pd.DataFrame(opened.sat(confidence=None).to_pandas())
    if opened.is_imported:
        return scores, None, None
    names = list(opened.names)
    agreement = pd.DataFrame(measure_clean_agreement(opened.predictions.clean), index=names, columns=names)
    return scores, pd.DataFrame(opened.one_sided().to_pandas()).loc[list(opened.sources)], agreement


def _complete(study: Path, opened: "Snapshot", *, method: str | None, confidence: float, seed: int) -> _Found:
    from zooscope.analyses.completion import complete_similarity, draw_pairs

    scores, one_sided, agreement = _read_scores(opened)
    found = complete_similarity(
        scores, opened.sources, one_sided=one_sided, clean=agreement, method=method, confidence=confidence, seed=seed
    )
    advised = () if found.num_extra else draw_pairs(opened.names, opened.sources, NUM_ADVISED, seed=seed)
    return _Found(study=study, completion=found, rehearsal=None, advised=advised)


def _rehearse(
    study: Path,
    opened: "Snapshot",
    landmarks: str | None,
    *,
    measure: int | None,
    extra: int,
    method: str | None,
    confidence: float,
    seed: int,
) -> _Found:
    from zooscope.analyses.rehearsal import rehearse_completion

    if landmarks is None or measure is not None:
        msg = (
            f"in {study} every pair is measured, so there is nothing to complete; to see how well a few landmarks would have done, "
            "say --landmarks NUMBER, without --measure."
        )
        raise InvalidValueError(msg)
    scores, one_sided, agreement = _read_scores(opened)
    chosen = _choose(opened, landmarks, seed=seed)
    found = rehearse_completion(
        scores,
        chosen,
        one_sided=None if one_sided is None else one_sided.loc[[name for name in opened.names if name in chosen]],
        clean=agreement,
        num_extra=extra,
        method=method,
        confidence=confidence,
        seed=seed,
    )
    return _Found(study=study, completion=found.completion, rehearsal=found, advised=())


def _choose(opened: "Snapshot", landmarks: str, *, seed: int) -> tuple[str, ...]:
    """Landmarks by name; or so many: by their clean predictions, or at random where these are not known."""
    import numpy as np

    from zooscope.analyses.landmarks import choose_landmarks

    if not landmarks.isdecimal():
        return tuple(split_names([landmarks]) or ())
    if not opened.is_imported:
        return choose_landmarks(opened.predictions.clean, int(landmarks), names=opened.names)
    count = int(landmarks)
    if not 1 <= count <= len(opened.names):
        msg = f"there must be between 1 and {len(opened.names)} landmarks, the number of classifiers: got {count}."
        raise InvalidValueError(msg)
    return tuple(np.random.default_rng(seed).permutation(sorted(opened.names))[:count].tolist())


def _measure(study: Path, opened: "Snapshot", count: int, pack: Path | None, *, seed: int, **how: Any) -> None:  # noqa: ANN401  (see `measure_pairs`)
    """Measures random pairs."""
    from zooscope.cli.progress import progress_bar

    with progress_bar() as listen:
        from zooscope.analyses.completion import draw_pairs
        from zooscope.probe.pack import Pack
        from zooscope.study.pairs import measure_pairs

        images = None if pack is None else Pack(pack).images
        measure_pairs(study, draw_pairs(opened.names, opened.sources, count, seed=seed), images=images, listen=listen, **how)


def _encode(found: _Found) -> dict[str, Any]:
    completion, rehearsal = found.completion, found.rehearsal
    names = list(completion.scores.index)
    return {
        "classifiers": names,
        "landmarks": list(completion.landmarks),
        "method": completion.method,
        "errors": completion.errors.reset_index(),
        "extra_pairs": completion.num_extra,
        "half_width": completion.half_width,
        "confidence": completion.confidence,
        "scores": completion.scores.to_numpy(),
        "kinds": completion.kinds.to_numpy(),
        "to_measure": [list(pair) for pair in found.advised],
        "rehearsal": None
        if rehearsal is None
        else {
            "rmse": rehearsal.rmse,
            "spearman": rehearsal.spearman,
            "coverage": rehearsal.coverage,
            "spread": rehearsal.spread,
            "pairs": len(rehearsal.pairs),
        },
    }


def _print(console: "Console", found: _Found) -> None:
    completion = found.completion
    names = list(map(str, completion.scores.index))
    short = shorten_names(names)
    counts = {kind: int((completion.kinds == kind).to_numpy().sum()) for kind in ("measured", "one-sided", "estimated")}
    counts["measured"] -= len(names)  # the diagonal
    parts = [f"{counts[kind] // 2} {kind}" for kind in counts if counts[kind]]
    console.print(
        f"{len(names)} classifiers, {format_count(len(completion.landmarks), 'landmark')}: "
        f"{list_few([short[name] for name in completion.landmarks], MOST_NAMES)}. Pairs: {', '.join(parts)}."
    )
    console.print()
    if len(completion.errors):
        numbers = ("RMSE", "Rank correlation")
        table = make_table("Method", *numbers, "", numbers=numbers)
        for method, row in completion.errors.iterrows():
            used = "used" if method == completion.method else ""
            table.add_row(str(method), format_number(row["rmse"]), format_number(row["spearman"]), used)
        console.print(table)
        console.print("On measured pairs without a landmark that it was not fitted to; RMSE in units of SAT (natural log).")
        if not completion.is_better_than_additive and len(completion.errors) > 1:
            console.print("No method beats the additive model in cross-validation, so the baseline is used.")
    else:
        console.print(
            f"Measured pairs without a landmark: {completion.num_extra}, too few to fit anything to, so the additive model "
            "alone is used."
        )
    if isfinite(completion.half_width):
        console.print(
            f"An estimate is off by at most {format_number(completion.half_width)} for {100 * completion.confidence:g} % of pairs "
            "(split conformal prediction)."
        )
    else:
        console.print("They are also too few to say how far an estimate may be off.")
    if found.advised:
        console.print(
            f"Measure some, such as {' and '.join(short[name] for name in found.advised[0])}: "
            f"`zooscope complete {quote_path(found.study)} --measure {len(found.advised)}`"
        )
    if found.rehearsal is not None:
        one = found.rehearsal
        console.print()
        console.print(
            f"Rehearsal: of the {len(one.pairs)} hidden pairs, estimates have RMSE {format_number(one.rmse)} (the mean of all has "
            f"{format_number(one.spread)}) and rank correlation {format_number(one.spearman)}; intervals hold "
            f"{'-' if one.coverage != one.coverage else f'{100 * one.coverage:.0f} %'}."
        )
