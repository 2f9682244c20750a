"""Compares what a network calls its outputs with what the images call their classes. Names only: no network is needed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from zooscope.images.class_order import read_synsets
from zooscope.images.stored_labels import spell
from zooscope.words import list_few

BY_NAME: Final = "by name"
BY_POSITION: Final = "by position"
BY_CLASS_MAP: Final = "by its class map"
PLAIN: Final = (BY_NAME, BY_POSITION, BY_CLASS_MAP)
NUM_SHOWN: Final = 3
LONGEST: Final = 40  # characters of a name in a sentence
MOST_UNKNOWN: Final = 0.01  # of the names of ImageNet's classes: lists of them differ in a few words
_GENERIC: Final = re.compile(r"((label|class|output|index|idx|id)[\W_]*)?\d+", re.IGNORECASE)


class Matching(NamedTuple):
    """How the outputs of a network stand for the classes of the images.

    Attributes:
        how: in words, as the end of "its classes are matched ..."; one of `PLAIN`, or more where it should be said.
        outputs: which output stands for each class; None where output i stands for class i.
    """

    how: str
    outputs: tuple[int, ...] | None = None


def compare_names(
    own: Sequence[str] | None, classes: Sequence[str], *, are_given: bool = False, has_class_map: bool = False
) -> Matching:
    """How outputs are matched with classes.

    Equal names in another order are followed, unless the user gave the order of the classes or a class map: then that holds.

    >>> compare_names(["dog", "Cat"], ["cat", "dog"])
    Matching(how="by name: the order of its outputs differs and is followed ('cat' is output 1, 'dog' is output 0)", outputs=(1, 0))
    >>> compare_names(["kitten", "dog"], ["cat", "dog"]).how
    "by position: 1 of its 2 names differs from the images' ('kitten' for 'cat')"

    Args:
        own: the network's names of its outputs (after its class map, if it has one); None where it has none.
        classes: the images' names of their classes, as many.
        are_given: whether the user gave the order of the classes.
        has_class_map: whether the user said which outputs stand for the classes.
    """
    fallback = BY_CLASS_MAP if has_class_map else BY_POSITION
    if own is None or not _are_comparable(own, classes):
        return Matching(fallback)
    outputs = find_outputs(own, classes)
    if outputs == tuple(range(len(classes))):
        return Matching(BY_CLASS_MAP if has_class_map else BY_NAME)
    if outputs is None:
        return Matching(fallback) if has_class_map else Matching(f"{BY_POSITION}: {_describe_differences(own, classes)}")
    if has_class_map or are_given:
        how = BY_CLASS_MAP if has_class_map else f"{BY_POSITION}, as the given classes say"
        return Matching(f"{how}: the network's own names have another order ({_list_differences(own, classes)})")
    moved = [f"{_quote(classes[place])} is output {output}" for place, output in enumerate(outputs) if place != output]
    return Matching(f"{BY_NAME}: the order of its outputs differs and is followed ({list_few(moved, NUM_SHOWN)})", outputs)


def find_outputs(own: Sequence[str], classes: Sequence[str]) -> tuple[int, ...] | None:
    """For each class the output of the same name; None where the names are not the same.

    Names are compared as they are; else without case, hyphens and underscores; else as classes of ImageNet.
    """
    for ours, theirs in _spell_alike(own, classes):
        if len(set(theirs)) == len(theirs) and sorted(ours) == sorted(theirs):
            place = {name: output for output, name in enumerate(ours)}
            return tuple(place[name] for name in theirs)
    return None


def find_synsets(names: Sequence[str]) -> tuple[str, ...] | None:
    """The synsets of ImageNet's 1,000 classes from their names in any order; None where these are other classes.

    A name may be a synset, all of its words ("tench, Tinca tinca") or one of them. Some words are of two classes (crane), and
    lists of names differ in a few: such a name stands for the class at its own position if that is left, else for the next left.

    >>> find_synsets(["cat", "dog"]) is None
    True
    """
    synsets = read_synsets()
    if len(names) != len(synsets):
        return None
    found: dict[int, str] = {}
    for read in (spell, normalise):
        table = _list_aliases(is_exact=read is spell)
        for position, name in enumerate(names):
            candidates = table.get(read(name), ())
            if position not in found and len(candidates) == 1:
                found[position] = candidates[0]
    known = set(found.values())
    left = dict.fromkeys(synset for synset in synsets if synset not in known)
    table, unknown = _list_aliases(is_exact=False), 0
    unclear = [position for position in range(len(names)) if position not in found]
    for position in sorted(unclear, key=lambda place: synsets[place] not in left):
        fitting = [synset for synset in table.get(normalise(names[position]), ()) if synset in left]
        unknown += not fitting
        own, choice = synsets[position], fitting or list(left)
        chosen = own if own in choice else next(iter(choice), "")
        found[position] = chosen
        left.pop(chosen, None)
    is_known = unknown <= MOST_UNKNOWN * len(names) and len(set(found.values())) == len(synsets)
    return tuple(found[position] for position in range(len(names))) if is_known else None


def describe_matchings(matchings: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """How the classes of all classifiers are matched: in a few words, and what should be said besides, a sentence each.

    >>> describe_matchings({"a": "by name", "b": "by name"})
    ('by name', ())
    >>> describe_matchings({"a": "by name", "b": "by position: 1 of its 2 names differs"})
    ('by name (1), by position (1)', ('The classes of b are matched by position: 1 of its 2 names differs.',))

    Args:
        matchings: by the name of the classifier; empty where it is not known.
    """
    known = {name: how for name, how in matchings.items() if how}
    counts = Counter(re.split("[:,]", how)[0] for how in known.values())
    short = next(iter(counts), "") if len(counts) == 1 else ", ".join(f"{how} ({count})" for how, count in counts.items())
    groups: dict[str, list[str]] = {}
    for name, how in known.items():
        if how not in PLAIN:
            groups.setdefault(how, []).append(name)
    return short, tuple(f"The classes of {list_few(names, NUM_SHOWN)} are matched {how}." for how, names in groups.items())


def normalise(name: str) -> str:
    """A name without case, and with one space for whatever stands between its words."""
    return re.sub(r"[\W_]+", " ", spell(name).casefold()).strip()


def _spell_alike(own: Sequence[str], classes: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    spellings = [([read(name) for name in own], [read(name) for name in classes]) for read in (spell, normalise)]
    ours, theirs = find_synsets(own), find_synsets(classes)
    return spellings if ours is None or theirs is None else [*spellings, (list(ours), list(theirs))]


def _are_comparable(own: Sequence[str], classes: Sequence[str]) -> bool:
    """Whether both are names: numbers and `LABEL_0` are none, but two lists of the same numbers can be compared."""
    if all(name.strip().isdecimal() for name in (*own, *classes)):
        return sorted(own) == sorted(classes)
    return not any(all(_GENERIC.fullmatch(name.strip()) for name in names) for names in (own, classes))


@cache
def _list_aliases(*, is_exact: bool) -> Mapping[str, tuple[str, ...]]:
    """The synsets that a name may stand for; its own id, all of its words, and each of them."""
    text = (files("timm") / "data" / "_info" / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8")
    words = dict(line.split("\t")[:2] for line in text.splitlines() if "\t" in line)
    read = spell if is_exact else normalise
    aliases: dict[str, dict[str, None]] = {}
    for synset in read_synsets():
        phrase = words.get(synset, "").strip('"')
        for name in (synset, phrase, *phrase.split(",")):
            aliases.setdefault(read(name.strip()), {})[synset] = None
    return {name: tuple(synsets) for name, synsets in aliases.items()}


def _describe_differences(own: Sequence[str], classes: Sequence[str]) -> str:
    number = len(_find_differences(own, classes))
    verb = "differs" if number == 1 else "differ"
    return f"{number} of its {len(own)} names {verb} from the images' ({_list_differences(own, classes)})"


def _list_differences(own: Sequence[str], classes: Sequence[str]) -> str:
    return list_few([f"{_quote(own[place])} for {_quote(classes[place])}" for place in _find_differences(own, classes)], NUM_SHOWN)


def _find_differences(own: Sequence[str], classes: Sequence[str]) -> list[int]:
    """The positions at which no way of spelling makes the names equal."""
    spellings = _spell_alike(own, classes)
    return [place for place in range(len(own)) if all(ours[place] != theirs[place] for ours, theirs in spellings)]


def _quote(name: str) -> str:
    return repr(name if len(name) <= LONGEST else f"{name[:LONGEST]}...")
