"""`zooscope train`: networks made to be compared."""

from typing import Final

from zooscope.cli.measuring import drop_none
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
    import zooscope

    settings, folder = read_changes(changes), out or recipe.with_suffix("")
    where = {"images": images, "held_out": held_out, "part": part, "device": device}
    train_and_show(
        lambda listen: zooscope.train(recipe, folder, changes=settings, start=starts, listen=listen, **drop_none(**where)),
        folder,
        as_json=as_json,
    )
