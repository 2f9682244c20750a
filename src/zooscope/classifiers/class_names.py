"""What a checkpoint calls the outputs of its network, where a training script has kept that beside the weights."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

TO_INDEX: Final = ("class_to_idx", "label2id", "class_to_index")
FROM_INDEX: Final = ("idx_to_class", "id2label", "index_to_class")
LISTS: Final = ("classes", "class_names", "label_names", "labels")
SETTINGS: Final = ("args", "config", "hparams", "hyper_parameters", "meta")  # dictionaries in which these may stand, too


class ClassNames(NamedTuple):
    """What a checkpoint calls the outputs of its network.

    Attributes:
        names: in the order of the outputs; None where the checkpoint doesn't say.
        flaw: why what it says can't be used; empty where it can, or where it says nothing.
    """

    names: tuple[str, ...] | None
    flaw: str = ""


NAMELESS: Final = ClassNames(None)


def find_class_names(content: Any) -> ClassNames:  # noqa: ANN401  (whatever a checkpoint holds)
    """The names of the outputs, where a checkpoint holds them and doesn't contradict itself.

    >>> find_class_names({"state_dict": {}, "class_to_idx": {"dog": 1, "cat": 0}})
    ClassNames(names=('cat', 'dog'), flaw='')
    >>> find_class_names({"state_dict": {}, "class_to_idx": {"dog": 2, "cat": 1}}).flaw
    'they are not numbered from 0 on'
    """
    places = [content, *(content.get(key) for key in SETTINGS)] if isinstance(content, Mapping) else []
    tables = [table for place in places if isinstance(place, Mapping) for table in _list_tables(place)]
    found = {names for names in map(_order_names, tables) if names is not None}
    if len(found) == 1:
        return ClassNames(found.pop())
    if found:
        return ClassNames(None, "they contradict each other")
    return ClassNames(None, "they are not numbered from 0 on" if any(map(_are_numbered, tables)) else "")


def _list_tables(place: Mapping[Any, Any]) -> list[list[tuple[Any, Any]]]:
    """Pairs of an index and a name, a list for each place that holds such."""
    return [
        *([(index, name) for name, index in table.items()] for table in _take_names(place, TO_INDEX, Mapping)),
        *(list(table.items()) for table in _take_names(place, FROM_INDEX, Mapping)),
        *(list(enumerate(names)) for names in _take_names(place, LISTS, Sequence)),
    ]


def _take_names(place: Mapping[Any, Any], keys: Sequence[str], kind: type) -> list[Any]:
    return [place[key] for key in keys if isinstance(place.get(key), kind) and not isinstance(place[key], str | bytes)]


def _order_names(table: Sequence[tuple[Any, Any]]) -> tuple[str, ...] | None:
    """Names by index; None where an index is missing, there twice or no number, or a name is no text."""
    names = {int(index): name for index, name in table if isinstance(index, int) or str(index).isdecimal()}
    if len(names) != len(table) or not names or names.keys() != set(range(len(names))):
        return None
    ordered = tuple(names[index] for index in range(len(names)))
    return ordered if all(isinstance(name, str) for name in ordered) else None


def _are_numbered(table: Sequence[tuple[Any, Any]]) -> bool:
    """Whether these are names with numbers at all: a list called `labels` may be anything."""
    return bool(table) and all(isinstance(name, str) and str(index).isdecimal() for index, name in table)
