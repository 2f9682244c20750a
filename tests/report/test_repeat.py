"""The command in the report measures the same again, or the report says in what it doesn't."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.report.synthetic import planted_study
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.card.markdown import COMPUTING
from zooscope.classifiers.load import load_classifier
from zooscope.images.image_set import ImageSet
from zooscope.images.load import load_images
from zooscope.report.facts import Facts
from zooscope.report.repeat import Choice, Repeat, write_repeat
from zooscope.study.study import Study

IMAGES = "bundled:cifar10"
ATTACK = LinfPGD(epsilon=4 / 255, step_size=0.1, iterations=3, random_start=True)


def make_study(folder: Path, images: ImageSet, *, names: Sequence[str] = ("bundled:resnet", "bundled:vit"), seed: int = 3) -> Study:
    classifiers = [load_classifier(f"bundled:{kind}", name=name) for kind, name in zip(("resnet", "vit"), names, strict=True)]
    return Study.create(folder, classifiers=classifiers, images=images, attack=ATTACK, seed=seed, shard_size=5)


def repeat_of(study: Study) -> Repeat:
    return write_repeat(Facts.read(study, confidence=0.9))


def test_the_command_says_everything_that_was_measured(tmp_path: Path) -> None:
    with make_study(tmp_path / "my study", load_images(IMAGES).sample(12, seed=3)) as study:
        study.run(device="cpu")
        found = repeat_of(study)
    words = shlex.split(found.command)
    assert words[:3] == ["zooscope", "measure", "my study"]
    options = dict(zip(words[3:17:2], words[4:17:2], strict=True))
    assert options == {
        "--images": IMAGES,
        "--count": "12",
        "--seed": "3",
        "--shard-size": "5",
        "--epsilon": "4/255",
        "--step-size": "0.1",
        "--iterations": "3",
    }
    assert words[17:21] == ["--random-start", "--classifiers", "bundled:resnet", "bundled:vit"]
    assert words[21:] == ["&&", "zooscope", "report", "my study", "--confidence", "0.9"]
    assert found.caveats == ()


@pytest.mark.parametrize(
    ("computing", "words", "networks"),
    [
        ({}, [], "prepared for speed"),
        ({"exact": True}, ["--exact"], "as they are"),
        ({"compiled": True}, ["--compile"], "prepared for speed and compiled"),
    ],
    ids=["fast", "exact", "compiled"],
)
def test_the_way_of_computing_is_in_the_command_and_on_the_card(
    tmp_path: Path, computing: dict[str, Any], words: list[str], networks: str
) -> None:
    images = load_images(IMAGES).sample(6, seed=0)
    names = ["bundled:resnet", "bundled:vit"]
    with Study.create(tmp_path / "study", classifiers=names, images=images, attack=ATTACK, **computing) as study:
        found = [word for word in shlex.split(repeat_of(study).command) if word in {"--exact", "--compile"}]
        assert found == words
        assert COMPUTING[study.snapshot().definition.computing] == networks


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::zooscope.errors.ClassMatchingWarning")  # rightly: the given classes win over the networks' own
@pytest.mark.filterwarnings("ignore::zooscope.errors.ImplausibleClassifierWarning")  # and so all answers are wrong
@pytest.mark.parametrize("is_reversed", [False, True], ids=["by default", "classes in another order"])
def test_what_the_command_measures_is_the_same_to_the_last_prediction(tmp_path: Path, *, is_reversed: bool) -> None:
    classes = load_images(IMAGES).class_names
    images = load_images(IMAGES, classes=classes[::-1]) if is_reversed else load_images(IMAGES)
    names = ("bundled:resnet", "the other one")
    with make_study(tmp_path / "first" / "study", images.sample(12, seed=3), names=names) as study:
        study.run(device="cpu", allow_chance=True)
        found, first = repeat_of(study), study.predictions
    assert found.caveats == ()
    assert ("--classes" in found.command) is is_reversed
    (tmp_path / "second").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["/bin/sh", "-c", found.command], cwd=tmp_path / "second", env=os.environ | {"PATH": path}, check=True)
    assert (tmp_path / "second" / "study" / "report.html").is_file()
    with Study.open(tmp_path / "second" / "study") as again:
        second = again.predictions
        assert again.definition == study_definition(tmp_path / "first" / "study")
    assert (second.names, second.image_ids) == (first.names, first.image_ids)
    for field in ("labels", "clean", "transfer"):
        np.testing.assert_array_equal(getattr(second, field), getattr(first, field), err_msg=field)
    assert second.controls.keys() == first.controls.keys()


def study_definition(folder: Path) -> object:
    with Study.open(folder) as study:
        return study.definition


@pytest.mark.parametrize("seed", [0, 4])
def test_a_sample_of_another_seed_is_told(tmp_path: Path, seed: int) -> None:
    with make_study(tmp_path / "study", load_images(IMAGES).sample(12, seed=seed)) as study:
        assert repeat_of(study).caveats == (Choice.OTHER.value,)


def test_images_that_are_not_at_hand_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_study(tmp_path / "study", load_images(IMAGES).sample(12, seed=3)) as study:
        monkeypatch.setitem(sys.modules, "zooscope.images.load", None)
        found = repeat_of(study)
    assert found.caveats == (Choice.UNKNOWN.value,)
    assert "--classes study-classes.txt" in found.command


def test_what_was_made_by_hand_is_told() -> None:
    assert "Some classifiers were made by hand in Python" in repeat_of(planted_study([["a", "b"]])).caveats[-1]


def test_images_made_by_hand_have_no_command(tmp_path: Path) -> None:
    classifiers, images = family(2)
    with Study.create(tmp_path / "study", classifiers=classifiers, images=images) as study:
        found = repeat_of(study)
    assert (found.command, len(found.caveats)) == ("", 1)
    assert "images were made by hand" in found.caveats[0]
