"""Zoo files on the command line."""

from pathlib import Path

from tests.cli.calling import IMAGES, call, one_line
from zooscope import load_classifier
from zooscope.classifiers.bundled.cards import FOLDER
from zooscope.study.study import Study

ZOO = """
[[classifiers]]
address = "bundled:vit_seed*"
group = "bundled"

[[classifiers]]
address = "checkpoint:mine.safetensors"
architecture = "zooscope.classifiers.bundled.architectures:vit"
num_classes = 10
size = 32
mean = [0.4914, 0.4822, 0.4465]
std = [0.2470, 0.2435, 0.2616]
interpolation = "bilinear"
name = "my vit"
"""


def test_a_zoo_file_is_measured(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes((FOLDER / "vit.safetensors").read_bytes())
    (tmp_path / "zoo.toml").write_text(ZOO, encoding="utf-8")
    assert call("measure", tmp_path / "study", *IMAGES, "--iterations", "1", "--classifiers", tmp_path / "zoo.toml").exit_code == 0
    with Study.open(tmp_path / "study", trust=True) as study:
        assert study.names == ("bundled:vit_seed1", "bundled:vit_seed2", "my vit")
        table = study.classifiers()
        assert list(table.address)[:2] == ["bundled:vit_seed1?group=bundled", "bundled:vit_seed2?group=bundled"]
        assert study.classifier("my vit").digest == load_classifier("bundled:vit").digest


def test_two_classifiers_of_one_name_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    words = ("timm:resnet18?weights=nowhere.pth", "timm:resnet18?weights=elsewhere.pth")
    result = call("measure", tmp_path / "study", *IMAGES, "--classifiers", *words)
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith(
        "Error: two classifiers are called timm:resnet18: timm:resnet18?weights=nowhere.pth and"
    )
    assert not (tmp_path / "study").exists()
