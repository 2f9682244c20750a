"""Losses that attacks climb, one value per image: larger means further from the true class."""

from collections.abc import Callable
from functools import partial
from typing import Final, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

Loss = Literal["ce", "dlr", "margin"]
LOSSES: Final[tuple[str, ...]] = get_args(Loss)
Objective = Callable[[Float[Tensor, "batch cls"]], Float[Tensor, " batch"]]
TINY: Final = 1e-12


def compute_margins(logits: Float[Tensor, "batch cls"], labels: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """The largest logit of another class minus that of the true class: positive where the classifier is fooled.

    >>> compute_margins(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([0])).tolist()
    [-1.0]
    """
    return logits.scatter(1, labels[:, None], -torch.inf).amax(1) - take(logits, labels)


def make_objective(loss: str, labels: Int[Tensor, " batch"], targets: Int[Tensor, " batch"] | None = None) -> Objective:
    """A function from logits to the loss of each image.

    `ce` is the cross-entropy; `margin` the largest other logit minus the true one; `dlr` the margin divided by the distance of
    the largest logit from the third (Croce and Hein, ICML 2020), which doesn't change when all logits are multiplied. With targets,
    the target's logit stands for the largest other one, and `dlr` divides by the distance of the largest from the mean of third and
    fourth. Where there are too few classes to divide by, `dlr` is the margin.

    Args:
        loss: its name.
        labels: the true classes.
        targets: classes to go for; for `dlr` and `margin`.
    """
    if loss == "ce":
        return partial(cross_entropy, target=labels, reduction="none")
    return partial({"margin": _compute_lead, "dlr": _compute_quotient}[loss], labels=labels, targets=targets)


def rank_other_classes(
    logits: Float[Tensor, "batch cls"], labels: Int[Tensor, " batch"], count: int
) -> Int[Tensor, "batch target"]:
    """The likeliest classes besides the true one, at most `count`, the likeliest first.

    >>> rank_other_classes(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([0]), 9).tolist()
    [[2, 1]]
    """
    count = min(count, logits.shape[1] - 1)
    return logits.detach().scatter(1, labels[:, None], -torch.inf).topk(count, dim=1).indices


def take(logits: Float[Tensor, "batch cls"], classes: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """One logit of each image."""
    return logits.gather(1, classes[:, None]).squeeze(1)


def _compute_lead(
    logits: Float[Tensor, "batch cls"], labels: Int[Tensor, " batch"], targets: Int[Tensor, " batch"] | None
) -> Float[Tensor, " batch"]:
    return compute_margins(logits, labels) if targets is None else take(logits, targets) - take(logits, labels)


def _compute_quotient(
    logits: Float[Tensor, "batch cls"], labels: Int[Tensor, " batch"], targets: Int[Tensor, " batch"] | None
) -> Float[Tensor, " batch"]:
    spread = _measure_spread(logits) if targets is None else _measure_targeted_spread(logits)
    return _compute_lead(logits, labels, targets) / spread


def _measure_spread(logits: Float[Tensor, "batch cls"]) -> Float[Tensor, " batch"] | float:
    if logits.shape[1] < 3:  # noqa: PLR2004  (there is no third)
        return 1.0
    first, _, third = logits.topk(3, dim=1).values.unbind(1)
    return first - third + TINY


def _measure_targeted_spread(logits: Float[Tensor, "batch cls"]) -> Float[Tensor, " batch"] | float:
    if logits.shape[1] < 4:  # noqa: PLR2004  (there is no fourth)
        return 1.0
    first, _, third, fourth = logits.topk(4, dim=1).values.unbind(1)
    return first - (third + fourth) / 2 + TINY
