"""The pictures of docs/how-sat-works.md, from bundled classifiers, bundled images and the record in docs/studies/cifar10.

    python recipes/how_sat_works.py --out docs/how-sat-works

Attacks two images anew, which takes some seconds; all else is read from the record.
"""

import argparse
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import zooscope.images.torchvision_operators

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import zooscope
from zooscope.measurements.predict import predict
from zooscope.outputs import write_whole
from zooscope.pictures.colours import GROUPS
from zooscope.pictures.printed import STYLE
from zooscope.report.pixels import amplify

STUDY: Final = Path("docs/studies/cifar10")
IMAGES: Final = (203, 246)  # rows of the record: a horse and a truck that all twelve classifiers get right
SOURCES: Final = ("bundled:vit", "bundled:convnext")
TARGETS: Final = (
    "bundled:vit",
    "bundled:vit_seed1",
    "bundled:mixer",
    "bundled:swin",
    "bundled:resnet",
    "bundled:convnext",
    "bundled:convnext_seed1",
    "bundled:efficientnet",
)
PAIRS: Final = (("vit", "vit_seed1"), ("vit", "mixer"), ("vit", "convnext"))
NAMED: Final = (("vit", "vit_seed2"), ("vit", "mixer"), ("vit", "convnext"), ("efficientnet", "vit"))
FOOLED, RIGHT, LINE = GROUPS[1], GROUPS[0], "#888888"
COLOURS: Final = 128  # of a picture's palette
AMPLIFIED: Final = 11  # 8/255 becomes about a third
SMALL: Final = 8.5  # points


def main() -> None:
    """Draws the three pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/how-sat-works"))
    args = parser.parse_args()
    snapshot = zooscope.read_snapshot(STUDY)
    with mpl.rc_context(STYLE):
        for name, drawn in (
            ("attack", draw_attacks(snapshot)),
            ("transfer", draw_transfer(snapshot)),
            ("score", draw_score(snapshot)),
        ):
            write_whole(args.out / f"{name}.png", partial(save_small, drawn))


def save_small(drawn: Figure, file: Any) -> None:  # noqa: ANN401  (any binary file)
    """A figure as a PNG of few colours, a third as large."""
    whole = BytesIO()
    drawn.savefig(whole, format="png")
    shown = Image.open(whole).convert("RGB")
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(file, format="png", optimize=True)


def draw_attacks(snapshot: zooscope.Snapshot) -> Figure:
    """Each image attacked through each source: clean, change, attacked, and what the targets say."""
    images = zooscope.load_images("bundled:cifar10")
    sample = images.take([images.ids.index(snapshot.image_ids[place]) for place in IMAGES])
    classifiers = {name: zooscope.load_classifier(name) for name in TARGETS}
    labels = torch.from_numpy(sample.labels)
    names = sample.class_names
    num_rows = len(IMAGES) * len(SOURCES)
    drawn = Figure((9.6, 1.75 * num_rows + 0.35), layout="constrained", dpi=100)
    cells = drawn.subplots(num_rows, 4, width_ratios=(1, 1, 1, 2.6), squeeze=False)
    for column, title in enumerate(
        ("image", f"what the attack adds, x {AMPLIFIED}", "attacked image", "what each classifier says of it")
    ):
        cells[0, column].set_title(title, fontsize=10)
    for which, source in enumerate(SOURCES):
        clean = sample.pixels(classifiers[source])
        attacked = zooscope.attacks.LinfPGD().perturb(classifiers[source], clean, labels).pixels
        changes = (attacked - clean).numpy()
        for image in range(len(IMAGES)):
            row = cells[image * len(SOURCES) + which]
            for cell, shown in zip(
                row, (clean[image].numpy(), amplify(changes[image], AMPLIFIED), attacked[image].numpy()), strict=False
            ):
                show_pixels(cell, shown)
            row[0].set_ylabel(f"made for\n{short(source)}", fontsize=10)
            said = [int(predict(classifier, attacked[[image]], batch_size=1)[0]) for classifier in classifiers.values()]
            show_answers(row[3], [names[answer] for answer in said], names[int(labels[image])])
    return drawn


def short(name: str) -> str:
    """A bundled classifier's name without its provider."""
    return name.removeprefix("bundled:")


def show_pixels(cell: Axes, pixels: np.ndarray) -> None:
    """Pixels (channel, height, width) as squares."""
    cell.imshow(pixels.transpose(1, 2, 0), interpolation="nearest")
    cell.set(xticks=(), yticks=())
    cell.spines[:].set_visible(False)


def show_answers(cell: Axes, said: list[str], label: str) -> None:
    """What the targets say, in two columns."""
    cell.axis("off")
    cell.set(xlim=(0, 2), ylim=(4, 0))
    for place, (name, answer) in enumerate(zip(TARGETS, said, strict=True)):
        left, line = place // 4, place % 4 + 0.5
        colour, weight = (RIGHT, "normal") if answer == label else (FOOLED, "bold")
        cell.text(left + 0.02, line, short(name), fontsize=SMALL, va="center")
        cell.text(left + 0.6, line, answer, fontsize=SMALL, va="center", color=colour, weight=weight)


def draw_transfer(snapshot: zooscope.Snapshot) -> Figure:
    """The 2 x 2 tables of three pairs: percent of attacked images that fool."""
    percent, sat = snapshot.transfer(), snapshot.sat()
    drawn = Figure((9.6, 3.3), layout="constrained", dpi=100)
    for cell, pair in zip(drawn.subplots(1, len(PAIRS)), PAIRS, strict=True):
        full = [f"bundled:{name}" for name in pair]
        table = percent.sel(source=full, target=full).values
        both = float((table[0, 1] + table[1, 0]) / 2)
        cell.imshow(table, cmap="viridis", vmin=0, vmax=100)
        for (source, target), value in np.ndenumerate(table):
            cell.text(
                target, source, f"{value:.0f} %", ha="center", va="center", fontsize=13, color="black" if value > 50 else "white"
            )
        cell.set_xticks((0, 1), pair)
        cell.set_yticks((0, 1), pair, rotation=90, va="center")
        cell.set_xlabel("tested")
        cell.set_ylabel("attacked")
        cell.tick_params(length=0)
        cell.spines[:].set_visible(False)
        score = float(sat.sel(a=full[0], b=full[1]))
        cell.set_title(f"mean of both directions {both:.1f} %\nSAT = ln {both:.1f} = {score:.2f}", fontsize=10)
    return drawn


def draw_score(snapshot: zooscope.Snapshot) -> Figure:
    """The curve from percent to SAT, with the pairs of the record on it."""
    sat = snapshot.sat()
    rows, columns = np.triu_indices(len(snapshot.names), 1)
    scores = sat.values[rows, columns]
    drawn = Figure((9.6, 3.6), layout="constrained", dpi=100)
    whole, near = drawn.subplots(1, 2, width_ratios=(1, 1.7))
    grid = np.concatenate([np.geomspace(0.01, 1, 200), np.linspace(1, 100, 400)])
    for cell in (whole, near):
        cell.plot(grid, np.log(grid), color=LINE, zorder=1)
        cell.set(xlabel="percent of attacked images that fool, mean of both directions", ylabel="SAT = ln(percent)")
    whole.set_xlabel("percent that fool")
    whole.plot([0, 0.01], np.log([0.01, 0.01]), color=LINE)
    for percent, text in ((0.01, "none: -4.61"), (1, "1 %: 0"), (100, "all: 4.61")):
        whole.plot(percent, np.log(percent), "o", color=RIGHT)
        beside = (-6, -14) if percent == 100 else (9, -4)
        whole.annotate(
            text, (percent, np.log(percent)), beside, textcoords="offset points", ha="right" if percent == 100 else "left"
        )
    whole.set_title("the whole range", fontsize=10)
    near.plot(np.exp(scores), scores, "o", color=RIGHT, alpha=0.5, markersize=5, label="a pair of two classifiers")
    own = np.diag(sat.values)
    near.plot(np.exp(own), own, "D", color=FOOLED, alpha=0.6, markersize=5, label="a classifier with itself (the diagonal)")
    for pair in NAMED:
        score = float(sat.sel(a=f"bundled:{pair[0]}", b=f"bundled:{pair[1]}"))
        near.annotate(
            f"{pair[0]} and {pair[1]}: {score:.2f}",
            (np.exp(score), score),
            (10, -16),
            textcoords="offset points",
            fontsize=SMALL,
            arrowprops={"arrowstyle": "-", "color": LINE, "lw": 0.6},
        )
    near.set(xlim=(8, 118), ylim=(2.2, 4.75))
    near.set_title(f"the bundled classifiers, {snapshot.num_images} images", fontsize=10)
    near.legend(loc="lower right")
    return drawn


if __name__ == "__main__":
    main()
