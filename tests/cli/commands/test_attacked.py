"""`zooscope attacks export`, `kept` and `forget`."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import zooscope
from tests.cli.calling import SMALL, call, one_line
from zooscope.attacks import LinfPGD
from zooscope.kept.kept_attacks import KeptAttacks

NAMES = ("bundled:resnet", "bundled:vit")


def test_exported_files_hold_what_was_attacked(measured_study: Path, tmp_path: Path) -> None:
    result = call("attacks", "export", measured_study, "--out", tmp_path, "--device", "cpu")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        str(tmp_path / f"bundled-{name}.safetensors") for name in ("resnet", "vit")
    ]
    with safe_open(tmp_path / "bundled-vit.safetensors", "numpy") as file:
        pixels, metadata = file.get_tensor("pixels"), file.metadata()
    with zooscope.Study.open(measured_study) as study:
        place = study.names.index("bundled:vit")
        right = study.predictions.clean[place] == study.predictions.labels
        images = study.images.take(np.flatnonzero(right).tolist())
        clean = images.pixels(study.classifier("bundled:vit")).numpy()
    assert json.loads(metadata["ids"]) == list(images.ids)
    assert (metadata["source"], float(metadata["epsilon"])) == ("bundled:vit", 8 / 255)
    assert np.abs(pixels.astype(np.float64) - clean).max() <= 8 / 255
    assert f"{len(images)} images attacked through bundled:vit" in result.stdout


def test_kept_images_are_not_attacked_again(measured_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("attacked")

    monkeypatch.setattr(LinfPGD, "perturb", refuse)
    words = ("attacks", "export", measured_study, "--out", tmp_path, "--format", "npz", "--sources", "*vit", "--device", "cpu")
    assert one_line(call(*words).stdout).startswith(f"{tmp_path / 'bundled-vit.npz'}: ")
    (found,) = json.loads(call(*words, "--json").stdout)
    assert (found["source"], found["path"]) == ("bundled:vit", str(tmp_path / "bundled-vit.npz"))


def test_png_comes_with_a_note_of_what_rounding_changes(measured_study: Path, tmp_path: Path) -> None:
    result = call("attacks", "export", measured_study, "--out", tmp_path, "--format", "png", "--device", "cpu")
    assert one_line(result.stderr).startswith("Note: PNG holds 8 bits: rounding changed pixels by up to ")
    assert (tmp_path / "bundled-vit" / "manifest.csv").is_file()


def test_a_source_that_is_not_there_is_refused(measured_study: Path, tmp_path: Path) -> None:
    result = call("attacks", "export", measured_study, "--out", tmp_path, "--sources", "nobody")
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: unknown source 'nobody'.")


def test_what_is_kept_is_told_and_forgotten(study: Path) -> None:
    held = json.loads(call("attacks", "kept", study, "--json").stdout)
    assert list(held["sources"]) == list(NAMES)
    assert held["num_bytes"] == sum(file.stat().st_size for file in (study / "cache").iterdir())
    text = call("attacks", "kept", study).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[0].split() == ["Source", "Images", "Size", "Bytes", "per", "image"]
    assert "together" in text
    images = sum(one["images"] for one in held["sources"].values())
    assert f"{images} attacked images forgotten" in call("attacks", "forget", study).stdout
    assert not (study / "cache").exists()
    assert call("attacks", "kept", study).stdout == f"{study}: no attacked images are kept\n"
    assert "0 attacked images forgotten, 0 bytes" in call("attacks", "forget", study).stdout


@pytest.mark.parametrize("command", ["kept", "forget"])
def test_a_folder_without_a_study_is_one_sentence(command: str, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "a.attack").write_text("of something else")
    assert one_line(call("attacks", command, tmp_path).stderr).startswith("Error: there is no study at")
    assert (tmp_path / "cache" / "a.attack").exists()


def test_options_of_the_list_are_not_those_of_a_command(measured_study: Path) -> None:
    result = call("attacks", "--json", "kept", measured_study)
    assert result.exit_code == 2
    assert "extra argument" in result.stderr
    assert "(kept" in result.stderr


def test_the_limit_of_what_is_kept_is_an_option_of_measure(tmp_path: Path) -> None:
    assert call("measure", tmp_path / "none", *SMALL, "--cache-limit", "0").exit_code == 0
    assert not (tmp_path / "none" / "cache").exists()
    result = call("measure", tmp_path / "none", "--cache-limit", "-1")
    assert one_line(result.stderr) == "Error: --cache-limit must be at least 0 (in GiB): got -1."
    assert KeptAttacks(tmp_path / "none" / "cache").describe() == {}
