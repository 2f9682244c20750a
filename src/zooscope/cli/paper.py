"""The paper's 69 networks, drawn for the terminal: `zooscope classifiers --paper`."""

from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from zooscope.cli.terminal import say, say_json, stdout

if TYPE_CHECKING:
    from zooscope.classifiers.providers.paper import Entry

ABSENT: Final = ("No", "-")


def list_paper(*, names: bool, as_json: bool) -> None:
    """Prints all 69: as a table, as JSON, or their addresses alone."""
    from zooscope.classifiers.providers.paper import read_entries

    if as_json:
        say_json([collect_facts(entry) for entry in read_entries()])
    elif names:
        for entry in read_entries():
            say(f"paper:{entry.name}")
    else:
        stdout().print(_make_table())


def collect_facts(entry: "Entry") -> dict[str, Any]:
    """The table's facts about a network."""
    return {
        "name": f"paper:{entry.name}",
        "paper_name": entry.paper_name,
        "timm": entry.timm,
        "input_size": list(entry.input_size),
        "components": dict(entry.components),
    }


def format_components(entry: "Entry") -> str:
    """The 13 components in a line; absent ones are left out."""
    values = entry.components
    words = [values["base architecture"]]
    words += ["hierarchical"] * (values["hierarchical"] not in ABSENT)
    words += [f"stem {values['stem layer']}" + " and pooling" * (values["pooling at stem"] not in ABSENT)]
    words += [values["input resolution"], values["normalization"]]
    words += [values["activation"]] * (values["activation"] not in ABSENT)
    words += [values["pooling for final feature"]]
    words += [f"2D self-attention{_extract_kind(values['2D self-attention'])}"] * (values["2D self-attention"] not in ABSENT)
    if values["channel-wise attention"] not in ABSENT:
        place = values["location of channel-wise attention"]
        where = "" if place in ABSENT else f", {place.lower()} of the block"
        words += [f"channel-wise attention{_extract_kind(values['channel-wise attention'])}{where}"]
    words += [f"{kind} convolution" for kind in ("depth-wise", "group") if values[f"{kind} convolution"] not in ABSENT]
    return "; ".join(words)


def _extract_kind(value: str) -> str:
    """` (BoT)` of `Yes (BoT)`."""
    return value.removeprefix("Yes")


def _make_table() -> Table:
    from zooscope.classifiers.providers.paper import read_entries

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("paper:", no_wrap=True)
    table.add_column("In timm today; components", overflow="fold")
    for entry in read_entries():
        today = entry.timm or "not in timm any more: weights from a file"
        table.add_row(f"{entry.name}\n  {entry.paper_name}", f"{today}\n{format_components(entry)}")
    return table
