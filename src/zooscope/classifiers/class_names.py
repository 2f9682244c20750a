"""What a checkpoint calls the outputs of its network, where a training script has kept that beside the weights."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

TO_INDEX: Final = ("class_to_idx", "label2id", "class_to_index")
FROM_INDEX: Final = ("idx_to_class", "id2label", "index_to_class")
LISTS: Final = ("classes", "class_names", "label_names", "labels")
SETTINGS: Final = ("args", "config", "hparams", "hyper_parameters", "meta")  # dictionaries in which these may stand, too


def find_class_names(content: Any) -> tuple[str, ...] | None:  # noqa: ANN401  (whatever a checkpoint holds)
    """The names of the outputs, in their order; None where the checkpoint doesn't say, or contradicts itself.

    >>> find_class_names({"state_dict": {}, "class_to_idx": {"dog": 1, "cat": 0}})
    ('cat', 'dog')
    """
    places = [content, *(content.get(key) for key in SETTINGS)] if isinstance(content, Mapping) else []
    found = {names for place in places if isinstance(place, Mapping) for names in _list_names(place)}
    return found.pop() if len(found) == 1 else None


def _list_names(place: Mapping[Any, Any]) -> list[tuple[str, ...]]:
    tables = [
        *([(index, name) for name, index in table.items()] for table in _take_names(place, TO_INDEX, Mapping)),
        *(list(table.items()) for table in _take_names(place, FROM_INDEX, Mapping)),
        *(list(enumerate(names)) for names in _take_names(place, LISTS, Sequence)),
    ]
    return [names for names in map(_order_names, tables) if names is not None]


def _take_names(place: Mapping[Any, Any], keys: Sequence[str], kind: type) -> list[Any]:
    return [place[key] for key in keys if isinstance(place.get(key), kind) and not isinstance(place[key], str | bytes)]


def _order_names(table: Sequence[tuple[Any, Any]]) -> tuple[str, ...] | None:
    """Names by index; None where an index is missing, there twice or no number, or a name is no text."""
    names = {int(index): name for index, name in table if isinstance(index, int) or str(index).isdecimal()}
    if len(names) != len(table) or not names or names.keys() != set(range(len(names))):
        return None
    ordered = tuple(names[index] for index in range(len(names)))
    return ordered if all(isinstance(name, str) for name in ordered) else None
