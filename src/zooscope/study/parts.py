"""Where the parts of a study lie: each is a study of its own, so that no two processes write one file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zooscope.records.entries import DATABASE
from zooscope.spelling import Part

PARTS: Final = "parts"  # within the study's folder
_NAME: Final = re.compile(r"(\d+)-of-(\d+)")


def find_part_folder(study: Path, part: Part) -> Path:
    """The folder of a part.

    >>> find_part_folder(Path("study"), Part(3, 16)).as_posix()
    'study/parts/3-of-16'
    """
    return study / PARTS / f"{part.number}-of-{part.of}"


def find_part(folder: Path) -> Part | None:
    """Which part lies in a folder, by its name; None where it has another."""
    found = _NAME.fullmatch(folder.name)
    return None if found is None else Part(int(found[1]), int(found[2]))


def list_parts(study: Path) -> list[Path]:
    """The folders of the parts of a study that are there, in their order."""
    found = {folder: find_part(folder) for folder in (study / PARTS).glob("*-of-*") if (folder / DATABASE).is_file()}
    return sorted((folder for folder, part in found.items() if part is not None), key=lambda folder: (found[folder], folder))


def find_absent(folders: Sequence[Path]) -> tuple[Part, ...]:
    """The parts that are not among some folders, as far as their names tell; none where they don't agree on how many there are.

    >>> find_absent([Path("parts/1-of-3"), Path("parts/3-of-3")])
    (Part(number=2, of=3),)
    """
    parts = [part for part in map(find_part, folders) if part is not None]
    counts = {part.of for part in parts}
    if len(counts) != 1:
        return ()
    (of,) = counts
    return tuple(part for part in (Part(number, of) for number in range(1, of + 1)) if part not in parts)
