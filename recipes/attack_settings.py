"""The recipe of the table in docs/attack-settings.md: what an attack and its settings do to the scores of the bundled classifiers.

    python recipes/attack_settings.py --out attacks
    python recipes/attack_settings.py --out attacks --only step-2 momentum

For each attack one study of the same classifiers and images, in a folder of its own below `--out`. Killed and started again, it
goes on where it was. Prints a Markdown table, with a row per attack; the default attack, `step-0.1`, is always measured, as others
are compared with it.
"""

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zooscope.images.torchvision_operators

import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from scipy.stats import spearmanr
from torch import Tensor

import zooscope
from zooscope.analyses import measure_agreement
from zooscope.attacks import Attack, Attacked, AutoAttack, LinfPGD, PatchFool, register
from zooscope.attacks.registry import change_attack
from zooscope.classifiers.bundled.cards import read_cards
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import OneSidedWarning, WeakSourceWarning

CLASSIFIERS: Final = tuple(f"bundled:{name}" for name, card in read_cards().items() if not card.is_robust)
IMAGES: Final = "bundled:cifar10"
COUNT: Final = 160
BATCH_SIZE: Final = 100
DEFAULT: Final = "step-0.1"
LEVELS: Final = 255


@register
@dataclass(frozen=True, kw_only=True)
class Rounded(Attack):
    """Another attack, its pixels rounded to the nearest multiples of 1/255 before any classifier is tested on them.

    The facts are left out: they are of the pixels before they are rounded. Where clean pixels and epsilon are multiples of 1/255,
    rounded pixels stay in the ball.
    """

    rounded: Attack

    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Attacked:
        """Rounded pixels; see `Attack.perturb`."""
        return Attacked((self.rounded.perturb(classifier, pixels, labels, seeds).pixels * LEVELS).round() / LEVELS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table: what it is called there, its attack, and who is attacked (all, if empty)."""

    title: str
    attack: Attack
    sources: tuple[str, ...] = ()


VITS: Final = ("bundled:vit", "bundled:vit_seed1", "bundled:vit_seed2")
SMALL: Final = LinfPGD(step_size=2 / 255)
TEN: Final = LinfPGD(step_size=0.8 / 255, iterations=10, momentum=1.0)
LATEST: Final = AutoAttack(iterations=50)
ROWS: Final = {
    DEFAULT: Row(title="`LinfPGD` (default): step 0.1", attack=LinfPGD()),
    "step-8": Row(title="step 8/255", attack=LinfPGD(step_size=8 / 255)),
    "step-2": Row(title="step 2/255", attack=SMALL),
    "step-1": Row(title="step 1/255", attack=LinfPGD(step_size=1 / 255)),
    "margin": Row(title="step 2/255, `loss=margin`", attack=change_attack(SMALL, {"loss": "margin"})),
    "momentum": Row(title="step 2/255, `momentum=1`", attack=change_attack(SMALL, {"momentum": 1.0})),
    "diversity": Row(title="step 2/255, `diversity=0.5`", attack=change_attack(SMALL, {"diversity": 0.5})),
    "smoothed": Row(title="step 2/255, `kernel_size=15`", attack=change_attack(SMALL, {"kernel_size": 15})),
    "ten": Row(title="step 0.8/255, `momentum=1`, 10 iterations", attack=TEN),
    "ten-rounded": Row(title="the same, rounded to 8 bits", attack=Rounded(rounded=TEN)),
    "autoattack": Row(title="`AutoAttack`, 50 iterations", attack=LATEST),
    "autoattack-rounded": Row(title="the same, rounded to 8 bits", attack=Rounded(rounded=LATEST)),
    "autoattack-strongest": Row(title="the same, `keep=strongest`", attack=change_attack(LATEST, {"keep": "strongest"})),
    "patch": Row(title="`PatchFool`, one patch, 50 iterations", attack=PatchFool(iterations=50), sources=VITS),
    "patches": Row(title="`PatchFool`, four patches, 50 iterations", attack=PatchFool(iterations=50, num_patches=4), sources=VITS),
}


def measure(
    folder: Path,
    attack: Attack,
    *,
    classifiers: Sequence[str | Classifier] = CLASSIFIERS,
    sources: Sequence[str] = (),
    images: str = IMAGES,
    count: int = COUNT,
    batch_size: int = BATCH_SIZE,
) -> zooscope.Snapshot:
    """What a study holds, measured as far as it isn't yet."""
    chosen = zooscope.load_images(images).sample(count, seed=0)
    if zooscope.Study.exists(folder):
        handed = [one for one in classifiers if isinstance(one, Classifier)]
        study = zooscope.Study.open(folder, images=chosen, classifiers=handed)
        study.require(attack=attack)
    else:
        study = zooscope.Study.create(
            folder, classifiers=list(classifiers), images=chosen, attack=attack, sources=list(sources) or None
        )
    with study:
        study.run(device="cpu", batch_size=batch_size)
        return study.snapshot()


def describe(row: Row, snapshot: zooscope.Snapshot, default: zooscope.Snapshot) -> str:
    """The cells of a row; those that need both directions are empty where few are attacked."""
    transfer = snapshot.transfer().to_numpy()
    apart = ~np.eye(len(transfer), dtype=bool) & np.isfinite(transfer)
    start = f"| {row.title} | {np.nanmin(transfer.diagonal()):.0f} | {transfer[apart].mean():.1f} |"
    if row.sources:
        ranks = spearmanr(transfer[apart], default.transfer().to_numpy()[apart]).statistic
        return f"{start} - | - | {ranks:.2f} (one-sided) |"
    sat = snapshot.sat()
    scores = (sat.sel(a="bundled:convnext", b=name) for name in ("bundled:convnext_seed1", "bundled:vit"))
    spearman = measure_agreement(default.sat(), sat).spearman
    return f"{start} {' | '.join(map(_format_score, scores))} | {spearman.r:.2f} ({spearman.p_mantel:.4f}) |"


def _format_score(score: xr.DataArray) -> str:
    return f"{float(score):.2f} ({float(score.low):.2f} to {float(score.high):.2f})"


def main() -> None:
    """Measures the attacks, and prints a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--count", type=int, default=COUNT)
    args = parser.parse_args()
    warnings.simplefilter("ignore", WeakSourceWarning)
    warnings.simplefilter("ignore", OneSidedWarning)
    default = measure(args.out / DEFAULT, ROWS[DEFAULT].attack, count=args.count)
    print(
        "| attack | white-box, least, % | others fooled, mean, % | SAT convnext, its seed 1 | SAT convnext, vit | "
        "rank correlation (p) |\n|---|---|---|---|---|---|"
    )
    for name in args.only:
        row = ROWS[name]
        snapshot = measure(args.out / name, row.attack, sources=row.sources, count=args.count)
        print(describe(row, snapshot, default), flush=True)


if __name__ == "__main__":
    main()
