"""The table of simulated rates in docs/kin.md: how often independent seeds are called derived, and copies found.

    python recipes/kin_rates.py

The attacks of two independent seeds fool both into the same class at a rate that is 0.5, plus a number for each of both (standard
deviation 0.05), plus one for the pair (standard deviation 0, 0.05 or 0.15, the scatter), for every image alike. A copy is 0.25
more alike with its origin.
"""

from typing import Final

import numpy as np

from zooscope.analyses.kin import Kinship, find_kinship
from zooscope.scores.outcomes import Outcomes

NUM_DRAWS: Final = 1000
NUM_COPIES: Final = 300
SPREAD: Final = 0.05
CLOSER: Final = 0.25
ENDS: Final = (0.02, 0.98)
ALPHA: Final = 0.05


def draw_rates(num_seeds: int, scatter: float, generator: np.random.Generator) -> np.ndarray:
    """Rates of A, B and the seeds."""
    size = num_seeds + 2
    each = generator.normal(0, SPREAD, size)
    pair = np.triu(generator.normal(0, scatter, (size, size)), 1)
    return np.clip(0.5 + each[:, None] + each + pair + pair.T, *ENDS)


def ask(rates: np.ndarray, num_images: int, generator: np.random.Generator) -> Kinship:
    """What is said of the first two."""
    names = tuple(map(str, range(len(rates))))
    fooled = generator.random((*rates.shape, num_images)) < rates[..., None]
    outcomes = Outcomes.from_flags(names, counted=np.ones(fooled.shape, dtype=bool), fooled=fooled)
    return find_kinship(outcomes, names[0], names[1], names[2:], alpha=ALPHA)


def main() -> None:
    """Prints a row for each number of images, of seeds, and scatter."""
    print(
        "| images | seeds | scatter, points | called derived, % | would be by images alone, % | called independent, % | "
        "copies found, % |\n|" + "---|" * 7
    )
    for num_images in (100, 300):
        for num_seeds in (2, 3, 5):
            for scatter in (0.0, 0.05, 0.15):
                generator = np.random.default_rng(0)
                found = [ask(draw_rates(num_seeds, scatter, generator), num_images, generator) for _ in range(NUM_DRAWS)]
                copies = []
                for _ in range(NUM_COPIES):
                    rates = draw_rates(num_seeds, scatter, generator)
                    rates[0, 1] = rates[1, 0] = min(ENDS[1], rates[0, 1] + CLOSER)
                    copies.append(ask(rates, num_images, generator))
                shares = [
                    np.mean([one.relation == "derived" for one in found]),
                    np.mean([one.p_images <= ALPHA for one in found]),
                    np.mean([one.relation == "independent" for one in found]),
                    np.mean([one.relation == "derived" for one in copies]),
                ]
                cells = " | ".join(f"{100 * share:.1f}" for share in shares)
                print(f"| {num_images} | {num_seeds} | {100 * scatter:.0f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
