"""Studies beside a folder that holds none: its name may be misspelt."""

from difflib import get_close_matches
from pathlib import Path
from typing import Final

from zooscope.records.entries import DATABASE

NUM_SUGGESTED: Final = 3


def suggest_studies(folder: Path) -> str:
    """A question that names the studies with similar names beside a folder, to be put into a sentence; empty if there are none.

    Args:
        folder: as the user wrote it.
    """
    try:
        names = sorted(each.name for each in folder.parent.iterdir() if each.name != folder.name and (each / DATABASE).is_file())
    except OSError:  # a folder that is missing or can't be read has no suggestions
        return ""
    near = get_close_matches(folder.name, names, n=NUM_SUGGESTED)
    return f" Did you mean {' or '.join(str(folder.with_name(name)) for name in near)}?" if near else ""
