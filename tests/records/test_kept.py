"""Arrays that are read part by part, of the settings that most were measured with."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.records.written import DEFINITION, IDS, LABELS, classifier
from zooscope.records.kept import find_kept
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow


@pytest.fixture
def records() -> Iterator[Records]:
    """Two classifiers, measured with two settings: the first on two parts, the second on one."""
    with Records.in_memory(DEFINITION, IDS, LABELS) as opened:
        for name in "ab":
            opened.add_classifier(classifier(name), is_admitted=True)
        for digest, units in {"early": [("a", 0), ("a", 1), ("b", 0)], "late": [("a", 0), ("b", 0)]}.items():
            opened.save(
                ArrayRow(kind="features", digest=digest, subject=name, part=part, values=np.array([len(digest)]))
                for name, part in units
            )
        yield opened


def test_the_settings_are_listed_as_they_came(records: Records) -> None:
    assert records.digests("features") == ("early", "late")
    assert records.digests("planes") == ()


def test_those_settings_are_taken_that_most_was_measured_with(records: Records) -> None:
    kept = find_kept(records, "features", ["a", "b"])
    assert kept is not None
    assert (kept.digest, kept.num_parts) == ("early", 2)
    assert {name: values.tolist() for name, values in kept.read_part(0).items()} == {"a": [5], "b": [5]}
    assert list(kept.read_part(1)) == ["a"]


def test_among_equals_the_last_are_taken_and_only_the_classifiers_asked_for(records: Records) -> None:
    kept = find_kept(records, "features", ["b"])
    assert kept is not None
    assert (kept.digest, kept.num_parts, list(kept.read_part(0))) == ("late", 1, ["b"])


def test_what_was_never_measured_is_not_kept(records: Records) -> None:
    assert find_kept(records, "planes", ["a", "b"]) is None
    assert find_kept(records, "features", ["stranger"]) is None
