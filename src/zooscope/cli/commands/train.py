"""`zooscope train`: networks made to be compared."""

from pathlib import Path
from typing import Final

from zooscope.cli.measuring import drop_none
from zooscope.cli.options import Device, Images, Json
from zooscope.cli.training import (
    Changes,
    HeldOut,
    Listed,
    Part,
    RecipeFile,
    Starts,
    TrainedFolder,
    read_changes,
    show_networks,
    train_and_show,
)

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
    listed: Listed = False,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train the networks of a recipe: seeds, settings, regimes.

    A recipe names a network (any of timm's, or one to fine-tune), images, and how it is trained; its section [sweep] asks for
    several seeds, a grid of settings, or regimes. Writes the weights of each network, a card and its curves, and for all a zoo file
    for `measure`. After an interruption, even a killed process, the same command goes on, and comes to the same weights.
    """
    import zooscope
    from zooscope.training.run import list_networks

    settings = drop_none(images=images, held_out=held_out, part=part, start=starts, changes=read_changes(changes))
    if listed:
        show_networks(list_networks(recipe, **settings), as_json=as_json)
        return
    folder = out or Path(recipe.stem)
    train_and_show(
        lambda listen: zooscope.train(recipe, folder, device=device, listen=listen, **settings),
        folder,
        as_json=as_json,
    )
