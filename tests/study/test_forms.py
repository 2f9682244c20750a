"""What Python takes for classifiers and images: what the command line takes, and more."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import zooscope
from tests.specimens import Array
from zooscope import Study, load_images
from zooscope.attacks import LinfPGD
from zooscope.errors import ClassifierError, StudyError, UnknownNameError
from zooscope.study.newcomer import measure_newcomer

ATTACK = LinfPGD(step_size=0.02, iterations=2)
SAMPLE = load_images("bundled:cifar10").sample(20, seed=0)
LEVELS: Array = np.stack([np.asarray(SAMPLE.image(row)) for row in range(20)])
PAIR = (LEVELS, SAMPLE.labels)

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def test_addresses_and_arrays_give_the_scores_of_loaded_ones(tmp_path: Path) -> None:
    with Study.create(tmp_path / "study", classifiers=["bundled:vit", "bundled:resne[!x]"], images=PAIR, attack=ATTACK) as study:
        assert study.names[:2] == ("bundled:vit", "bundled:resnet")
        assert study.class_names == tuple("0123456789")
        study.run(device="cpu")
        ours = study.sat()
        added = measure_newcomer(study, "bundled:mixer", device="cpu")
        assert added.targets == study.names
        study.add("bundled:swin")
        assert study.names[-1] == "bundled:swin"
    loaded = [zooscope.load_classifier(f"bundled:{name}") for name in ("vit", "resnet")]
    with Study.in_memory(classifiers=loaded, images=SAMPLE, attack=ATTACK) as study:
        study.run(device="cpu")
        np.testing.assert_array_equal(study.sat().to_numpy(), ours.to_numpy())
    score = zooscope.sat("bundled:vit", "bundled:resnet", PAIR, attack=ATTACK, device="cpu")
    assert float(score) == ours[0, 1].item()


def test_a_study_of_arrays_goes_on_with_the_same_arrays_and_no_others(tmp_path: Path) -> None:
    Study.create(tmp_path / "study", classifiers="bundled:vit", images=PAIR, attack=ATTACK).close()
    with (
        Study.open(tmp_path / "study") as study,
        pytest.raises(StudyError, match=r"\(arrays\) were made by hand; pass them to Study\.open"),
    ):
        study.run(device="cpu")
    with Study.open(tmp_path / "study", images=(LEVELS / 255, SAMPLE.labels.tolist())) as study:
        study.run(device="cpu")
        assert study.sat().shape == (1, 1)
    other = LEVELS.copy()
    other[7, 0, 0, 0] ^= 1
    with pytest.raises(StudyError, match=r"was measured with another set of images \(contents, labels or sample\)"):
        Study.open(tmp_path / "study", images=(other, SAMPLE.labels))
    with pytest.raises(StudyError, match="was measured with another number of images: 20, now 19"):
        Study.open(tmp_path / "study", images=(LEVELS[1:], SAMPLE.labels[1:]))


def test_a_network_alone_is_told_what_is_missing() -> None:
    with pytest.raises(
        ClassifierError, match=r"give it as zooscope\.Classifier\(name=\.\.\., network=network\.eval\(\), num_classes="
    ):
        zooscope.sat(nn.Linear(3, 10), "bundled:vit", PAIR)


def test_an_attack_may_be_spelt_as_on_the_command_line(tmp_path: Path) -> None:
    spelling = "LinfPGD?step_size=2/255&iterations=3"
    with Study.create(tmp_path / "study", classifiers="bundled:vit", images=PAIR, attack=spelling) as study:
        assert study.attack == LinfPGD(step_size=2 / 255, iterations=3)
        study.require(attack=spelling)
        with pytest.raises(StudyError, match="iterations"):
            study.require(attack="LinfPGD?step_size=2/255&iterations=4")
    score = zooscope.sat("bundled:vit", "bundled:resnet", PAIR, attack=spelling, device="cpu")
    assert score.attack == LinfPGD(step_size=2 / 255, iterations=3).description
    for unknown in ("", "PGD"):
        with pytest.raises(UnknownNameError, match="Attacks: "):
            Study.in_memory(classifiers="bundled:vit", images=PAIR, attack=unknown)
