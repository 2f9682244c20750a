import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zooscope
from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from zooscope.analyses.landmarks import measure_clean_agreement
from zooscope.analyses.rehearsal import rehearse_completion
from zooscope.study.study import Study

NAMES = tuple(f"bundled:{letter}{number}" for letter in "ab" for number in range(8))
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies `whole`, `part`, in which two classifiers are attacked, and `published`, the matrix of `whole`."""
    made = tmp_path_factory.mktemp("studies")
    write_study(made / "whole", NAMES)
    write_study(made / "part", NAMES, targets_only=tuple(name for name in NAMES if not name.endswith("0")))
    scores = zooscope.read_snapshot(made / "whole").sat(confidence=None).to_numpy()
    Study.from_matrix(made / "published", pd.DataFrame(scores, index=list(NAMES), columns=list(NAMES))).close()
    return made


def test_a_whole_study_is_a_rehearsal(folder: Path) -> None:
    found = json.loads(call("complete", folder / "whole", "--landmarks", "bundled:a0,bundled:b0", "--extra", "40", "--json").stdout)
    study = zooscope.read_snapshot(folder / "whole")
    landmarks = ["bundled:a0", "bundled:b0"]
    one_sided = pd.DataFrame(study.one_sided().to_pandas()).loc[landmarks]
    clean = measure_clean_agreement(study.predictions.clean)
    table = pd.DataFrame(clean, index=list(NAMES), columns=list(NAMES))
    expected = rehearse_completion(study.sat(confidence=None), landmarks, one_sided=one_sided, clean=table, num_extra=40)
    assert found["rehearsal"]["rmse"] == pytest.approx(expected.rmse)
    assert (found["landmarks"], found["method"], found["extra_pairs"]) == (landmarks, expected.completion.method, 40)
    assert np.shape(found["scores"]) == (16, 16)
    text = call("complete", folder / "whole", "--landmarks", "2", "--extra", "40").stdout
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "16 classifiers, 2 landmarks: " in words
    assert "Rehearsal: of the 51 hidden pairs, estimates have RMSE" in words


def test_an_imported_matrix_is_rehearsed_from_both_directions(folder: Path, tmp_path: Path) -> None:
    result = call("complete", folder / "published", "--landmarks", "4", "--json", "--out", tmp_path / "pairs.csv")
    found = json.loads(result.stdout)
    assert (len(found["landmarks"]), found["rehearsal"]["pairs"]) == (4, 33)
    assert len((tmp_path / "pairs.csv").read_text().splitlines()) == 34


def test_without_extra_pairs_it_says_so_and_which_to_measure(folder: Path, tmp_path: Path) -> None:
    words = " ".join(call("complete", folder / "part", "--out", tmp_path / "matrix.csv").stdout.split())
    assert "Pairs: 1 measured, 28 one-sided, 91 estimated." in words
    assert "Measured pairs without a landmark: 0, too few to fit anything to" in words
    assert "They are also too few to say how far an estimate may be off." in words
    assert f"`zooscope complete {folder / 'part'} --measure 200`" in words or "--measure 91`" in words
    found = json.loads(call("complete", folder / "part", "--json").stdout)
    assert len(found["to_measure"]) == 91
    assert found["half_width"] is None
    kinds = np.array(found["kinds"])
    assert (kinds == "estimated").sum() == 2 * 91
    matrix = pd.read_csv(tmp_path / "matrix.csv", index_col=0)
    assert matrix.notna().to_numpy().sum() == 16 * 15


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("whole",), "every pair is measured, so there is nothing to complete"),
        (("whole", "--landmarks", "3", "--measure", "9"), "every pair is measured"),
        (("part", "--landmarks", "3"), "the landmarks of .*part are its sources .*; leave --landmarks out"),
        (("published", "--landmarks", "17"), "between 1 and 16 landmarks"),
        (("whole", "--landmarks", "x,y"), "unknown"),
        (("part", "--method", "magic"), "unknown method 'magic'"),
        (("part", "--confidence", "2"), "confidence must be between 0 and 1"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(folder: Path, words: tuple[str, ...], sentence: str) -> None:
    result = call("complete", folder / words[0], *words[1:])
    assert result.exit_code == 1
    assert pd.Series([one_line(result.stderr)]).str.contains(sentence).all(), result.stderr


def test_pairs_are_measured_into_the_study_and_fit_the_estimates(tmp_path: Path) -> None:
    names = ["bundled:resnet", "bundled:vit", "bundled:mixer", "bundled:swin"]
    images = zooscope.load_images("bundled:cifar10").sample(12, seed=0)
    attack = "LinfPGD?iterations=2"
    with Study.create(tmp_path / "part", classifiers=names, images=images, attack=attack, sources=names[:2]) as study:
        study.run(device="cpu")
    found = json.loads(call("complete", tmp_path / "part", "--measure", "1", "--device", "cpu", "--json").stdout)
    assert found["extra_pairs"] == 1
    with Study.in_memory(classifiers=names, images=images, attack=attack) as study:
        study.run(device="cpu")
        expected = study.sat(confidence=None).sel(a="bundled:mixer", b="bundled:swin").item()
    place = [found["classifiers"].index(name) for name in ("bundled:mixer", "bundled:swin")]
    assert found["scores"][place[0]][place[1]] == expected
    assert found["kinds"][place[0]][place[1]] == "measured"
    assert zooscope.read_snapshot(tmp_path / "part").sources == tuple(names[:2])
