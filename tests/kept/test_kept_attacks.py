import errno
import os
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn

from tests.classifiers.test_prepared import NotCopied
from tests.specimens import attentive, classifier_of, conv_network, family
from zooscope.attacks import LinfPGD, PatchFool
from zooscope.attacks.base import Attacked
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.prepared import prepare
from zooscope.errors import DamagedAttackWarning, InvalidValueError, NotKeptWarning, StudyError
from zooscope.images.load import load_images
from zooscope.kept import coding, kept_attacks
from zooscope.kept.entries import list_entries
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.kept.work import Work
from zooscope.measurements.transfer import make_attacked, perturb

ATTACK = LinfPGD(epsilon=0.03, step_size=0.1, iterations=2)


def work_of(source: Classifier | None = None, **changes: object) -> Work:
    classifiers, images = family(1, num_images=6)
    chosen = source or classifiers[0]
    labels = torch.from_numpy(images.labels)
    whole = Work(attack=ATTACK, source=chosen, pixels=images.pixels(chosen), labels=labels, ids=images.ids, seed=0, batch_size=4)
    return replace(whole, **changes)  # type: ignore[arg-type]


class Maker:
    """Attacks, and counts how often it does."""

    def __init__(self, work: Work) -> None:
        self.work, self.count = work, 0

    def __call__(self) -> Attacked:
        self.count += 1
        work = self.work
        return perturb(work.attack, work.source, work.pixels, work.labels, work.ids, seed=work.seed, batch_size=work.batch_size)


def test_what_is_kept_is_not_made_again_and_is_the_same(tmp_path: Path) -> None:
    make = Maker(work_of())
    kept = KeptAttacks(tmp_path / "cache")
    first = kept.take(work_of(), make)
    again = KeptAttacks(tmp_path / "cache").take(work_of(), make)  # another process: everything anew
    assert make.count == 1
    assert torch.equal(first.pixels, again.pixels)
    assert again.facts == {}


def test_facts_are_kept_with_their_type(tmp_path: Path) -> None:
    source, images = attentive(4)
    work = work_of(source, attack=PatchFool(iterations=2), pixels=images.pixels(source), labels=torch.from_numpy(images.labels))
    work = replace(work, ids=images.ids)
    make = Maker(work)
    first, again = (KeptAttacks(tmp_path).take(work, make) for _ in range(2))
    assert make.count == 1
    assert first.facts.keys() == again.facts.keys() == {"fooled", "patch"}
    for name, values in first.facts.items():
        assert values.dtype == again.facts[name].dtype
        assert torch.equal(values, again.facts[name])


def test_the_layout_in_memory_comes_back_as_it_decides_on_kernels(tmp_path: Path) -> None:
    work = work_of()
    made = Attacked(work.pixels.contiguous(memory_format=torch.channels_last))
    KeptAttacks(tmp_path).keep(work, made)
    found = KeptAttacks(tmp_path).find(work)
    assert found is not None
    assert found.pixels.stride() == made.pixels.stride()


def with_network(network: nn.Module) -> Classifier:
    return classifier_of("relative 0", network, num_classes=3, size=(6, 6))


def change_activation() -> Classifier:
    """The same weights and names of weights, another function."""
    network = conv_network(0)
    network[1] = nn.ReLU()  # type: ignore[operator]
    return with_network(network)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounded(Classifier):
    """Computes in another way, which a field of its own says."""

    decimals: int


def make_rounded(decimals: int) -> Rounded:
    return Rounded(**{one.name: getattr(PLAIN, one.name) for one in fields(Classifier)}, decimals=decimals)


PLAIN = with_network(conv_network(0))
DIFFERENT: dict[str, Callable[[], Work]] = {
    "attack": lambda: work_of(PLAIN, attack=replace(ATTACK, iterations=3)),
    "seed": lambda: work_of(PLAIN, seed=1),
    "weights": lambda: work_of(with_network(conv_network(0, sibling=1))),
    "activation": lambda: work_of(change_activation()),
    "normalisation": lambda: work_of(replace(PLAIN, mean=(0.1, 0.0, 0.0))),
    "one bit of a pixel": lambda: work_of(PLAIN, pixels=work_of(PLAIN).pixels.index_fill(0, torch.tensor([5]), 0.5)),
    "label": lambda: work_of(PLAIN, labels=(work_of(PLAIN).labels + 1) % 3),
    "id": lambda: work_of(PLAIN, ids=[f"other {place}" for place in range(6)]),
    "batch size": lambda: work_of(PLAIN, batch_size=3),
    "order": lambda: work_of(PLAIN, pixels=work_of(PLAIN).pixels.flip(0)),
    "precision": lambda: work_of(PLAIN, how={"precision": "bf16"}),
    "kind of classifier": lambda: work_of(make_rounded(1)),
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_whatever_can_change_a_bit_is_in_the_key(change: Callable[[], Work]) -> None:
    assert work_of(PLAIN).key == work_of(PLAIN).key
    assert change().key != work_of(PLAIN).key


def test_fields_of_a_kind_of_classifier_of_its_own_are_in_the_key() -> None:
    assert work_of(make_rounded(1)).key == work_of(make_rounded(1)).key != work_of(make_rounded(2)).key


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_threads_change_sums_and_so_the_key() -> None:
    before = work_of(PLAIN).key
    with on_threads(torch.get_num_threads() + 1):
        assert work_of(PLAIN).key != before
    assert work_of(PLAIN).key == before


@pytest.mark.parametrize("num_images", [1, 3, 12])
@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_where_batches_take_one_thread_each_threads_change_neither_a_bit_nor_the_key(name: str, num_images: int) -> None:
    source = load_classifier(f"bundled:{name}")
    images = load_images("bundled:cifar10").sample(num_images, seed=0)
    labels, found = torch.from_numpy(images.labels), list[tuple[str, Attacked]]()
    for threads in (1, 3):
        with on_threads(threads):
            work = work_of(prepare(source), pixels=images.pixels(source), labels=labels, ids=images.ids)
            found.append((work.key, make_attacked(work)))
    (one, alone), (other, together) = found
    assert one == other
    assert torch.equal(alone.pixels, together.pixels)


def test_threads_are_in_the_key_where_a_network_that_can_not_be_copied_takes_them_all() -> None:
    keys = []
    for threads in (1, 3):
        with on_threads(threads):
            keys.append(work_of(prepare(with_network(NotCopied()), precision="bf16")).key)
    assert keys[0] != keys[1]


class WithFunction(nn.Module):
    """Prints the place of a function, which is another in every process."""

    def __init__(self) -> None:
        super().__init__()
        self.network = conv_network(0)
        self.function = lambda: None

    def __repr__(self) -> str:
        return f"{super().__repr__()} {self.function}"

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(pixels)
        return logits


def test_the_key_is_the_same_in_another_process_although_torch_prints_places_in_memory() -> None:
    first, other = WithFunction(), WithFunction()
    assert repr(first) != repr(other)
    assert work_of(with_network(first)).key == work_of(with_network(other)).key


# Units


def test_a_unit_is_known_by_what_is_known_before_anything_is_loaded(tmp_path: Path) -> None:
    kept, work = KeptAttacks(tmp_path), work_of(PLAIN)
    assert not kept.has(work.unit)
    kept.take(work, Maker(work))
    assert kept.has(work.unit)
    assert KeptAttacks(tmp_path).has(work.unit)
    assert not KeptAttacks(tmp_path, limit=0).has(work.unit)
    for change in ("attack", "seed", "id", "batch size", "precision"):
        assert not kept.has(DIFFERENT[change]().unit), change
    for change in ("weights", "one bit of a pixel", "label"):
        assert kept.has(DIFFERENT[change]().unit), change
    assert not kept.has(work_of(replace(PLAIN, name="another")).unit)
    kept.forget()
    assert not kept.has(work.unit)
    assert kept.find_entries(work.unit) == ()


def test_the_entries_of_a_unit_are_those_of_all_its_works(tmp_path: Path) -> None:
    one, other = (DIFFERENT[change]() for change in ("weights", "label"))
    kept = KeptAttacks(tmp_path)
    for work in (one, other, DIFFERENT["seed"]()):
        kept.take(work, Maker(work))
    assert {entry.header["key"] for entry in kept.find_entries(one.unit)} == {one.key, other.key}


def test_a_unit_that_is_adopted_is_known(tmp_path: Path) -> None:
    work = work_of()
    KeptAttacks(tmp_path / "from").take(work, Maker(work))
    kept = KeptAttacks(tmp_path / "to")
    assert not kept.has(work.unit)
    kept.adopt(tmp_path / "from")
    assert kept.has(work.unit)


# Damage


def keep_one(folder: Path) -> tuple[Work, Maker, Path]:
    work = work_of()
    make = Maker(work)
    KeptAttacks(folder).take(work, make)
    (file,) = list_entries(folder)
    return work, make, file


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)


def make_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": truncate,
    "empty": lambda file: file.write_bytes(b""),
    "a flipped bit": flip,
    "a foreign file": lambda file: file.write_text("not an attack, and longer than any checksum is" * 3),
    "a pipe": make_pipe,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_said_once_and_made_again(damage: Callable[[Path], object], tmp_path: Path) -> None:
    work, make, file = keep_one(tmp_path)
    first = make()
    damage(file)
    kept = KeptAttacks(tmp_path)
    with pytest.warns(DamagedAttackWarning, match=r"\.attack is .*: its images are attacked again\."):
        again = kept.take(work, make)
    assert torch.equal(again.pixels, first.pixels)
    damage(file)
    assert torch.equal(kept.take(work, make).pixels, first.pixels)  # without another word
    assert make.count == 4


def test_an_entry_under_another_key_is_not_taken_for_it(tmp_path: Path) -> None:
    work, _, file = keep_one(tmp_path)
    other = replace(work, seed=1)
    file.rename(tmp_path / f"{other.key}.attack")
    make = Maker(other)
    with pytest.warns(DamagedAttackWarning, match="is not what its name says"):
        KeptAttacks(tmp_path).take(other, make)
    assert make.count == 1


def test_pixels_that_come_out_otherwise_than_they_were_kept_are_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, make, _ = keep_one(tmp_path)
    monkeypatch.setattr(coding, "unpack", lambda _data, clean, epsilon: clean + epsilon)  # a later version's mistake
    with pytest.warns(DamagedAttackWarning, match="gives other pixels than were kept"):
        KeptAttacks(tmp_path).take(work, make)
    assert make.count == 2


# Room


def keep_some(kept: KeptAttacks, seeds: range) -> list[Work]:
    works = [work_of(seed=seed) for seed in seeds]
    for place, work in enumerate(works):
        kept.keep(work, Maker(work)())
        os.utime(kept.folder / f"{work.key}.attack", ns=(place, place))
    return works


def is_kept(kept: KeptAttacks, work: Work) -> bool:
    return (kept.folder / f"{work.key}.attack").exists()


def test_over_the_limit_those_go_that_were_not_used_for_the_longest_time(tmp_path: Path) -> None:
    works = keep_some(KeptAttacks(tmp_path), range(4))
    size = sum(file.stat().st_size for file in list_entries(tmp_path)) // 4
    kept = KeptAttacks(tmp_path, limit=int(3.5 * size))
    assert kept.find(works[0]) is not None
    new = work_of(seed=4)
    kept.take(new, Maker(new))
    assert [is_kept(kept, work) for work in (*works, new)] == [True, False, False, True, True]


def test_the_limit_counts_what_other_processes_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_attacks, "KEPT_BETWEEN_COUNTS", 2)
    size = keep_one(tmp_path / "one")[2].stat().st_size
    here, there = (KeptAttacks(tmp_path, limit=3 * size + size // 2) for _ in range(2))
    keep_some(here, range(1))
    keep_some(there, range(10, 12))
    keep_some(here, range(1, 4))
    assert len(list(list_entries(tmp_path))) <= 4


def test_a_limit_of_zero_keeps_and_reads_nothing(tmp_path: Path) -> None:
    work, make, _ = keep_one(tmp_path)
    KeptAttacks(tmp_path, limit=0).take(work, make)
    KeptAttacks(tmp_path / "none", limit=0).take(work, make)
    assert make.count == 3
    assert not (tmp_path / "none").exists()


def test_a_negative_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"the limit of kept attacks must be at least 0 bytes: got -1\."):
        KeptAttacks(tmp_path, limit=-1)


def test_one_that_is_larger_than_the_limit_is_not_kept_and_said(tmp_path: Path) -> None:
    work = work_of()
    with pytest.warns(NotKeptWarning, match="one shard take 1.. bytes, more than the limit of 100"):
        KeptAttacks(tmp_path, limit=100).take(work, Maker(work))


class Usage(NamedTuple):
    free: int


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=kept_attacks.RESERVE))


def fail_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)


@pytest.mark.parametrize("fault", [fill_disk, fail_to_write])
def test_on_a_full_disk_nothing_is_kept_which_is_said_once(
    fault: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    kept, works = KeptAttacks(tmp_path), [work_of(seed=seed) for seed in range(2)]
    makers = [Maker(work) for work in works]
    with pytest.warns(NotKeptWarning, match=r"not kept \(.*(almost full|No space left).*\); what is measured stays"):
        given = kept.take(works[0], makers[0])
    assert torch.equal(given.pixels, makers[0]().pixels)
    kept.take(works[1], makers[1])  # without another word
    assert list(tmp_path.iterdir()) == []


def test_an_attack_that_gives_another_type_is_not_kept(tmp_path: Path) -> None:
    work = work_of()
    with pytest.warns(NotKeptWarning, match="LinfPGD gives pixels of another shape or type"):
        given = KeptAttacks(tmp_path).take(work, lambda: Attacked(work.pixels.double()))
    assert given.pixels.dtype == torch.float64


def test_what_a_killed_process_left_is_removed_in_time(tmp_path: Path) -> None:
    old, new = tmp_path / ".0.part", tmp_path / ".1.part"
    for file, age in ((old, 2 * kept_attacks.STALE_SECONDS), (new, 0)):
        file.write_bytes(b"half")
        os.utime(file, (time.time() - age,) * 2)
    work = work_of()
    KeptAttacks(tmp_path).take(work, Maker(work))
    assert (old.exists(), new.exists()) == (False, True)


# Looking and forgetting


def test_what_is_kept_is_told_by_source_and_forgotten_by_source(tmp_path: Path) -> None:
    kept = KeptAttacks(tmp_path / "cache")
    keep_some(kept, range(2))
    other = work_of(replace(PLAIN, name="other"))
    kept.keep(other, Maker(other)())
    (kept.folder / "foreign.attack").write_text("x")
    held = kept.describe()
    assert {name: (one.files, one.images) for name, one in held.items()} == {"relative 0": (2, 12), "other": (1, 6), "": (1, 0)}
    assert kept.forget("other") == held["other"]
    assert kept.forget().files == 3
    assert kept.describe() == {}
    assert not kept.folder.exists()


def test_what_can_not_be_removed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "1.attack").mkdir()
    with pytest.raises(StudyError, match=r"kept attacks in .* can't be removed"):
        KeptAttacks(tmp_path).forget()


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    work, make, _ = keep_one(tmp_path)
    sent = pickle.loads(pickle.dumps(KeptAttacks(tmp_path)))  # noqa: S301  (our own bytes)
    sent.take(work, make)
    assert make.count == 1


# Sharing


@pytest.mark.parametrize("can_link", [pytest.param("links", id="one disk"), pytest.param("", id="two disks")])
def test_what_another_folder_keeps_is_adopted(can_link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_link:
        monkeypatch.setattr(Path, "hardlink_to", cross_devices)
    work, make, _ = keep_one(tmp_path / "theirs")
    ours = KeptAttacks(tmp_path / "ours")
    ours.adopt(tmp_path / "theirs")
    ours.adopt(tmp_path / "theirs")  # once more
    ours.adopt(tmp_path / "nowhere")
    (mine,), (their,) = list_entries(ours.folder), list_entries(tmp_path / "theirs")
    assert mine.read_bytes() == their.read_bytes()
    assert mine.samefile(their) == bool(can_link)
    KeptAttacks(tmp_path / "theirs").forget()
    ours.take(work, make)
    assert make.count == 1


def cross_devices(*_: object) -> None:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def test_no_more_is_adopted_than_the_limit_allows(tmp_path: Path) -> None:
    theirs = KeptAttacks(tmp_path / "theirs")
    works = keep_some(theirs, range(3))
    size = next(list_entries(theirs.folder)).stat().st_size
    ours = KeptAttacks(tmp_path / "ours", limit=2 * size + size // 2)
    ours.adopt(theirs.folder)
    assert [is_kept(ours, work) for work in works] == [False, True, True], "those used last"
    ours.forget()
    own = work_of(seed=9)
    ours.keep(own, Maker(own)())
    ours.adopt(theirs.folder)
    assert len(list(list_entries(ours.folder))) == 2
    assert is_kept(ours, own), "nothing goes for what others keep"
    KeptAttacks(ours.folder, limit=0).adopt(theirs.folder)
    assert len(list(list_entries(ours.folder))) == 2
    nothing = KeptAttacks(tmp_path / "nothing", limit=0)
    nothing.adopt(theirs.folder)
    assert not nothing.folder.exists()
    assert len(list(list_entries(theirs.folder))) == 3


def test_a_full_disk_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_some(KeptAttacks(tmp_path / "theirs"), range(3))
    monkeypatch.setattr(Path, "hardlink_to", cross_devices)
    monkeypatch.setattr(kept_attacks, "RESERVE", 2**62)
    with pytest.warns(NotKeptWarning, match="almost full") as said:
        KeptAttacks(tmp_path / "ours").adopt(tmp_path / "theirs")
    assert len(said) == 1
