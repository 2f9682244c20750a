from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import zooscope
from tests.probe.conftest import LANDMARKS, make_small
from zooscope.attacks import parse_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.progress import Progress
from zooscope.errors import ClassifierError, ClassMatchingWarning, StudyError
from zooscope.images.pixel_transform import PixelTransform
from zooscope.measurements.transfer import Transfer
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.study.study import Study

OTHERS = ("bundled:resnet", "bundled:mixer")
NAMES = (*OTHERS, "small")


def test_a_profile_is_the_studys_one_sided_sat_to_the_landmarks(probed: Study, pack_file: Path) -> None:
    profiles = zooscope.probe.run(pack_file, [*OTHERS, make_small()], device="cpu")
    expected, transfer = probed.one_sided(), probed.transfer()
    assert len(profiles.table) == len(NAMES) * len(LANDMARKS)
    for _, row in profiles.table.iterrows():
        cell = {"source": row["landmark"], "target": row["classifier"]}
        assert row["sat"] == expected.sel(cell).item()
        assert row["percent"] == transfer.sel(cell).item()
        assert row["count"] == transfer.sel(cell)["count"].item()
        assert row["control"] == transfer.sel(cell).control.item()
        assert row["low"] < row["sat"] <= row["high"]
    accuracy = probed.classifiers()["clean_accuracy"]
    assert profiles.classifiers["clean_accuracy"].to_dict() == pytest.approx(accuracy[list(NAMES)].to_dict())


def test_the_study_that_is_kept_holds_the_landmarks_and_what_is_said_of_their_images(
    probed: Study, pack_file: Path, tmp_path: Path
) -> None:
    zooscope.probe.run(pack_file, OTHERS[0], out=tmp_path / "profiles", device="cpu")
    zooscope.probe.run(pack_file, OTHERS[1], out=tmp_path / "profiles", device="cpu")
    kept, whole = zooscope.read_snapshot(tmp_path / "profiles"), probed.snapshot()
    assert (set(kept.sources), set(kept.names)) == (set(LANDMARKS), {*LANDMARKS, *OTHERS})
    assert kept.definition == whole.definition
    asked, known = kept.predictions, whole.predictions.take(kept.names)
    for name in LANDMARKS:
        np.testing.assert_array_equal(asked.take_source(name), known.take_source(name))
    assert (asked.sources, len(asked.transfer)) == (kept.sources, len(LANDMARKS))
    np.testing.assert_array_equal(asked.clean, known.clean)
    assert kept.component_values == {name: values for name, values in whole.component_values.items() if name in kept.names}
    for name in LANDMARKS:
        np.testing.assert_array_equal(kept.clean_logits(name), whole.clean_logits(name))


def test_what_is_there_is_not_asked_again(pack_file: Path, tmp_path: Path) -> None:
    resnet = zooscope.load_classifier("bundled:resnet")
    calls, phases = [], []

    def predict(pixels: np.ndarray) -> np.ndarray:
        calls.append(len(pixels))
        return resnet.logits(torch.from_numpy(pixels)).numpy()

    def listen(progress: Progress) -> None:
        phases.append(progress.phase)

    first = zooscope.probe.run(pack_file, predict, name="far", out=tmp_path / "far", device="cpu", listen=listen)
    assert set(phases) == {"classify", "probe"}
    calls.clear()
    again = zooscope.probe.run(pack_file, predict, name="far", out=tmp_path / "far", device="cpu")
    assert calls == []
    assert again.table.equals(first.table)


@pytest.mark.parametrize("form", ["logits", "torch", "probabilities", "classes"])
def test_a_function_is_a_classifier_in_whatever_form_it_answers(pack_file: Path, form: str) -> None:
    resnet = zooscope.load_classifier("bundled:resnet")

    def predict(pixels: np.ndarray) -> object:
        assert pixels.dtype == np.float32
        with torch.no_grad():
            logits = resnet.logits(torch.from_numpy(pixels))
        forms = {
            "logits": logits.numpy(),
            "torch": logits,
            "probabilities": logits.softmax(1).numpy(),
            "classes": logits.argmax(1).numpy(),
        }
        return forms[form]

    transform = resnet.transform
    asked = zooscope.probe.run(pack_file, predict, name="far", transform=transform, device="cpu")
    expected = zooscope.probe.run(pack_file, "bundled:resnet", device="cpu")
    numbers = ["landmark", "sat", "low", "high", "percent", "count", "control"]
    assert asked.table[numbers].equals(expected.table[numbers])


@pytest.mark.filterwarnings("ignore::zooscope.errors.ImplausibleClassifierWarning")
def test_a_function_takes_the_first_landmarks_pixels_if_nothing_else_is_said(pack_file: Path) -> None:
    shapes = set()

    def predict(pixels: np.ndarray) -> np.ndarray:
        shapes.add(pixels.shape[1:])
        return np.zeros(len(pixels), dtype=np.int64)

    zooscope.probe.run(pack_file, predict, device="cpu", allow_chance=True)
    assert shapes == {(3, 32, 32)}


def test_names_of_outputs_in_another_order_are_followed(pack_file: Path) -> None:
    resnet = zooscope.load_classifier("bundled:resnet")
    order = np.roll(np.arange(10), 3)
    names = [zooscope.load_images("bundled:cifar10").class_names[place] for place in order]

    def predict(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return resnet.logits(torch.from_numpy(pixels)).numpy()[:, order]

    with pytest.warns(ClassMatchingWarning, match="the order of its outputs differs and is followed"):
        asked = zooscope.probe.run(pack_file, predict, name="far", class_names=names, device="cpu")
    expected = zooscope.probe.run(pack_file, "bundled:resnet", device="cpu")
    assert asked.table["percent"].tolist() == expected.table["percent"].tolist()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda _: 1 / 0, r"far fails on pixels of shape \(4, 3, 32, 32\) \(division by zero\); correct the function"),
        (
            lambda pixels: np.zeros((len(pixels), 3), np.float32),
            r"far must give logits as floats of shape \(4, 10\), .* float32 of",
        ),
        (lambda pixels: np.full(len(pixels), 10), "classes from 0 to 9: got int64 of shape"),
        (lambda pixels: np.zeros(len(pixels), int), "far .*(guess|chance)"),
    ],
    ids=["fails", "other classes", "no such class", "guesses"],
)
def test_a_function_that_does_not_behave_is_refused(pack_file: Path, answer: object, sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        zooscope.probe.run(pack_file, answer, name="far", device="cpu")


def test_a_classifier_of_other_classes_is_refused(pack_file: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4)).eval()
    other = Classifier(name="other", network=network, num_classes=4, transform=PixelTransform(height=8, width=8))
    with pytest.raises(ClassifierError, match="other has 4 classes, but the images have 10"):
        zooscope.probe.run(pack_file, other)


def test_a_folder_with_another_study_is_refused(probed: Study, pack_file: Path) -> None:
    with pytest.raises(StudyError, match=r"holds a study that was not measured with .*pack.zoo; name another folder"):
        zooscope.probe.run(pack_file, OTHERS, out=probed.path)


def test_another_classifier_of_a_landmarks_name_is_refused(pack_file: Path) -> None:
    other = zooscope.load_classifier("bundled:resnet", name="bundled:vit")
    with pytest.raises(StudyError, match="bundled:vit is in the study with other weights"):
        zooscope.probe.run(pack_file, other)


def test_landmarks_are_chosen_by_number_or_name(probed: Study, tmp_path: Path) -> None:
    pack = zooscope.probe.make(probed, tmp_path / "pack.zoo", landmarks=1, device="cpu")
    assert pack.names == zooscope.analyses.choose_landmarks(probed.predictions.clean, 1, names=probed.names)
    with pytest.raises(ValueError, match="between 1 and 4 landmarks, the number of classifiers: got 5"):
        zooscope.probe.make(probed, tmp_path / "pack.zoo", landmarks=5)
    with pytest.raises(ValueError, match="a probe pack needs at least one landmark"):
        zooscope.probe.make(probed, tmp_path / "pack.zoo", landmarks=[])
    with pytest.raises(LookupError, match="unknown classifier 'bundled:swan'"):
        zooscope.probe.make(probed, tmp_path / "pack.zoo", landmarks=["bundled:swan"])


def test_a_study_whose_clean_images_are_not_measured_is_refused(tmp_path: Path) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(4)
    with (
        Study.in_memory(classifiers="bundled:vit", images=images) as study,
        pytest.raises(StudyError, match="nothing of bundled:vit is measured yet"),
    ):
        zooscope.probe.make(study, tmp_path / "pack.zoo", landmarks=["bundled:vit"])


def test_an_attack_with_facts_leaves_nothing_to_attack_again(tmp_path: Path) -> None:
    images = zooscope.load_images("bundled:cifar10").sample(8)
    with Study.in_memory(classifiers=["bundled:vit"], images=images, attack="APGD?iterations=2") as study:
        study.run(device="cpu")
        zooscope.probe.make(study, tmp_path / "pack.zoo", landmarks=1, device="cpu")
    zooscope.probe.run(tmp_path / "pack.zoo", "bundled:resnet", out=tmp_path / "profiles", device="cpu")
    with Records.open(tmp_path / "profiles" / DATABASE) as records:
        assert records.present("transfer:fooled") == {("bundled:vit", "", 0)}
        assert Transfer(attack=parse_attack("APGD?iterations=2"), seed=0).missing(records, sources=["bundled:vit"]) == ()
