"""What a release is made of: one version, a citation, bounds of every dependency, a wheel that holds what it needs."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

import zooscope
from release.lowest import find_lowest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WITHIN = {"PYTHONNOUSERSITE": "1", "COLUMNS": "80"}


def test_the_version_stands_in_one_place() -> None:
    assert zooscope.__version__ == version("zooscope") == PROJECT["version"]
    assert "version" not in yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_names_the_program_and_the_paper() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["cff-version"], cited["title"], cited["license"]) == ("1.2.0", PROJECT["name"], PROJECT["license"])
    assert cited["authors"] == PROJECT["authors"]
    assert cited["references"][0]["title"].startswith("Similarity of Neural Architectures")


def test_every_dependency_has_a_lower_bound() -> None:
    assert len(find_lowest(PROJECT["dependencies"])) == len(PROJECT["dependencies"])
    assert "torch==2.6" in find_lowest(PROJECT["dependencies"])
    assert find_lowest(["a>=1.2", "b>=3,<4"], leave_out=["a"]) == ["b==3"]
    with pytest.raises(ValueError, match=r"b<4 has no lower bound in pyproject\.toml; add one that was tested\."):
        find_lowest(["b<4"])


@pytest.mark.slow  # builds the wheel
def test_the_wheel_alone_holds_what_the_program_needs(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("zooscope-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")  # pip needs no compiler
    with zipfile.ZipFile(wheel) as opened:
        assert not [name for name in opened.namelist() if not name.startswith("zooscope")]
        opened.extractall(tmp_path / "installed")
    for words in (("--help",), ("classifiers",), ("doctor", "--device", "cpu")):
        program = [sys.executable, "-m", "zooscope", *words]
        within = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": "/usr/bin:/bin", **WITHIN}
        done = subprocess.run(program, cwd=tmp_path, env=within, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    where = [sys.executable, "-c", "import zooscope; print(zooscope.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=within, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(tmp_path))
