"""Names beside points cover neither each other nor a point."""

import numpy as np
import pytest

from zooscope.pictures.colours import GROUPS, MARKERS, choose_styles
from zooscope.pictures.labels import find_label_positions


@pytest.mark.parametrize("seed", range(5))
def test_placed_names_cover_nothing_and_stay_inside(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points, sizes = generator.random((60, 2)) * 500, np.column_stack([generator.integers(20, 90, 60), np.full(60, 8.0)])
    found = find_label_positions(points, sizes, gap=4, frame=(0, 0, 500, 500))
    boxes = [(*np.subtract(place, size / 2), *np.add(place, size / 2)) for place, size in zip(found, sizes, strict=True) if place]
    assert len(boxes) > 30
    for number, (left, bottom, right, top) in enumerate(boxes):
        assert 0 <= left < right <= 500
        assert 0 <= bottom < top <= 500
        assert not any(left < x < right and bottom < y < top for x, y in points)
        for other in boxes[:number]:
            assert left >= other[2] or other[0] >= right or bottom >= other[3] or other[1] >= top


def test_a_lonely_point_has_its_name_to_the_right() -> None:
    (place,) = find_label_positions(np.array([[50.0, 50.0]]), np.array([[20.0, 8.0]]), gap=4, frame=(0, 0, 100, 100))
    assert place == (64, 50)


def test_a_name_without_room_is_left_out() -> None:
    assert find_label_positions(np.array([[5.0, 5.0]]), np.array([[20.0, 8.0]]), gap=4, frame=(0, 0, 10, 10)) == [None]


def test_thirty_five_groups_look_different() -> None:
    looks = choose_styles([str(number) for number in range(len(GROUPS) * len(MARKERS))])
    assert len(set(looks.values())) == 35
