"""Contract suites: what every attack, measurement, executor and provider of images promises, as pytest classes to derive from.

    class TestMine(zooscope.testing.AttackContract):
        @pytest.fixture
        def attack(self):
            return Mine(strength=0.3)

They need pytest, `pip install 'zooscope[testing]'`, which nothing else of zooscope needs.
"""

from zooscope.errors import MissingExtraError

try:
    import pytest
except ImportError as _error:
    _WHAT = "zooscope.testing"
    raise MissingExtraError(_WHAT, "testing") from _error

pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("attacks", "executors", "images", "measurements")))

from zooscope.testing.attacks import AttackContract  # noqa: E402  (its assertions say what they found, once registered above)
from zooscope.testing.executors import ExecutorContract  # noqa: E402
from zooscope.testing.images import ImageProviderContract  # noqa: E402
from zooscope.testing.measurements import MeasurementContract  # noqa: E402

__all__ = ["AttackContract", "ExecutorContract", "ImageProviderContract", "MeasurementContract"]
