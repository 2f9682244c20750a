"""The nearest pixels on a hyperplane, within [0, 1], in the maximum norm."""

import torch
from jaxtyping import Float
from torch import Tensor

MOST_STEPS = 100


def step_to_hyperplane(
    pixels: Float[Tensor, "batch channel height width"],
    normals: Float[Tensor, "batch channel height width"],
    values: Float[Tensor, " batch"],
) -> Float[Tensor, "batch channel height width"]:
    """The smallest step d, in the maximum norm, with `values + <normals, d> = 0` and pixels + d in [0, 1].

    Every pixel moves by the same distance t against the sign of its slope, or as far as [0, 1] lets it: what that gains,
    sum |normal| min(t, room), is concave in t, so that Newton's steps from zero approach the right t from below and reach it
    exactly after finitely many, without sorting the pixels. Where not even all of the room suffices, all of it is used.

    Example:
        >>> pixels, normals = torch.full((1, 1, 1, 2), 0.5), torch.tensor([[[[1.0, -3.0]]]])
        >>> step_to_hyperplane(pixels, normals, torch.tensor([-0.4])).flatten().tolist()
        [0.10000000149011612, -0.10000000149011612]

    Args:
        pixels: in [0, 1].
        normals: gradient of an affine function with respect to the pixels.
        values: the function's values at the pixels.
    """
    direction = -values.sign()[:, None, None, None] * normals.sign()
    room = torch.where(direction > 0, 1 - pixels, pixels)
    slopes, goals = normals.abs(), values.abs()
    distances = torch.zeros_like(values)
    for _ in range(MOST_STEPS):
        reached = torch.minimum(room, distances[:, None, None, None])
        lacking = goals - (slopes * reached).flatten(1).sum(1)
        gained = (slopes * (room > distances[:, None, None, None])).flatten(1).sum(1)
        further = torch.where(gained > 0, lacking / gained, torch.where(lacking > 0, torch.inf, 0.0)).clamp(min=0)
        moved = (distances + further).clamp(max=1)
        if torch.equal(moved, distances):
            break
        distances = moved
    return direction * torch.minimum(room, distances[:, None, None, None])
