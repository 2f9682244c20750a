"""The promise of every measurement; a new one is a row in `MEASUREMENTS`."""

import pytest

from zooscope.measurements import Measurement
from zooscope.measurements.registry import parse_measurement
from zooscope.records.kinds import ASKED_FOR
from zooscope.testing import MeasurementContract

MEASUREMENTS = {
    "features": "features",
    "gradients": "gradients",
    "planes": "planes?num_triplets=10&resolution=4",
}


def test_every_measurement_that_can_be_asked_for_has_a_row() -> None:
    assert set(MEASUREMENTS) == set(ASKED_FOR)


class TestEveryMeasurement(MeasurementContract):
    @pytest.fixture(params=MEASUREMENTS.values(), ids=list(MEASUREMENTS))
    def measurement(self, request: pytest.FixtureRequest) -> Measurement:
        return parse_measurement(request.param)
