import pytest

from tests.report.synthetic import planted_study
from zooscope.report.facts import Facts
from zooscope.report.sections.methods import collect_methods


def test_settings_come_out_exactly() -> None:
    found = collect_methods(Facts.read(planted_study([["a"]]), confidence=0.9))
    assert found.settings == {"epsilon": "8/255", "step size": "0.1", "iterations": "50", "random start": "no"}
    assert found.confidence_percent == pytest.approx(90)
    assert found.lowest == pytest.approx(-4.605, abs=1e-3)
    assert found.weights == (("a", "", "f" * 64),)
    assert "Python" in dict(found.versions)


def test_a_package_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zooscope.report.sections.methods.PACKAGES", ("zooscope", "no-such-package"))
    found = collect_methods(Facts.read(planted_study([["a"]]), confidence=0.9))
    assert [name for name, _ in found.versions] == ["Python", "zooscope"]
