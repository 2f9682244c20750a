from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import zooscope
from tests.records.written import rewrite
from tests.specimens import Counted, Linear, as_is, classifier_of, conv_network, family, images_of, two_class
from zooscope.attacks import Attack, Attacked, LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import PreparedClassifier
from zooscope.classifiers.probe import NUM_IMAGES
from zooscope.components.vocabulary import COMPONENTS
from zooscope.errors import (
    ClassifierError,
    EmptyPairWarning,
    ImagesError,
    InvalidValueError,
    MissingFileError,
    StudyError,
    UnknownComponentWarning,
    UnknownNameError,
    WeakSourceWarning,
)
from zooscope.images.image_set import ImageSet
from zooscope.measurements.transfer import perturb
from zooscope.study.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3)
SIZES = ((6, 6), (9, 9))


def counting(classifiers: list[Classifier]) -> list[Classifier]:
    """The same classifiers, remembering what they are shown."""
    return [replace(one, network=Counted(one.network).eval()) for one in classifiers]


def num_seen(classifier: Classifier) -> int:
    """How many images a counting classifier was shown."""
    assert isinstance(classifier.network, Counted)
    return sum(len(pixels) for pixels in classifier.network.seen)


def forget(classifiers: list[Classifier]) -> None:
    for classifier in classifiers:
        assert isinstance(classifier.network, Counted)
        classifier.network.seen.clear()


def dark_and_bright(count: int = 40) -> ImageSet:
    """Half dark images of class 0, half bright ones of class 1."""
    levels = np.repeat([100, 155], count // 2)[:, None, None, None] * np.ones((1, 4, 4, 3), dtype=np.int64)
    return images_of(levels, np.repeat([0, 1], count // 2))


def bright(name: str = "bright") -> Classifier:
    """Right on all dark and bright images."""
    return two_class(name, np.ones(48) / 48)


# Resuming and adding


def test_a_complete_study_is_opened_and_run_again_without_a_single_pass(tmp_path: Path) -> None:
    relatives, images = family(3, sizes=SIZES)
    classifiers = counting(relatives)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=10) as study:
        study.run(device="cpu")
        before = study.predictions
    forget(classifiers)
    with Study.open(tmp_path, classifiers=classifiers, images=images) as again:
        again.run(device="cpu", listen=lambda progress: pytest.fail(f"measured {progress}"))
        np.testing.assert_array_equal(again.predictions.transfer, before.transfer)
    assert [num_seen(classifier) for classifier in classifiers] == [0, 0, 0]


def test_a_new_classifier_costs_its_own_passes_and_one_attack_of_each_old_one() -> None:
    relatives, images = family(3)
    classifiers, steps = counting(relatives), ATTACK.iterations
    with Study.in_memory(classifiers=classifiers[:2], images=images, attack=ATTACK, exact=True) as study:
        study.run(device="cpu")
        forget(classifiers)
        study.add(classifiers[2:])
        study.run(device="cpu")
        right = study.predictions.clean == study.predictions.labels
    shared = (right[:, None] & right[None, :]).sum(-1)
    # One image more tells the new one's components.
    for old in (0, 1):  # attacked in the batches of a study that had all three from the start; tested on the new one's attack
        assert num_seen(classifiers[old]) == steps * shared[old, old] + shared[2, old]
    looked_at = NUM_IMAGES + NUM_IMAGES + 1 + 2 + NUM_IMAGES  # what the probe and the attack ask of a new source
    assert num_seen(classifiers[2]) == 1 + looked_at + len(images) + steps * shared[2, 2] + shared[:, 2].sum()


def test_classifiers_added_one_by_one_come_to_the_same_as_all_at_once() -> None:
    classifiers, images = family(4, sizes=SIZES)
    attack = replace(ATTACK, random_start=True)
    with (
        Study.in_memory(classifiers=classifiers[3:], images=images, attack=attack, shard_size=10) as grown,
        Study.in_memory(classifiers=classifiers, images=images, attack=attack, shard_size=10) as fresh,
    ):
        for place in (1, 0, 2):
            grown.run(device="cpu")
            grown.add([classifiers[place]])
        grown.run(device="cpu")
        fresh.run(device="cpu")
        assert grown.names == tuple(classifiers[place].name for place in (3, 1, 0, 2))
        turned, expected = grown.predictions.take(fresh.names), fresh.predictions
        np.testing.assert_array_equal(turned.transfer, expected.transfer)
        for row, column in np.ndindex(4, 4):
            np.testing.assert_array_equal(turned.control(row, column), expected.control(row, column))
        xr.testing.assert_identical(grown.sat().sel(a=list(fresh.names), b=list(fresh.names)), fresh.sat())


def test_adding_a_classifier_that_is_there_changes_nothing() -> None:
    (one,), images = family(1)
    with Study.in_memory(classifiers=[one], images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        study.add([one])
        assert study.names == (one.name,)
        assert study.predictions.find_complete().all()


def test_a_study_is_found_again_from_its_addresses_alone(tmp_path: Path, image_folder: Path) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(8, seed=0)
    classifier = zooscope.load_classifier("bundled:vit", name="mine")
    attack = LinfPGD(iterations=1, random_start=True)
    with Study.create(tmp_path / "study", classifiers=[classifier], images=images, attack=attack, seed=5) as study:
        assert study.attack == attack
    with Study.open(tmp_path / "study") as study:
        study.run(device="cpu")
        assert study.attack == attack
        assert study.images.ids == images.ids
        assert study.classifier("mine").digest == classifier.digest
        assert (study.predictions.clean >= 0).all()
    assert image_folder.is_dir()


def test_a_removed_classifier_is_forgotten_and_the_others_stay(tmp_path: Path) -> None:
    classifiers, images = family(3, sizes=SIZES)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        before = study.transfer()
        study.remove([classifiers[1].name])
        assert study.names == (classifiers[0].name, classifiers[2].name)
        xr.testing.assert_identical(study.transfer(), before.sel(source=list(study.names), target=list(study.names)))


def test_removing_an_unknown_classifier_removes_nothing() -> None:
    classifiers, images = family(2)
    with Study.in_memory(classifiers=classifiers, images=images) as study:
        with pytest.raises(UnknownNameError, match="unknown classifier 'relative 7'"):
            study.remove(["relative 0", "relative 7"])
        assert study.names == ("relative 0", "relative 1")


def test_a_deleted_study_leaves_nothing_but_what_others_put_there(tmp_path: Path) -> None:
    (one,), images = family(1)
    Study.create(tmp_path / "alone", classifiers=[one], images=images).delete()
    assert not (tmp_path / "alone").exists()
    study = Study.create(tmp_path / "shared", classifiers=[one], images=images)
    (tmp_path / "shared" / "notes.txt").touch()
    study.delete()
    assert [file.name for file in (tmp_path / "shared").iterdir()] == ["notes.txt"]


# What is refused


def one_study(folder: Path) -> tuple[Study, Classifier, ImageSet]:
    (one,), images = family(1)
    return Study.create(folder, classifiers=[one], images=images, attack=ATTACK, seed=3, shard_size=10), one, images


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("epsilon", 0.02, r"another epsilon of the attack: 0\.03, now 0\.02\. Measure into a new folder"),
        ("step_size", 0.1, r"another step_size of the attack: 0\.01, now 0\.1\."),
        ("iterations", 4, r"another iterations of the attack: 3, now 4\."),
        ("random_start", True, r"another random_start of the attack: False, now True\."),
    ],
)
def test_another_setting_of_the_attack_is_refused_by_name(tmp_path: Path, setting: str, value: Any, message: str) -> None:  # noqa: ANN401
    study, *_ = one_study(tmp_path)
    with study, pytest.raises(StudyError, match=message):
        study.require(attack=replace(ATTACK, **{setting: value}))


def test_another_seed_or_shard_size_is_refused_by_name(tmp_path: Path) -> None:
    study, *_ = one_study(tmp_path)
    with study:
        with pytest.raises(StudyError, match=r"another seed: 3, now 4\."):
            study.require(seed=4)
        with pytest.raises(StudyError, match=r"another shard size: 10, now 100\."):
            study.require(shard_size=100)


def test_an_error_calls_a_study_in_memory_by_these_words() -> None:
    classifiers, images = family(1)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
        with pytest.raises(StudyError, match=r"^the study in memory was measured with another seed: 0, now 4\."):
            study.require(seed=4)
        assert study.snapshot().place == "the study in memory"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: images.take(range(5)), "another number of images: 30, now 5"),
        (
            lambda images: replace(images, labels=images.labels[::-1]),
            "another set of images .*: made by hand .*, now made ",
        ),
        (
            lambda images: replace(images, read=lambda name: images.read(images.ids[images.ids.index(name) - 1])),
            "another set of images",
        ),
        (lambda images: images.take(range(29, -1, -1)), "another set of images"),
        (lambda images: replace(images, class_names=("a", "b", "c")), "another set of images"),
    ],
    ids=["fewer", "labels", "contents", "order", "classes"],
)
def test_other_images_are_refused_with_what_differs(tmp_path: Path, change: Callable[[ImageSet], ImageSet], message: str) -> None:
    study, _, images = one_study(tmp_path)
    with study, pytest.raises(StudyError, match=message):
        study.require(images=change(images))


def test_the_same_images_attack_and_seed_are_accepted(tmp_path: Path) -> None:
    study, _, images = one_study(tmp_path)
    with study:
        study.require(images=replace(images, address="elsewhere"), attack=replace(ATTACK), seed=3, shard_size=10)


def _with(field: str, value: Any) -> Callable[[Classifier], Classifier]:  # noqa: ANN401  (any field of a classifier)
    return lambda classifier: replace(classifier, **{field: value})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_with("network", conv_network(9).eval()), "weights"),
        (_with("mean", (0.5, 0.5, 0.5)), "mean"),
        (_with("std", (0.5, 0.5, 0.5)), "std"),
        (_with("transform", as_is(9, 9)), "transform"),
    ],
    ids=["weights", "mean", "std", "transform"],
)
def test_a_changed_classifier_under_the_same_name_is_refused_with_the_field(
    tmp_path: Path, change: Callable[[Classifier], Classifier], field: str
) -> None:
    study, one, images = one_study(tmp_path)
    message = (
        f"relative 0 is in the study with other {field} .*give the changed classifier another name, or measure into a new study"
    )
    with study:
        study.run(device="cpu")
        with pytest.raises(StudyError, match=message):
            study.add([change(one)])
    with Study.open(tmp_path, classifiers=[change(one)], images=images) as again, pytest.raises(StudyError, match=message):
        again.run(device="cpu")


def test_a_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    study, one, images = one_study(tmp_path)
    refused = []

    def run_too(_: object) -> None:
        with (
            Study.open(tmp_path, classifiers=[one], images=images) as second,
            pytest.raises(StudyError, match="is being measured by another process; wait until it ends, or stop it"),
        ):
            second.run(device="cpu")
        refused.append(True)

    with study:
        study.run(device="cpu", listen=run_too)
        study.run(device="cpu")
    assert len(refused) == 6


def test_a_study_can_be_read_while_it_is_measured(tmp_path: Path) -> None:
    study, *_ = one_study(tmp_path)
    counts = []

    def read(_: object) -> None:
        with Study.open(tmp_path) as reader:
            counts.append(int(reader.sat(confidence=None)["count"].item()))

    with study:
        study.run(device="cpu", listen=read)
    assert counts == sorted(counts)
    assert counts[:3] == [0, 0, 0]
    assert counts[-1] > 0


def test_two_classifiers_of_one_name_are_refused(tmp_path: Path) -> None:
    (one, other), images = family(2)
    twin = replace(other, name=one.name)
    message = r"two classifiers are called relative 0; give one of them another name"
    with pytest.raises(ClassifierError, match=message):
        Study.create(tmp_path / "study", classifiers=[one, twin], images=images)
    assert not (tmp_path / "study").exists()
    with Study.in_memory(classifiers=[other], images=images) as study, pytest.raises(ClassifierError, match=message):
        study.add([one, twin])


def test_classifiers_of_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    (one,), images = family(1)
    message = "bright has 2 classes, but the images have 3; name all classes"
    with pytest.raises(ClassifierError, match=message):
        Study.create(tmp_path / "study", classifiers=[one, bright()], images=images)
    with Study.in_memory(classifiers=[one], images=images) as study:
        with pytest.raises(ClassifierError, match=message):
            study.add([bright()])
        assert study.names == (one.name,)


def test_a_study_of_nothing_is_refused() -> None:
    _, images = family(1)
    with pytest.raises(InvalidValueError, match="a study needs at least one classifier; name some"):
        Study.in_memory(classifiers=[], images=images)


def test_settings_of_the_run_out_of_range_are_refused() -> None:
    (one,), images = family(1)
    with pytest.raises(InvalidValueError, match=r"shard_size must be at least 1: got 0\."):
        Study.in_memory(classifiers=[one], images=images, shard_size=0)
    with Study.in_memory(classifiers=[one], images=images) as study:
        with pytest.raises(InvalidValueError, match=r"batch_size must be at least 1: got 0\."):
            study.run(batch_size=0)
        with pytest.raises(InvalidValueError, match="there is no device 'abacus' here"):
            study.run(device="abacus")


def test_a_folder_that_holds_a_study_is_not_overwritten(tmp_path: Path) -> None:
    study, one, images = one_study(tmp_path)
    with study, pytest.raises(StudyError, match=r"study\.db exists already; open it, or name another folder"):
        Study.create(tmp_path, classifiers=[one], images=images)


def test_damaged_images_are_counted_and_named_before_the_study_is_made(tmp_path: Path) -> None:
    (one,), images = family(1)
    broken = replace(images, read=lambda name: b"" if name == "0002.png" else images.read(name))
    with pytest.raises(ImagesError, match=r"1 of 30 images in made by hand can't be read: 0002\.png \(empty file\)"):
        Study.create(tmp_path / "study", classifiers=[one], images=broken)
    assert not (tmp_path / "study").exists()


def test_a_folder_without_a_study_is_an_error(tmp_path: Path) -> None:
    assert not Study.exists(tmp_path)
    with pytest.raises(MissingFileError, match=r"there is no study at .*: study\.db is missing"):
        Study.open(tmp_path)


def test_a_classifier_made_by_hand_must_be_passed_again(tmp_path: Path) -> None:
    study, _, images = one_study(tmp_path)
    study.close()
    with (
        Study.open(tmp_path, images=images) as again,
        pytest.raises(StudyError, match=r"relative 0 was made by hand; pass it to Study\.open"),
    ):
        again.run(device="cpu")


def test_unknown_classifiers_are_errors_that_suggest_near_names(tmp_path: Path) -> None:
    study, *_ = one_study(tmp_path)
    with study:
        study.run(device="cpu")
        for ask in (study.clean_logits, study.classifier):
            with pytest.raises(UnknownNameError, match=r"unknown classifier 'relativ 0'\. Did you mean relative 0\?"):
                ask("relativ 0")


def test_images_that_are_gone_or_changed_since_are_an_error(tmp_path: Path, image_folder: Path) -> None:
    images = zooscope.load_images(f"folder:{image_folder}")
    classifier = classifier_of("small", conv_network(0), num_classes=3, size=(8, 8))
    Study.create(tmp_path / "study", classifiers=[classifier], images=images).close()
    (image_folder / "cat" / "0.png").write_bytes((image_folder / "cat" / "1.png").read_bytes())
    with Study.open(tmp_path / "study") as study, pytest.raises(StudyError, match="another set of images"):
        _ = study.images
    (image_folder / "cat" / "0.png").unlink()
    with Study.open(tmp_path / "study") as study, pytest.raises(StudyError, match=r"1 of its images are gone .* cat/0\.png first"):
        _ = study.images


def test_an_attack_of_a_later_version_is_an_error_that_says_so(tmp_path: Path) -> None:
    study, *_ = one_study(tmp_path)
    study.close()
    rewrite(tmp_path / "study.db", """UPDATE study SET value = '{"attack": "Telepathy"}' WHERE key = 'attack'""")
    with (
        Study.open(tmp_path) as again,
        pytest.raises(StudyError, match=r"this zooscope doesn't know the attack .*Telepathy.*; use the version"),
    ):
        _ = again.attack


# Classifiers that guess or fail


class Darkening(Attack):
    """An attack of one's own that takes all light away."""

    def perturb(self, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:  # noqa: ARG002
        return Attacked(torch.zeros_like(pixels))


def test_an_attack_of_ones_own_can_be_measured_and_handed_over_again(tmp_path: Path) -> None:
    with Study.create(tmp_path, classifiers=[bright()], images=dark_and_bright(), attack=Darkening()) as study:
        study.run(device="cpu")
        assert study.transfer().item() == 50  # the bright half looks dark now
    with Study.open(tmp_path, classifiers=[bright()], images=dark_and_bright()) as again:
        with pytest.raises(StudyError, match="doesn't know the attack"):
            again.run(device="cpu")
        again.require(attack=Darkening())
        again.add([bright("brighter")])
        again.run(device="cpu")
        assert again.transfer().to_numpy().tolist() == [[50, 50], [50, 50]]


def shuffled(images: ImageSet) -> ImageSet:
    return replace(images, labels=np.random.default_rng(0).permutation(images.labels))


def test_a_classifier_at_chance_on_shuffled_labels_is_refused_by_name_unless_allowed() -> None:
    with Study.in_memory(classifiers=[bright()], images=shuffled(dark_and_bright()), attack=ATTACK) as study:
        with pytest.raises(ClassifierError, match=r"bright gets \d+ of 40 clean images right: chance level.*allow_chance=True"):
            study.run(device="cpu")
        assert study.names == ()
        study.add([bright()])
        study.run(device="cpu", allow_chance=True)
        assert study.transfer()["count"].item() > 0


def test_a_refused_classifier_leaves_the_study_so_that_a_mended_one_can_take_its_name(tmp_path: Path) -> None:
    wrong, good = two_class("new", np.zeros(48), bias=1.0), bright("old")
    with Study.create(tmp_path, classifiers=[good, wrong], images=dark_and_bright(), attack=replace(ATTACK, epsilon=0.5)) as study:
        with pytest.raises(ClassifierError, match="new gets 20 of 40 clean images right"):
            study.run(device="cpu")
        assert list(study.names) == ["old"]
        study.add([bright("new")])
        study.run(device="cpu")
        assert list(study.names) == ["old", "new"]
        assert study.transfer()["count"].to_numpy().tolist() == [[40, 40], [40, 40]]


def test_nan_on_clean_images_is_an_error_and_nothing_of_it_is_kept() -> None:
    broken = classifier_of("broken", Linear(np.full((2, 48), np.nan), np.zeros(2)), num_classes=2, size=(4, 4))
    with Study.in_memory(classifiers=[bright(), broken], images=dark_and_bright(), attack=ATTACK) as study:
        with pytest.raises(ClassifierError, match=r"broken gives NaN or infinite logits on clean image 0000\.png and 39 more"):
            study.run(device="cpu")
        assert study.predictions.names == study.names == ("bright",)
        assert (study.predictions.clean >= 0).all()
        assert "NaN or infinite" in study.refused["broken"]
        study.add([bright("broken")])
        study.run(device="cpu")
        assert list(study.names) == ["bright", "broken"]


def test_a_network_put_into_training_mode_is_refused() -> None:
    classifier = bright()
    with Study.in_memory(classifiers=[classifier], images=dark_and_bright(), attack=ATTACK) as study:
        classifier.network.train()
        with pytest.raises(ClassifierError, match=r"bright: the network is in training mode.*network\.eval\(\)"):
            study.run(device="cpu")
        classifier.network.eval()
        with pytest.raises(StudyError, match=r"holds no classifier to measure \(bright can't be measured\); add some"):
            study.run(device="cpu")
        study.add([classifier])
        study.run(device="cpu")
        assert study.transfer()["count"].item() == 40


class _Flat(nn.Module):
    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.mean((2, 3))


def test_an_output_of_another_shape_is_refused() -> None:
    flat = classifier_of("flat", _Flat(), num_classes=2, size=(4, 4))
    with (
        Study.in_memory(classifiers=[flat], images=dark_and_bright()) as study,
        pytest.raises(ClassifierError, match=r"flat: the network must give logits .*= \(4, 2\): got float32 of shape \(4, 3\)"),
    ):
        study.run(device="cpu")


# Scores


def test_the_diagonal_is_the_measured_success_of_a_source_on_itself() -> None:
    # Margins of the plain images: 27.5/255. The first attack is shorter than that, the second longer.
    for epsilon, success in ((27 / 255, 0.0), (28 / 255, 100.0)):
        attack = LinfPGD(epsilon=epsilon, iterations=1, step_size=1.0)
        with Study.in_memory(classifiers=[bright()], images=dark_and_bright(), attack=attack) as study:
            study.run(device="cpu")
            assert study.sat().percent.item() == success
            assert study.classifiers()["white_box_success"].item() == success


@pytest.mark.filterwarnings("default::zooscope.errors.WeakSourceWarning")
def test_a_weak_source_and_an_empty_pair_are_pointed_out() -> None:
    up, down = two_class("up", np.zeros(48), bias=1.0), two_class("down", np.zeros(48), bias=-1.0)
    with Study.in_memory(classifiers=[up, down], images=dark_and_bright(), attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        with (
            pytest.warns(WeakSourceWarning, match="the attack on up fools up itself on only 0 % of images"),
            pytest.warns(EmptyPairWarning, match="up and down share no correctly classified image; their score is NaN"),
        ):
            matrix = study.sat()
    np.testing.assert_array_equal(np.isnan(matrix), [[False, True], [True, False]])


def test_matrices_agree_with_each_other_and_say_their_attack() -> None:
    classifiers, images = family(3, sizes=SIZES)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu")
        sat, transfer, one_sided, table = study.sat(), study.transfer(), study.one_sided(), study.classifiers()
        predictions = study.predictions
    np.testing.assert_allclose(sat.percent, (transfer.to_numpy() + transfer.to_numpy().T) / 2)
    np.testing.assert_allclose(sat, np.log(sat.percent.clip(0.01)))
    np.testing.assert_allclose(one_sided, np.log(transfer.clip(0.01)))
    np.testing.assert_array_equal(sat["count"], transfer["count"])
    np.testing.assert_array_equal(table["white_box_success"], transfer.to_numpy().diagonal())
    np.testing.assert_allclose(table["clean_accuracy"], 100 * (predictions.clean == predictions.labels).mean(1))
    assert {sat.attrs["attack"], transfer.attrs["attack"], one_sided.attrs["attack"]} == {ATTACK.description}


def test_each_direction_is_what_the_predictions_say() -> None:
    classifiers, images = family(3, sizes=SIZES)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, shard_size=5) as study:
        study.run(device="cpu")
        transfer, predictions = study.transfer(), study.predictions
    for row, source in enumerate(study_names := predictions.names):
        for column, target in enumerate(study_names):
            said = [
                predictions.transfer[row, column, place] != label
                for place, label in enumerate(predictions.labels)
                if predictions.clean[row, place] == label == predictions.clean[column, place]
            ]
            cell = transfer.sel(source=source, target=target)
            assert cell["count"].item() == len(said)
            assert cell.item() == pytest.approx(100 * float(np.mean(said)))


def test_clean_logits_are_kept_in_float16() -> None:
    (one,), images = family(1)
    with Study.in_memory(classifiers=[one], images=images, attack=ATTACK, shard_size=5) as study:
        with pytest.raises(StudyError, match="nothing of relative 0 is measured yet; run `zooscope measure"):
            study.clean_logits(one.name)
        study.run(device="cpu")
        expected = one.logits(images.pixels(one)).numpy().astype(np.float16)
        np.testing.assert_array_equal(study.clean_logits(one.name), expected)


def test_examples_are_the_pixels_that_were_attacked() -> None:
    classifiers, images = family(2, sizes=SIZES)
    attack = replace(ATTACK, random_start=True)
    with Study.in_memory(classifiers=classifiers, images=images, attack=attack, seed=2) as study:
        study.run(device="cpu")
        predictions = study.predictions
        for row, classifier in enumerate(classifiers):
            counted = np.flatnonzero(predictions.transfer[row, row] >= 0).tolist()
            clean, attacked = study.examples(classifier.name, counted)
            assert torch.equal(torch.from_numpy(clean).permute(0, 3, 1, 2), images.pixels(classifier, counted))
            said = classifier.logits(torch.from_numpy(attacked).permute(0, 3, 1, 2)).argmax(1)
            np.testing.assert_array_equal(said, predictions.transfer[row, row, counted])


@pytest.mark.parametrize("how", [{}, {"exact": True}])
def test_examples_that_are_kept_are_those_measured_and_not_attacked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    classifiers, images = family(2, sizes=SIZES)
    attack, rest = replace(ATTACK, random_start=True), list[Sequence[str]]()
    with Study.create(tmp_path / "study", classifiers=classifiers, images=images, attack=attack, shard_size=12, **how) as study:
        study.run(device="cpu")
        exported = zooscope.export_attacks(study, tmp_path / "out", file_format="npz", device="cpu")

        def spy(attack: Attack, source: Classifier, pixels: Tensor, labels: Tensor, ids: Sequence[str], **options: Any) -> Attacked:  # noqa: ANN401
            rest.append(ids)
            return perturb(attack, source, pixels, labels, ids, **options)

        monkeypatch.setattr("zooscope.measurements.examples.perturb", spy)
        for row, (classifier, file) in enumerate(zip(classifiers, exported, strict=True)):
            rest.clear()
            _, attacked = study.examples(classifier.name, range(len(images)))
            wrong = [
                one for one, is_right in zip(images.ids, study.predictions.clean[row] == images.labels, strict=True) if not is_right
            ]
            assert rest == ([wrong] if wrong else [])
            with np.load(file.path) as arrays:
                places = [images.ids.index(one) for one in arrays["ids"].tolist()]
                np.testing.assert_array_equal(attacked[places].transpose(0, 3, 1, 2), arrays["pixels"])
            assert len(places) + len(wrong) == len(images)


def test_examples_are_computed_as_the_study_is(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,), images = family(1)
    ran = list[Classifier]()

    def spy(attack: Attack, source: Classifier, *arguments: Any, **options: Any) -> Attacked:  # noqa: ANN401  (as the original)
        ran.append(source)
        return perturb(attack, source, *arguments, **options)

    monkeypatch.setattr("zooscope.measurements.examples.perturb", spy)
    with Study.in_memory(classifiers=[one], images=images, attack=ATTACK, precision="bf16") as study:
        study.examples(one.name, [0])
    with Study.in_memory(classifiers=[one], images=images, attack=ATTACK, exact=True) as study:
        study.examples(one.name, [0])
    assert isinstance(ran[0], PreparedClassifier)
    assert ran[0].precision == "bf16"
    assert not isinstance(ran[1], PreparedClassifier)


def test_a_study_says_what_it_is(tmp_path: Path) -> None:
    study, one, images = one_study(tmp_path)
    with study:
        assert repr(study) == f"Study('{tmp_path}', 1 classifiers, 30 images)"
        assert (study.names, study.num_images, study.class_names) == ((one.name,), 30, images.class_names)


def test_a_complete_study_is_run_again_without_loading_any_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(10)
    with Study.create(
        tmp_path, classifiers=[zooscope.load_classifier("bundled:swin")], images=images, attack=LinfPGD(iterations=1)
    ) as study:
        study.run(device="cpu")
    loaded: list[str] = []
    monkeypatch.setattr("zooscope.study.at_hand.load_classifier", lambda address, **_: loaded.append(address))
    with Study.open(tmp_path) as study:
        study.run(device="cpu")
    assert loaded == []


def test_components_are_read_with_the_rest_and_a_users_own_stay(tmp_path: Path) -> None:
    images, attack = zooscope.load_images("bundled:cifar10").sample(10), LinfPGD(iterations=1)
    classifiers = [zooscope.load_classifier(f"bundled:{name}") for name in ("vit", "mixer", "efficientnet")]
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=attack) as study:
        with pytest.warns(UnknownComponentWarning, match=r"unknown values of activation are kept as they are: Mine"):
            study.set_components(pd.DataFrame({"activation": ["Mine"]}, index=["bundled:vit"]))
        study.run(device="cpu")
        table, snapshot = study.components(), study.snapshot()
    assert table.loc["bundled:vit"].dropna().to_dict() == {"activation": "Mine"}
    assert table["base architecture"].tolist()[1:] == ["MLP-Mixer", "NAS (CNN)"]
    assert table["activation"].tolist() == ["Mine", "GeLU", "SiLU"]
    assert snapshot.guesses == {"bundled:efficientnet": {"base architecture"}}
    assert snapshot.take(["bundled:vit"]).guesses == {}
    assert tuple(table.columns) == COMPONENTS


def test_a_folder_that_is_gone_after_the_last_unit_is_noticed(tmp_path: Path) -> None:
    classifiers, images = family(2)
    with Study.create(tmp_path / "study", classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True)
        (tmp_path / "study" / "study.db").rename(tmp_path / "elsewhere.db")
        with pytest.raises(StudyError, match="was deleted or replaced while it was in use"):
            study.run(device="cpu", allow_chance=True)
