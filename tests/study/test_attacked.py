"""Attacked images, handed out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import zooscope
from tests.specimens import attentive, family
from zooscope.attacks import LinfPGD, PatchFool
from zooscope.errors import InvalidValueError, NotMeasuredError, RoundedPixelsWarning, StudyError, UnknownNameError
from zooscope.measurements.predict import predict
from zooscope.study.attacked import export_attacks
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3)

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    made = Study.create(tmp_path_factory.mktemp("study"), classifiers=classifiers, images=images, attack=ATTACK, shard_size=8)
    made.run(device="cpu")
    return made


def read(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: value.item() if value.ndim == 0 else value for name, value in arrays.items()}
    with safe_open(path, "numpy") as file:
        texts = dict(file.metadata())
        for name in ("ids", "class_names", "epsilon"):
            texts[name] = json.loads(texts[name])
        return {**texts, **{name: file.get_tensor(name) for name in file.keys()}}  # noqa: SIM118  (no mapping)


@pytest.mark.parametrize("file_format", ["npz", "safetensors"])
@pytest.mark.parametrize("is_kept", [True, False])
def test_the_source_says_of_exported_pixels_what_the_record_says(
    file_format: str,
    is_kept: bool,  # noqa: FBT001  (a parameter of the test)
    study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not is_kept:
        monkeypatch.setattr(study, "path", None)
    predictions = study.predictions
    exported = export_attacks(study, tmp_path, file_format=file_format, device="cpu")
    assert [one.source for one in exported] == list(study.names)
    for row, one in enumerate(exported):
        found = read(one.path)
        right = predictions.clean[row] == predictions.labels
        said = predict(study.classifier(one.source), torch.from_numpy(found["pixels"]), batch_size=100)
        np.testing.assert_array_equal(said, predictions.transfer[row, row][right])
        np.testing.assert_array_equal(found["labels"], predictions.labels[right])
        assert list(found["ids"]) == [name for name, counts in zip(study.images.ids, right, strict=True) if counts]
        assert (found["source"], found["epsilon"]) == (one.source, 0.03)
        assert json.loads(found["attack"]) == json.loads(ATTACK.description)
        assert one.num_images == right.sum()


def test_pngs_are_read_again_as_images_and_rounding_is_measured(study: Study, tmp_path: Path) -> None:
    exact = read(export_attacks(study, tmp_path, sources=["relative 1"], file_format="npz", device="cpu")[0].path)
    with pytest.warns(RoundedPixelsWarning, match=r"PNG holds 8 bits: rounding changed pixels by up to 0\.\d+/255, and \d+ of \d+"):
        (one,) = export_attacks(study, tmp_path, sources=["relative 1"], file_format="png", device="cpu")
    images = zooscope.load_images(f"manifest:{one.path / 'manifest.csv'}", classes=list(study.class_names))
    pixels = images.pixels(study.classifier("relative 1")).numpy()
    change = np.abs(pixels.astype(np.float64) - exact["pixels"]).max()
    assert one.largest_change == pytest.approx(change)
    assert 0.4 / 255 < change <= 0.5 / 255 + 1e-7
    np.testing.assert_array_equal(images.labels, exact["labels"])
    said = predict(study.classifier("relative 1"), images.pixels(study.classifier("relative 1")), batch_size=100)
    assert one.num_fooled_rounded == (said != images.labels).sum()
    row = study.names.index("relative 1")
    right = study.predictions.clean[row] == study.predictions.labels
    assert one.num_fooled == (study.predictions.transfer[row, row] != study.predictions.labels)[right].sum()


def test_corners_of_the_default_attack_are_levels_of_a_png(tmp_path: Path) -> None:
    classifiers, images = family(1, num_images=8)
    attack = LinfPGD(epsilon=8 / 255, step_size=0.1, iterations=2)
    with Study.in_memory(classifiers=classifiers, images=images, attack=attack) as study:
        study.run(device="cpu")
        with pytest.warns(RoundedPixelsWarning):
            (one,) = export_attacks(study, tmp_path, file_format="png", device="cpu")
    assert one.largest_change < 1e-7


def test_facts_of_the_attack_are_exported(tmp_path: Path) -> None:
    source, images = attentive(6)
    with Study.in_memory(classifiers=[source], images=images, attack=PatchFool(iterations=2)) as study:
        study.run(device="cpu", allow_chance=True)
        (one,) = export_attacks(study, tmp_path, file_format="npz", device="cpu")
    found = read(one.path)
    assert set(found["fact.patch"]) <= set(range(9))
    assert found["epsilon"] == 1.0


def test_what_can_not_be_exported_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="there is no format 'jpeg' for attacked images; take one of safetensors, npz, png"):
        export_attacks(study, tmp_path, file_format="jpeg")
    with pytest.raises(UnknownNameError, match="unknown source 'relativ 1'"):
        export_attacks(study, tmp_path, sources=["relativ 1"])
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="can't be written"):
        export_attacks(study, tmp_path / "file", device="cpu")
    classifiers, images = family(1)
    with (
        Study.create(tmp_path / "new", classifiers=classifiers, images=images) as new,
        pytest.raises(NotMeasuredError, match="holds no attacked classifier; measure it first: `zooscope measure "),
    ):
        export_attacks(new, tmp_path)
