"""What is kept of attacks changes nothing that is measured, and saves attacks."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from tests.specimens import attentive, family
from zooscope.attacks import Attack, Attacked, LinfPGD, PatchFool
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import DamagedAttackWarning, NotKeptWarning
from zooscope.images.image_set import ImageSet
from zooscope.study.newcomer import measure_newcomer
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.03, step_size=0.1, iterations=3)

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


class Attacks:
    """How many images are attacked through each source."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type[Attack] = LinfPGD) -> None:
        self.images = Counter[str]()
        perturb = kind.perturb

        def count(attack: Attack, classifier: Classifier, pixels: Tensor, *arguments: object) -> Attacked:
            self.images[classifier.name] += len(pixels)
            return perturb(attack, classifier, pixels, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(kind, "perturb", count)


@pytest.fixture
def attacks(monkeypatch: pytest.MonkeyPatch) -> Attacks:
    return Attacks(monkeypatch)


def measure_in_steps(
    folder: Path, classifiers: list[Classifier], images: ImageSet, *, cache_limit: int = 10**9, attack: Attack = ATTACK
) -> bytes:
    """All but one classifier are measured, then the last is added; gives the record's bytes."""
    with Study.create(folder, classifiers=classifiers[:-1], images=images, attack=attack, shard_size=8) as study:
        study.run(device="cpu", batch_size=5, cache_limit=cache_limit, allow_chance=True)
        study.add(classifiers[-1:])
        study.run(device="cpu", batch_size=5, cache_limit=cache_limit, allow_chance=True)
    return (folder / "study.db").read_bytes()


def test_an_added_classifier_costs_one_attack_and_the_record_is_byte_for_byte_the_same(tmp_path: Path, attacks: Attacks) -> None:
    classifiers, images = family(4, num_images=20, sizes=((6, 6), (9, 9)), in_double=False)
    without = measure_in_steps(tmp_path / "without", classifiers, images, cache_limit=0)
    twice = attacks.images.copy()
    attacks.images.clear()
    kept = measure_in_steps(tmp_path / "kept", classifiers, images)
    assert kept == without
    assert attacks.images.keys() == {one.name for one in classifiers}
    for name, count in attacks.images.items():
        assert twice[name] == (count if name == "relative 3" else 2 * count)
    assert not (tmp_path / "without" / "cache").exists()


def test_facts_of_kept_attacks_are_those_of_made_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, images = attentive(12)
    second, third = (replace(first, name=name) for name in ("second", "third"))
    attacks = Attacks(monkeypatch, PatchFool)
    attack = PatchFool(iterations=2)
    without = measure_in_steps(tmp_path / "without", [first, second, third], images, cache_limit=0, attack=attack)
    attacks.images.clear()
    assert measure_in_steps(tmp_path / "kept", [first, second, third], images, attack=attack) == without
    assert attacks.images == {"attentive": 12, "second": 12, "third": 12}


def test_a_classifier_that_is_measured_again_after_it_was_removed_is_attacked_again(tmp_path: Path, attacks: Attacks) -> None:
    classifiers, images = family(2, num_images=8)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        study.remove(["relative 1"])
        before = attacks.images.copy()
        study.add(classifiers[1:])
        study.run(device="cpu", allow_chance=True)
    assert attacks.images - before == {"relative 1": before["relative 1"]}


def test_a_placed_classifier_that_is_then_added_is_attacked_once(tmp_path: Path, attacks: Attacks) -> None:
    classifiers, images = family(3, num_images=8)
    with Study.create(tmp_path, classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        measure_newcomer(study, classifiers[2], device="cpu")
        placed = attacks.images.copy()
        study.add(classifiers[2:])
        study.run(device="cpu")
    assert attacks.images == placed
    assert len(placed) == 3


def test_a_damaged_attack_is_made_again_and_the_record_is_the_same(tmp_path: Path, attacks: Attacks) -> None:
    classifiers, images = family(3, num_images=8)
    with Study.create(tmp_path / "whole", classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        expected = study.predictions.transfer
    once = attacks.images.copy()
    with Study.create(tmp_path / "damaged", classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        for file in (tmp_path / "damaged" / "cache").iterdir():
            file.write_bytes(file.read_bytes()[:-1] + b"\0")
        study.add(classifiers[2:])
        with pytest.warns(DamagedAttackWarning, match="is damaged: its images are attacked again"):
            study.run(device="cpu")
        assert (study.predictions.transfer == expected).all()
    assert attacks.images == {name: count * (2 if name == "relative 2" else 3) for name, count in once.items()}


def test_a_folder_that_can_not_be_written_makes_no_measurement_fail(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=8)
    (tmp_path / "cache").write_text("a file where the folder would be")
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        with pytest.warns(NotKeptWarning, match="attacked images are not kept"):
            study.run(device="cpu")
        assert study.sat().shape == (2, 2)


def test_a_study_that_may_not_be_written_is_placed_in_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifiers, images = family(3, num_images=8)
    with Study.create(tmp_path, classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        study.run(device="cpu", cache_limit=0)
        monkeypatch.setattr(os, "access", lambda *_: False)
        measure_newcomer(study, classifiers[2], device="cpu")
    assert not (tmp_path / "cache").exists()


def test_a_run_that_is_killed_while_it_keeps_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attacks: Attacks
) -> None:
    classifiers, images = family(2, num_images=8)
    rename = Path.replace

    def interrupt(file: Path, target: Path) -> Path:
        if target.suffix == ".attack":
            raise KeyboardInterrupt
        return rename(file, target)

    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", interrupt)
            with pytest.raises(KeyboardInterrupt):
                study.run(device="cpu")
        assert list((tmp_path / "cache").iterdir()) == []
        study.run(device="cpu")
        counts = dict(zip(study.names, (study.predictions.clean == study.predictions.labels).sum(1), strict=True))
    assert attacks.images == {"relative 0": 2 * counts["relative 0"], "relative 1": counts["relative 1"]}


def test_a_study_in_memory_keeps_nothing_and_a_deleted_one_leaves_nothing(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=8)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        assert study.kept_attacks() is None
        study.remove(["relative 1"])
    study = Study.create(tmp_path / "study", classifiers=classifiers, images=images, attack=ATTACK)
    study.run(device="cpu")
    study.delete()
    assert not (tmp_path / "study").exists()
