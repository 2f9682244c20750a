"""The program `zooscope` and its commands."""

import re
from typing import Annotated, Any, ClassVar, Final

import typer

import zooscope
from zooscope.classifiers.selection import is_zoo_file
from zooscope.cli.commands import (
    agree,
    attacked,
    attacks,
    card,
    check,
    classifiers,
    closer,
    clusters,
    compare,
    complete,
    components,
    demo,
    distill,
    doctor,
    ensembles,
    export,
    import_,
    importance,
    kin,
    map_,
    measure,
    merge,
    place,
    plan,
    probe,
    report,
    select,
    show,
    similarities,
    stability,
    strategies,
    teachers,
    train,
    view,
)
from zooscope.cli.help import Command, Group, show_example
from zooscope.cli.terminal import INTERRUPTED, show_warnings_as_notes, tell
from zooscope.errors import ZooscopeError
from zooscope.records.kinds import ASKED_FOR

FAILED: Final = 1
SEVERAL_WORDS: Final = frozenset({"--classifiers", "--from", "--sources", "--also", "--teachers", "--seeds", "--gpu"})
_SWITCH: Final = re.compile(r"\b(allow_chance|allow_nonfinite|trust)=True\b")
_ADDRESS: Final = re.compile(r"[\w*\[\]]+:")


class Commands(Group):
    """Prints expected errors and warnings in one line each, and lets `--classifiers` and `--from` take several words."""

    sections: ClassVar = {
        "Measure": ("demo", "classifiers", "attacks", "plan", "measure", "merge", "probe", "compare", "check", "doctor"),
        "Train": ("train", "distill"),
        "Look": ("show", "report", "view"),
        "Analyse": (
            "clusters",
            "map",
            "components",
            "ensembles",
            "strategies",
            "stability",
            "closer",
            "kin",
            "similarities",
            "agree",
            "complete",
        ),
        "Choose": ("select", "place", "teachers"),
        "Share": ("card", "export", "import"),
    }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """Repeats the option before every further word, as the parser expects."""
        return super().parse_args(ctx, repeat_options(args))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (as above)
        """Runs a command."""
        try:
            with show_warnings_as_notes():
                return super().invoke(ctx)
        except ZooscopeError as error:
            tell(f"Error: {_name_options(str(error))}")
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as error:
            tell("Stopped.")
            raise typer.Exit(INTERRUPTED) from error


def repeat_options(words: list[str]) -> list[str]:
    """`--classifiers A B` as `--classifiers A --classifiers B`.

    Words like addresses or zoo files belong to the option; to --also the names of measurements; to --seeds and --gpu all words up
    to the next option.
    """
    result: list[str] = []
    taking = ""  # the option that words belong to
    for word in words:
        option = word.partition("=")[0]
        belongs = _belongs(word, taking)
        if taking and belongs and result[-1] != taking:
            result.append(taking)
        if option in SEVERAL_WORDS:
            taking = option
        elif not belongs and result[-1:] != [taking]:
            taking = ""
        result.append(word)
    return result


def _belongs(word: str, taking: str) -> bool:
    """Whether a word is one more value of an option."""
    if taking == "--also":
        return word.partition("?")[0] in ASKED_FOR
    return not word.startswith("-") if taking in {"--seeds", "--gpu"} else _names_classifiers(word)


def _names_classifiers(word: str) -> bool:
    return _ADDRESS.match(word) is not None or is_zoo_file(word)


def _name_options(sentence: str) -> str:
    """A sentence with Python's arguments replaced by the command line's options."""
    return _SWITCH.sub(lambda match: f"--{match[1].replace('_', '-')}", sentence)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"zooscope {zooscope.__version__}")
        raise typer.Exit
    return wanted


def zooscope_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Measure how similar image classifiers are, by how well attacks transfer between them.

    Start with `zooscope demo`: it measures the bundled classifiers and draws a report, without network. For your own
    classifiers: `measure` a study, then `show` it, draw a `report`, or `export` it. `zooscope COMMAND --help` explains each
    command, with an example.
    """


# Plain help and errors look the same in a terminal, in a pipe and in a log.
app = typer.Typer(name="zooscope", cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
app.callback()(zooscope_command)
for _name, _module, _command in (
    ("demo", demo, demo.demo),
    ("classifiers", classifiers, classifiers.classifiers),
    ("measure", measure, measure.measure),
    ("merge", merge, merge.merge),
    ("compare", compare, compare.compare),
    ("check", check, check.check),
    ("doctor", doctor, doctor.doctor),
    ("train", train, train.train),
    ("distill", distill, distill.distill),
    ("show", show, show.show),
    ("report", report, report.report),
    ("view", view, view.view),
    ("clusters", clusters, clusters.clusters),
    ("map", map_, map_.map_),
    ("ensembles", ensembles, ensembles.ensembles),
    ("strategies", strategies, strategies.strategies),
    ("stability", stability, stability.stability),
    ("closer", closer, closer.closer),
    ("kin", kin, kin.kin),
    ("plan", plan, plan.plan),
    ("similarities", similarities, similarities.similarities),
    ("agree", agree, agree.agree),
    ("complete", complete, complete.complete),
    ("select", select, select.select),
    ("place", place, place.place),
    ("teachers", teachers, teachers.teachers),
    ("card", card, card.card),
    ("export", export, export.export),
    ("import", import_, import_.import_),
):
    app.command(_name, cls=Command, epilog=show_example(_module.EXAMPLE))(_command)
components.group.command("importance", cls=Command, epilog=show_example(importance.EXAMPLE))(importance.importance)
app.add_typer(components.group)
for _name, _example, _of_attacks in (
    (attacks.LIST, attacks.EXAMPLE, attacks.list_),
    ("export", attacked.EXPORT_EXAMPLE, attacked.export),
    ("kept", attacked.KEPT_EXAMPLE, attacked.kept),
    ("forget", attacked.FORGET_EXAMPLE, attacked.forget),
):
    attacks.group.command(_name, cls=Command, epilog=show_example(_example))(_of_attacks)
app.add_typer(attacks.group)
app.add_typer(probe.group)
