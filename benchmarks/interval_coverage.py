"""How often intervals hold the truth: simulated studies whose true scores are known, as Markdown tables.

    python benchmarks/interval_coverage.py
    python benchmarks/interval_coverage.py --parts shares differences --times 1000

The tables of docs/intervals.md are taken from what it prints with --times 1000. Of intervals of 95 %, 93 to 97 % should hold the
truth; what lies outside is bold.
In brackets: in how many percent the truth is below the interval, and above it. Then the median width.

Images have an effect that all outcomes share: an image that is easy to fool is easy to fool in both directions, and through every
classifier. Outcomes are one where a normal variable is below the quantile of their share; `effect` is the correlation of two such
variables of one image. Clean predictions that are right are drawn in the same way, so that each pair counts other images.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from jaxtyping import Float, Int8
from scipy.special import betaincinv, ndtr, ndtri

from zooscope.analyses.averaging import CleanLogits
from zooscope.analyses.reductions import bootstrap_mean_reduction, bound_reductions
from zooscope.statistics.bootstrap import NUM_RESAMPLES, Interval, draw_weights, find_percentiles, resample_shares
from zooscope.statistics.combinations import Scale, bound_combinations
from zooscope.statistics.shares import bound_shares, measure_shares
from zooscope.statistics.trend import fit_trend

CONFIDENCE: Final = 0.95
Z: Final = float(ndtri((1 + CONFIDENCE) / 2))
TOLERANCE: Final = 0.02
CELLS: Final = 200  # simulated studies at once
EPSILON: Final = 1e-4
Counts = Int8[np.ndarray, "cell image"]
Ends = Callable[[Counts, Counts], Interval]


class Tally:
    """How often an interval held the truth, was above it, or below it."""

    def __init__(self, confidence: float = CONFIDENCE) -> None:
        self.confidence = confidence
        self.below, self.above, self.count = 0, 0, 0
        self.widths: list[float] = []

    def add(self, interval: Interval, truth: float) -> None:
        """Counts intervals of the same truth; an interval that is NaN doesn't hold it."""
        low, high = (np.ravel(end) for end in interval)
        self.count += len(low)
        self.below += int((low > truth + 1e-9).sum())
        self.above += int((~(high >= truth - 1e-9)).sum())
        self.widths += list((high - low)[np.isfinite(low)])

    def __str__(self) -> str:
        """Percent that hold the truth, bold where too few or too many; percent of misses to both sides; median width."""
        held = 1 - (self.below + self.above) / self.count
        mark = "" if abs(held - self.confidence) < TOLERANCE + EPSILON else "**"
        below, above = (100 * number / self.count for number in (self.below, self.above))
        return f"{mark}{100 * held:.1f}{mark} ({below:.1f}, {above:.1f}) {np.median(self.widths):.3g}"


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=sorted(PARTS), default=list(PARTS), metavar="PART")
    parser.add_argument("--times", type=int, default=200, help="simulated studies per row")
    arguments = parser.parse_args()
    for part in arguments.parts:
        print(f"\n## {part}\n")
        PARTS[part](max(1, arguments.times // CELLS))


def print_rows(axes: Iterable[str], rows: Iterator[tuple[tuple[object, ...], dict[str, Tally]]]) -> None:
    """A Markdown table, a row as soon as it is known."""
    heads: list[str] = []
    for places, tallies in rows:
        if not heads:
            heads = [*axes, *tallies]
            print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
        print("| " + " | ".join([*map(str, places), *map(str, tallies.values())]) + " |", flush=True)


def draw(
    shares: Iterable[float], num_images: int, effect: float, generator: np.random.Generator
) -> list[Int8[np.ndarray, "cell image"]]:
    """Outcomes of so many shares on the same images, whose effect they share."""
    common = generator.standard_normal((CELLS, num_images))
    return [
        (np.sqrt(effect) * common + np.sqrt(1 - effect) * generator.standard_normal(common.shape) < ndtri(share)).astype(np.int8)
        for share in shares
    ]


def simulate_pairs(
    shares: Iterable[tuple[float, float]], num_images: int, effect: float, right: float, generator: np.random.Generator
) -> list[tuple[Counts, Counts]]:
    """What is fooled and counted of pairs of the first classifier with each other one, by the shares of both directions."""
    shares = list(shares)
    flags = draw([each for pair in shares for each in pair], num_images, effect, generator)
    if right == 1:
        counted = [np.ones_like(flags[0])] * len(shares)
    else:
        clean = draw([right] * (1 + len(shares)), num_images, 0.3, generator)
        counted = [clean[0] * other for other in clean[1:]]
    return [(both * (there + back), 2 * both) for both, there, back in zip(counted, flags[::2], flags[1::2], strict=True)]


def check_shares(times: int) -> None:
    """SAT's share of one pair: kinds of intervals."""
    kinds: dict[str, Ends] = {
        "chosen": bound_shares,
        "percentile": lambda *cells: find_percentiles(resample_shares(*cells), CONFIDENCE),
        "BCa": bound_bca,
        "bootstrap-t": bound_studentised,
        "Wilson, effective": bound_wilson,
        "Korn-Graubard": bound_korn_graubard,
    }

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(0)
        for num_images in (30, 50, 100, 300, 1000, 5000):
            for share in (0.01, 0.03, 0.15, 0.5, 0.85, 0.97):
                for effect in (0.0, 0.4, 0.9):
                    tallies = {kind: Tally() for kind in kinds}
                    for _ in range(times if num_images < 5000 else 1):
                        ((fooled, counted),) = simulate_pairs(
                            [(share, share)], num_images, effect, 0.8 if effect == 0.4 else 1, generator
                        )
                        for kind, ends in kinds.items():
                            tallies[kind].add(ends(fooled, counted), share)
                    yield (num_images, f"{100 * share:g} %", effect), tallies

    print_rows(("images", "fooled", "effect"), rows())


def check_differences(times: int) -> None:
    """Differences log p(A, B) - log p(A, C), as `zooscope closer` takes it."""

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(1)
        for num_images in (30, 50, 100, 300, 1000):
            for first, second in ((0.5, 0.3), (0.3, 0.3), (0.9, 0.85), (0.15, 0.1), (0.05, 0.03), (0.4, 0.03)):
                for effect, right in ((0.0, 1), (0.3, 0.8), (0.7, 0.8)):
                    tallies = {"MOVER, logarithms": Tally(), "percentile": Tally()}
                    for _ in range(times):
                        pairs = simulate_pairs([(first, first), (second, second)], num_images, effect, right, generator)
                        truth = float(np.log(first / second))
                        tallies["MOVER, logarithms"].add(subtract(pairs, take_log), truth)
                        draws = [take_log(resample_shares(*pair)) for pair in pairs]
                        tallies["percentile"].add(find_percentiles(draws[0] - draws[1], CONFIDENCE), truth)
                    yield (num_images, f"{100 * first:g} and {100 * second:g} %", effect), tallies

    print_rows(("images", "fooled", "effect"), rows())


def check_errors(times: int) -> None:
    """Difference of the errors of two ensembles, as `zooscope select` takes it: both err, only one, only the other."""

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(2)
        for num_images in (30, 50, 100, 300, 1000):
            for both, first, second in ((0.2, 0.1, 0.05), (0.1, 0.05, 0.02), (0.05, 0.02, 0.02), (0.3, 0.03, 0.0)):
                tallies = {"MOVER": Tally(), "percentile": Tally()}
                for _ in range(times):
                    place = generator.random((CELLS, num_images))
                    flags = place < both + first, (place < both) | ((place >= both + first) & (place < both + first + second))
                    pairs = [(each.astype(np.int8), np.ones(place.shape, dtype=np.int8)) for each in flags]
                    tallies["MOVER"].add(subtract(pairs, lambda share: share), first - second)
                    draws = [resample_shares(*pair) for pair in pairs]
                    tallies["percentile"].add(find_percentiles(draws[0] - draws[1], CONFIDENCE), first - second)
                yield (num_images, f"{100 * both:g}, {100 * first:g}, {100 * second:g} %"), tallies

    print_rows(("images", "err: both, one, other"), rows())


def check_means(times: int) -> None:
    """Mean SAT and mean share over pairs, as `zooscope strategies` and `zooscope place` take them."""

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(3)
        scales: dict[str, Scale] = {"logarithms": take_log, "shares": lambda share: share}
        for num_images in (30, 100, 300, 1000):
            for share in (0.03, 0.08, 0.15, 0.5, 0.9):
                for num_pairs in (3, 10):
                    tallies = {
                        "logarithms": Tally(),
                        "percentile, logarithms": Tally(),
                        "shares": Tally(),
                        "percentile, shares": Tally(),
                    }
                    for _ in range(times):
                        pairs = simulate_pairs([(share, share)] * num_pairs, num_images, 0.4, 1, generator)
                        drawn = [resample_shares(*pair) for pair in pairs]
                        for name, scale in scales.items():
                            truth = float(scale(np.array([share]))[0])
                            tallies[name].add(combine(pairs, np.full(num_pairs, 1 / num_pairs), scale), truth)
                            mean = np.mean([scale(each) for each in drawn], axis=0)
                            tallies[f"percentile, {name}"].add(find_percentiles(mean, CONFIDENCE), truth)
                    yield (num_images, f"{100 * share:g} %", num_pairs), tallies

    print_rows(("images", "fooled", "pairs"), rows())


def check_reductions(times: int) -> None:
    """Error reduction rate of three members that vote; the mean over three ensembles that share members."""

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(4)
        groups = np.array([[0, 1, 2], [0, 3, 4], [1, 3, 4]])
        for num_images in (30, 50, 100, 300, 1000):
            for share, effect in ((0.3, 0.3), (0.1, 0.3), (0.1, 0.9), (0.05, 0.6)):
                tallies = {"MOVER, logarithms": Tally(), "mean of three": Tally()}
                node, weight = np.polynomial.hermite_e.hermegauss(101)
                errs = ndtr((ndtri(share) - np.sqrt(effect) * node) / np.sqrt(1 - effect))
                together = float((weight * (3 * errs**2 - 2 * errs**3)).sum() / weight.sum())
                for _ in range(times):
                    wrong = np.stack(draw([share] * 5, num_images, effect, generator), axis=1)
                    for each in wrong[: CELLS // 4]:
                        values = tuple(np.stack([1.0 - row, row], axis=1).astype(np.float16) for row in each)
                        logits = CleanLogits(names=tuple("abcde"), values=values, labels=np.zeros(num_images, dtype=np.int64))
                        right = each[groups].sum(axis=1) < 2
                        own = bound_reductions(logits, groups[:1], right[:1], confidence=CONFIDENCE)
                        low, high = bootstrap_mean_reduction(logits, groups, right, confidence=CONFIDENCE)
                        if each[groups[0]].any():
                            tallies["MOVER, logarithms"].add(own, 1 - together / share)
                        if np.isfinite(low):
                            tallies["mean of three"].add(Interval(np.array([low]), np.array([high])), 1 - together / share)
                yield (num_images, f"{100 * share:g} %", effect, f"{1 - together / share:.2f}"), tallies

    print_rows(("images", "members err", "effect", "ERR"), rows())


def check_trend(times: int) -> None:
    """Band of 90 % of the line through pairs of classifiers, at both ends of x, whose classifiers have effects on both scores."""

    def rows() -> Iterator[tuple[tuple[object, ...], dict[str, Tally]]]:
        generator = np.random.default_rng(5)
        for size in (5, 6, 8, 12, 20, 40):
            for effect in (0.0, 0.5, 0.9):
                tallies = {"at the left end": Tally(0.9), "in the middle": Tally(0.9)}
                for _ in range(times * 60):
                    first, noise = (simulate_matrix(size, effect, generator) for _ in range(2))
                    line = fit_trend(first, first + noise, num_resamples=400)
                    for name, place in (("at the left end", 0), ("in the middle", len(line.x) // 2)):
                        if np.isfinite(line.low).all():
                            band = Interval(line.low[[place]] - line.x[place], line.high[[place]] - line.x[place])
                            tallies[name].add(band, 0.0)
                yield (size, effect), tallies

    print_rows(("classifiers", "effect"), rows())


def simulate_matrix(size: int, effect: float, generator: np.random.Generator) -> Float[np.ndarray, "a b"]:
    """A symmetric matrix of scores: a sum of effects of both classifiers, and of their own."""
    own, single = generator.standard_normal((size, size)), generator.standard_normal(size)
    return np.asarray(
        np.sqrt(1 - effect) * np.triu(own, 1)
        + np.sqrt(1 - effect) * np.triu(own, 1).T
        + np.sqrt(effect / 2) * np.add.outer(single, single)
    )


def combine(pairs: list[tuple[Counts, Counts]], weights: Float[np.ndarray, " pair"], scale: Scale) -> Interval:
    """Intervals of a combination of several pairs, in each simulated study."""
    fooled, counted = (np.concatenate(each) for each in zip(*pairs, strict=True))
    together = np.kron(weights, np.eye(CELLS))
    return bound_combinations(fooled, counted, together, confidence=CONFIDENCE, scale=scale).interval


def subtract(pairs: list[tuple[Counts, Counts]], scale: Scale) -> Interval:
    """Intervals of the difference of two shares, in each simulated study."""
    return combine(pairs, np.array([1.0, -1.0]), scale)


def take_log(share: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Logarithm, cut below as SAT is."""
    return np.asarray(np.log(np.maximum(share, EPSILON)))


def bound_wilson(fooled: Counts, counted: Counts) -> Interval:
    """Wilson's interval with an effective number of images, as it is."""
    share, number = measure_shares(fooled, counted)
    middle, half = share + Z**2 / (2 * number), Z * np.sqrt(share * (1 - share) / number + Z**2 / (4 * number**2))
    return Interval((middle - half) / (1 + Z**2 / number), (middle + half) / (1 + Z**2 / number))


def bound_korn_graubard(fooled: Counts, counted: Counts) -> Interval:
    """Clopper and Pearson's interval with an effective number of images."""
    share, number = measure_shares(fooled, counted)
    hits, rest, tail = share * number, (1 - share) * number, (1 - CONFIDENCE) / 2
    low = np.where(hits > 0, betaincinv(np.maximum(hits, EPSILON), rest + 1, tail), 0)
    return Interval(low, np.where(rest > 0, betaincinv(hits + 1, np.maximum(rest, EPSILON), 1 - tail), 1))


def bound_bca(fooled: Counts, counted: Counts) -> Interval:
    """Efron's bias-corrected and accelerated bootstrap; with the ends of `bound_shares` where none or all are fooled."""
    draws, share = np.sort(resample_shares(fooled, counted), axis=0), fooled.sum(axis=1) / counted.sum(axis=1)
    residuals = fooled - share[:, None] * counted
    with np.errstate(divide="ignore", invalid="ignore"):
        acceleration = (residuals**3).sum(axis=1) / (6 * (residuals**2).sum(axis=1) ** 1.5)
        rank = ((draws < share - EPSILON**2).mean(axis=0) + (draws <= share + EPSILON**2).mean(axis=0)) / 2
        bias = ndtri(np.clip(rank, 1 / NUM_RESAMPLES, 1 - 1 / NUM_RESAMPLES))
        places = [ndtr(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in (-Z, Z)]
    none, exact = (residuals == 0).all(axis=1), bound_shares(fooled, counted)
    ends = []
    for place, end in zip(places, exact, strict=True):
        rank = np.nan_to_num(place) * (NUM_RESAMPLES - 1)
        below, cells = np.floor(rank).astype(int), np.arange(len(share))
        above = np.minimum(below + 1, NUM_RESAMPLES - 1)
        found = draws[below, cells] * (1 - rank + below) + draws[above, cells] * (rank - below)
        ends.append(np.where(none, end, found))
    return Interval(*ends)


def bound_studentised(fooled: Counts, counted: Counts) -> Interval:
    """Bootstrap-t; with the ends of `bound_shares` where none or all are fooled."""
    weights, share = draw_weights(fooled.shape[1]), fooled.sum(axis=1) / counted.sum(axis=1)
    hits, total, squares = (weights @ each.T.astype(np.float32) for each in (fooled, counted, fooled * (fooled / 1)))
    most = counted.max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = hits / total
        errors = np.sqrt(np.maximum(squares - drawn**2 * total * most, 0)) / total
        error = np.sqrt(((fooled - share[:, None] * counted) ** 2).sum(axis=1)) / counted.sum(axis=1)
        ratios = np.where(errors > 0, (drawn - share) / errors, 0)
    low, high = find_percentiles(ratios.astype(np.float64), CONFIDENCE)
    exact, none = bound_shares(fooled, counted), error == 0
    return Interval(np.where(none, exact.low, share - high * error), np.where(none, exact.high, share - low * error))


PARTS: Final[dict[str, Callable[[int], None]]] = {
    "shares": check_shares,
    "differences": check_differences,
    "errors": check_errors,
    "means": check_means,
    "reductions": check_reductions,
    "trend": check_trend,
}

if __name__ == "__main__":
    main()
