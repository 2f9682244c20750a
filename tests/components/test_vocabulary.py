"""The vocabulary and the paper's table hold one another to account."""

import pytest

from zooscope.components.table import read_paper_components
from zooscope.components.vocabulary import COMPONENTS, MEANINGS, VALUES, is_known


def test_there_are_13_components_and_the_table_has_them_in_their_order() -> None:
    assert len(COMPONENTS) == 13
    assert list(read_paper_components().columns) == list(COMPONENTS)


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_values_are_those_of_the_table_each_with_its_meaning(component: str) -> None:
    assert set(VALUES[component]) == set(read_paper_components()[component])
    assert all(MEANINGS[component].values())


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_value_of_the_table_is_known(component: str) -> None:
    assert all(is_known(component, value) for value in VALUES[component])


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("stem layer", "5s2"),
        ("stem layer", "3s2/3/3s2/3"),
        ("input resolution", "384x288"),
        ("normalization", "BN + GN"),
        ("normalization", "RMSNorm"),
        ("activation", "Mish"),
        ("2D self-attention", "Yes (Halo, Lambda)"),
        ("channel-wise attention", "Yes (CBAM)"),
    ],
)
def test_what_is_written_as_the_table_would_write_it_is_known(component: str, value: str) -> None:
    assert is_known(component, value)


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("stem layer", "3x3"),
        ("stem layer", "s2"),
        ("stem layer", "3s2/"),
        ("input resolution", "384"),
        ("input resolution", "0x224"),
        ("normalization", "BN+GN"),
        ("base architecture", "RNN"),
        ("hierarchical", "yes"),
        ("2D self-attention", "Yes"),
        ("group convolution", "-"),
        ("colour", "Yes"),
    ],
)
def test_other_values_are_unknown(component: str, value: str) -> None:
    assert not is_known(component, value)
