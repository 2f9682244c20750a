"""Work on many images at once."""

import os
import threading
import time
from itertools import count, islice

import pytest

from zooscope.images import threads
from zooscope.images.threads import MOST_THREADS, count_threads, map_in_order


@pytest.mark.parametrize("number", [1, 2, 7])
def test_results_come_in_the_order_of_the_items(number: int) -> None:
    def slowly(item: int) -> int:
        time.sleep(0.001 * (item % 3))
        return item * item

    assert list(map_in_order(slowly, range(50), threads=number)) == [item * item for item in range(50)]


def test_of_endless_items_only_a_few_are_begun() -> None:
    begun: list[int] = []
    results = map_in_order(begun.append, count(), threads=2)
    assert list(islice(results, 3)) == [None] * 3
    results.close()
    assert len(begun) <= 12


def test_the_first_error_is_raised_where_its_item_is_due() -> None:
    results = map_in_order(lambda item: 1 // (item - 3), range(100), threads=3)
    assert len(list(islice(results, 3))) == 3
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_items_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=600)
    assert len(list(map_in_order(lambda _: together.wait(), range(3), threads=3))) == 3


def test_there_is_a_thread_for_each_processor_but_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= count_threads() <= MOST_THREADS
    for available, expected in ((1, 1), (3, 3), (500, MOST_THREADS)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, number=available: set(range(number)), raising=False)
        assert threads.count_threads() == expected
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert count_threads() == 2
