"""What lies beside images and is not used, in words; read without torch."""

from collections.abc import Mapping
from typing import Final

NUM_NAMED: Final = 5


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """What lies beside the images and is not used, in words.

    >>> describe_left_out({"subfolders without images (emu)": 1, "files .txt": 2})
    'subfolders without images (emu): 1, files .txt: 2'
    """
    kinds = list(left_out.items())
    named = ", ".join(f"{kind}: {count}" for kind, count in kinds[:NUM_NAMED])
    others = sum(count for _, count in kinds[NUM_NAMED:])
    return f"{named}, others: {others}" if others else named
