"""`zooscope train`: networks made to be compared."""

from typing import Final

from zooscope.cli.options import Device, Images, Json
from zooscope.cli.training import Changes, HeldOut, Part, RecipeFile, Starts, TrainedFolder, read_changes, train_and_show

EXAMPLE: Final = "zooscope train recipes/small-vit.toml --images folder:cifar10"


def train(
    recipe: RecipeFile,
    *,
    images: Images = None,
    held_out: HeldOut = None,
    starts: Starts = None,
    out: TrainedFolder = None,
    part: Part = None,
    changes: Changes = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train the networks of a recipe: seeds, settings, regimes.

    A recipe names a network (any of timm's, or one to fine-tune), images, and how it is trained; its section [sweep] asks for
    several seeds, a grid of settings, or regimes. Writes the weights of each network, a card and its curves, and for all a zoo file
    for `measure`. After an interruption, even a killed process, the same command goes on, and comes to the same weights.
    """
    from zooscope.classifiers.selection import select_classifiers
    from zooscope.training.recipe_file import read_recipe_file
    from zooscope.training.sweep import list_tuned, take_part

    sweep = read_recipe_file(recipe, read_changes(changes, images=images, held_out=held_out))
    recipes = sweep.list_recipes() if starts is None else list_tuned(sweep, select_classifiers(starts))
    chosen = take_part(recipes, part) if part is not None else recipes
    train_and_show(chosen, out or recipe.with_suffix(""), device=device, as_json=as_json)
