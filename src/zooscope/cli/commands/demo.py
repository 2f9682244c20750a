"""`zooscope demo`: everything on the bundled classifiers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.measuring import Wanted, measure_study
from zooscope.cli.options import CONFIDENCE, BatchSize, Confidence, Device, Iterations
from zooscope.cli.terminal import say, stdout

EXAMPLE: Final = "zooscope demo --out demo"
NUM_IMAGES: Final = 128
IMAGES: Final = "bundled:cifar10"

_Out = Annotated[Path, typer.Option(metavar="DIR", help="The folder of the study and of its report.")]
_Count = Annotated[int | None, typer.Option(metavar="NUMBER", help="How many images.", show_default=str(NUM_IMAGES))]


def demo(
    *,
    out: _Out = Path("demo"),
    count: _Count = None,
    iterations: Iterations = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    confidence: Confidence = CONFIDENCE,
) -> None:
    """Measure the bundled classifiers and draw the report.

    Measures how similar they are on the bundled images, prints the matrix, and draws it as a page. The adversarially trained one,
    bundled:resnet_robust, is left out. Needs no network. What was measured before is not measured again; the folder is a study like
    any other.
    """
    from zooscope.classifiers.bundled.cards import read_cards
    from zooscope.cli import overview
    from zooscope.cli.drawing import draw_overview
    from zooscope.report import write_report
    from zooscope.study.study import Study

    is_new = not Study.exists(out)
    number = NUM_IMAGES if count is None and is_new else count
    classifiers = tuple(f"bundled:{name}" for name, card in read_cards().items() if not card.is_robust)
    shard_size = NUM_IMAGES if is_new else None  # one for all: small networks are slow on few images
    wanted = Wanted(classifiers=classifiers, images=IMAGES, count=number, iterations=iterations, shard_size=shard_size)
    with measure_study(out, wanted, device=device, batch_size=batch_size, allow_chance=False) as study:
        draw_overview(stdout(), overview.make_overview(study.snapshot(), confidence=confidence))
        page = write_report(study, out / "report.html", confidence=confidence)
    say(f"\nThe report: {page}")
