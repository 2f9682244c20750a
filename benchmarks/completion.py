"""How well the similarities of all pairs are estimated from a few landmarks: error against cost, on matrices that are known.

    python benchmarks/completion.py
    python benchmarks/completion.py STUDY MATRIX.csv --draws 50 --out completion.png

Of each study or matrix all is hidden but the landmarks and some random pairs; the hidden pairs are estimated and compared with what
was measured. The tables of docs/completion.md are taken from what it prints; the last line is JSON. Means over draws: of landmarks
and extra pairs where landmarks are random, of extra pairs where they are chosen.
"""

import argparse
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from zooscope.analyses.completion import FEWEST_TO_FIT
from zooscope.analyses.landmarks import METHODS as LANDMARKS_BY
from zooscope.analyses.landmarks import choose_landmarks, measure_clean_agreement
from zooscope.analyses.matrix import make_square, read_matrix
from zooscope.analyses.pair_features import METHODS
from zooscope.analyses.rehearsal import Rehearsal, rehearse_completion
from zooscope.pictures.data import Band, Curves
from zooscope.pictures.draw import save
from zooscope.study.snapshot import Snapshot, read_snapshot

STUDIES: Final = Path(__file__).parents[1] / "docs" / "studies"
DEFAULTS: Final = ("tiny-networks", "resnet-one-seed", "cifar10", "fashion")
COUNTS: Final = (2, 4, 8, 16, 32)
CONFIDENCE: Final = 0.9
Z: Final = 1.96
SEED_OF_NAME: Final = re.compile(r"[-_]?seed\d+$")
BEST: Final = "best"
CHANCE: Final = "chance"


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """A matrix that is known.

    Attributes:
        name: for the tables.
        scores: of all pairs.
        one_sided: source by target; None of a published matrix.
        clean: agreement on clean images; likewise.
        predictions: on clean images; likewise.
        noise: typical standard error of a measured score: no estimate can be told from one that is nearer; NaN if unknown.
    """

    name: str
    scores: pd.DataFrame
    one_sided: pd.DataFrame | None = None
    clean: pd.DataFrame | None = None
    predictions: np.ndarray | None = None
    noise: float = float("nan")

    @property
    def names(self) -> list[str]:
        """The classifiers."""
        return list(self.scores.index)


def read_known(path: Path) -> Known:
    """A study's folder, or a CSV file with a square matrix."""
    if path.is_file():
        return Known(name=path.stem, scores=make_square(read_matrix(path).astype(float)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _take_study(path.name, read_snapshot(path))


def _take_study(name: str, study: Snapshot) -> Known:
    matrix = study.sat(confidence=None if study.is_imported else 0.95)
    scores = make_square(matrix.reset_coords(drop=True))
    if study.is_imported:
        return Known(name=name, scores=scores)
    names = list(study.names)
    agreement = measure_clean_agreement(study.predictions.clean)
    widths = (matrix.high - matrix.low).to_numpy()[~np.eye(len(names), dtype=bool)]
    return Known(
        name=name,
        scores=scores,
        one_sided=pd.DataFrame(study.one_sided().to_pandas()),
        clean=pd.DataFrame(agreement, index=names, columns=names),
        predictions=study.predictions.clean[[names.index(one) for one in scores.index]],
        noise=float(np.sqrt(np.mean((widths / (2 * Z)) ** 2))),
    )


def rehearse(
    known: Known, count: int, method: str, *, choice: str, is_one_sided: bool, num_extra: int, draws: int
) -> Iterator[Rehearsal]:
    """One rehearsal per draw."""
    for draw in range(draws):
        if choice != CHANCE and known.predictions is not None:
            landmarks = choose_landmarks(known.predictions, count, names=known.names, method=choice)
        else:
            landmarks = tuple(np.random.default_rng(draw).permutation(known.names)[:count].tolist())
        yield rehearse_completion(
            known.scores,
            landmarks,
            one_sided=known.one_sided.loc[sorted(landmarks)] if is_one_sided and known.one_sided is not None else None,
            clean=known.clean,
            num_extra=num_extra,
            method=None if method == BEST else method,
            confidence=CONFIDENCE,
            seed=draw,
        )


def find_recall(known: Known, found: Rehearsal) -> float:
    """Share of classifiers whose nearest one by the completed matrix is the nearest by the known one."""
    order = known.names
    completed = found.completion.scores.loc[order, order].to_numpy(copy=True)
    truth = known.scores.to_numpy(copy=True)
    for matrix in (completed, truth):
        np.fill_diagonal(matrix, -np.inf)
    others = ~np.isin(order, found.completion.landmarks)
    return float((completed.argmax(axis=1) == truth.argmax(axis=1))[others].mean())


def split_errors(found: Rehearsal) -> tuple[float, float, float]:
    """Mean error and RMSE of the pairs that differ in their seed alone, and RMSE of the others; NaN where there are none."""
    errors = (found.pairs["estimated"] - found.pairs["measured"]).to_numpy()
    bare = [[SEED_OF_NAME.sub("", name) for name in found.pairs[side]] for side in ("a", "b")]
    near = np.array([a == b for a, b in zip(*bare, strict=True)])
    if not near.any():
        return float("nan"), float("nan"), found.rmse
    return float(errors[near].mean()), float(np.sqrt(np.mean(errors[near] ** 2))), float(np.sqrt(np.mean(errors[~near] ** 2)))


def measure(known: Known, *, draws: int, num_extra: int) -> pd.DataFrame:
    """A row per number of landmarks, directions, choice of landmarks and method."""
    rows = []
    size = len(known.names)
    choices = [CHANCE] if known.predictions is None else [CHANCE, *LANDMARKS_BY]
    directions = [False] if known.one_sided is None else [True, False]
    for count in (one for one in COUNTS if one <= size / 2):
        others = size - count
        extra = min(num_extra, others * (others - 1) // 4)
        for is_one_sided in directions:
            for choice in choices:
                for method in (*METHODS, BEST) if extra >= 2 * FEWEST_TO_FIT else (BEST,):
                    found = list(
                        rehearse(
                            known,
                            count,
                            method,
                            choice=choice,
                            is_one_sided=is_one_sided,
                            num_extra=extra,
                            draws=draws,
                        )
                    )
                    rmse = np.array([one.rmse for one in found])
                    near = np.array([split_errors(one) for one in found])
                    tests = size * count + (0 if is_one_sided else count * others) + 2 * extra
                    rows.append(
                        {
                            "landmarks": count,
                            "known": "one way" if is_one_sided else "both ways",
                            "chosen by": choice,
                            "method": method,
                            "tests": 100 * tests / size**2,
                            "RMSE": rmse.mean(),
                            "low": np.quantile(rmse, 0.1),
                            "high": np.quantile(rmse, 0.9),
                            "rank": np.mean([one.spearman for one in found]),
                            "coverage": 100 * np.nanmean([one.coverage for one in found]),
                            "half-width": np.mean([one.completion.half_width for one in found]),
                            "nearest": 100 * np.mean([find_recall(known, one) for one in found]),
                            "seeds: bias": near[:, 0].mean(),
                            "seeds: RMSE": near[:, 1].mean(),
                            "baseline kept": 100 * np.mean([not one.completion.is_better_than_additive for one in found]),
                        }
                    )
    return pd.DataFrame(rows)


def draw_picture(known: Known, table: pd.DataFrame, file: Path) -> None:
    """RMSE against the number of landmarks, by method and by what is known of the landmarks."""
    curves = []
    for way in table["known"].unique():
        for method in METHODS:
            for choice in (CHANCE, LANDMARKS_BY[0]) if method == METHODS[-1] else (CHANCE,):
                rows = table[(table["known"] == way) & (table["chosen by"] == choice) & (table["method"] == method)]
                if len(rows):
                    x, y, low, high = (rows[column].to_numpy(np.float64) for column in ("landmarks", "RMSE", "low", "high"))
                    curves.append(Band(x=x, y=y, low=low, high=high, name=f"{way}: {method}, landmarks by {choice}"))
    x = np.array([curves[0].x[0], curves[0].x[-1]])
    off = ~np.eye(len(known.names), dtype=bool)
    for name, value in (
        ("mean of all pairs", float(np.std(known.scores.to_numpy()[off]))),
        ("standard error of a measured pair", known.noise),
    ):
        if np.isfinite(value):
            curves.append(Band(x=x, y=np.full(2, value), low=np.full(2, value), high=np.full(2, value), name=name))
    picture = Curves(
        title=f"{len(known.names)} classifiers ({known.name}): error of estimated SAT",
        x_label="landmarks",
        y_label="RMSE on hidden pairs (natural log)",
        curves=tuple(curves),
        logarithmic=frozenset({"x"}),
    )
    save(picture, file)


def show(known: Known, table: pd.DataFrame) -> None:
    """Prints a table as Markdown."""
    off = ~np.eye(len(known.names), dtype=bool)
    spread = float(np.std(known.scores.to_numpy()[off]))
    print(f"\n{known.name}: {len(known.names)} classifiers; standard deviation {spread:.3f}, standard error {known.noise:.3f}\n")
    digits = {"tests": 0, "coverage": 0, "nearest": 0, "baseline kept": 0}
    print(f"| {' | '.join(table.columns)} |\n|{'---|' * len(table.columns)}")
    for _, row in table.iterrows():
        cells = [
            f"{value:.{digits.get(str(column), 2)}f}" if isinstance(value, float) else str(value) for column, value in row.items()
        ]
        print(f"| {' | '.join(cells)} |")


def main(words: Sequence[str] | None = None) -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "matrices", nargs="*", type=Path, help="folders of studies, or CSV files; those of docs/studies if left out"
    )
    parser.add_argument("--draws", type=int, default=10, help="of landmarks and extra pairs")
    parser.add_argument("--extra", type=int, default=300, help="random pairs without a landmark that are known")
    parser.add_argument("--out", type=Path, help="draw the first matrix's errors")
    asked = parser.parse_args(words)
    given = asked.matrices or [STUDIES / name for name in DEFAULTS if (STUDIES / name).is_dir()]
    result = {}
    for place, path in enumerate(given):
        known = read_known(path)
        table = measure(known, draws=asked.draws, num_extra=asked.extra)
        show(known, table)
        if asked.out is not None and place == 0:
            draw_picture(known, table, asked.out)
        best = table[(table["method"] == BEST) & (table["chosen by"] == CHANCE)]
        result[known.name] = {
            f"{row['landmarks']} {row['known']}": [round(row["RMSE"], 3), round(row["coverage"])] for _, row in best.iterrows()
        }
    print(f"\n{json.dumps({'completion_rmse_and_coverage': result})}")


if __name__ == "__main__":
    main()
