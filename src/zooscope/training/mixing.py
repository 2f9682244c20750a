"""Mixup and CutMix, on the images or on what the network makes of them; the mixing itself is timm's."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from timm.data.mixup import Mixup
from torch import Tensor, nn

from zooscope.errors import ClassifierError
from zooscope.training.recipe import MixingSettings


class Mixing:
    """Mixes the images of a batch, or their features, in pairs, and their labels with them; draws from NumPy's global generator."""

    def __init__(self, settings: MixingSettings, *, label_smoothing: float, num_classes: int) -> None:
        """Takes the settings; the labels come out smoothed."""
        self.settings = settings
        self.mix = Mixup(
            mixup_alpha=settings.mixup,
            cutmix_alpha=settings.cutmix,
            prob=settings.chance,
            switch_prob=settings.switch,
            label_smoothing=label_smoothing,
            num_classes=num_classes,
        )

    @contextmanager
    def at_stage(self, stage: "Stage", labels: Int[Tensor, " batch"], mixed: dict[str, Tensor]) -> Iterator[None]:
        """While it is open, the network mixes what the stage gives; the labels then stand in `mixed` as `labels`."""

        def hook(_module: nn.Module, _inputs: object, output: object) -> Tensor:
            grid, put_back = stage.as_grid(output)
            grid, mixed["labels"] = self.mix(grid.clone(), labels)
            changed: Tensor = put_back(grid)
            return changed

        handle = stage.module.register_forward_hook(hook)
        try:
            yield
        finally:
            handle.remove()


class Stage:
    """A stage of a network, and how its output is laid out."""

    def __init__(self, module: nn.Module, *, num_channels: int, num_prefix_tokens: int) -> None:
        """Takes what timm says of the stage."""
        self.module, self._num_channels, self._num_prefix_tokens = module, num_channels, num_prefix_tokens

    def as_grid(self, output: Any) -> tuple[Float[Tensor, "batch channel height width"], Any]:  # noqa: ANN401  (whatever a stage gives)
        """An output as (batch, channel, height, width), and a function that lays such a grid out as the output was.

        Tokens in front of the grid, such as the class token, are not mixed.

        Raises:
            ClassifierError: it has another layout.
        """
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] == self._num_channels:  # noqa: PLR2004
            return output, lambda grid: grid
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[-1] == self._num_channels:  # noqa: PLR2004
            return output.permute(0, 3, 1, 2), lambda grid: grid.permute(0, 2, 3, 1)
        if isinstance(output, Tensor) and output.ndim == 3 and output.shape[-1] == self._num_channels:  # noqa: PLR2004
            front, tokens = output[:, : self._num_prefix_tokens], output[:, self._num_prefix_tokens :]
            side = isqrt(tokens.shape[1])
            if side * side == tokens.shape[1]:
                grid = tokens.transpose(1, 2).unflatten(2, (side, side))
                return grid, lambda grid: _join(front, grid)
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        msg = f'a stage of the network gives {shape}, which is no grid of features; mix its images instead (mixing.on = "input").'
        raise ClassifierError(msg)


def list_stages(network: nn.Module, *, name: str) -> tuple[Stage, ...]:
    """The stages of a network of timm's whose output can be mixed: all but the last.

    Raises:
        ClassifierError: the network doesn't say where its stages are.
    """
    found: Any = getattr(network, "feature_info", None)
    infos = getattr(found, "info", found) or ()
    modules = dict(network.named_modules())
    stages = [(modules.get(str(info.get("module"))), info.get("num_chs")) for info in infos]
    if len(stages) < 2 or not all(module is not None and channels for module, channels in stages):  # noqa: PLR2004
        msg = f"{name}: the network doesn't say where its stages are, so its features can't be mixed; write mixing.on = \"input\"."
        raise ClassifierError(msg)
    prefix = int(getattr(network, "num_prefix_tokens", 0) or 0)
    return tuple(
        Stage(module, num_channels=channels, num_prefix_tokens=prefix) for module, channels in stages[:-1] if module is not None
    )


def draw_stage(stages: tuple[Stage, ...]) -> Stage | None:
    """One of the stages, or None for the images themselves, all equally likely; from NumPy's global generator."""
    place = int(np.random.randint(len(stages) + 1))  # noqa: NPY002  (seeded by `reseed`, as timm's Mixup is)
    return stages[place - 1] if place else None


def _join(front: Float[Tensor, "batch prefix channel"], grid: Float[Tensor, "batch channel height width"]) -> Tensor:
    return torch.cat([front, grid.flatten(2).transpose(1, 2)], dim=1)
