"""Tab completion of the names of a study's classifiers."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.cli.synthetic import write_study
from zooscope.cli import main

NAMES = ("bundled:vit", "bundled:vit_seed1", "bundled:mixer", "mine", "$(touch gone)", "a b", "new\nline")
OF_A_STUDY = [  # words before the name; each command that takes the name of a study's classifier
    ("card", "STUDY"),
    ("closer", "STUDY"),
    ("closer", "STUDY", "mine"),
    ("closer", "STUDY", "mine", "bundled:mixer"),
    ("kin", "STUDY"),
    ("kin", "STUDY", "mine"),
    ("kin", "STUDY", "mine", "mine", "--seeds"),
    ("stability", "STUDY", "--pair"),
    ("stability", "STUDY", "--pair", "mine"),
    ("teachers", "STUDY", "--student"),
    ("place", "STUDY", "--classifier"),
    ("select", "STUDY", "--from"),
    ("clusters", "STUDY", "--leave-out"),
    ("attacks", "export", "STUDY", "--sources"),
    ("measure", "STUDY", "--sources"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "study"
    write_study(folder, NAMES, num_images=6)
    return folder


def ask(*words: str, by: str = "bash") -> list[str]:
    """What the program answers a shell that wants the last word completed."""
    asked = {"COMP_WORDS": "\n".join(["zooscope", *words]), "COMP_CWORD": str(len(words))}
    asked |= {"_TYPER_COMPLETE_ARGS": " ".join(["zooscope", *words]), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked |= {"_ZOOSCOPE_COMPLETE": f"complete_{by}"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in asked.items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["zooscope"])
        answer = io.StringIO()
        with redirect_stdout(answer), pytest.raises(SystemExit):
            main()
    return answer.getvalue().split("\n")[:-1] if answer.getvalue().strip() else []


@pytest.mark.parametrize("words", OF_A_STUDY, ids=" ".join)
def test_the_name_of_a_studys_classifier_is_completed(words: tuple[str, ...], study: Path) -> None:
    begun = [str(study) if word == "STUDY" else word for word in words]
    assert ask(*begun, "b", by="fish") == ["bundled:vit", "bundled:vit_seed1", "bundled:mixer"]
    assert ask(*begun, "bundled:m", by="fish") == ["bundled:mixer"]


def test_bash_gets_the_piece_behind_the_colon_as_it_ends_words_there(study: Path) -> None:
    assert ask("card", str(study), "b") == ["bundled:vit", "bundled:vit_seed1", "bundled:mixer"]
    assert ask("card", str(study), "bundled", ":") == ["vit", "vit_seed1", "mixer"]
    assert ask("card", str(study), "bundled", ":", "m") == ["mixer"]
    assert ask("teachers", str(study), "--student", "=", "bundled", ":", "vit_") == ["vit_seed1"]


def test_the_last_of_several_names_is_completed(study: Path) -> None:
    assert ask("select", str(study), "--from", "mine,bundled:m", by="fish") == ["mine,bundled:mixer"]


def test_names_that_a_shell_would_read_are_left_out(study: Path) -> None:
    assert ask("card", str(study), "", by="fish") == ["bundled:vit", "bundled:vit_seed1", "bundled:mixer", "mine"]


def test_nothing_is_completed_where_there_is_no_study(tmp_path: Path) -> None:
    assert ask("card", str(tmp_path / "nowhere"), "b") == []
    (tmp_path / "study.db").write_bytes(b"something else")
    assert ask("card", str(tmp_path), "b") == []
    assert ask("teachers", "--student", "b") == []


def test_completion_waits_for_no_torch(study: Path) -> None:
    asked = {"COMP_WORDS": f"zooscope\ncard\n{study}\nm", "COMP_CWORD": "3", "_ZOOSCOPE_COMPLETE": "complete_bash"}
    program = "import sys; sys.argv = ['zooscope']; import atexit; from zooscope.cli import main"
    ends = "atexit.register(lambda: print('torch' in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; {ends}; main()"], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["mine", "False"]
