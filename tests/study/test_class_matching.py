"""Classifiers that name their outputs, in studies; the bundled ones are really trained, so that accuracies mean something."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zooscope
from zooscope.attacks import LinfPGD
from zooscope.classifiers.class_map import ClassMap
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, ClassMatchingWarning, ImplausibleClassifierWarning, StudyError
from zooscope.images.image_set import ImageSet
from zooscope.records.records import Records
from zooscope.study.newcomer import measure_newcomer
from zooscope.study.snapshot import read_snapshot
from zooscope.study.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")

ORDER = (0, 1, 2, 5, 4, 3, 6, 7, 9, 8)
ATTACK = LinfPGD(step_size=4 / 255, iterations=2)


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return zooscope.load_images("bundled:cifar10").sample(60)


def permute(name: str, *, names: bool, order: tuple[int, ...] = ORDER) -> Classifier:
    """A bundled classifier with its outputs in another order, and with or without their names."""
    plain = zooscope.load_classifier(name)
    assert plain.class_names is not None
    class_names = tuple(plain.class_names[output] for output in order) if names else None
    network = ClassMap(plain.network, order).eval()
    return replace(plain, name=f"{name} permuted", address=None, network=network, class_names=class_names)


def run(classifiers: list[Classifier], images: ImageSet, path: Path | None = None) -> Study:
    if path is None:
        study = Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK)
    else:
        study = Study.create(path, classifiers=classifiers, images=images, attack=ATTACK)
    study.run(device="cpu")
    return study


def test_names_in_another_order_give_the_predictions_of_the_right_order(images: ImageSet, tmp_path: Path) -> None:
    plain, other = zooscope.load_classifier("bundled:resnet"), zooscope.load_classifier("bundled:vit")
    with pytest.warns(ClassMatchingWarning, match=r"resnet permuted are matched by name: .*'cat' is output 5, 'dog' is output 3"):
        shuffled = run([permute("bundled:resnet", names=True), other], images, tmp_path / "shuffled")
    with shuffled, run([plain, other], images) as right:
        np.testing.assert_array_equal(shuffled.predictions.clean, right.predictions.clean)
        np.testing.assert_array_equal(shuffled.predictions.transfer, right.predictions.transfer)
        np.testing.assert_array_equal(shuffled.clean_logits("bundled:resnet permuted"), right.clean_logits("bundled:resnet"))
    known = read_snapshot(tmp_path / "shuffled")
    assert known.class_matchings["bundled:vit"] == "by name"
    assert known.class_matchings["bundled:resnet permuted"].startswith("by name: the order of its outputs differs")
    assert not known.implausible
    again = Study.open(tmp_path / "shuffled", classifiers=[permute("bundled:resnet", names=True)], images=images)
    with again:
        again.run(device="cpu", listen=lambda progress: pytest.fail(f"measured {progress}"))


def test_a_permutation_without_names_is_pointed_out_with_the_class_map_that_puts_it_right(images: ImageSet, tmp_path: Path) -> None:
    with pytest.warns(ImplausibleClassifierWarning) as warned:
        study = run([permute("bundled:resnet", names=False)], images)
    (sentence,) = [str(one.message) for one in warned if one.category is ImplausibleClassifierWarning]
    lines = sentence.rpartition("with the lines ")[2].removesuffix(".").split(", ")
    assert tuple(map(int, lines)) == ORDER  # swaps only, so that it is its own inverse
    with study:
        assert study.snapshot().permutations["bundled:resnet permuted"].outputs == ORDER
        permuted = study.predictions.clean[0]
    (tmp_path / "map.txt").write_text("\n".join(lines), encoding="utf-8")
    mapped = zooscope.load_classifier(f"bundled:resnet?class_map={tmp_path / 'map.txt'}")
    with (
        pytest.warns(ClassMatchingWarning, match="by its class map: the network's own names have another order"),
        pytest.warns(ImplausibleClassifierWarning) as warned,
    ):
        study = run([mapped], images)
    (sentence,) = [str(one.message) for one in warned if one.category is ImplausibleClassifierWarning]
    plain = ", ".join(map(str, range(10)))
    assert sentence.endswith(f"give it another class map (class_map=FILE) with the lines {plain}.")
    with study:
        np.testing.assert_array_equal(study.predictions.clean[0], permuted)


def test_the_refusal_of_a_total_permutation_says_the_order(images: ImageSet) -> None:
    shifted = tuple((place + 1) % 10 for place in range(10))
    with pytest.raises(
        ClassifierError, match=r"chance level, but \d\d\.\d % with its outputs in another order .* lines "
    ) as refused:
        run([permute("bundled:resnet", names=False, order=shifted)], images)
    found = str(refused.value).partition("with the lines ")[2].partition(", remove")[0].split(", ")
    assert tuple(shifted[int(output)] for output in found) == tuple(range(10))


def test_given_classes_hold_against_the_names_also_when_the_study_is_found_again(tmp_path: Path) -> None:
    everything = zooscope.load_images("bundled:cifar10")
    classes = tuple(everything.class_names[place] for place in ORDER)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = zooscope.load_images("bundled:cifar10", classes=classes).sample(60)
    with pytest.warns(ClassMatchingWarning, match="as the given classes say: the network's own names have another order"):
        study = Study.create(tmp_path, classifiers=[zooscope.load_classifier("bundled:resnet")], images=given, attack=ATTACK)
    with study, pytest.warns(ImplausibleClassifierWarning, match="with the lines 0, 1, 2, 5, 4, 3, 6, 7, 9, 8"):
        study.run(device="cpu")
    with Study.open(tmp_path) as again, pytest.warns(ImplausibleClassifierWarning):
        again.run(device="cpu", listen=lambda progress: pytest.fail(f"measured {progress}"))


def test_the_order_of_images_made_by_hand_is_followed(images: ImageSet) -> None:
    labels = np.asarray(ORDER)[images.labels]
    other = replace(images, labels=labels, class_names=tuple(images.class_names[place] for place in ORDER))
    with pytest.warns(ClassMatchingWarning, match="the order of its outputs differs and is followed"):
        study = run([zooscope.load_classifier("bundled:resnet")], other)
    with study, run([zooscope.load_classifier("bundled:resnet")], images) as right:
        np.testing.assert_array_equal(study.predictions.clean[0], np.asarray(ORDER)[right.predictions.clean[0]])


def test_a_newcomer_is_matched_and_looked_at_as_the_study_would(images: ImageSet) -> None:
    with run([zooscope.load_classifier("bundled:vit")], images) as study:
        plain = measure_newcomer(study, zooscope.load_classifier("bundled:resnet"), device="cpu")
        with pytest.warns(ClassMatchingWarning, match="is followed"):
            named = measure_newcomer(study, permute("bundled:resnet", names=True), device="cpu")
        np.testing.assert_array_equal(named.fooled, plain.fooled)
        with pytest.warns(ImplausibleClassifierWarning, match="with the lines 0, 1, 2, 5, 4, 3, 6, 7, 9, 8"):
            measure_newcomer(study, permute("bundled:resnet", names=False), device="cpu")


def test_a_pair_says_how_its_classes_are_matched(images: ImageSet) -> None:
    with pytest.warns(ClassMatchingWarning):
        score = zooscope.sat(
            permute("bundled:resnet", names=True), zooscope.load_classifier("bundled:vit"), images, attack=ATTACK, device="cpu"
        )
    assert score.class_matchings[0].startswith("by name: the order")
    assert score.class_matchings[1] == "by name"


def test_one_that_was_measured_unmatched_is_refused_and_why_is_said(images: ImageSet, tmp_path: Path) -> None:
    nameless, named = permute("bundled:resnet", names=False), permute("bundled:resnet", names=True)
    with pytest.warns(ImplausibleClassifierWarning):
        run([nameless], images, tmp_path).close()
    with (
        Study.open(tmp_path, images=images) as study,
        pytest.warns(ClassMatchingWarning),
        pytest.raises(StudyError, match="in the study with its classes matched by position, now it would be by name: the order"),
    ):
        study.add([named])


def test_what_is_left_out_of_the_images_stays_in_the_record(images: ImageSet, tmp_path: Path) -> None:
    left_out = {"files .txt": 3, "subfolders without images (emu)": 1}
    classifiers = [zooscope.load_classifier("bundled:resnet")]
    Study.create(tmp_path, classifiers=classifiers, images=replace(images, left_out=left_out)).close()
    assert read_snapshot(tmp_path).left_out == left_out
    with Records.open(tmp_path / "study.db") as records:
        assert records.definition.image_digest == images.digest
    with Study.in_memory(classifiers=classifiers, images=images) as study:
        assert study.snapshot().left_out == {}
