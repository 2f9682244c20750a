import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.calling import ROOT, call, one_line
from tests.training.making import write_images

RECIPE = """
name = "tiny"
group = "tinies"
epochs = 2
batch_size = 10

[network]
architecture = "vit_tiny_patch16_224"
options = {{ patch_size = 8, embed_dim = 24, depth = 2, num_heads = 2 }}
size = 32
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]

[images]
train = "{images}"
held_out_share = 0.2

[optimizer]
learning_rate = 0.003

[sweep]
seeds = 2
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    images = write_images(folder / "colours", per_class=20)
    file = folder / "tiny.toml"
    file.write_text(RECIPE.format(images=images), encoding="utf-8")
    return file


def test_a_sweep_is_trained_told_epoch_by_epoch_and_ready_to_be_measured(recipe: Path, tmp_path: Path) -> None:
    zoo = tmp_path / "zoo"
    result = call("train", recipe, "--out", zoo, "--device", "cpu")
    assert result.exit_code == 0
    assert "tiny-seed0, epoch 1 of 2: loss " in result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Network", "Group", "Accuracy", "Epochs", "Seconds"]
    assert lines[1].split()[:2] == ["tiny-seed0", "tinies"]
    assert "Accuracy on 12 held-out images." in result.stdout
    assert (zoo / "curves.png").stat().st_size > 1000
    study = tmp_path / "study"
    measured = call(
        *("measure", study, "--classifiers", zoo / "zoo.toml", "--images", f"folder:{recipe.parent / 'colours'}"),
        *("--count", "30", "--iterations", "2", "--device", "cpu", "--allow-chance"),
    )
    assert measured.exit_code == 0
    strategies = json.loads(call("strategies", study, "--json").stdout)
    assert list(strategies["within"]) == ["tinies"]


def test_json_of_one_network_ends_with_checkpoint_accuracy_epochs_and_seconds(recipe: Path, tmp_path: Path) -> None:
    found = json.loads(call("train", recipe, "--out", tmp_path, "--device", "cpu", "--part", "2/2", "--json").stdout)
    assert found["checkpoint"] == str(tmp_path / "tiny-seed1" / "weights.safetensors")
    assert load_file(found["checkpoint"])
    card = json.loads((tmp_path / "tiny-seed1" / "card.json").read_text(encoding="utf-8"))
    assert (found["accuracy"], found["epochs"], found["seconds"]) == (card["accuracy"], 2, card["seconds"])
    assert [network["name"] for network in found["networks"]] == ["tiny-seed1"]


def test_the_networks_of_a_sweep_are_listed_with_what_differs(recipe: Path, tmp_path: Path) -> None:
    grid = recipe.with_name("listed.toml")
    grid.write_text('base = "tiny.toml"\n[sweep]\nown_seeds = true\n[sweep.grid]\n"mixing.mixup" = [0.0, 0.5]\n', encoding="utf-8")
    lines = call("train", grid, "--list", "--out", tmp_path / "none").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["Network", "Seed", "Settings"],
        ["tiny-mixup=0", "0", "mixing.mixup=0"],
        ["tiny-mixup=0.5", "1", "mixing.mixup=0.5"],
    ]
    found = json.loads(call("train", grid, "--list", "--json").stdout)
    assert [(one["name"], one["seed"], one["mixing.mixup"]) for one in found] == [
        ("tiny-mixup=0", 0, 0.0),
        ("tiny-mixup=0.5", 1, 0.5),
    ]
    assert not (tmp_path / "none").exists()


def test_settings_can_be_changed_on_the_command_line(recipe: Path, tmp_path: Path) -> None:
    call("train", recipe, "--out", tmp_path, "--device", "cpu", "--set", "epochs=1", "--set", "mixing.mixup=0.5", "--part", "1/2")
    settings = json.loads((tmp_path / "tiny-seed0" / "card.json").read_text(encoding="utf-8"))["settings"]
    assert (settings["epochs"], settings["mixing.mixup"]) == (1, 0.5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--set", "optimizer.lerning_rate=1"),
            "'optimizer.lerning_rate'. Did you mean optimizer.learning_rate",
        ),
        (("--set", "epochs"), "--set takes SETTING=VALUE: got 'epochs'."),
        (("--part", "3/2"), "a part is written 2/8, the second of eight: got '3/2'."),
        (("--images", "folder:nowhere"), "there is no folder"),
        (("--device", "cuda:7"), "there is no device 'cuda:7' here"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(words: tuple[str, ...], sentence: str, recipe: Path, tmp_path: Path) -> None:
    result = call("train", recipe, "--out", tmp_path / "out", *words)
    assert result.exit_code == 1
    assert sentence in one_line(result.stderr)
    assert not (tmp_path / "out").exists()


def test_a_network_that_diverges_is_an_error_after_all_others_are_trained(recipe: Path, tmp_path: Path) -> None:
    grid = recipe.with_name("grid.toml")
    text = 'base = "tiny.toml"\nepochs = 1\noptimizer.name = "sgd"\n[sweep.grid]\n"optimizer.learning_rate" = [1e30, 0.01]\n'
    grid.write_text(text, encoding="utf-8")
    result = call("train", grid, "--out", tmp_path, "--device", "cpu")
    assert result.exit_code == 1
    assert "the loss is" in result.stderr.splitlines()[-1]
    assert "learning_rate=0.01" in result.stdout


def test_students_are_trained_one_per_teacher(recipe: Path, tmp_path: Path) -> None:
    student = recipe.with_name("student.toml")
    text = 'base = "tiny.toml"\nname = "student"\nepochs = 1\nimages.train = "bundled:cifar10"\nimages.count = 100\n'
    student.write_text(text, encoding="utf-8")
    teachers = ("--teachers", "bundled:resnet", "bundled:mixer")
    assert call("distill", student, *teachers, "--out", tmp_path, "--device", "cpu").exit_code == 0
    folders = [tmp_path / f"student-of-{name}" for name in ("resnet", "mixer")]
    cards = [json.loads((folder / "card.json").read_text(encoding="utf-8")) for folder in folders]
    assert [card["teacher"] for card in cards] == ["bundled:resnet", "bundled:mixer"]
    assert cards[0]["architecture"] == "vit_tiny_patch16_224"
    weights = [load_file(folder / "weights.safetensors") for folder in folders]
    assert not torch.equal(weights[0]["head.weight"], weights[1]["head.weight"])


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_weights_of_an_uninterrupted_one(recipe: Path, tmp_path: Path) -> None:
    def start(folder: Path) -> subprocess.Popen[str]:
        words = ["train", str(recipe), "--out", str(folder), "--device", "cpu", "--set", "epochs=6", "--part", "1/2"]
        return subprocess.Popen([sys.executable, "-m", "zooscope", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def finish(folder: Path) -> dict[str, torch.Tensor]:
        with start(folder) as process:
            process.communicate()
        assert process.returncode == 0
        return load_file(folder / "tiny-seed0" / "weights.safetensors")

    for epoch in (1, 3):
        with start(tmp_path / "killed") as killed:
            assert killed.stderr is not None
            while f"epoch {epoch} of 6" not in killed.stderr.readline():
                pass
            killed.send_signal(signal.SIGKILL)
        assert killed.returncode == -signal.SIGKILL
    resumed, whole = finish(tmp_path / "killed"), finish(tmp_path / "whole")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
