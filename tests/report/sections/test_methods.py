import shlex
from pathlib import Path

import pytest

from tests.report.synthetic import planted_study
from zooscope.attacks import LinfPGD
from zooscope.classifiers.load import load_classifier
from zooscope.images.load import load_images
from zooscope.report.facts import Facts
from zooscope.report.sections.methods import command, methods
from zooscope.study.study import Study


def test_the_command_says_everything_that_was_measured(tmp_path: Path) -> None:
    classifiers = [load_classifier("bundled:resnet"), load_classifier("bundled:vit")]
    attack = LinfPGD(epsilon=4 / 255, step_size=0.1, iterations=7, random_start=True)
    images = load_images("bundled:cifar10").sample(12, seed=3)
    with Study.create(tmp_path / "my study", classifiers=classifiers, images=images, attack=attack, seed=3) as study:
        words = shlex.split(command(Facts.of(study, confidence=0.95), study.path))
    assert words[:3] == ["zooscope", "measure", "my study"]
    options = dict(zip(words[3:15:2], words[4:15:2], strict=True))
    assert options == {
        "--images": "bundled:cifar10",
        "--count": "12",
        "--seed": "3",
        "--epsilon": "4/255",
        "--step-size": "0.1",
        "--iterations": "7",
    }
    assert words[15:19] == ["--random-start", "--classifiers", "bundled:resnet", "bundled:vit"]
    assert words[19:] == ["&&", "zooscope", "report", "my study"]


def test_settings_come_out_exactly() -> None:
    facts = Facts.of(planted_study([["a"]]), confidence=0.9)
    found = methods(facts, None)
    assert found.settings == {"epsilon": "8/255", "step size": "0.1", "iterations": "50", "random start": "no"}
    assert found.confidence_percent == pytest.approx(90)
    assert found.lowest == pytest.approx(-4.605, abs=1e-3)
    assert found.weights == (("a", "", "f" * 64),)
    assert not found.is_repeatable
    assert "Python" in dict(found.versions)


def test_a_package_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zooscope.report.sections.methods.PACKAGES", ("zooscope", "no-such-package"))
    assert [name for name, _ in methods(Facts.of(planted_study([["a"]]), confidence=0.9), None).versions] == ["Python", "zooscope"]
