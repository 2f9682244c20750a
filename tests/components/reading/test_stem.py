import pytest
from torch import Tensor, nn

from tests.components.networks import NUM_CLASSES, Residual, classifier, cnn
from zooscope.components.reading.layers import Layers
from zooscope.components.reading.stem import Stem, find_stem
from zooscope.components.reading.trace import trace


def stem(network: nn.Module) -> Stem:
    return find_stem(Layers(trace(classifier(network))))


class Patches(nn.Module):
    """8x8 patches by a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(192, NUM_CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        cut = pixels.reshape(-1, 3, 4, 8, 4, 8).permute(0, 2, 4, 1, 3, 5).reshape(-1, 16, 192)
        logits: Tensor = self.layer(cut).mean(1)
        return logits


class TwoStems(nn.Module):
    """Two convolutions side by side, the second one wider."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(3, 16, 8, 8)
        self.heads = nn.ModuleList([nn.Linear(8, NUM_CLASSES), nn.Linear(16, NUM_CLASSES)])

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.heads[0](self.narrow(pixels).mean((2, 3))) + self.heads[1](self.wide(pixels).mean((2, 3)))
        return logits


class PooledShortcut(nn.Module):
    """A block that pools only its shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(16, 16, 3, 2, 1)

    def forward(self, values: Tensor) -> Tensor:
        short = nn.functional.avg_pool2d(values, 2)
        given: Tensor = self.convolution(values)
        return given + short


def head() -> tuple[nn.Module, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, NUM_CLASSES)


@pytest.mark.parametrize(
    ("network", "layer", "pooled"),
    [
        (Patches(), "8s8", "No"),
        (TwoStems(), "8s8", "No"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3072, NUM_CLASSES)), "32s32", "No"),
        (
            nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.Conv2d(16, 16, 3, 2, 1), nn.Conv2d(16, 16, 3, 2, 1), *head()),
            "3s1/3s2",
            "No",
        ),
        (nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3), *head()), "3s1", "Yes"),
        (nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2), PooledShortcut(), *head()), "5s2", "No"),
        (nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2), nn.AvgPool2d(3, 1, 1), Residual(nn.Conv2d(16, 16, 1)), *head()), "5s2", "No"),
        (cnn(nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 16, 3, 1, 1, groups=16), nn.Conv2d(16, 16, 1)), "3s2", "No"),
    ],
    ids=[
        "linear patches",
        "two stems",
        "all pixels",
        "no blocks",
        "pooled",
        "a pooled shortcut",
        "a pooling that keeps the grid",
        "depth-wise",
    ],
)
def test_stems_read_as_they_were_built(network: nn.Module, layer: str, pooled: str) -> None:
    found = stem(network)
    assert (found.layer.value, found.is_pooled.value) == (layer, pooled)


def test_a_network_without_a_stem_has_none() -> None:
    assert stem(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, NUM_CLASSES))).layer.value == "-"
