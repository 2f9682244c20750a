import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.errors import InvalidValueError
from zooscope.statistics.halves import split_halves


@given(st.lists(st.integers(0, 6), min_size=2, max_size=60), st.integers(0, 5))
def test_every_image_is_in_one_half_and_every_class_in_equal_parts(labels: list[int], seed: int) -> None:
    known = np.array(labels)
    choosing, reporting = split_halves(known, seed=seed)
    assert sorted([*choosing, *reporting]) == list(range(len(labels)))
    assert 0 <= len(choosing) - len(reporting) <= 1
    for label in set(labels):
        assert abs(int((known[choosing] == label).sum()) - int((known[reporting] == label).sum())) <= 1


def test_the_seed_decides_which_image_goes_where() -> None:
    labels = np.arange(40) % 4
    one, again, other = (split_halves(labels, seed=seed).choosing.tolist() for seed in (1, 1, 2))
    assert one == again != other


def test_one_image_can_not_be_halved() -> None:
    with pytest.raises(InvalidValueError, match=r"reporting on the other needs at least 2 images: got 1\."):
        split_halves(np.zeros(1, dtype=np.int64))
