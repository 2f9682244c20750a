import re
from collections.abc import Callable

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from zooscope.classifiers.bundled.architectures import ARCHITECTURES
from zooscope.errors import ClassifierError
from zooscope.training.mixing import Mixing, Stage, draw_stage, list_stages
from zooscope.training.randomness import seed_all
from zooscope.training.recipe import MixingSettings

LABELS = torch.tensor([0, 1, 2, 0])


def record(module: nn.Module, into: list[Tensor]) -> None:
    module.register_forward_hook(lambda _module, _inputs, output: into.append(output.detach().clone()))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_manifold_mixup_mixes_the_features_of_a_stage_and_the_labels_alike(name: str) -> None:
    torch.manual_seed(0)
    network = ARCHITECTURES[name](3).eval()
    pixels = torch.rand(4, 3, 32, 32)
    stages = list_stages(network, name=name)
    mixing = Mixing(MixingSettings(mixup=1.0, on="features"), label_smoothing=0.0, num_classes=3)
    for stage in stages:
        plain: list[Tensor] = []
        record(stage.module, plain)
        with torch.no_grad():
            network(pixels)
            mixed: dict[str, Tensor] = {}
            after: list[Tensor] = []
            with seed_all(1), mixing.at_stage(stage, LABELS, mixed):
                record(stage.module, after)
                network(pixels)
        share = float(mixed["labels"][0, 0])  # the first image's own label, the last one's being the same
        own, other = torch.eye(3)[LABELS], torch.eye(3)[LABELS.flip(0)]
        share = float((mixed["labels"] - other)[1, 1] / (own - other)[1, 1])
        torch.testing.assert_close(mixed["labels"], share * own + (1 - share) * other)
        prefix = int(getattr(network, "num_prefix_tokens", 0) or 0) if plain[0].ndim == 3 else 0
        expected = share * plain[0] + (1 - share) * plain[0].flip(0)
        torch.testing.assert_close(after[0][:, prefix:], expected[:, prefix:], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(after[0][:, :prefix], plain[0][:, :prefix])


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda grid: grid,
        lambda grid: grid.permute(0, 2, 3, 1),
        lambda grid: torch.cat([torch.full((4, 2, 5), -1.0), grid.flatten(2).transpose(1, 2)], 1),
    ],
    ids=["channels first", "channels last", "tokens"],
)
def test_feature_cutmix_pastes_one_box_and_the_labels_have_its_area(lay_out: Callable[[Tensor], Tensor]) -> None:
    grid = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 5, 8, 8)
    stage = Stage(nn.Identity(), num_channels=5, num_prefix_tokens=2)
    mixing = Mixing(MixingSettings(cutmix=1.0, on="features"), label_smoothing=0.0, num_classes=4)
    mixed: dict[str, Tensor] = {}
    with seed_all(3), mixing.at_stage(stage, torch.arange(4), mixed):
        found, _ = stage.as_grid(stage.module(lay_out(grid.clone())))
    for image in range(4):
        pasted = found[image, 0] == 3 - image
        assert (pasted | (found[image, 0] == image)).all()
        rows, columns = pasted.any(1).nonzero(), pasted.any(0).nonzero()
        assert pasted.sum() == len(rows) * len(columns) > 0
        assert float(mixed["labels"][image, image]) == pytest.approx(1 - float(pasted.float().mean()))


def test_every_stage_and_the_input_are_drawn_alike() -> None:
    stages = tuple(Stage(nn.Identity(), num_channels=1, num_prefix_tokens=0) for _ in range(3))
    with seed_all(0):
        drawn = [draw_stage(stages) for _ in range(800)]
    counts = [sum(one is stage for one in drawn) for stage in (None, *stages)]
    assert np.abs(np.array(counts) - 200).max() < 50


def test_networks_of_timm_have_stages_and_others_are_refused() -> None:
    for name in ("resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s32_224"):
        assert list_stages(timm.create_model(name), name=name)
    with pytest.raises(ClassifierError, match=r"mine: the network doesn't say where its stages are"):
        list_stages(nn.Sequential(nn.Flatten()), name="mine")
    with pytest.raises(ClassifierError, match=re.escape("a stage of the network gives (2, 7), which is no grid of features")):
        Stage(nn.Identity(), num_channels=7, num_prefix_tokens=0).as_grid(torch.zeros(2, 7))
