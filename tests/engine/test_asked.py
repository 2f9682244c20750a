from pathlib import Path

import numpy as np
import pytest

from tests.cli.synthetic import write_study
from tests.specimens import family
from zooscope import Study, read_snapshot
from zooscope.attacks import LinfPGD
from zooscope.engine.asked import ask_for, find_asked
from zooscope.errors import StudyError
from zooscope.measurements.clean import Clean
from zooscope.measurements.features import Features
from zooscope.measurements.gradients import Gradients
from zooscope.measurements.planes import Planes
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)
PLANES = Planes(num_triplets=10, resolution=3)


def test_what_was_asked_for_is_kept_in_the_record(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    with Records.open(tmp_path / DATABASE, write=True) as records:
        assert find_asked(records) == ()
        assert ask_for(records, ()) == ()
        assert ask_for(records, [Features(), PLANES]) == (Features(), PLANES)
        definition = records.definition
    with Records.open(tmp_path / DATABASE, write=True) as records:
        assert find_asked(records) == (Features(), PLANES)
        assert ask_for(records, [Gradients(), Features()]) == (Features(), PLANES, Gradients())
        assert records.definition == definition
        assert records.check() == []


def test_another_number_of_triplets_takes_the_place_and_other_settings_come_besides(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    with Records.open(tmp_path / DATABASE, write=True) as records:
        ask_for(records, [PLANES])
        more, other = Planes(num_triplets=20, resolution=3), Planes(num_triplets=10, resolution=4)
        assert ask_for(records, [more, other]) == (more, other)
        assert find_asked(records) == (more, other)


def test_what_was_asked_for_can_be_forgotten(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=12)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True, also=[PLANES])
        study.run(device="cpu", allow_chance=True, also=None)
        assert study.asked == ()
        assert np.isfinite(study.similarity("agreement")[0, 1])  # what is measured stays


def test_a_measurement_without_a_spelling_is_not_kept(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    with Records.open(tmp_path / DATABASE, write=True) as records:
        assert ask_for(records, [Clean()]) == (Clean(),)
        assert find_asked(records) == ()


def test_what_the_study_refuses_is_not_kept(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=6)
    two = images.take(np.flatnonzero(images.labels < 2))
    with Study.create(tmp_path, classifiers=classifiers, images=two, attack=ATTACK) as study:
        with pytest.raises(StudyError, match="planes go through images of three classes"):
            study.run(device="cpu", allow_chance=True, also=[Features(), PLANES])
        assert study.asked == ()


def test_a_later_run_completes_it_also_of_classifiers_that_are_added(tmp_path: Path) -> None:
    classifiers, images = family(3, num_images=12)
    with Study.create(tmp_path, classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True, also=[PLANES])
    with Study.open(tmp_path, classifiers=classifiers, images=images) as study:
        assert study.asked == (PLANES,)
        study.add(classifiers[2:])
        study.run(device="cpu", allow_chance=True)
    matrix = read_snapshot(tmp_path).similarity("agreement")
    assert np.isfinite(matrix).all()
    assert matrix.attrs["measurement"] == "planes?num_triplets=10&resolution=3&side=0&seed=0"
    assert matrix.attrs["passes"] == 90


def test_settings_that_the_record_does_not_know_are_empty(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=12)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True, also=[PLANES, Features()])
    with Records.open(tmp_path / DATABASE, write=True) as records:
        records.set_note("asked", "[]")  # as in a record of an earlier zooscope
    snapshot = read_snapshot(tmp_path)
    assert [snapshot.similarity(name).attrs["measurement"] for name in ("agreement", "cka", "capa")] == ["", "features", ""]
