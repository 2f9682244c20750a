"""The real program in processes of its own."""

import json
import signal
import time
from pathlib import Path
from subprocess import Popen

from tests.cli.calling import call, start_held
from zooscope.study.study import Study

OPTIONS = ("--classifiers", "bundled:resnet,bundled:vit", "--images", "bundled:cifar10", "--count", "60", "--shard-size", "4")


def test_a_study_is_shown_while_it_is_measured_then_interrupted_and_goes_on(tmp_path: Path) -> None:
    words, reached = ("measure", tmp_path / "study", *OPTIONS, "--iterations", "2"), tmp_path / "reached"
    process = start_held(*words, reached=reached, num_units=5)  # two shards and a source of the third
    try:
        wait_for(reached, process)
        shown = call("show", tmp_path / "study", "--json")
        second = call("measure", tmp_path / "study")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    finally:
        process.kill()
    assert json.loads(shown.stdout)["images"]["measured"] == [8, 12]
    assert "is being measured by another process" in second.stderr
    assert (process.returncode, out, err) == (130, "", "Stopped; run the same command again to go on.\n")
    with Study.open(tmp_path / "study") as study:
        assert not study.predictions.find_complete().all()
    assert call(*words).exit_code == 0
    with Study.open(tmp_path / "study") as study:
        assert study.predictions.find_complete().all()


def wait_for(file: Path, process: Popen[str]) -> None:
    """Waits until a process makes a file, however long that takes."""
    while not file.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
