"""Components and values in other spellings: written as in the vocabulary where they are known, and kept and named where not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import pandas as pd

from zooscope.components.other_spellings import (
    COLUMNS,
    IDLE_WORDS,
    KINDS,
    NO,
    NOT_KNOWN,
    OTHER_VALUES,
    PAIRS_OF_WORDS,
    SAME_WORDS,
    UNSURE_COLUMNS,
    VALUES_BY_KEY,
    YES,
)
from zooscope.components.vocabulary import COMPONENTS, VALUES, is_known
from zooscope.errors import InvalidValueError
from zooscope.words import format_count

LOCATION: Final = "location of channel-wise attention"
ATTENTION: Final = "channel-wise attention"
NONE: Final = "-"
NUM_NAMED: Final = 5
_SEPARATOR: Final = re.compile(r"\s*[+&/,;]\s*|\s+and\s+")
_JOINED: Final = ("normalization", "activation")  # several values with + between


@dataclass(frozen=True, kw_only=True, eq=False)
class Recognized:
    """A table of components in the vocabulary's spelling, and what was done to it.

    Attributes:
        table: a row per classifier, a column per component; NaN where a value is not known.
        changes: sentences on columns and values that were written otherwise.
        unknown: sentences on columns and values that are kept as they were, because the vocabulary doesn't have them.
    """

    table: pd.DataFrame
    changes: tuple[str, ...]
    unknown: tuple[str, ...]


def recognize_components(table: pd.DataFrame) -> Recognized:
    """Writes columns and values as the vocabulary does; keeps what it doesn't know.

    Example:
        >>> columns = {"Pooling (stem)": [1, 0], "Base architecture": ["Conv", "ViT"], "FLOPs": [4.1, 4.6]}
        >>> found = recognize_components(pd.DataFrame(columns, index=["a", "b"]))
        >>> found.table.to_dict(orient="list")
        {'pooling at stem': ['Yes', 'No'], 'base architecture': ['CNN', 'Transformer'], 'FLOPs': ['4.1', '4.6']}
        >>> found.unknown
        ('columns that are none of the 13 components are kept under their names: FLOPs.',)

    Args:
        table: a row per classifier, a column per component; values of any type, missing ones are None, NaN or empty.

    Raises:
        InvalidValueError: two columns are the same component.
    """
    names = {
        str(column): _recognize_column(str(column), _list_texts(table.iloc[:, place])) for place, column in enumerate(table.columns)
    }
    _require_different(names)
    columns, changed, strange = dict[str, list[str | None]](), dict[str, list[str]](), dict[str, list[str]]()
    for place, (column, name) in enumerate(names.items()):
        texts = _list_texts(table.iloc[:, place])
        columns[name or column] = [_write(name, text, changed, strange) for text in texts]
    filled = _fill_locations(columns)
    made = pd.DataFrame(columns, index=table.index, dtype=object)
    renamed = [f"{column} as {name}" for column, name in names.items() if name not in {None, column}]
    values = [f"{name}: {', '.join(texts)}" for name, texts in changed.items()]
    changes = [f"columns read: {', '.join(renamed)}."] if renamed else []
    changes += [f"values read, by component: {'; '.join(values)}."] if values else []
    changes += (
        [f"{format_count(filled, 'empty cell')} of {LOCATION} filled with {NONE}: there is no such attention."] if filled else []
    )
    return Recognized(table=made, changes=tuple(changes), unknown=(*_name_columns(names), *_name_values(strange)))


def recognize_component(column: str) -> str | None:
    """The component that a column's name stands for; None if there is none.

    Example:
        >>> recognize_component("Pooling (stem)"), recognize_component("2D SA"), recognize_component("FLOPs")
        ('pooling at stem', '2D self-attention', None)
    """
    if column in COMPONENTS:
        return column
    words = _split_words(column)
    return next((name for name, spellings in COLUMNS.items() if any(words == set(text.split()) for text in spellings)), None)


def recognize_value(component: str, text: str) -> str | None:
    """A component's value in the vocabulary's spelling; None if the vocabulary has no such value.

    Example:
        >>> recognize_value("activation", "gelu+RELU"), recognize_value("stem layer", "five")
        ('GeLU + ReLU', None)
    """
    single = _recognize_single(component, text)
    if single is not None:
        return single
    if component in KINDS:
        return _recognize_kinds(component, text)
    if component in _JOINED:
        return _recognize_several(component, text)
    return _recognize_sizes(component, text)


def make_key(text: str) -> str:
    """A text without what spellings differ in: case, blanks, hyphens, underscores and parentheses."""
    return re.sub(r"(?<=[^\s])[\s_\-()]+|^[\s_()]+", "", text.casefold())


# Columns


def _split_words(column: str) -> set[str]:
    """The words of a column's name that say something: DWConv, dw_conv and "Using depth-wise convolution" have the same."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    text = " ".join(re.findall(r"[a-z]+|\d+d?", spaced.casefold()))
    for _ in range(2):  # a pair may give another
        for pair, words in PAIRS_OF_WORDS.items():
            text = re.sub(rf"\b{pair}\b", words, text)
    return {SAME_WORDS.get(word, word) for word in text.split() if word not in IDLE_WORDS}


def _recognize_column(column: str, texts: Sequence[str | None]) -> str | None:
    found = recognize_component(column)
    if found is not None:
        return found
    words = _split_words(column)
    name = next((name for spelling, name in UNSURE_COLUMNS.items() if words == set(spelling.split())), None)
    known = [text for text in texts if text is not None and make_key(text) not in NOT_KNOWN]
    return name if name is not None and known and all(recognize_value(name, text) is not None for text in known) else None


def _require_different(names: dict[str, str | None]) -> None:
    seen: dict[str, str] = {}
    for column, name in names.items():
        final = name or column
        if final in seen:
            msg = f"the table of components has {final} twice, as {seen[final]!r} and as {column!r}; leave one out."
            raise InvalidValueError(msg)
        seen[final] = column


def _name_columns(names: dict[str, str | None]) -> list[str]:
    own = [column for column, name in names.items() if name is None]
    if not own:
        return []
    guesses = [f"{column} (did you mean {near[0]}?)" if (near := _find_near(column, COMPONENTS)) else column for column in own]
    return [f"columns that are none of the 13 components are kept under their names: {', '.join(guesses)}."]


# Values


def _list_texts(column: pd.Series) -> list[str | None]:
    return [str(value).strip() if known else None for value, known in zip(column.tolist(), column.notna(), strict=True)]


def _write(name: str | None, text: str | None, changed: dict[str, list[str]], strange: dict[str, list[str]]) -> str | None:
    """A value in the vocabulary's spelling; what was done to it is noted."""
    if name is None or text is None:
        return text or None
    if make_key(text) in NOT_KNOWN and text not in VALUES[name]:
        _note(changed, name, f"{text} as not known" if text else "")
        return None
    found = recognize_value(name, text)
    if found is None:
        strange.setdefault(name, []).append(text)
        return text
    _note(changed, name, f"{text} as {found}" if found != text else "")
    return found


def _note(notes: dict[str, list[str]], name: str, note: str) -> None:
    if note and note not in notes.get(name, ()):
        notes.setdefault(name, []).append(note)


def _name_values(strange: dict[str, list[str]]) -> list[str]:
    sentences = []
    for name, texts in strange.items():
        different = list(dict.fromkeys(texts))
        named = []
        for text in different[:NUM_NAMED]:
            near = _find_near(text, VALUES[name])
            guess = f", near {' and '.join(near)}" if near else ""
            named.append(f"{text} ({format_count(texts.count(text), 'classifier')}{guess})")
        more = f" and {len(different) - NUM_NAMED} more" if len(different) > NUM_NAMED else ""
        known = ", ".join(VALUES[name][:NUM_NAMED]) + (" and others" if len(VALUES[name]) > NUM_NAMED else "")
        sentences.append(f"unknown values of {name} are kept as they are: {', '.join(named)}{more}. Known: {known}.")
    return sentences


def _find_near(text: str, known: Iterable[str]) -> list[str]:
    keys = {make_key(each): each for each in known}
    return [keys[key] for key in get_close_matches(make_key(text), keys, n=2, cutoff=0.6)]


def _fill_locations(columns: dict[str, list[str | None]]) -> int:
    """Where there is no channel-wise attention, its location is `-`, as in the paper's table; how many cells were filled."""
    if LOCATION not in columns or ATTENTION not in columns:
        return 0
    empty = [row for row, value in enumerate(columns[LOCATION]) if value is None and columns[ATTENTION][row] == "No"]
    for row in empty:
        columns[LOCATION][row] = NONE
    return len(empty)


def _recognize_single(component: str, text: str) -> str | None:
    known = (*VALUES[component], *OTHER_VALUES.get(component, ()))
    if text in known:
        return text
    key = make_key(text)
    by_key = {make_key(value): value for value in known}
    if key in by_key or key in VALUES_BY_KEY[component]:
        return by_key.get(key) or VALUES_BY_KEY[component][key]
    if "Yes" in known or component in KINDS:
        return "Yes" if key in YES else "No" if key in NO else None
    return None


def _recognize_several(component: str, text: str) -> str | None:
    """Values with `+`, a comma, a slash or `and` between, in the vocabulary's order."""
    parts = [_recognize_single(component, part) for part in _SEPARATOR.split(text)]
    found = [part for part in dict.fromkeys(parts) if part is not None]
    if None in parts or len(found) < 2:  # noqa: PLR2004
        return None
    same = next((value for value in VALUES[component] if set(value.split(" + ")) == set(found)), None)
    singles = (*VALUES[component], *OTHER_VALUES[component])
    return same or " + ".join(sorted(found, key=singles.index))


def _recognize_kinds(component: str, text: str) -> str | None:
    """`Yes (SE)` of `SE`, `yes(se)` or `squeeze-and-excitation`."""
    names = {make_key(kind): kind for kind in KINDS[component]}
    names |= {key: kind for kind, keys in KINDS[component].items() for key in keys.split()}
    listed = re.sub(r"^\s*yes\b[\s:,(]*|\)\s*$", "", text, flags=re.IGNORECASE)
    whole = names.get(make_key(listed))
    kinds = [whole] if whole else [names.get(make_key(part)) for part in _SEPARATOR.split(listed)]
    if None in kinds:
        return None
    return f"Yes ({', '.join(kind for kind in KINDS[component] if kind in kinds)})"


def _recognize_sizes(component: str, text: str) -> str | None:
    """Sizes in pixels: `224`, `224 x 224`, `(3, 224, 224)`; of a stem: `7x7 conv with stride 2`, `3S2 / 3`."""
    plain = text.casefold().replace("\N{MULTIPLICATION SIGN}", "x")
    if component == "input resolution":
        sizes = re.findall(r"\d+", re.sub(r"(\d)\.0\b", r"\1", plain))
        is_size = re.fullmatch(r"[\s\d.x*,()\[\]]+(px|pixels)?", plain) is not None
        if is_size and len(sizes) == 3 and sizes[0] == "3":  # noqa: PLR2004  (channels first)
            sizes = sizes[1:]
        return f"{sizes[0]}x{sizes[-1]}" if is_size and len(sizes) in {1, 2} and "0" not in sizes else None
    if component == "stem layer":
        described = re.fullmatch(r"(\d+)\s*x\s*\1(?:\s*conv\w*)?[\s,]*(?:with\s+)?(?:stride|s)\s*=?\s*(\d+)", plain)
        written = f"{described[1]}s{described[2]}" if described else re.sub(r"\s", "", plain)
        return written if is_known(component, written) else None
    return None
