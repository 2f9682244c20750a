"""Every command of docs/providers.md runs, on files of the names that it uses."""

import os
import re
import shlex
import shutil
import sys
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import timm
import torch
import transformers
from datasets import ClassLabel, Dataset, Features, Image
from safetensors.torch import save_file
from torchvision.models import squeezenet1_1

from tests.classifiers.hub_at_hand import isolated, saved_folder, weights_of
from tests.cli.calling import call
from zooscope.classifiers.bundled.cards import FOLDER as WEIGHTS
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.providers import registry as classifiers
from zooscope.images.providers import registry as images
from zooscope.images.providers.bundled import FOLDER as IMAGES

DOCUMENT = (Path(__file__).parents[1] / "docs" / "providers.md").read_text(encoding="utf-8")
QUICK = ("--iterations", "1", "--allow-chance")  # the networks made here have random weights
PER_CLASS = 3
OWN_CODE = (
    "from torch import nn\ndef small(): return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))\n"
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line.removeprefix("$ ")) for block in blocks("console") for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with everything that the document names."""
    folder = tmp_path_factory.mktemp("sources")
    classes = write_images(folder)
    write_classifiers(folder)
    (folder / "classes.txt").write_text("\n".join(classes), encoding="utf-8")
    (folder / "map.txt").write_text("\n".join(map(str, range(10))), encoding="utf-8")
    (folder / "zoo.toml").write_text(blocks("toml")[0], encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    with pytest.MonkeyPatch.context() as patch:
        isolated(patch, folder / "cache")
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache" / "datasets")
        yield folder
    os.chdir(before)
    sys.path.remove(str(folder))


def write_images(folder: Path) -> list[str]:
    """A few bundled images in every form; gives the classes."""
    classes = sorted(child.name for child in (IMAGES / "cifar10").iterdir())
    files = []
    for name in classes:
        (folder / "photos" / name).mkdir(parents=True)
        chosen = sorted((IMAGES / "cifar10" / name).iterdir())[:PER_CLASS]
        files += [Path(shutil.copy(file, folder / "photos" / name)) for file in chosen]
    for synset, file in zip(("n01440764", "n15075141"), files[:2], strict=True):
        (folder / "imagenet" / synset).mkdir(parents=True)
        shutil.copy(file, folder / "imagenet" / synset)
    rows = [f"{file.relative_to(folder)},{file.parent.name}" for file in files]
    (folder / "photos.csv").write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    columns = {
        "image": [{"bytes": file.read_bytes(), "path": file.name} for file in files],
        "label": [file.parent.name for file in files],
    }
    table = Dataset.from_dict(columns, features=Features({"image": Image(), "label": ClassLabel(names=classes)}))
    for target in (folder / "photos.parquet", folder / "photos-from-the-hub" / "train.parquet"):
        target.parent.mkdir(exist_ok=True)
        table.to_parquet(target)
    for shard in range(2):
        with tarfile.open(folder / f"photos-00{shard}.tar", "w") as archive:
            for number, file in enumerate(files[shard::2]):
                label = folder / "label"
                label.write_text(str(classes.index(file.parent.name)))
                archive.add(file, f"{number}.png")
                archive.add(label, f"{number}.cls")
    return classes


def write_classifiers(folder: Path) -> None:
    """Networks with random weights, and two bundled ones in other forms."""
    torch.manual_seed(0)
    resnet = timm.create_model("resnet18", num_classes=10).eval()
    save_file(weights_of(resnet), folder / "resnet18.safetensors")
    small_resnet: Any = timm.create_model("test_resnet", num_classes=10).eval()
    facts = {**small_resnet.pretrained_cfg, "num_classes": 10, "input_size": [3, 64, 64]}
    saved_folder(folder / "from-the-hub", small_resnet, {"architecture": "test_resnet", "num_classes": 10, "pretrained_cfg": facts})
    torch.save(squeezenet1_1(weights=None).state_dict(), folder / "squeezenet.pth")
    settings = cast("Any", transformers.ViTConfig)(
        image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_labels=10
    )
    transformers.ViTForImageClassification(settings).save_pretrained(folder / "tiny-vit")
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder / "tiny-vit")
    shutil.copy(WEIGHTS / "vit.safetensors", folder)
    (folder / "our_networks.py").write_text(OWN_CODE, encoding="utf-8")
    layers = torch.nn.Conv2d(3, 4, 8, 8), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(64, 10)
    small = torch.nn.Sequential(*layers).state_dict()
    torch.save(small, folder / "small.pth")
    torch.save({"state_dict": {f"model.{name}": value for name, value in small.items()}}, folder / "trained.ckpt")
    bundled = load_classifier("bundled:resnet").network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter has much to say
        torch.onnx.export(
            bundled,
            (torch.zeros(1, 3, 32, 32),),
            folder / "resnet.onnx",
            dynamo=False,
            dynamic_axes={"input": {0: "batch"}},
            input_names=["input"],
        )


@pytest.mark.slow
@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_runs(words: list[str], place: Path) -> None:
    program, command, *rest = words
    assert program == "zooscope"
    result = call(command, *rest, *(QUICK if command in {"measure", "compare"} else ()))
    assert result.exit_code == 0, result.stderr
    assert place.is_dir()
    assert result.stdout.strip()


def test_the_python_of_the_document_runs() -> None:
    (block,) = blocks("python")
    exec(compile(block, "docs/providers.md", "exec"), {})  # noqa: S102  (our own text)


def test_every_provider_is_in_the_document() -> None:
    assert {name for name in (*classifiers.PROVIDERS.forms, *images.PROVIDERS.forms) if f"{name}:" not in DOCUMENT} == set()


def test_every_file_of_ones_own_is_explained() -> None:
    lines = [shlex.split(line) for line in re.findall(r"^ {4}(zooscope .*)", DOCUMENT, flags=re.MULTILINE)]
    table = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| `.*?\|", DOCUMENT, flags=re.MULTILINE))))
    named = set[str]()
    for words in [*commands(), *lines]:
        for word in words[2:]:
            named.update(re.findall(r"\b(?:folder|local-dir|manifest|parquet|webdataset|checkpoint|onnx):([^?]+)", word))
            named.update(re.findall(r"\b(?:weights|class_map|root)=([^&]+)", word))
            named.update(re.findall(r"^[\w-]+\.(?:toml|txt)$", word))
    downloads = {"gluon_xception-7015a15c.pth"}  # with its address beside the line
    assert named - {"background"} - downloads - table == set()
    assert "our_networks.py" in table
    assert table - named <= {"our_networks.py", "tiny-vit", "photos-from-the-hub"}
