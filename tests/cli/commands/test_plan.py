import json
from pathlib import Path

import pytest

from tests.cli.calling import call, one_line
from zooscope.study.study import Study

ASKED = ("--classifiers", "bundled:resnet", "bundled:mixer", "--images", "bundled:cifar10", "--count", "20", "--iterations", "2")


def test_a_study_that_is_not_there_is_planned_and_not_made(tmp_path: Path) -> None:
    found = json.loads(
        call("plan", tmp_path / "study", *ASKED, "--gpu", "A100", "H100", "--gpus", "2", "--price", "3", "--json").stdout
    )
    assert not (tmp_path / "study").exists()
    assert found["gradients"] <= 2 * 2 * 20
    assert found["gradients"] == sum(one["gradients"] for one in found["classifiers"])
    assert found["seconds"] == pytest.approx(sum(one["seconds"] for one in found["classifiers"]))
    assert {"gradients", "forwards", "seconds", "bytes", "flops", "memory"} <= found.keys()
    first = found["machines"][0]
    assert (first["gpu"], first["precision"]) == ("A100", "float32")
    assert first["seconds"] == pytest.approx(found["flops"] / (19.5e12 * 0.3 * 2))
    assert first["money"] == pytest.approx(3 * 2 * first["seconds"] / 3600)


def test_what_is_measured_is_left_out_and_the_study_stays_as_it_is(tmp_path: Path) -> None:
    call("measure", tmp_path / "study", *ASKED)
    before = (tmp_path / "study" / "study.db").read_bytes()
    done = json.loads(call("plan", tmp_path / "study", "--json").stdout)
    assert (done["gradients"], done["forwards"], done["seconds"], done["bytes"]) == (0, 0, 0, 0)
    added = call("plan", tmp_path / "study", "--classifiers", "bundled:vit")
    assert "3 classifiers, 20 images; still to be measured" in added.stdout
    assert (tmp_path / "study" / "study.db").read_bytes() == before
    with Study.open(tmp_path / "study") as study:
        assert study.names == ("bundled:resnet", "bundled:mixer")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name the folder of a study, or give --paper"),
        (("study",), "there is no study at study yet; add --classifiers and --images"),
        (("study", *ASKED, "--gpu", "A1000"), "unknown GPU 'A1000'"),
        (("study", *ASKED, "--batch-size", "0"), "batch_size must be at least 1"),
        (("--paper", "--batch-size", "0"), "batch_size must be at least 1"),
        (("--paper", "--iterations", "0"), "iterations must be at least 1"),
        (("--paper", "--count", "0"), "num_images must be at least 1"),
        (("study", *ASKED, "--gpus", "0"), "Error: --gpus must be at least 1: got 0."),
        (("study", *ASKED, "--utilization", "1.5"), "Error: --utilization must be above 0 and at most 1: got 1.5."),
        (("study", *ASKED, "--price", "-1"), "Error: --price must be 0 or more: got -1."),
        (("study", *ASKED, "--price", "nan"), "Error: --price must be 0 or more: got nan."),
    ],
)
def test_wrong_input_is_one_sentence(words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("plan", *words)
    assert result.exit_code == 1
    assert message in one_line(result.stderr)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow  # builds 69 networks
def test_the_papers_study_is_planned_without_weights() -> None:
    found = json.loads(call("plan", "--paper", "--json").stdout)
    assert len(found["classifiers"]) == 69
    assert found["gradients"] == 69 * 5000 * 0.8 * 50
    by_name = {one["name"]: one["flops"] / one["gradients"] for one in found["classifiers"]}
    # Passes for each image: two per step of its own attack, one when clean, one for each source of which both get the image right,
    # and up to ten controls, one for each way in which others make their pixels.
    least = 2 + (1 + 69 * 0.8**2) / (0.8 * 50)
    assert least * 8.17e9 < by_name["resnet50"] < (least + 10 / (0.8 * 50)) * 8.2e9
