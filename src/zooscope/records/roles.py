"""Which classifiers of a study are attacked; all are targets. One boolean per classifier; one that has none is a source."""

from collections.abc import Mapping

import numpy as np

from zooscope.records.arrays import SOURCE
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow


def read_sources(records: Records) -> tuple[str, ...]:
    """The classifiers that are attacked, in the order they came."""
    with records.one_moment():
        roles = {row.subject: bool(row.values.all()) for row in records.arrays(SOURCE)}
        return tuple(name for name in records.names if roles.get(name, True))


def write_roles(records: Records, roles: Mapping[str, bool]) -> None:
    """Enters whether classifiers are attacked."""
    records.save(ArrayRow(kind=SOURCE, subject=name, part=0, values=np.array([is_source])) for name, is_source in roles.items())
