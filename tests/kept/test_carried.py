"""Attacked images on their way between processes."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.kept.test_kept_attacks import Maker, work_of
from zooscope.attacks.base import Attacked
from zooscope.errors import DamagedAttackWarning, NotKeptWarning
from zooscope.kept.carried import CarriedAttacks
from zooscope.kept.entries import Entry
from zooscope.kept.kept_attacks import KeptAttacks


def test_what_is_made_here_is_kept_there_and_used_where_it_is_sent_next(tmp_path: Path) -> None:
    work, folder = work_of(), KeptAttacks(tmp_path)
    make, (one, other) = Maker(work), (CarriedAttacks(), CarriedAttacks())
    one.load(folder.find_entries(work.unit))
    first = one.take(work, make)
    (entry,) = one.unload()
    folder.keep_entry(pickle.loads(pickle.dumps(entry)))  # noqa: S301  (our own bytes)
    other.load(folder.find_entries(work_of().unit))
    again = other.take(work_of(), make)
    assert make.count == 1
    assert torch.equal(first.pixels, again.pixels)
    assert other.unload() == ()
    kept = KeptAttacks(tmp_path).find(work_of())
    assert kept is not None
    assert torch.equal(kept.pixels, first.pixels)


def test_it_holds_what_belongs_to_one_task(tmp_path: Path) -> None:
    work, carried = work_of(), CarriedAttacks()
    make = Maker(work)
    KeptAttacks(tmp_path).take(work, make)
    carried.load(KeptAttacks(tmp_path).find_entries(work.unit))
    assert carried.has(work.unit)
    carried.unload()
    assert not carried.has(work.unit)
    carried.load(())
    carried.take(work, make)
    carried.take(work, make)
    assert make.count == 3
    assert len(carried.unload()) == 2
    assert carried.unload() == ()


def test_where_nothing_is_kept_nothing_is_packed() -> None:
    work, carried = work_of(), CarriedAttacks()
    make = Maker(work)
    carried.load(None)
    carried.take(work, make)
    assert make.count == 1
    assert carried.unload() == ()


def test_what_another_key_has_is_not_used(tmp_path: Path) -> None:
    """Two works of one unit, on other weights, say."""
    work, folder, carried = work_of(), KeptAttacks(tmp_path), CarriedAttacks()
    other = replace(work, labels=(work.labels + 1) % 3)
    folder.take(other, Maker(other))
    assert other.unit == work.unit
    assert folder.has(work.unit)
    carried.load(folder.find_entries(work.unit))
    make = Maker(work)
    made = carried.take(work, make)
    assert make.count == 1
    assert torch.equal(made.pixels, Maker(work)().pixels)


def test_what_can_not_be_unpacked_here_is_made_again(tmp_path: Path) -> None:
    work, carried = work_of(), CarriedAttacks()
    make = Maker(work)
    KeptAttacks(tmp_path).take(work, make)
    (entry,) = KeptAttacks(tmp_path).find_entries(work.unit)
    carried.load([Entry({**entry.header, "digest": "another"}, entry.body)])
    with pytest.warns(DamagedAttackWarning, match="gives other pixels than were kept: its images are attacked again"):
        made = carried.take(work, make)
    assert make.count == 2
    assert torch.equal(made.pixels, Maker(work)().pixels)
    assert [one.header["digest"] for one in carried.unload()] == [entry.header["digest"]]


def test_pixels_that_can_not_be_packed_are_given_and_not_kept() -> None:
    work, carried = work_of(), CarriedAttacks()
    carried.load(())
    strange = Attacked(work.pixels.double())
    with pytest.warns(NotKeptWarning, match="attacked images are not kept .*pixels of another shape or type"):
        assert carried.take(work, lambda: strange) is strange
    assert carried.unload() == ()
