"""The file of a class map: which of a network's outputs stands for which class of the images; read without torch."""

from pathlib import Path
from typing import Final

from zooscope.classifiers.addresses import BACKGROUND
from zooscope.errors import InvalidValueError, MissingFileError

HEADER: Final = ("class", "output")


def find_path(class_map: str) -> Path:
    """The file of a class map, found from wherever one stands."""
    return Path(class_map).expanduser().resolve()


def read_outputs(file: Path) -> tuple[int, ...]:
    """The network's outputs, counted from 0, in the order of the images' classes.

    Args:
        file: text with one output a line, the first line for the images' first class; or CSV with the header `class,output`. There
            `class` is a name, for the reader alone, or the number of the class, which must then count up from 0.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: it is empty, can't be read, or a line is no output, or one that came before.
    """
    if not file.is_file():
        msg = f"there is no class map {file}; give a text file with one output of the network a line, or class_map={BACKGROUND}."
        raise MissingFileError(msg)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"the class map {file} is no text; write one output of the network a line."
        raise InvalidValueError(msg) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    is_table = bool(lines) and tuple(cell.strip().lower() for cell in lines[0][1].split(",")) == HEADER
    outputs: dict[int, int] = {}
    for number, line in lines[is_table:]:
        output = _read_output(line, class_number=len(outputs), is_table=is_table, place=f"line {number} of the class map {file}")
        if output in outputs:
            msg = (
                f"line {number} of the class map {file} names output {output} again (line {outputs[output]} has it); take one out."
            )
            raise InvalidValueError(msg)
        outputs[output] = number
    if not outputs:
        msg = f"the class map {file} is empty; write one output of the network a line."
        raise InvalidValueError(msg)
    return tuple(outputs)


def _read_output(line: str, *, class_number: int, is_table: bool, place: str) -> int:
    name, _, text = line.rpartition(",") if is_table else ("", "", line)  # a class may have a comma in its name
    if is_table and name.strip().isdecimal() and int(name) != class_number:
        msg = (
            f"{place} is about class {name.strip()} where class {class_number} is due; order the lines by class, leaving none out."
        )
        raise InvalidValueError(msg)
    if not text.strip().isdecimal():
        wanted = f"a line {','.join(HEADER)}" if is_table else "the number of an output, counted from 0"
        msg = f"{place} must be {wanted}: got {line!r}."
        raise InvalidValueError(msg)
    return int(text)
