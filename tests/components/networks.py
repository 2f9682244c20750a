"""Small networks whose components are known by construction, for images of 32x32 pixels and 5 classes."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.specimens import classifier_of
from zooscope.classifiers.classifier import Classifier

SIZE = 32
NUM_CLASSES = 5


def classifier(network: nn.Module, size: int = SIZE) -> Classifier:
    return classifier_of("by hand", network, num_classes=NUM_CLASSES, size=(size, size))


def cnn(
    *stem: nn.Module,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    activation: nn.Module | None = None,
    inside: nn.Module | None = None,
    groups: int = 1,
    kernel: int = 3,
) -> nn.Sequential:
    """Two residual blocks, the second on a smaller grid, behind a stem of 16 channels; global average pooling."""
    first = stem or (nn.Conv2d(3, 16, 3, 2, 1),)
    act = activation or nn.ReLU()
    return nn.Sequential(
        nn.Sequential(*first),
        Residual(nn.Conv2d(16, 16, kernel, 1, kernel // 2, groups=groups), norm(16), act, inside or nn.Identity()),
        nn.Conv2d(16, 16, 2, 2),
        Residual(nn.Conv2d(16, 16, kernel, 1, kernel // 2, groups=groups), norm(16), act),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, NUM_CLASSES),
    )


class Residual(nn.Module):
    """A branch, added to its own input."""

    def __init__(self, *branch: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, values: Tensor) -> Tensor:
        given: Tensor = self.branch(values)
        return values + given


class Gate(nn.Module):
    """Channel attention: a summary of all places, some layers, a sigmoid, a product."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        gate: Tensor = self.layers(values.mean((2, 3), keepdim=True))
        return values * gate.sigmoid()


class AlongChannels(nn.Module):
    """Efficient channel attention: a convolution along the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        gate: Tensor = self.mix(values.mean((2, 3)).unsqueeze(1)).sigmoid()
        return values * gate.transpose(1, 2).unsqueeze(-1)


class GlobalContext(nn.Module):
    """Places weighed by a softmax, then one number per channel, added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Conv2d(channels, 1, 1)
        self.layer = nn.Linear(channels, channels)

    def forward(self, values: Tensor) -> Tensor:
        weights = self.weigh(values).flatten(2).softmax(-1)
        context = torch.einsum("bcn,bon->bc", values.flatten(2), weights)
        given: Tensor = self.layer(context)[..., None, None]
        return values + given


class SelfAttention(nn.Module):
    """Heads written out; with `window`, within windows of so many tokens each way."""

    def __init__(self, width: int, heads: int = 2, window: int | None = None) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.project = nn.Linear(width, 3 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Of shape (image, token, feature)."""
        images, count, width = tokens.shape
        if self.window is not None:
            side, inside = int(count**0.5), self.window
            tokens = tokens.reshape(images, side // inside, inside, side // inside, inside, width)
            tokens = tokens.transpose(2, 3).reshape(-1, inside * inside, width)
        parts = self.project(tokens).reshape(*tokens.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        given = (scores.softmax(-1) @ value).transpose(1, 2).reshape(tokens.shape)
        if self.window is not None:
            given = given.reshape(images, side // inside, side // inside, inside, inside, width).transpose(2, 3)
        whole: Tensor = given.reshape(images, count, width)
        return whole


class ByTorch(nn.Module):
    """`nn.MultiheadAttention` of tokens with themselves."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        given: Tensor = self.attention(tokens, tokens, tokens)[0]
        return given


class AlongTokens(nn.Module):
    """A linear layer across the tokens."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.layer = nn.Linear(count, count)

    def forward(self, tokens: Tensor) -> Tensor:
        given: Tensor = self.layer(tokens.transpose(1, 2)).transpose(1, 2)
        return given


class Merge(nn.Module):
    """Four neighbouring tokens become one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        images, count, width = tokens.shape
        side = int(count**0.5)
        grid = tokens.reshape(images, side // 2, 2, side // 2, 2, width).permute(0, 1, 3, 2, 4, 5)
        given: Tensor = self.layer(grid.reshape(images, count // 4, 4 * width))
        return given


class OnGrid(nn.Module):
    """A layer for tokens, used on a grid of features."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, values: Tensor) -> Tensor:
        tokens: Tensor = self.layer(values.flatten(2).transpose(1, 2))
        return tokens.transpose(1, 2).reshape(values.shape)


class OnTokens(nn.Module):
    """A layer for a grid of features, used on tokens."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, tokens: Tensor) -> Tensor:
        side = int(tokens.shape[1] ** 0.5)
        values: Tensor = self.layer(tokens.transpose(1, 2).reshape(len(tokens), -1, side, side))
        return values.flatten(2).transpose(1, 2)


class Tokens(nn.Module):
    """4x4 patches of 16 features, blocks of mixing and MLP, and a way to make one token of all."""

    def __init__(self, *mixings: nn.Module, pool: str = "mean", norm: type[nn.Module] = nn.LayerNorm) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        blocks: list[nn.Module] = []
        for mixing in mixings:
            if isinstance(mixing, Merge | OnTokens):
                blocks.append(mixing)
            else:
                blocks += [
                    Residual(norm(16), mixing),
                    Residual(norm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)),
                ]
        self.blocks = nn.Sequential(*blocks)
        self.pool = pool
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.head = nn.Linear(16, NUM_CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patches(pixels).flatten(2).transpose(1, 2)
        if self.pool == "token":
            tokens = torch.cat([self.token.expand(len(tokens), -1, -1), tokens], 1)
        tokens = self.blocks(tokens)
        if self.pool == "attention":
            weights = (self.token @ tokens.transpose(1, 2)).softmax(-1)
            one = (weights @ tokens)[:, 0]
        else:
            one = {"token": tokens[:, 0], "mean": tokens.mean(1), "max": tokens.amax(1)}[self.pool]
        logits: Tensor = self.head(one)
        return logits
