import re

import pytest
import torch

from tests.cli.calling import call
from zooscope.cli.commands import doctor


def test_a_sound_machine_is_told_with_versions_and_speed() -> None:
    result = call("doctor", "--device", "cpu")
    assert (result.exit_code, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    assert f"torch {torch.__version__}" in text
    assert re.search(r"bundled images \d+, SHA-256 [0-9a-f]{12}", text)
    assert re.search(r"bundled classifiers \d+, all load", text)
    assert re.search(r"speed \d+\.\d images/s attacked through bundled:resnet on cpu", text)
    assert "broken" not in text


def test_what_is_broken_is_named_and_the_rest_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        msg = "no such luck"
        raise ImportError(msg)

    monkeypatch.setattr(doctor, "_check_bundled_images", fail)
    monkeypatch.setattr(doctor, "_measure_speed", lambda _: "fast")
    monkeypatch.setattr(doctor, "_check_bundled_classifiers", lambda: "all")
    result = call("doctor")
    assert result.exit_code == 1
    assert "broken: ImportError: no such luck" in result.stdout
    assert "fast" in result.stdout
    assert result.stderr == "Error: bundled images can't be used; fix that, or reinstall zooscope in a fresh environment.\n"


def test_a_device_that_is_not_there_is_told() -> None:
    result = call("doctor", "--device", "abacus")
    assert result.exit_code == 1
    assert "speed" in result.stderr
    assert "there is no device 'abacus' here" in " ".join(result.stdout.split())
