"""The suites that ship with zooscope: the documentation's example passes, and what breaks a promise fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.calling import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
RIGHT = "Attacked((pixels - self.epsilon).clamp(min=0))"
BROKEN = {  # what is returned instead, and a test that notices it
    "Attacked(pixels - self.epsilon)": "test_attacked_pixels_are_pixels_and_the_clean_ones_stay",
    "Attacked(pixels.sub_(self.epsilon).clamp_(min=0))": "test_attacked_pixels_are_pixels_and_the_clean_ones_stay",
    "Attacked((pixels - 2 * self.epsilon).clamp(min=0))": "test_pixels_stay_in_the_ball",
    "Attacked((pixels - self.epsilon * pixels.new_empty(()).uniform_()).clamp(min=0))": "test_an_attack_made_again_is_the_same",
    "Attacked((pixels - self.epsilon * pixels.mean()).clamp(min=0))": "test_an_image_is_attacked_the_same_whatever_is_in_its_batch",
    "Attacked((pixels - self.epsilon).clamp(min=0), {'light': labels})": "test_facts_are_one_per_image_and_as_named",
}


def run_pytest(folder: Path, text: str) -> str:
    file = folder / "test_shade.py"
    file.write_text(text, encoding="utf-8")
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(file)]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_the_example_of_the_documentation_passes(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, EXAMPLE)
    assert re.search(r"^\d\d passed", said, re.MULTILINE), said
    assert "failed" not in said
    assert "skipped" not in said


@pytest.mark.slow  # a hundred tests in a process of their own
def test_each_broken_promise_fails_a_test_of_the_suite(tmp_path: Path) -> None:
    assert RIGHT in EXAMPLE
    classes, definition = EXAMPLE.split("@register\n")[0], EXAMPLE[EXAMPLE.index("@register\n") :]
    parts = [definition.replace(RIGHT, wrong).replace("Shade", f"Shade{number}") for number, wrong in enumerate(BROKEN)]
    said = run_pytest(tmp_path, "\n\n".join([classes, *parts]))
    for number, test in enumerate(BROKEN.values()):
        assert re.search(rf"FAILED .*::TestShade{number}::{test}", said), said[-2000:]


def test_pytest_is_needed_by_nothing_else() -> None:
    program = "import sys; sys.modules['pytest'] = None; import zooscope.cli.app, zooscope.study.study, zooscope.report"
    done = subprocess.run([sys.executable, "-c", f"{program}, zooscope.testing"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    sentence = "zooscope.testing needs libraries that are not installed: `pip install 'zooscope[testing]'`"
    assert done.stderr.splitlines()[-1] == f"zooscope.errors.MissingExtraError: {sentence}"


@pytest.mark.parametrize("name", ["AttackContract", "ExecutorContract", "ImageProviderContract", "MeasurementContract"])
def test_every_suite_is_used_by_zooscopes_own_tests_and_documented(name: str) -> None:
    users = [*(ROOT / "tests").rglob("test_contract.py"), ROOT / "tests" / "engine" / "test_executors.py"]
    assert any(f"({name})" in file.read_text(encoding="utf-8") for file in users)
    assert f"`{name}`" in PAGE
