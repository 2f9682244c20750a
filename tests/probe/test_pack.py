import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import zooscope
from tests.probe.conftest import LANDMARKS
from zooscope.errors import InvalidValueError, MissingFileError, StudyError, UnknownNameError
from zooscope.measurements.transfer import perturb
from zooscope.probe.pack import Pack, shrink
from zooscope.probe.pack_file import PackFile
from zooscope.study.study import Study


def rewrite(source: Path, target: Path, *, metadata: dict[str, str] | None = None, drop: str = "", change: str = "") -> None:
    """A pack with something changed."""
    with safe_open(source, framework="pt") as opened:
        arrays = {name: opened.get_tensor(name) for name in opened.keys() if name != drop}  # noqa: SIM118  (no dictionary)
        texts = dict(opened.metadata()) | (metadata or {})
    if change:
        arrays[change] = arrays[change].clone()
        arrays[change].view(torch.uint8).flatten()[-1] ^= 1
    save_file(arrays, target, texts)


def test_attacked_and_clean_pixels_come_back_bit_for_bit(probed: Study, pack_file: Path) -> None:
    pack = Pack(pack_file)
    pack.check()
    assert repr(pack).endswith("2 landmarks, 30 images)")
    assert pack.images.digest == probed.images.digest == pack.definition.image_digest
    predictions = probed.predictions
    for name in LANDMARKS:
        classifier = probed.shelf(device="cpu").classifier(name)  # as it is run
        for shard, here in enumerate((slice(0, 12), slice(12, 24), slice(24, 30))):
            places = np.arange(30)[here]
            clean = probed.images.pixels(classifier, [int(place) for place in places])
            assert torch.equal(pack.read_clean(classifier.transform.description, shard), clean)
            right = (predictions.clean == predictions.labels)[probed.names.index(name), here]
            chosen = places[right]
            expected = perturb(
                probed.attack,
                classifier,
                clean[torch.from_numpy(right)],
                torch.from_numpy(probed.images.labels[chosen]),
                [probed.images.ids[image] for image in chosen],
                seed=0,
                batch_size=100,
            )
            assert torch.equal(pack.read_attacked(name, shard, right), expected.pixels)


def test_a_pack_says_what_it_does_not_have(pack_file: Path) -> None:
    pack, right = Pack(pack_file), np.ones(12, dtype=np.bool_)
    with pytest.raises(
        UnknownNameError, match=r"unknown landmark 'bundled:vot'. Did you mean bundled:vit\? .* has bundled:vit, small\."
    ):
        pack.read_attacked("bundled:vot", 0, right)
    with pytest.raises(InvalidValueError, match=r"pack\.zoo has 3 shards, counted from 0: got shard 3\."):
        pack.read_attacked("bundled:vit", 3, right)
    with pytest.raises(InvalidValueError, match="got shard -1"):
        pack.read_clean(pack.landmarks[0].record.transform, -1)
    with pytest.raises(InvalidValueError, match=r"no landmark of .*pack\.zoo takes pixels as 'squash' says; take the transform of"):
        pack.read_clean("squash", 0)


def test_pixels_are_kept_in_8_bits_where_these_hold_them() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(shrink(levels.to(torch.float32) / 255), levels)
    between = torch.tensor([0.0, 0.5, 1.0])
    assert shrink(between) is between


def test_a_file_that_is_missing_or_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no file .*pack.zoo; give a pack"):
        PackFile(tmp_path / "pack.zoo")
    (tmp_path / "text.zoo").write_text("no tensors")
    with pytest.raises(StudyError, match=r"text.zoo is no probe pack, or damaged"):
        PackFile(tmp_path / "text.zoo")
    save_file({"weights": torch.zeros(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(StudyError, match=r"weights.safetensors is no probe pack; give a file"):
        PackFile(tmp_path / "weights.safetensors")


def test_another_version_is_refused(pack_file: Path, tmp_path: Path) -> None:
    rewrite(pack_file, tmp_path / "new.zoo", metadata={"version": "2"})
    with pytest.raises(StudyError, match="is a probe pack of version 2, this zooscope reads version 1"):
        zooscope.probe.run(tmp_path / "new.zoo", "bundled:mixer")


@pytest.mark.parametrize("part", ["labels", "images", "rows", "clean/0/0", "attacked/1/2"])
def test_a_changed_bit_is_noticed(pack_file: Path, tmp_path: Path, part: str) -> None:
    rewrite(pack_file, tmp_path / "bad.zoo", change=part)
    with pytest.raises(StudyError, match=rf"bad.zoo is damaged \({part} is not as it was written\); get it again"):
        zooscope.probe.run(tmp_path / "bad.zoo", "bundled:mixer")


def test_a_missing_part_and_a_changed_description_are_noticed(pack_file: Path, tmp_path: Path) -> None:
    rewrite(pack_file, tmp_path / "less.zoo", drop="rows")
    with pytest.raises(StudyError, match=r"less.zoo is damaged \(rows is not as it was written\)"):
        PackFile(tmp_path / "less.zoo")
    described = PackFile(pack_file).description
    described["definition"]["seed"] = 7
    rewrite(pack_file, tmp_path / "other.zoo", metadata={"description": json.dumps(described)})
    with pytest.raises(StudyError, match=r"other.zoo is damaged \(its description is not as it was written\)"):
        PackFile(tmp_path / "other.zoo")


def test_a_cut_file_is_noticed(pack_file: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.zoo").write_bytes(pack_file.read_bytes()[:-100])
    with pytest.raises(StudyError, match=r"cut.zoo is no probe pack, or damaged"):
        PackFile(tmp_path / "cut.zoo")
