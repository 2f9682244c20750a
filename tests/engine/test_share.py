"""The parts of a study: together everything, nothing twice, and of equal size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zooscope.attacks import LinfPGD
from zooscope.engine.share import Share, order_names
from zooscope.measurements import Clean, Features, Measurement, Planes, Task, Transfer
from zooscope.spelling import Part

TRANSFER = Transfer(attack=LinfPGD(), seed=0)
counts = st.integers(min_value=1, max_value=12)


def list_tasks(measurement: Measurement, names: tuple[str, ...], num_shards: int) -> list[Task]:
    return [Task(measurement=measurement, subject=name, shard=shard) for shard in range(num_shards) for name in names]


def make_shares(names: tuple[str, ...], num_shards: int, of: int, sources: tuple[str, ...] | None = None) -> list[Share]:
    return [
        Share(part=Part(number, of), names=names, sources=sources or names, num_shards=num_shards) for number in range(1, of + 1)
    ]


@settings(max_examples=30)
@given(num_names=counts, num_shards=counts, of=counts, measurement=st.sampled_from([TRANSFER, Features(), Planes()]))
def test_every_task_is_in_one_part_and_parts_differ_by_one_task(
    num_names: int, num_shards: int, of: int, measurement: Measurement
) -> None:
    names = tuple(f"classifier {number}" for number in range(num_names))
    tasks = list_tasks(measurement, names, num_shards)
    held = np.array([[share.holds(task) for task in tasks] for share in make_shares(names, num_shards, of)])
    assert (held.sum(0) == 1).all()
    assert held.sum(1).max() - held.sum(1).min() <= 1


@settings(max_examples=30)
@given(num_names=counts, num_shards=counts, of=counts)
def test_a_part_classifies_the_images_of_its_attacks_by_all_classifiers(num_names: int, num_shards: int, of: int) -> None:
    names = tuple(f"classifier {number}" for number in range(num_names))
    for share in make_shares(names, num_shards, of):
        attacked = {task.shard for task in list_tasks(TRANSFER, names, num_shards) if share.holds(task)}
        assert {task.shard for task in list_tasks(Clean(), names, num_shards) if share.holds(task)} == attacked
        assert all(share.holds(task) == (task.shard in attacked) for task in list_tasks(Clean(), names, num_shards))


def test_a_part_of_few_shards_has_whole_ones() -> None:
    names = tuple("abcd")
    for number, share in enumerate(make_shares(names, num_shards=6, of=3)):
        held = [(task.subject, task.shard) for task in list_tasks(TRANSFER, names, 6) if share.holds(task)]
        assert held == [(name, shard) for shard in (2 * number, 2 * number + 1) for name in names]


def test_attacks_are_shared_out_among_the_sources_and_the_rest_among_all() -> None:
    names, sources = tuple("abcdefgh"), ("c", "f")
    shares = make_shares(names, num_shards=4, of=4, sources=sources)
    assert [sum(map(share.holds, list_tasks(TRANSFER, sources, 4))) for share in shares] == [2, 2, 2, 2]
    assert [sum(map(share.holds, list_tasks(Features(), names, 4))) for share in shares] == [8, 8, 8, 8]


@pytest.mark.parametrize("shard", range(5))
def test_the_order_within_a_shard_depends_on_the_names_alone(shard: int) -> None:
    names = [f"timm:resnet{number}" for number in range(9)]
    assert order_names(names, shard) == order_names(names[::-1], shard)
    assert order_names(names, shard) != order_names(names, shard + 1)


def test_parts_cost_nearly_the_same_though_classifiers_of_one_family_stand_together() -> None:
    """Two thirds of the classifiers are cheap, and they stand first: a run of them would make a part half as dear."""
    names = tuple(f"classifier {number}" for number in range(60))
    cost = {name: 1.0 if number < 40 else 4.0 for number, name in enumerate(names)}
    tasks = list_tasks(TRANSFER, names, 50)
    totals = [sum(cost[task.subject] for task in tasks if share.holds(task)) for share in make_shares(names, 50, 16)]
    assert max(totals) < 1.05 * np.mean(totals)
