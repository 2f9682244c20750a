"""What one command says fits together, while a process of its own measures."""

import sys
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.cli.calling import ROOT, call
from zooscope.study.snapshot import read_snapshot

IMAGES = ("--images", "bundled:cifar10", "--count", "40", "--shard-size", "2", "--iterations", "1")


def require_agreement(folder: Path) -> int:
    """Computes transfer anew from the exported predictions, and SAT from transfer's counts; how many classifiers there are."""
    rows = pq.read_table(folder / "predictions.parquet").to_pandas()
    transfer, sat = (pd.read_csv(folder / f"{name}.csv", index_col=0) for name in ("transfer", "sat"))
    names = list(pd.read_csv(folder / "classifiers.csv", index_col=0).index)
    assert list(transfer.index) == list(transfer.columns) == list(sat.index) == list(sat.columns) == names
    wrong = rows.assign(wrong=100.0 * (rows["prediction"] != rows["label"]))
    expected = wrong.pivot_table("wrong", "source", "target", observed=True).reindex(index=names, columns=names)
    np.testing.assert_allclose(transfer.to_numpy(float), expected.to_numpy(float))
    both = rows.merge(rows, left_on=["source", "target", "image"], right_on=["target", "source", "image"])
    assert (both["label_x"] == both["label_y"]).all()
    fooled = (both["prediction_x"] != both["label_x"]) * 50.0 + (both["prediction_y"] != both["label_y"]) * 50.0
    share = both.assign(fooled=fooled).pivot_table("fooled", "source_x", "target_x", observed=True)
    score = np.log(np.maximum(share.reindex(index=names, columns=names).to_numpy(float), 0.01))
    np.testing.assert_allclose(sat.to_numpy(float), score)
    return len(names)


@pytest.mark.slow
def test_every_export_agrees_with_itself_while_a_process_adds_a_classifier(tmp_path: Path) -> None:
    study, tables = tmp_path / "study", tmp_path / "tables"
    assert call("measure", study, "--classifiers", "bundled:resnet", "bundled:vit", *IMAGES).exit_code == 0
    words = ("measure", str(study), "--classifiers", "bundled:mixer")
    with Popen([sys.executable, "-m", "zooscope", *words], cwd=ROOT, stdout=PIPE, stderr=PIPE) as process:
        seen: list[int] = []
        while not seen or process.poll() is None:
            assert call("export", study, "--out", tables).exit_code == 0
            seen.append(require_agreement(tables))
            page = call("report", study, "--out", tmp_path / "report.html")
            assert page.exit_code == 0, page.stderr
    assert process.returncode == 0
    assert set(seen) <= {2, 3}
    assert len(read_snapshot(study).names) == 3
    assert call("export", study, "--out", tables).exit_code == 0
    assert require_agreement(tables) == 3
