"""The paper's 69 networks: what they are called, whose weights they carry, and their 13 components, as data.

Source: Hwang et al., Similarity of Neural Architectures using Adversarial Attack Transferability, ECCV 2024, Tables A.1, A.3 and
A.4, mistakes and all. design/0010-the-papers-69.md says how they were read, and how today's names of the weights were found.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zooscope.addresses import parse_address, write_address
from zooscope.errors import UnknownNameError
from zooscope.images.class_order import read_synsets

if TYPE_CHECKING:
    from zooscope.classifiers.classifier import Classifier

TABLE: Final = Path(__file__).with_suffix(".csv")
FACTS: Final = ("name", "paper name", "timm", "input size")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One of the 69.

    Attributes:
        name: what timm 0.6.7, which the paper used, called the network.
        paper_name: what the paper calls it.
        timm: today's timm name, with the tag of the weights that timm 0.6.7 loaded under `name`; None where timm has
            them no more and the network is zooscope's own (`gluon_xception65`).
        input_size: height and width of its pixels, as timm 0.6.7 set them.
        components: the 13 components by name, as strings (`zooscope.components.vocabulary` explains them).
    """

    name: str
    paper_name: str
    timm: str | None
    input_size: tuple[int, int]
    components: Mapping[str, str]


def list_names() -> tuple[str, ...]:
    """The 69 as timm 0.6.7 called them, in alphabetical order."""
    return tuple(entry.name for entry in read_entries())


@cache
def read_entries() -> tuple[Entry, ...]:
    """All 69, in alphabetical order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Entry(
                name=row["name"],
                paper_name=row["paper name"],
                timm=row["timm"] or None,
                input_size=_read_size(row["input size"]),
                components=MappingProxyType({column: value for column, value in row.items() if column not in FACTS}),
            )
            for row in csv.DictReader(file)
        )


def find_entry(name: str) -> Entry:
    """One of the 69.

    Args:
        name: timm 0.6.7's, or today's, with or without its tag. A name that timm has since given to another network
            (`tnt_s_patch16_224`) stands for the paper's.

    Raises:
        UnknownNameError: it is none of them.
    """
    known = _index_by_name()
    if name not in known:
        kind = "network of the paper"
        raise UnknownNameError(kind, name, known, "`zooscope classifiers --paper` lists all 69.")
    return known[name]


def find_missing_weights() -> Mapping[str, str]:
    """The addresses of those of the 69 whose weights must be put into place by hand and are not there; why, and what to do."""
    from zooscope.classifiers.providers import gluon_xception65  # noqa: PLC0415  (the table is read without torch)

    return (
        {}
        if gluon_xception65.locate_weights().is_file()
        else {gluon_xception65.ADDRESS: gluon_xception65.explain_missing_weights()}
    )


def load(rest: str, options: Mapping[str, str], *, name: str) -> "Classifier":
    """One of the 69 with the weights that the paper used: from timm, except for `gluon_xception65`, which timm no longer has.

    Args:
        rest: its name, see `find_entry`.
        options: those of `timm:`; with `weights` nothing is downloaded.
        name: what to call the classifier.

    Raises:
        UnknownNameError: it is none of the 69, or there is no such option.
        ClassifierError: its weights can't be had, or a checkpoint doesn't fit.
        InvalidValueError: an option's value can't be used.
        MissingFileError: the checkpoint is not there.
    """
    from zooscope.classifiers.providers import gluon_xception65, timm  # noqa: PLC0415  (the table is read without torch)

    found = find_entry(rest)
    if found.timm is None:
        return _name_outputs(gluon_xception65.load(options, name=name))
    classifier = timm.load(found.timm, options, name=name)
    used = parse_address(str(classifier.address)).options  # with paths that hold from anywhere
    return _name_outputs(replace(classifier, address=write_address("paper", found.name, used)))


def _name_outputs(classifier: "Classifier") -> "Classifier":
    """The 69 are ImageNet's, also where a checkpoint doesn't name its outputs."""
    is_named = classifier.class_names is not None or classifier.num_classes != len(read_synsets())
    return classifier if is_named else replace(classifier, class_names=read_synsets())


@cache
def _index_by_name() -> Mapping[str, Entry]:
    today = {alias: found for found in read_entries() if found.timm for alias in (found.timm, found.timm.partition(".")[0])}
    return MappingProxyType(today | {found.name: found for found in read_entries()})


def _read_size(text: str) -> tuple[int, int]:
    height, width = map(int, text.split("x"))
    return height, width
