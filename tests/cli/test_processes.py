"""The real program in processes of its own."""

import json
import signal
import time
from pathlib import Path

from tests.cli.calling import call, start
from zooscope.study.study import Study

OPTIONS = ("--classifiers", "bundled:resnet,bundled:vit", "--images", "bundled:cifar10", "--count", "60", "--shard-size", "4")


def test_a_study_is_shown_while_it_is_measured_then_interrupted_and_goes_on(tmp_path: Path) -> None:
    process = start("measure", tmp_path / "study", *OPTIONS, "--iterations", "12")
    try:
        seen = _shown_while_measured(tmp_path / "study")
        second = call("measure", tmp_path / "study")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert 0 < seen < 60
    assert "is being measured by another process" in second.stderr
    assert (process.returncode, out, err) == (130, "", "Stopped; run the same command again to go on.\n")
    with Study.open(tmp_path / "study") as study:
        assert (study.predictions.transfer == -2).any()
    again = call("measure", tmp_path / "study", *OPTIONS, "--iterations", "12")
    assert again.exit_code == 0
    with Study.open(tmp_path / "study") as study:
        assert not (study.predictions.transfer == -2).any()


def _shown_while_measured(folder: Path) -> int:
    """Shows the study until some images are measured for every pair; how many."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if Study.exists(folder):
            result = call("show", folder, "--json")
            measured: int = json.loads(result.stdout)["images"]["measured"][0] if result.exit_code == 0 else 0
            if measured:
                return measured
        time.sleep(0.05)
    return 0
