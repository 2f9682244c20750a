import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from tests.specimens import Array
from zooscope.attacks.hyperplane import step_to_hyperplane


def solve(pixels: Array, normal: Array, value: float) -> float | None:
    """The smallest largest change by linear programming; None where the hyperplane can't be reached."""
    size = len(pixels)
    bounds = [(-low, 1 - low) for low in pixels] + [(0, None)]
    within = np.block([[np.eye(size), -np.ones((size, 1))], [-np.eye(size), -np.ones((size, 1))]])
    found = linprog(
        np.r_[np.zeros(size), 1], A_ub=within, b_ub=np.zeros(2 * size), A_eq=[np.r_[normal, 0]], b_eq=[-value], bounds=bounds
    )
    return None if found.fun is None or not found.success else float(found.fun)


@pytest.mark.parametrize("seed", range(40))
def test_the_step_is_the_shortest_that_linear_programming_finds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pixels, normal = generator.random(12), generator.normal(size=12) * (generator.random(12) < 0.8)
    pixels[:2] = 0, 1
    value = float(generator.normal() * 3)
    step = step_to_hyperplane(
        torch.tensor(pixels).view(1, 3, 2, 2), torch.tensor(normal).view(1, 3, 2, 2), torch.tensor([value], dtype=torch.float64)
    )
    moved = step.flatten().numpy()
    assert (pixels + moved >= -1e-12).all()
    assert (pixels + moved <= 1 + 1e-12).all()
    shortest = solve(pixels, normal, value)
    if shortest is None:  # all of the room is used
        assert abs(value + normal @ moved) <= abs(value)
        towards = -np.sign(value) * np.sign(normal)
        np.testing.assert_allclose(moved, np.where(towards > 0, 1 - pixels, -pixels) * (towards != 0))
    else:
        assert value + normal @ moved == pytest.approx(0, abs=1e-9)
        assert np.abs(moved).max() == pytest.approx(shortest, abs=1e-9)


def test_images_are_solved_each_by_itself_also_with_no_slope_at_all() -> None:
    pixels = torch.full((3, 1, 1, 2), 0.5, dtype=torch.float64)
    normals = torch.tensor([[1.0, -3.0], [0.0, 0.0], [1.0, 1.0]], dtype=torch.float64).view(3, 1, 1, 2)
    step = step_to_hyperplane(pixels, normals, torch.tensor([-0.4, 1.0, 0.0], dtype=torch.float64))
    torch.testing.assert_close(step.view(3, 2), torch.tensor([[0.1, -0.1], [0.0, 0.0], [0.0, 0.0]], dtype=torch.float64))
