"""`zooscope distill`: one student per teacher."""

from typing import Annotated, Final

import typer

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
    from zooscope.classifiers.selection import select_classifiers
    from zooscope.training.distill import list_students
    from zooscope.training.recipe_file import read_recipe_file
    from zooscope.training.sweep import take_part

    sweep = read_recipe_file(recipe, read_changes(changes, images=images, held_out=held_out))
    recipes = list_students(sweep, select_classifiers(teachers))
    chosen = take_part(recipes, part) if part is not None else recipes
    train_and_show(chosen, out or recipe.with_suffix(""), device=device, as_json=as_json)
