"""Prints the lowest versions that pyproject.toml allows, a line each, as constraints for pip.

python release/lowest.py                       # of what everybody installs
python release/lowest.py --except torch        # without those: their lowest is not to be had everywhere
"""

import re
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"
_REQUIREMENT: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<version>[0-9.]+)")


def find_lowest(requirements: list[str], leave_out: Collection[str] = ()) -> list[str]:
    """Each requirement at its lower bound.

    Raises:
        ValueError: one has none.
    """
    lowest = []
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None:
            msg = f"{requirement} has no lower bound in pyproject.toml; add one that was tested."
            raise ValueError(msg)
        if match["name"] not in leave_out:
            lowest.append(f"{match['name']}=={match['version']}")
    return lowest


def main() -> None:
    """Prints them."""
    leave_out = sys.argv[2:] if sys.argv[1:2] == ["--except"] else []
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    try:
        print("\n".join(find_lowest(project["dependencies"], leave_out)))
    except ValueError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
