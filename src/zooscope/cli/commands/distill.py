"""`zooscope distill`: one student per teacher."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.measuring import drop_none
from zooscope.cli.options import Device, Images, Json
from zooscope.cli.training import Changes, HeldOut, Part, RecipeFile, TrainedFolder, read_changes, train_and_show

EXAMPLE: Final = "zooscope distill recipes/small-student.toml --teachers 'bundled:*'"

_Teachers = Annotated[
    list[str],
    typer.Option(
        metavar="ADDRESS...",
        help="The teachers: addresses, patterns or zoo files, as --classifiers of `measure` takes them.",
        show_default=False,
    ),
]


def distill(
    recipe: RecipeFile,
    *,
    teachers: _Teachers,
    images: Images = None,
    held_out: HeldOut = None,
    out: TrainedFolder = None,
    part: Part = None,
    changes: Changes = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train one student per teacher.

    Hard distillation as in DeiT: half of the loss is the label's, half that of the class that the teacher predicts for the same
    augmented image. A student with a distillation token learns the teacher's class there. Then `zooscope teachers STUDY --students
    DIR` tells whether similar teachers teach better.
    """
    import zooscope

    settings, folder = read_changes(changes), out or Path(recipe.stem)
    where = {"images": images, "held_out": held_out, "part": part, "device": device}
    train_and_show(
        lambda listen: zooscope.distill(recipe, folder, teachers, changes=settings, listen=listen, **drop_none(**where)),
        folder,
        as_json=as_json,
    )
