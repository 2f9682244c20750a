"""The recipe of the table in docs/attack-settings.md: what the step size does to the scores of the bundled classifiers.

    python recipes/step_sizes.py --count 200

For each step size one study over the same classifiers and images, in memory; prints a Markdown table.
"""

import argparse
from fractions import Fraction
from typing import Final

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

import zooscope

CLASSIFIERS: Final = (
    "bundled:convnext",
    "bundled:convnext_seed1",
    "bundled:efficientnet",
    "bundled:vit",
    "bundled:vit_seed1",
    "bundled:mixer",
)
STEP_SIZES: Final = ("0.1", "8/255", "2/255", "1/255")


def main() -> None:
    """Measures and prints a row per step size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    images = zooscope.load_images("bundled:cifar10").sample(args.count, seed=0)
    classifiers = [zooscope.load_classifier(name) for name in CLASSIFIERS]
    apart = ~np.eye(len(classifiers), dtype=bool)
    reference: np.ndarray | None = None
    print(
        "| step size | white-box, least | others fooled, mean | SAT convnext, its seed 1 | SAT convnext, vit | rank correlation |"
    )
    print("|---|---|---|---|---|---|")
    for text in STEP_SIZES:
        attack = zooscope.attacks.LinfPGD(step_size=float(Fraction(text)))
        with zooscope.Study.in_memory(classifiers=classifiers, images=images, attack=attack) as study:
            study.run()
            transfer, sat = study.transfer().to_numpy(), study.sat()
        scores = sat.to_numpy()[apart]
        reference = scores if reference is None else reference
        ranks = spearmanr(reference, scores).statistic
        seeds, others = (sat.sel(a="bundled:convnext", b=name) for name in ("bundled:convnext_seed1", "bundled:vit"))
        print(
            f"| {text} | {transfer.diagonal().min():.0f} % | {transfer[apart].mean():.1f} % | {_format_score(seeds)} | "
            f"{_format_score(others)} | {ranks:.2f} |",
            flush=True,
        )


def _format_score(score: xr.DataArray) -> str:
    return f"{float(score):.2f} ({float(score.low):.2f} to {float(score.high):.2f})"


if __name__ == "__main__":
    main()
