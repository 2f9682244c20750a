"""Tasks are dealt to workers that hold the classifier, every one is done once, and none is lost."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zooscope.engine.dealing import MOST_TRIES, Dealer
from zooscope.errors import StudyError
from zooscope.measurements import Clean, Task


def list_tasks(names: Sequence[str], num_shards: int) -> list[Task]:
    return [Task(measurement=Clean(), subject=name, shard=shard) for shard in range(num_shards) for name in names]


def test_a_worker_gets_what_it_holds_then_what_nobody_holds_then_the_first() -> None:
    dealer = Dealer(list_tasks("abc", 2))
    assert dealer.deal(["b"], ["a"]) == 1
    assert dealer.deal([], ["a", "b"]) == 2
    assert dealer.deal([], ["a", "b", "c"]) == 0
    assert dealer.deal(["a"], []) == 3
    assert dealer.deal(["a"], ["b", "c"]) == 4, "no worker waits while there is something to do"
    assert dealer.deal([], []) == 5
    assert dealer.deal([], []) is None


def test_later_shards_wait_for_the_first() -> None:
    dealer = Dealer(list_tasks("ab", 5))
    assert [dealer.deal(["a"], []) for _ in range(4)] == [0, 2, 1, 4]


def test_what_is_done_twice_counts_once() -> None:
    dealer = Dealer(list_tasks("a", 2))
    first = dealer.deal([], [])
    assert first == 0
    dealer.put_back(first, "killed")
    assert dealer.finish(first), "a late result counts, too"
    assert not dealer.finish(first)
    assert dealer.deal([], []) == 1, "and what it is of isn't dealt again"
    dealer.put_back(first, "killed")
    assert dealer.deal([], []) is None
    dealer.finish(1)
    assert dealer.is_done


def test_a_task_that_is_lost_three_times_is_named() -> None:
    dealer = Dealer(list_tasks("ab", 3))
    for _ in range(MOST_TRIES - 1):
        assert dealer.deal([], []) == 0, "it is dealt next"
        dealer.put_back(0, "killed")
    dealer.deal([], [])
    with pytest.raises(
        StudyError, match=r"classify of a, shard 1, was given to 3 workers, and each was gone before .* \(out of memory\)"
    ):
        dealer.put_back(0, "out of memory")


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_whatever_is_lost_every_task_is_done_once(num_names: int, num_shards: int, num_workers: int, chance: random.Random) -> None:
    tasks = list_tasks("abcdef"[:num_names], num_shards)
    dealer, at_work, done, losses = Dealer(tasks), dict[int, int](), list[int](), 0
    while not dealer.is_done:
        for worker in range(num_workers):
            index = None if worker in at_work else dealer.deal([], [])
            if index is not None:
                assert index not in at_work.values()
                at_work[worker] = index
        worker = chance.choice(list(at_work))
        index = at_work.pop(worker)
        if losses < MOST_TRIES - 1 and chance.random() < 0.3:
            losses += 1
            dealer.put_back(index, "killed")
        else:
            assert dealer.finish(index)
            done.append(index)
    assert sorted(done) == list(range(len(tasks)))


def test_every_classifier_is_held_by_one_worker_where_there_are_as_many() -> None:
    """Four workers, eight classifiers of equal cost, ten shards: after the first shard nothing is loaded any more."""
    names, num_shards = "abcdefgh", 10
    tasks = list_tasks(names, num_shards)
    dealer, held, loads = Dealer(tasks), [list[str]() for _ in range(4)], 0
    while not dealer.is_done:
        for worker, own in enumerate(held):
            index = dealer.deal(own, {name for some in held for name in some})
            assert index is not None, worker
            subject = tasks[index].subject
            if subject not in own:
                own.append(subject)
                loads += 1
            dealer.finish(index)
    assert loads == len(names)
