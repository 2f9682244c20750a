"""Memory that is used again: glibc's allocator, told to keep the blocks that tensors free."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

# Names and numbers of <malloc.h>, with what each is set to, and its default.
_SETTINGS: Final = {
    "M_ARENA_MAX": (-8, 1, 0),  # one heap for all threads: those of threads can't hold large blocks
    "M_MMAP_MAX": (-4, 0, 65_536),
    "M_TRIM_THRESHOLD": (-1, 2**31 - 1, 128 * 1024),
    "M_TOP_PAD": (-2, 256 * 2**20, 128 * 1024),
}


@contextmanager
def keeping_memory() -> Iterator[None]:
    """Keeps freed memory in the process while it lasts, and gives it back at the end.

    torch's tensors on a CPU come from malloc. glibc maps large blocks anew each time and gives them back when they are freed, so
    that the kernel clears every page of every activation, at each step of an attack. Kept, blocks are used again; not a bit of any
    result changes. Does nothing where there is no glibc.

    Example:
        >>> with keeping_memory():
        ...     total = sum(range(10))
    """
    library = find_glibc()
    if library is None:
        yield
        return
    for number, kept, _ in _SETTINGS.values():
        library.mallopt(number, kept)
    try:
        yield
    finally:
        for number, _, default in _SETTINGS.values():
            library.mallopt(number, default)
        give_back()


def give_back() -> None:
    """Gives freed memory back to the system, as between two networks whose blocks differ in size."""
    library = find_glibc()
    if library is not None:
        library.malloc_trim(0)


@cache
def find_glibc() -> Any | None:  # noqa: ANN401  (a library of C functions)
    """The C library, if it is glibc; None elsewhere."""
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
