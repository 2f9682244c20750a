"""The tables and the picture of docs/kin.md, from the studies that kin.py measured.

    python recipes/kin_tables.py --studies kin --out docs/kin.png

Prints what `zooscope kin` says of every copy, how often it calls classifiers derived that are not, by the number of seeds that it
compares with, and how well each score alone ranks copies above others; draws the ROC curves.
"""

import argparse
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from kin import BASES, SHORT
from scipy.stats import rankdata

import zooscope
from zooscope.analyses.kin import Kinship, find_kinship
from zooscope.pictures.data import Band, Curves
from zooscope.pictures.draw import save
from zooscope.scores.outcomes import find_outcomes, find_same_mistakes
from zooscope.study.kin import collect_evidence

ALPHA: Final = 0.05
FAMILIES: Final = {  # what the curves are drawn of
    "quantised": r"int\d",
    "pruned": r"pruned\d+",
    "pruned by 90 %": r"pruned90-tuned1",
    "noise up to 30 %": r"noise(3|10|30)",
    "noise of 60 %": r"noise60",
    "fine-tuned": r"tuned\d+",
    "fine-tuned at a large rate": r"retuned\d+",
    "distilled": r"student-convnext",
    "distilled, other architecture": r"student-resnet",
}
SEEDS: Final = 3  # of the curves
STEPS: Final = (0, 0.5, 1, 2, 3, 5, 7, 10, 15, *range(20, 101, 10))  # percent, at which they are drawn


class Case(NamedTuple):
    """A question to `zooscope kin`."""

    a: str
    b: str
    seeds: tuple[str, ...]
    kind: str


class Zoo:
    """A measured study with the seeds of its recipes."""

    def __init__(self, snapshot: zooscope.Snapshot, recipes: Sequence[Sequence[str]]) -> None:
        self.snapshot, self.recipes = snapshot, recipes
        self.mistakes, self.outcomes = find_same_mistakes(snapshot.predictions), find_outcomes(snapshot.predictions)
        self.architectures = {record.name: record.architecture for record in snapshot.classifier_records}

    def ask(self, case: Case, *, by_sat: bool = False) -> Kinship:
        """The answer."""
        outcomes = self.outcomes if by_sat else self.mistakes
        return find_kinship(outcomes, case.a, case.b, case.seeds, architectures=self.architectures, alpha=ALPHA)

    def find_copies(self, name: str) -> dict[str, str]:
        """What was derived of a classifier, by the change that was made."""
        start = f"{name.removeprefix('bundled:')}-"
        return {one.removeprefix(start): one for one in self.snapshot.names if one.startswith(start)}

    def iterate_derived(self, num_seeds: int | None = None) -> Iterator[Case]:
        """Every copy with its origin, with every choice of so many other seeds (all, if None)."""
        for seeds in self.recipes:
            for a in seeds:
                others = [one for one in seeds if one != a]
                for change, copy in self.find_copies(a).items():
                    for chosen in combinations(others, len(others) if num_seeds is None else num_seeds):
                        yield Case(a, copy, chosen, change)

    def iterate_seeds(self, num_seeds: int) -> Iterator[Case]:
        """Every two seeds of a recipe."""
        for seeds in self.recipes:
            for a, b in combinations(seeds, 2):
                for chosen in combinations([one for one in seeds if one not in {a, b}], num_seeds):
                    yield Case(a, b, chosen, "seed")

    def iterate_strangers(self, num_seeds: int) -> Iterator[Case]:
        """Every seed with the copies of another seed; the latter isn't compared with."""
        for seeds in self.recipes:
            for a in seeds:
                for origin in (one for one in seeds if one != a):
                    for change, copy in self.find_copies(origin).items():
                        for chosen in combinations([one for one in seeds if one not in {a, origin}], num_seeds):
                            yield Case(a, copy, chosen, change)

    def iterate_others(self, num_seeds: int) -> Iterator[Case]:
        """Every seed with every classifier of another architecture."""
        for seeds in self.recipes:
            for a in seeds:
                for b in self.snapshot.names:
                    if b.startswith("bundled:") and self.architectures[b] != self.architectures[a]:
                        for chosen in combinations([one for one in seeds if one != a], num_seeds):
                            yield Case(a, b, chosen, "other architecture")

    @cached_property
    def matrices(self) -> dict[str, np.ndarray]:
        """Every score of all pairs."""
        mistakes = self.snapshot.same_mistake(confidence=None).to_numpy()
        found = {"SAT": self.snapshot.sat(confidence=None).to_numpy(), "same mistakes": (mistakes + mistakes.T) / 2}
        others = {"kappa": "error_consistency", "CAPA": "capa", "CKA": "cka"}
        return found | {title: self.snapshot.similarity(name, confidence=None).to_numpy() for title, name in others.items()}

    def score(self, title: str, case: Case) -> float:
        """Of both."""
        return float(self.matrices[title][self.snapshot.names.index(case.a), self.snapshot.names.index(case.b)])


def print_copies(zoo: Zoo) -> None:
    """A row for every copy, compared with all other seeds."""
    accuracy = zoo.snapshot.classifiers()["clean_accuracy"]
    print("| A | B | accuracy of B, % | SAT | same mistakes, % | expected | kappa | CKA | p | answer |\n|" + "---|" * 10)
    for seeds in zoo.recipes:
        a = seeds[0]
        evidence = collect_evidence(zoo.snapshot, a, zoo.snapshot.names[-1], seeds[1:])["seeds_mean"].to_dict()
        short = a.removeprefix("bundled:")
        print(
            f"| {short} | other seeds, mean | {accuracy[list(seeds[1:])].mean():.0f} | {evidence['sat']:.2f} | "
            f"{evidence['same_mistake']:.0f} | | {evidence['error_consistency']:.2f} | {evidence['cka']:.2f} | | |"
        )
    for case in zoo.iterate_derived():
        found, row = zoo.ask(case), {title: zoo.score(title, case) for title in zoo.matrices}
        print(
            f"| {case.a.removeprefix('bundled:')} | {case.kind} | {accuracy[case.b]:.0f} | {row['SAT']:.2f} | {found.percent:.0f} "
            f"| {found.expected:.0f} | {row['kappa']:.2f} | {row['CKA']:.2f} | {found.p_value:.2g} | {found.relation} |"
        )


def print_rates(title: str, answers: Sequence[Kinship]) -> None:
    """How often each answer is given."""
    if answers:
        shares = [100 * np.mean([one.relation == relation for one in answers]) for relation in RELATIONS]
        print(f"| {title} | {len(answers)} | " + " | ".join(f"{share:.0f}" for share in shares) + " |")


RELATIONS: Final = ("derived", "same recipe", "independent", "not sure")


def measure_auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a copy has a larger score than another, by the sum of ranks."""
    ranks = rankdata([*positive, *negative])
    return float((ranks[: len(positive)].sum() / len(positive) - (len(positive) + 1) / 2) / len(negative))


def draw_curves(derived: dict[str, list[float]], negative: Sequence[float]) -> Curves:
    """Share of copies found, by the share of others that are called derived, both by p value."""
    x, lowest = np.array(STEPS, dtype=np.float64), np.sort(negative)
    curves = []
    for name, values in derived.items():
        # The largest bound on p at which no more than so many of the others are called derived.
        bounds = [lowest[most] if most < len(lowest) else np.inf for most in (len(lowest) * x / 100).astype(int)]
        y = np.array([100 * np.mean(np.array(values) < bound) for bound in bounds])
        curves.append(Band(x=x, y=y, low=np.full(len(y), np.nan), high=np.full(len(y), np.nan), name=name))
    return Curves(
        title=f"Copies found by zooscope kin, compared with {SEEDS} seeds",
        x_label="independent ones called derived, %",
        y_label="copies found, %",
        curves=tuple(curves),
    )


def main() -> None:
    """Prints the tables, draws the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    trios = [[f"bundled:{base}", f"bundled:{base}_seed1", f"bundled:{base}_seed2"] for base in BASES]
    short = Zoo(zooscope.read_snapshot(args.studies / "short"), [SHORT])
    bundled = Zoo(zooscope.read_snapshot(args.studies / "bundled"), trios)
    for zoo in (short, bundled):
        print_copies(zoo)
        print()
    print("| A and B | questions | " + " | ".join(f"{relation}, %" for relation in RELATIONS) + " |\n|" + "---|" * 6)
    for by_sat in (False, True):
        how = ", by SAT" if by_sat else ""
        for number in (2, 3, 4):
            seeds = f"{number} seeds{how}"
            for title, cases in {
                "copies": short.iterate_derived(number),
                "seeds of the recipe": short.iterate_seeds(number),
                "copies of another seed": short.iterate_strangers(number),
                "another architecture": short.iterate_others(number),
            }.items():
                print_rates(f"{title}; {seeds}", [short.ask(case, by_sat=by_sat) for case in cases])
        print_rates(f"bundled, copies; 2 seeds{how}", [bundled.ask(case, by_sat=by_sat) for case in bundled.iterate_derived(2)])
        print_rates(
            f"bundled, another architecture; 2 seeds{how}", [bundled.ask(case, by_sat=by_sat) for case in bundled.iterate_others(2)]
        )
    print()
    positive, negative = list(short.iterate_derived(SEEDS)), [*short.iterate_seeds(SEEDS), *short.iterate_strangers(SEEDS)]
    p_values = {case: short.ask(case).p_value for case in (*positive, *negative)}
    p_by_sat = {case: short.ask(case, by_sat=True).p_value for case in (*positive, *negative)}
    ranked = {
        "p of kin": {case: -p for case, p in p_values.items()},
        "the same by SAT": {case: -p for case, p in p_by_sat.items()},
        **{title: {case: short.score(title, case) for case in p_values} for title in short.matrices},
    }
    of_family = {name: [case for case in positive if re.fullmatch(pattern, case.kind)] for name, pattern in FAMILIES.items()}
    print("| AUC of | " + " | ".join(of_family) + " |\n|" + "---|" * (1 + len(of_family)))
    for title, scores in ranked.items():
        values = [
            measure_auc([scores[case] for case in cases], [scores[case] for case in negative]) if cases else np.nan
            for cases in of_family.values()
        ]
        print(f"| {title} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    derived = {name: [p_values[case] for case in cases] for name, cases in of_family.items() if cases}
    save(draw_curves(derived, [p_values[case] for case in negative]), args.out)


if __name__ == "__main__":
    main()
