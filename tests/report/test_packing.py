import base64
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float

from zooscope.report.packing import UNKNOWN, Packed, Plane, pack_flags, pack_planes


def unpack(packed: Packed, size: int) -> dict[str, Float[np.ndarray, "row column"]]:
    """Reads the format from its description alone."""
    data, start = gzip.decompress(base64.b64decode(packed.text)), 0
    found = {}
    for header in packed.planes:
        count = size * (size + 1) // 2 if header["is_symmetric"] else size * size
        low, high = (np.frombuffer(data, np.uint8, count, start + offset).astype(int) for offset in (0, count))
        start += 2 * count
        levels = low + 256 * high
        values = np.where(levels == UNKNOWN, np.nan, header["low"] + header["step"] * levels)
        plane = np.full((size, size), np.nan)
        plane[np.triu_indices(size) if header["is_symmetric"] else tuple(np.indices((size, size)).reshape(2, -1))] = values
        found[header["name"]] = np.where(np.isnan(plane), plane.T, plane) if header["is_symmetric"] else plane
    assert start == len(data)
    return found


@given(st.integers(1, 6), st.sampled_from([1.0, 5e-4]), st.floats(1e-3, 1e6), st.integers(0, 2**32 - 1))
def test_numbers_come_back_as_near_as_their_precision_or_65534_steps(size: int, precision: float, scale: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = scale * generator.normal(size=(size, size))
    values[generator.random((size, size)) < 0.2] = np.nan
    symmetric = np.triu(values) + np.triu(values, 1).T
    planes = {
        "one": Plane(values=values, precision=precision, is_symmetric=False),
        "both": Plane(values=symmetric, precision=precision, is_symmetric=True),
    }
    found = unpack(pack_planes(planes), size)
    for name, plane in planes.items():
        known = plane.values[~np.isnan(plane.values)]
        step = max(precision, (np.ptp(known) if len(known) else 0) / (UNKNOWN - 1))
        np.testing.assert_allclose(found[name], plane.values, rtol=0, atol=0.5001 * step)


@pytest.mark.parametrize("values", [np.array([[3.0, 0.0], [7.0, 5000.0]]), np.full((2, 2), np.nan), np.zeros((2, 2))])
def test_counts_come_back_exactly(values: Float[np.ndarray, "row column"]) -> None:
    found = unpack(pack_planes({"count": Plane(values=values, precision=1.0, is_symmetric=False)}), 2)
    np.testing.assert_array_equal(found["count"], values)


def test_flags_are_bits_from_the_highest_on() -> None:
    assert (
        gzip.decompress(base64.b64decode(pack_flags(np.array([True, False, False, False, False, False, False, True, True]))))
        == b"\x81\x80"
    )


def test_the_same_numbers_make_the_same_text() -> None:
    plane = Plane(values=np.eye(3), precision=0.1, is_symmetric=True)
    assert pack_planes({"a": plane}).text == pack_planes({"a": plane}).text
