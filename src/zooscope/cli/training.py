"""What `train` and `distill` share: networks are trained, and shown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import make_table
from zooscope.cli.progress import training_bar
from zooscope.cli.terminal import INTERRUPTED, say, say_json, stdout, tell
from zooscope.errors import InvalidValueError, TrainingError
from zooscope.words import format_count, format_percent, format_setting, quote_path

if TYPE_CHECKING:
    from zooscope.training.cards import Card
    from zooscope.training.progress import TrainingListener
    from zooscope.training.recipe import Recipe
    from zooscope.training.zoo import Trained

CURVES: Final = "curves.png"

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="The recipe.", show_default=False)]
HeldOut = Annotated[
    str | None,
    typer.Option(
        "--held-out",
        metavar="ADDRESS",
        help="Images to test on; else those of the recipe, or a share of the others.",
        show_default=False,
    ),
]
TrainedFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where the networks go.", show_default="the recipe's name, here")
]
Starts = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="ADDRESS...",
        help="Fine-tune these classifiers, each under its name, instead of the recipe's network: addresses, patterns or zoo files.",
        show_default=False,
    ),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="N/OF", help="Train this share of the networks, such as 2/8: the second of eight machines.", show_default=False
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="Train nothing: list the networks and the settings in which they differ.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SETTING=VALUE", help="Change a setting: epochs=3, optimizer.name=sgd.", show_default=False),
]


def read_changes(words: Sequence[str] | None) -> dict[str, Any]:
    """Settings by dotted name, from `--set`.

    Raises:
        InvalidValueError: a word is no SETTING=VALUE.
    """
    from zooscope.classifiers.options import parse_value

    changes: dict[str, Any] = {}
    for word in words or ():
        name, sign, text = word.partition("=")
        if not sign:
            msg = f"--set takes SETTING=VALUE: got {word!r}."
            raise InvalidValueError(msg)
        changes[name.strip()] = parse_value(text.strip())
    return changes


def show_networks(recipes: "Sequence[Recipe]", *, as_json: bool) -> None:
    """Prints the networks of a recipe with the settings in which they differ; as JSON with all."""
    if as_json:
        say_json([recipe.settings for recipe in recipes])
        return
    usual = _find_usual(recipes)
    made = make_table("Network", "Seed", "Settings", numbers=("Seed",))
    for recipe in recipes:
        own = [
            f"{name}={format_setting(value)}" for name, value in recipe.settings.items() if name in usual and value != usual[name]
        ]
        made.add_row(recipe.name, str(recipe.seed), ", ".join(own) or "as in the recipe")
    stdout().print(made)


def _find_usual(recipes: "Sequence[Recipe]") -> dict[str, Any]:
    """The value that most networks have, of each setting that differs; None where there is none."""
    usual: dict[str, Any] = {}
    for name in recipes[0].settings.keys() - {"name", "seed"}:
        values = [recipe.settings.get(name) for recipe in recipes]
        most = max(values, key=values.count)
        if values.count(most) < len(values):
            usual[name] = most if 2 * values.count(most) > len(values) else None
    return usual


def train_and_show(train: "Callable[[TrainingListener], Trained]", folder: Path, *, as_json: bool) -> None:
    """Trains networks, prints how well they do, and draws their curves.

    Args:
        train: trains them, telling the listener of it.
        folder: where they go.
        as_json: whether to print one JSON object instead.

    Raises:
        TrainingError: some networks diverged; all others are trained.
        typer.Exit: the user stopped it.
    """
    from zooscope.training.accelerating import is_main_process
    from zooscope.training.zoo import ZOO

    with training_bar() as listen:
        try:
            trained = train(listen)
        except KeyboardInterrupt as error:
            tell("Stopped; run the same command again to go on.")
            raise typer.Exit(INTERRUPTED) from error
    if not is_main_process():
        return
    if trained.cards:
        _draw(folder)
    if as_json:
        say_json(_encode(trained, folder))
    elif trained.cards:
        _print(trained)
        zoo = quote_path(folder / ZOO)
        say(f"\nThe zoo: {folder / ZOO}. Measure it: zooscope measure STUDY --classifiers {zoo} --images ADDRESS")
    if trained.failures:
        raise TrainingError(" ".join(trained.failures.values()))


def _draw(folder: Path) -> None:
    """The curves of all networks in the folder."""
    from zooscope.pictures.draw import save
    from zooscope.pictures.training import make_curves_picture
    from zooscope.training.curves import read_curves
    from zooscope.training.zoo import list_cards

    cards = list_cards(folder)
    curves = {card.name: read_curves(folder / own) for own, card in cards.items()}
    save(make_curves_picture(curves, {card.name: card.group for card in cards.values()}), folder / CURVES)


def _encode(trained: "Trained", folder: Path) -> dict[str, Any]:
    """Of one network its facts; of several all of them."""
    from zooscope.training.zoo import ZOO

    networks = [_describe(card, folder) for card in trained.cards]
    return {
        **(networks[0] if len(networks) == 1 else {}),
        "zoo": str(folder / ZOO),
        "networks": networks,
        "failures": trained.failures,
    }


def _describe(card: "Card", folder: Path) -> dict[str, Any]:
    from zooscope.training.cards import WEIGHTS

    return {
        "name": card.name,
        "checkpoint": str(folder / card.folder / WEIGHTS),
        "accuracy": card.accuracy,
        "epochs": card.epochs,
        "seconds": card.seconds,
    }


def _print(trained: "Trained") -> None:
    numbers = ("Accuracy", "Epochs", "Seconds")
    made = make_table("Network", "Group", *numbers, numbers=numbers)
    for card in trained.cards:
        made.add_row(card.name, card.group, format_percent(100 * card.accuracy), str(card.epochs), f"{card.seconds:.0f}")
    stdout().print(made)
    say(f"Accuracy on {format_count(trained.cards[0].num_held_out, 'held-out image')}.")
