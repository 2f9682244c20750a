"""The options of all commands, each written once. None means: not given, so the default (or the study's value) is used."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from zooscope.classifiers.providers.registry import PROVIDERS
from zooscope.cli.completion import complete_classifier
from zooscope.errors import InvalidValueError
from zooscope.images.providers.registry import PROVIDERS as IMAGE_PROVIDERS
from zooscope.spelling import parse_number

CONFIDENCE: Final = 0.95


def parse_fraction(text: str) -> float:
    """A number written as 0.03 or as 8/255."""
    try:
        return parse_number(text)
    except InvalidValueError as error:
        raise typer.BadParameter(str(error)) from error


ADDRESSES: Final = (
    f"{', '.join(PROVIDERS.forms.values())}; with options after ? and & (weights, size, mean, std, interpolation, crop, "
    "class_map, name, group, ...)"
)

# What is measured

ExistingStudy = Annotated[
    Path, typer.Argument(metavar="STUDY", help="The folder of a study that `measure` or `demo` made.", show_default=False)
]
AnyStudy = Annotated[
    Path, typer.Argument(metavar="STUDY", help="The folder of the study; it is made if it isn't there.", show_default=False)
]
Classifiers = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS...",
        help=f"One or more of {ADDRESSES}. Several are separated by spaces or commas. Patterns ('bundled:*', 'timm:vit_*', "
        "'torchvision:ResNet*') and zoo files (zoo.toml) match several; paper: is the paper's 69.",
        show_default=False,
    ),
]
StudyClassifier = Annotated[
    str,
    typer.Argument(metavar="CLASSIFIER", help="A classifier of the study.", show_default=False, autocompletion=complete_classifier),
]
ClassifierA = Annotated[str, typer.Argument(metavar="A", help=f"A classifier: {ADDRESSES}.", show_default=False)]
ClassifierB = Annotated[str, typer.Argument(metavar="B", help="Another one.", show_default=False)]
_images = typer.Option(
    metavar="ADDRESS",
    help=f"One of {', '.join(IMAGE_PROVIDERS.forms.values())}; with options after ? and & (split, config, image, label, root). "
    "A folder has one subfolder per class, a manifest the columns path and label.",
    show_default=False,
)
Images = Annotated[str | None, _images]
RequiredImages = Annotated[str, _images]
Classes = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The class names in the order of the classifiers' outputs, one per line; else in the order of the images' provider, "
        "or of ImageNet if all classes are its synsets, or sorted.",
        show_default=False,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", help="Number of images: a sample with equal shares of every class.", show_default="all images"),
]
Seed = Annotated[int | None, typer.Option(metavar="NUMBER", help="Of the sample, and of random starts.", show_default="0")]

# The attack

Attack = Annotated[
    str | None,
    typer.Option(
        metavar="ATTACK",
        help="The attack and its fields: NAME?FIELD=VALUE&FIELD=VALUE, for instance 'LinfPGD?epsilon=8/255&step_size=2/255'. "
        "--epsilon, --step-size, --iterations and --random-start set its fields.",
        show_default="LinfPGD",
    ),
]
Epsilon = Annotated[
    float | None,
    typer.Option(parser=parse_fraction, metavar="FRACTION", help="The largest change of a pixel, in [0, 1].", show_default="8/255"),
]
StepSize = Annotated[
    float | None,
    typer.Option(parser=parse_fraction, metavar="FRACTION", help="The change of a pixel per iteration.", show_default="0.1"),
]
Iterations = Annotated[int | None, typer.Option(metavar="NUMBER", help="Steps of the attack.", show_default="50")]
RandomStart = Annotated[
    bool | None,
    typer.Option(
        "--random-start/--no-random-start", help="Whether the attack starts from a random point.", show_default="no-random-start"
    ),
]

# How it is measured

BatchSize = Annotated[int | None, typer.Option(metavar="NUMBER", help="Images per forward pass, at most.", show_default="100")]
Precision = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of passes through networks: float32, tf32, bf16, fp16.", show_default="float32"),
]
Exact = Annotated[
    bool | None,
    typer.Option(
        "--exact/--fast",
        help="Run networks as they are, bit for bit as plain torch does; or prepared for speed, which changes scores by rounding.",
        show_default="fast",
    ),
]
Compiled = Annotated[
    bool | None,
    typer.Option(
        "--compile/--no-compile",
        help="Let torch compile networks, which takes some ten seconds each: for long studies on a GPU.",
        show_default="no-compile",
    ),
]
ShardSize = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", help="Images per unit of work: an interruption loses at most one unit.", show_default="100"),
]
UntilWidth = Annotated[
    float | None,
    typer.Option(
        metavar="POINTS",
        help="Stop at the first shard after which every pair's percentage has an interval of at most so many percentage points.",
        show_default=False,
    ),
]
UntilOrder = Annotated[
    bool, typer.Option("--until-order", help="Stop at the first shard after which every classifier's nearest neighbour is certain.")
]
Device = Annotated[str, typer.Option(metavar="NAME", help="cpu, cuda, cuda:1, ...; auto takes a GPU if there is one.")]
AllowNonfinite = Annotated[
    bool,
    typer.Option(
        "--allow-nonfinite",
        help="Record NaN or infinite logits of a target and leave the outcome out of scores; otherwise they are an error.",
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN...",
        help="Names (or patterns of names) of the classifiers to attack, stored in the study; all are tested.",
        show_default="all",
        autocompletion=complete_classifier,
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME...",
        help="Further measurements, for other similarities than SAT: features (for cka), gradients (for gradient_cosine), planes "
        "(for agreement; slow). Later calls complete them without being asked, until `none` forgets them. With fields after ? and "
        "&: 'planes?num_triplets=100'.",
        show_default=False,
    ),
]
MemoryBudget = Annotated[
    float | None,
    typer.Option(
        "--memory",
        "--memory-budget",
        metavar="GIB",
        help="Memory for weights on the device, in GiB.",
        show_default="half of a GPU's memory",
    ),
]
CacheLimit = Annotated[
    float | None,
    typer.Option(
        metavar="GIB",
        help="Disk space for attacked images in the study's folder, in GiB: classifiers that are added later are tested on them. 0 "
        "keeps none.",
        show_default="10",
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Run code that addresses in the study name (architecture=module:function). Only for your own study, or one of someone "
        "whose programs you would run. Addresses typed in this command need no --trust.",
    ),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="N/OF",
        help="Measure one share, such as 3/16, into STUDY/parts/3-of-16: for jobs on many machines. `zooscope merge STUDY` puts "
        "the parts together.",
        show_default="everything",
    ),
]
Executor = Annotated[
    Literal["serial", "ray"],
    typer.Option(
        help="Where to measure: serial, in this process; ray, on all GPUs (else processors) of a machine or of a cluster."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="With --executor ray: the cluster; auto is the one that this machine belongs to.",
        show_default="this machine alone",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", help="With --executor ray: how many workers.", show_default="one per GPU, or per processor"),
]
AllowChance = Annotated[bool, typer.Option("--allow-chance", help="Also measure classifiers that are no better than guessing.")]

# What is shown

Confidence = Annotated[float, typer.Option(metavar="SHARE", help="Of the intervals, between 0 and 1.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
