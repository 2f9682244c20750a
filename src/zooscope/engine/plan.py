"""What is missing from a record: the units of work still to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from zooscope.records.records import Records


@dataclass(frozen=True, kw_only=True)
class CleanUnit:
    """Clean images of one shard through one classifier."""

    classifier: str
    shard: int


@dataclass(frozen=True, kw_only=True)
class AttackUnit:
    """One shard attacked through one source, and the targets to test on it.

    Attributes:
        controls: targets whose control on this source's way is missing, too.
    """

    source: str
    shard: int
    targets: tuple[str, ...]
    controls: tuple[str, ...]


def missing_clean(records: Records) -> tuple[CleanUnit, ...]:
    """Clean passes still to do, shard by shard."""
    done = records.clean_done()
    return tuple(
        CleanUnit(classifier=name, shard=shard)
        for shard in range(len(records.shards))
        for name in records.names
        if (name, shard) not in done
    )


def missing_attacks(records: Records) -> tuple[AttackUnit, ...]:
    """Attacks still to do, shard by shard, so that a half-measured study is a study of fewer images.

    A control is due once per (way of making pixels, target, shard), and only where that way is not the target's own.
    """
    transforms = {classifier.name: classifier.transform for classifier in records.classifiers}
    done, controls_known = records.transfers_done(), set(records.controls_done())
    units = []
    for shard in range(len(records.shards)):
        for source in records.names:
            targets = tuple(target for target in records.names if (source, target, shard) not in done)
            if targets:
                ways = ((transforms[source], target, shard) for target in targets if transforms[target] != transforms[source])
                controls = _take(ways, controls_known)
                units.append(AttackUnit(source=source, shard=shard, targets=targets, controls=controls))
    return tuple(units)


def _take(ways: Iterable[tuple[str, str, int]], known: set[tuple[str, str, int]]) -> tuple[str, ...]:
    """Targets of the ways that are not known yet; they are known from now on."""
    new = tuple(way for way in ways if way not in known)
    known.update(new)
    return tuple(target for _, target, _ in new)
