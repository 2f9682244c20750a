"""Names beside points cover neither each other nor a point."""

import numpy as np
import pytest

from zooscope.pictures.colours import GROUPS, MARKERS, choose_styles
from zooscope.pictures.labels import find_label_positions, find_line_end, wrap_title


@pytest.mark.parametrize("seed", range(5))
def test_placed_names_cover_nothing_and_stay_inside(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points, sizes = generator.random((60, 2)) * 500, np.column_stack([generator.integers(20, 90, 60), np.full(60, 8.0)])
    found = find_label_positions(points, sizes, gap=4, frame=(0, 0, 500, 500))
    boxes = [
        (*np.subtract(place[:2], size / 2), *np.add(place[:2], size / 2)) for place, size in zip(found, sizes, strict=True) if place
    ]
    assert len(boxes) > 50
    for number, (left, bottom, right, top) in enumerate(boxes):
        assert 0 <= left < right <= 500
        assert 0 <= bottom < top <= 500
        assert not any(left < x < right and bottom < y < top for x, y in points)
        for other in boxes[:number]:
            assert left >= other[2] or other[0] >= right or bottom >= other[3] or other[1] >= top


def test_a_lonely_point_has_its_name_to_the_right() -> None:
    (place,) = find_label_positions(np.array([[50.0, 50.0]]), np.array([[20.0, 8.0]]), gap=4, frame=(0, 0, 100, 100))
    assert place == (64, 50, False)


def test_a_name_without_room_is_left_out() -> None:
    assert find_label_positions(np.array([[5.0, 5.0]]), np.array([[20.0, 8.0]]), gap=4, frame=(0, 0, 10, 10)) == [None]


def test_thirty_five_groups_look_different() -> None:
    looks = choose_styles([str(number) for number in range(len(GROUPS) * len(MARKERS))])
    assert len(set(looks.values())) == 35


def test_a_name_without_room_beside_its_point_is_led_to_past_all_other_names() -> None:
    generator = np.random.default_rng(0)
    points = np.concatenate([generator.normal(250, 12, (12, 2)), [[50.0, 50.0]]])
    sizes = np.full((13, 2), (60.0, 8.0))
    found = find_label_positions(points, sizes, gap=4, frame=(0, 0, 500, 500))
    led = [place for place in found if place and place.is_far]
    assert led
    assert not (found[-1] and found[-1].is_far)
    boxes = {number: [place.x - 30, place.y - 4, place.x + 30, place.y + 4] for number, place in enumerate(found) if place}
    for number, place in enumerate(found):
        if place and place.is_far:
            end = find_line_end(points[number], np.array(boxes[number]))
            assert (np.abs(end - [place.x, place.y]) <= [30.001, 4.001]).all()
            for share in np.linspace(0, 1, 25):
                x, y = points[number] + share * (end - points[number])
                others = [box for other, box in boxes.items() if other != number]
                assert not any(left < x < right and bottom < y < top for left, bottom, right, top in others)


@pytest.mark.parametrize("length", [10, 100, 1000])
def test_a_title_has_three_lines_at_most(length: int) -> None:
    title = "a title " * (length // 8) + "\nand more"
    lines = wrap_title(title, 40).split("\n")
    assert len(lines) <= 3
    assert max(map(len, lines)) <= 40
    assert lines[-1] == "and more"
    assert ("\N{HORIZONTAL ELLIPSIS}" in lines[-2]) == (length >= 100)
