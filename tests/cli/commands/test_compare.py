import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import zooscope
from tests.cli.calling import IMAGES, call, one_line
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier

PAIR = ("bundled:resnet", "bundled:vit")

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    result = call("compare", *PAIR, *IMAGES, "--iterations", "2", "--epsilon", "4/255", "--confidence", "0.9", "--json")
    loaded: dict[str, object] = json.loads(result.stdout)
    return loaded


def test_it_says_what_python_says(found: dict[str, object]) -> None:
    a, b = (zooscope.load_classifier(name) for name in PAIR)
    images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
    score = zooscope.sat(a, b, images, attack=LinfPGD(iterations=2, epsilon=4 / 255), confidence=0.9)
    assert found["classifiers"] == list(PAIR)
    assert found["sat"] == float(score)
    for name in ("low", "high", "percent", "a_to_b", "b_to_a", "control_a_to_b", "control_b_to_a", "count", "confidence"):
        assert found[name] == getattr(score, name)
    assert found["images"] == {"address": "bundled:cifar10", "count": 20}
    attack = found["attack"]
    assert isinstance(attack, dict)
    assert attack["epsilon"] == 4 / 255


def test_the_table_holds_score_interval_both_directions_control_and_count() -> None:
    result = call("compare", *PAIR, *IMAGES, "--iterations", "2")
    text = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "resnet and vit Attack" in text
    assert "SAT (natural logarithm)" in text
    assert "95 % interval" in text
    assert text.count(" fools ") == 2
    assert "without attack" not in text  # both preprocess alike
    assert "that both classify correctly, of 20 of bundled:cifar10" in text


def test_a_control_is_shown_with_its_reason_if_preprocessing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    load_unchanged = zooscope.load_classifier

    def load(address: str) -> Classifier:
        found = load_unchanged(address)
        return replace(found, transform=replace(found.transform, crop_fraction=0.75)) if address == PAIR[1] else found

    monkeypatch.setattr("zooscope.classifiers.load.load_classifier", load)
    result = call("compare", *PAIR, *IMAGES, "--iterations", "1")
    text = " ".join(result.stdout.split())
    assert result.exit_code == 0, result.stderr
    assert re.search(r"% without attack, only crop fraction 1 instead of 0.75", text)
    assert re.search(r"% without attack, only crop fraction 0.75 instead of 1", text)
    assert "resized" not in text


def test_a_mistyped_name_suggests_a_near_one() -> None:
    result = call("compare", "bundled:resnt", "bundled:vit", *IMAGES)
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: unknown bundled classifier 'resnt'. Did you mean")
    assert "resnet" in result.stderr


def test_a_name_without_source_suggests_a_full_one() -> None:
    assert "Did you mean" in one_line(call("compare", "resnet", "bundled:vit", *IMAGES).stderr)


def test_a_classifier_is_not_compared_with_itself() -> None:
    assert "two classifiers are called bundled:vit" in one_line(call("compare", "bundled:vit", "bundled:vit", *IMAGES).stderr)


def test_images_are_needed() -> None:
    result = call("compare", *PAIR)
    assert result.exit_code == 2
    assert "Missing option '--images'" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--epsilon", "8", "For 8/255 write 8/255."),
        ("--iterations", "0", "LinfPGD.iterations must be at least 1"),
        ("--count", "0", "must have between 1 and"),
        ("--confidence", "2", "confidence must be in (0, 1)"),
        ("--batch-size", "0", "batch_size must be at least 1"),
        ("--device", "abacus", "`zooscope doctor` lists what there is."),
        ("--images", "bundled:cifar", "Did you mean cifar10?"),
    ],
)
def test_an_impossible_option_is_one_sentence(option: str, value: str, sentence: str) -> None:
    result = call("compare", *PAIR, *IMAGES, "--iterations", "1", option, value)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)


def test_images_from_a_folder_with_too_few_classes_are_refused(image_folder: Path) -> None:
    result = call("compare", *PAIR, "--images", f"folder:{image_folder}")
    assert "bundled:resnet has 10 classes, but the images have 3" in one_line(result.stderr)


def test_it_says_how_classes_are_matched(found: dict[str, object]) -> None:
    assert found["class_matching"] == ["by name", "by name"]
    assert "classes matched by name" in " ".join(call("compare", *PAIR, *IMAGES, "--iterations", "1").stdout.split())
