"""The same images with the same labels have the same classes, whatever holds them."""

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from zooscope import load_images
from zooscope.testing import ImageProviderContract
from zooscope.testing.specimens import make_red_png as png


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


Labels = Sequence[str]


def write_folder(root: Path, labels: Labels) -> Path:
    for number, label in enumerate(labels):
        (root / "folder" / label).mkdir(parents=True, exist_ok=True)
        (root / "folder" / label / f"{number}.png").write_bytes(png(number))
    return root / "folder"


def as_folder(root: Path, labels: Labels) -> str:
    return f"folder:{write_folder(root, labels)}"


def as_image_folder_of_torchvision(root: Path, labels: Labels) -> str:
    return f"torchvision:ImageFolder?root={write_folder(root, labels)}"


def as_image_folder_of_the_hub(root: Path, labels: Labels) -> str:
    return f"huggingface:{write_folder(root, labels)}?split=train"


def as_manifest(root: Path, labels: Labels) -> str:
    with (root / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        for number, label in enumerate(labels):
            (root / f"{number}.png").write_bytes(png(number))
            writer.writerow([f"{number}.png", label])
    return f"manifest:{root / 'list.csv'}"


def as_parquet(root: Path, labels: Labels) -> str:
    return f"parquet:{write_parquet(root, list(labels))}/train.parquet"


def as_parquet_of_the_hub(root: Path, labels: Labels) -> str:
    return f"huggingface:{write_parquet(root, list(labels))}?split=train"


def write_parquet(root: Path, labels: list[str] | list[int] | list[float]) -> Path:
    (root / "set").mkdir()
    images = [{"bytes": png(number), "path": f"{number}.png"} for number in range(len(labels))]
    pq.write_table(pa.table({"image": images, "label": labels}), root / "set" / "train.parquet")
    return root / "set"


def as_shard(root: Path, labels: Labels) -> str:
    return f"webdataset:{write_shard(root, 'cls', labels)}"


def as_shard_with_json(root: Path, labels: Labels) -> str:
    texts = [json.dumps({"id": number, "label": label}) for number, label in enumerate(labels)]
    return f"webdataset:{write_shard(root, 'json', texts)}?label=json:label"


def write_shard(root: Path, ending: str, texts: Labels) -> Path:
    with tarfile.open(root / "shard.tar", "w") as archive:
        for number, text in enumerate(texts):
            for name, content in ((f"{number:03d}.png", png(number)), (f"{number:03d}.{ending}", text.encode())):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return root / "shard.tar"


WAYS: list[Callable[[Path, Labels], str]] = [
    as_folder,
    as_image_folder_of_torchvision,
    as_image_folder_of_the_hub,
    as_manifest,
    as_parquet,
    as_parquet_of_the_hub,
    as_shard,
    as_shard_with_json,
]


class TestEveryProvider(ImageProviderContract):
    @pytest.fixture(params=WAYS)
    def write(self, request: pytest.FixtureRequest) -> Callable[[Path, Labels], str]:
        write: Callable[[Path, Labels], str] = request.param
        return write


def integers(root: Path) -> Iterator[str]:
    yield f"parquet:{write_parquet(root, [10, 2, 0])}"
    yield f"huggingface:{root / 'set'}?split=train"
    texts = ['{"label": 10}', '{"label": 2.0}', '{"label": 0}']
    yield f"webdataset:{write_shard(root, 'json', texts)}?label=json:label"
    yield f"webdataset:{write_shard(root, 'json', ['10', '2', '0'])}?label=json"


def test_numbers_that_are_kept_as_numbers_are_the_same(tmp_path: Path) -> None:
    for address in integers(tmp_path):
        images = load_images(address)
        assert images.labels.tolist() == [10, 2, 0]
        assert images.class_names == tuple(map(str, range(11)))
