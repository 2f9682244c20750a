from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.specimens import classifier_of, conv_network, counted_in, family, fooled_in, images_of, noise, two_class
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, StudyError, WeakSourceWarning
from zooscope.images.image_set import ImageSet
from zooscope.scores import outcomes
from zooscope.study.newcomer import measure_newcomer
from zooscope.study.study import Study

if TYPE_CHECKING:
    from zooscope.engine.progress import Progress

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3)

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def measured(classifiers: list[Classifier], images: ImageSet) -> Study:
    study = Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, shard_size=7)
    study.run(device="cpu")
    return study


@pytest.mark.parametrize("batch_size", [3, 100])
def test_the_row_is_the_one_that_a_study_of_all_would_hold(batch_size: int) -> None:
    classifiers, images = family(4, sizes=((6, 6), (9, 9)))
    *known, new = classifiers
    with measured(known, images) as study, measured(classifiers, images) as whole:
        found = measure_newcomer(study, new, device="cpu", batch_size=batch_size)
        predictions = whole.predictions
        assert study.names == tuple(classifier.name for classifier in known)
    expected = outcomes.find_outcomes(predictions)
    assert found.targets == tuple(classifier.name for classifier in known)
    np.testing.assert_array_equal(found.counted, counted_in(expected)[3, :3])
    np.testing.assert_array_equal(found.fooled, fooled_in(expected)[3, :3])
    different = [place for place in range(3) if known[place].transform != new.transform]
    assert different
    for target in different:
        wrong = predictions.control(3, target) != predictions.labels
        np.testing.assert_array_equal(found.damaged[target], wrong & found.counted[target])
    assert not np.delete(found.damaged, different, axis=0).any()
    assert found.white_box_success == pytest.approx(expected.percent[3, 3])
    assert found.clean_accuracy == pytest.approx(100 * (predictions.clean[3] == images.labels).mean())
    assert found.fooled.any()


def test_an_attack_with_random_starts_is_the_studys_too() -> None:
    classifiers, images = family(3)
    attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=2, random_start=True)
    rows = []
    for seed in (5, 6):
        with (
            Study.in_memory(classifiers=classifiers[:2], images=images, attack=attack, seed=seed, shard_size=7) as study,
            Study.in_memory(classifiers=classifiers, images=images, attack=attack, seed=seed, shard_size=7) as whole,
        ):
            study.run(device="cpu")
            whole.run(device="cpu")
            rows.append(measure_newcomer(study, classifiers[2], device="cpu").fooled)
            np.testing.assert_array_equal(rows[-1], fooled_in(outcomes.find_outcomes(whole.predictions))[2, :2])


def test_a_listener_hears_of_every_shard() -> None:
    classifiers, images = family(3)
    told: list[Progress] = []
    with measured(classifiers[:2], images) as study:
        measure_newcomer(study, classifiers[2], device="cpu", listen=told.append)
    assert [progress.phase for progress in told] == ["classify"] * 5 + ["attack"] * 5
    assert told[-1].done == told[-1].total


def test_images_that_are_not_measured_yet_do_not_count() -> None:
    classifiers, images = family(3)
    with Study.in_memory(classifiers=classifiers[:2], images=images, attack=ATTACK) as study:
        found = measure_newcomer(study, classifiers[2], device="cpu")
    assert not found.counted.any()


def test_a_name_of_the_study_is_refused() -> None:
    classifiers, images = family(2)
    with measured(classifiers, images) as study, pytest.raises(StudyError, match=r"relative 0 is the name of a classifier"):
        measure_newcomer(study, classifiers[0])


def test_other_classes_are_refused() -> None:
    classifiers, images = family(2)
    other = classifier_of("other", conv_network(0, num_classes=5), num_classes=5, size=(6, 6))
    with measured(classifiers, images) as study, pytest.raises(ClassifierError, match=r"other has 5 classes, but the images"):
        measure_newcomer(study, other)


def test_guessing_is_refused_unless_allowed() -> None:
    images = images_of(noise(40, (4, 4)), np.arange(40) % 2)
    guesser = two_class("guesser", np.zeros(48), bias=1.0)
    with Study.in_memory(classifiers=[two_class("other", np.ones(48))], images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        with pytest.raises(ClassifierError, match=r"guesser gets 20 of 40 clean images right: chance level"):
            measure_newcomer(study, guesser, device="cpu")
        with pytest.warns(WeakSourceWarning, match="the attack on guesser fools guesser itself on only 0 % of images"):
            measure_newcomer(study, guesser, device="cpu", allow_chance=True)


def test_an_imported_study_has_no_images_to_attack(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0], [3.0, 4.6]], index=["a", "b"], columns=["a", "b"])
    with Study.from_matrix(tmp_path, matrix):
        pass
    with Study.open(tmp_path) as study, pytest.raises(StudyError, match="is an imported matrix and holds no predictions"):
        measure_newcomer(study, two_class("new", np.ones(48)))


def test_a_batch_has_at_least_one_image() -> None:
    classifiers, images = family(2)
    with (
        measured(classifiers[:1], images) as study,
        pytest.raises(InvalidValueError, match=r"batch_size must be at least 1: got 0"),
    ):
        measure_newcomer(study, classifiers[1], batch_size=0)
