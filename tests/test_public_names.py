"""What `import zooscope` gives."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import zooscope


@pytest.mark.parametrize("name", zooscope.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(zooscope, name))
    assert name in dir(zooscope)


@pytest.mark.parametrize("name", zooscope.attacks.__all__)
def test_every_attack_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(zooscope.attacks, name))


@pytest.mark.parametrize("kind", [value for value in vars(zooscope).values() if inspect.isclass(value)])
def test_every_public_member_is_documented(kind: type) -> None:
    members = {name: value for name, value in vars(kind).items() if not name.startswith("_") and callable(value)}
    assert all(inspect.getdoc(value) for value in members.values())


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'zooscope' has no attribute 'sta'"):
        _ = zooscope.sta


def test_the_version_is_that_of_the_package() -> None:
    assert zooscope.__version__.count(".") >= 2


@pytest.mark.parametrize(
    "module", ["zooscope", "zooscope.errors", "zooscope.records.records", "zooscope.scores.sat", "zooscope.statistics.bootstrap"]
)
def test_records_and_scores_are_read_without_torch(module: str) -> None:
    program = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'timm')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.slow  # some thousand calls, in a process without beartype
def test_wrong_arguments_give_a_result_or_a_sentence_of_zooscopes_own(tmp_path: Path) -> None:
    program = [sys.executable, str(Path(__file__).parent / "wrong_arguments.py")]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
