"""The tasks of one of several processes that measure a study together without knowing of each other."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import final

import torch

from zooscope.engine.device import describe_device
from zooscope.measurements.base import Task
from zooscope.measurements.clean import Clean
from zooscope.measurements.transfer import Transfer
from zooscope.records.records import Records
from zooscope.records.ways import Way, read_ways, write_ways
from zooscope.spelling import Part, parse_part


@final
@dataclass(frozen=True, kw_only=True)
class Share:
    """Which tasks a part of several measures: the same answer in every process that knows the same classifiers and images.

    Units are pairs of a classifier and a shard. They stand shard by shard, those of a shard in a random order that is the same
    everywhere, and every part takes one run of them. So parts differ by at most one unit, a part has the images of few shards to
    decode and to classify, and classifiers of one family, which cost alike and often stand together, are spread. Clean images are
    classified by every part that has a unit of their shard, since an attack takes what all classifiers say of them.

    Attributes:
        part: which, of how many.
        sources: the classifiers that are attacked, also those that were refused.
        names: all classifiers, also those that were refused.
        num_shards: of the images.
    """

    part: Part
    sources: tuple[str, ...]
    names: tuple[str, ...]
    num_shards: int

    @classmethod
    def take(cls, records: Records, part: Part) -> "Share":
        """The share of a study as it is now."""
        entries = records.entries
        return cls(
            part=part,
            sources=tuple(entry.name for entry in entries if entry.is_source),
            names=tuple(entry.name for entry in entries),
            num_shards=len(records.shards),
        )

    def holds(self, task: Task) -> bool:
        """Whether this part measures a task."""
        if isinstance(task.measurement, Clean):
            return task.shard in self._shards
        if not task.measurement.is_by_shard:
            return (task.shard * len(self.names) + self.names.index(task.subject)) % self.part.of == self.part.number - 1
        return (task.subject, task.shard) in (self._attacks if isinstance(task.measurement, Transfer) else self._others)

    @cached_property
    def _attacks(self) -> frozenset[tuple[str, int]]:
        return frozenset(self._deal(self.sources))

    @cached_property
    def _others(self) -> frozenset[tuple[str, int]]:
        return frozenset(self._deal(self.names))

    @cached_property
    def _shards(self) -> frozenset[int]:
        return frozenset(shard for _, shard in self._attacks)

    def _deal(self, names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        """The units of this part."""
        total, of = len(names) * self.num_shards, self.part.of
        first, last = (-(-total * number // of) for number in (self.part.number - 1, self.part.number))
        for place in range(first, last):
            shard, within = divmod(place, len(names))
            yield order_names(names, shard)[within], shard


def take_share(records: Records, part: str | None, *, device: torch.device, batch_size: int) -> Callable[[Task], bool]:
    """Whether a task is measured here: all of them, or those of a part, of which the record then keeps how it is measured.

    Args:
        records: of the study, open for writing.
        part: such as "3/16"; None takes everything.
        device: where it is measured.
        batch_size: images that go through a network at once.

    Raises:
        InvalidValueError: the text is no part.
    """
    if part is None:
        return lambda _: True
    share = Share.take(records, parse_part(part))
    ways = read_ways(records)
    here = Way(version("zooscope"), torch.__version__, describe_device(device), batch_size)
    if here not in ways:
        write_ways(records, [*ways, here])
    return share.holds


def order_names(names: Sequence[str], shard: int) -> list[str]:
    """Names in a random order that depends on them and the shard alone.

    >>> order_names(["a", "b", "c"], 0), order_names(["c", "b", "a"], 0), order_names(["a", "b", "c"], 1)
    (['c', 'a', 'b'], ['c', 'a', 'b'], ['a', 'b', 'c'])
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{shard}\0{name}".encode()).digest())
