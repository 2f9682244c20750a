"""Work on many images at once: PIL lets go of Python's lock while it decodes and resizes."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

MOST_THREADS: Final = 16
_WAITING: Final = 4  # items per thread that are handed in beforehand

Item = TypeVar("Item")
Result = TypeVar("Result")


def count_threads() -> int:
    """One thread per processor that this process may use, up to `MOST_THREADS`."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_THREADS, available))


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None) -> Generator[Result]:
    """What the function makes of each item, in their order, made by several threads.

    Only a few items are on their way at a time, so that a million of them take no room. The first error is raised where its item's
    result is due; what has not begun by then is left.

    Args:
        function: called from several threads at once.
        items: what it is called with.
        threads: how many; `num_threads()` if left out.
    """
    count = threads or count_threads()
    if count == 1:
        yield from map(function, items)
        return
    remaining = iter(items)
    with ThreadPoolExecutor(count) as pool:
        under_way: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(remaining, _WAITING * count))
        try:
            while under_way:
                result = under_way.popleft().result()
                under_way.extend(pool.submit(function, item) for item in islice(remaining, 1))
                yield result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
