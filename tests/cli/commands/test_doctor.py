import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest

from tests.cli.calling import ROOT, call
from zooscope.cli.commands import doctor
from zooscope.extras import EXTRAS


def test_a_sound_machine_is_told_with_versions_and_speed() -> None:
    result = call("doctor", "--device", "cpu")
    assert (result.exit_code, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    assert f"torch {version('torch')}" in text
    assert re.search(r"bundled images \d+, SHA-256 [0-9a-f]{12}", text)
    assert re.search(r"bundled classifiers \d+, all load", text)
    assert re.search(r"speed \d+\.\d images/s attacked through bundled:resnet on cpu", text)
    assert "broken" not in text


def test_what_is_missing_is_told_with_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> str:
        if name in {"ray", "onnx2torch"}:
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr("zooscope.extras.version", find)
    monkeypatch.setattr(doctor, "_measure_speed", lambda _: "fast")
    monkeypatch.setattr(doctor, "_check_bundled_classifiers", lambda: "all")
    result = call("doctor")
    text = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "extra ray not installed (pip install 'zooscope[ray]'): measuring on several GPUs or machines" in text
    assert "extra onnx not installed (pip install 'zooscope[onnx]'): networks kept as ONNX graphs" in text
    assert "extra huggingface datasets 1.2, transformers 1.2: classifiers and images" in text


def test_every_extra_that_users_can_install_is_told() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: names for name, names in project["optional-dependencies"].items() if name not in {"test", "docs", "dev"}}
    assert extras.keys() == EXTRAS.keys()
    for name, requirements in extras.items():
        own = {re.split("[>=<]", requirement)[0] for requirement in requirements if not requirement.startswith("zooscope[")}
        assert own == set(EXTRAS[name].packages)


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
