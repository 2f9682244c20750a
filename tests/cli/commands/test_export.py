import errno
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from zooscope.study.snapshot import read_snapshot
from zooscope.study.study import Study

SQUARE = tuple(f"{name}{end}" for name in ("sat", "sat_normalized", "same_mistake") for end in ("", "_low", "_high"))
FILES = (*(f"{name}.csv" for name in (*SQUARE, "transfer", "classifiers")), "predictions.parquet")

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def matrix(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, index_col=0)


def test_the_files_are_named_on_stdout(measured_study: Path, tmp_path: Path) -> None:
    result = call("export", measured_study, "--out", tmp_path / "tables")
    assert result.stdout.splitlines() == [str(tmp_path / "tables" / name) for name in FILES]
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == sorted(FILES)


def test_the_matrices_are_those_of_the_study(measured_study: Path, tmp_path: Path) -> None:
    call("export", measured_study, "--out", tmp_path, "--confidence", "0.8")
    with Study.open(measured_study) as study:
        matrices = {"transfer": study.transfer()}
        for key, values in (
            ("sat", study.sat(confidence=0.8)),
            ("sat_normalized", study.sat(confidence=0.8, normalize=True)),
            ("same_mistake", study.same_mistake(confidence=0.8)),
        ):
            matrices |= {key: values, f"{key}_low": values.low, f"{key}_high": values.high}
    assert set(matrices) == {*SQUARE, "transfer"}
    for name, expected in matrices.items():
        table = matrix(tmp_path / f"{name}.csv")
        assert table.index.tolist() == table.columns.tolist() == ["bundled:resnet", "bundled:vit"]
        np.testing.assert_allclose(table.to_numpy(), expected.to_numpy(), rtol=1e-14, err_msg=name)


def test_transfer_has_the_source_by_row(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b", "c"))
    call("export", tmp_path / "study", "--out", tmp_path)
    table = matrix(tmp_path / "transfer.csv")
    with Study.open(tmp_path / "study") as study:
        expected = float(study.transfer().sel(source="a", target="c"))
    assert table.index.name == "source"
    assert table.to_numpy()[0, 2] == pytest.approx(expected)
    assert table.to_numpy()[0, 2] != pytest.approx(table.to_numpy()[2, 0])


def test_the_classifiers_are_those_of_the_study(measured_study: Path, tmp_path: Path) -> None:
    call("export", measured_study, "--out", tmp_path)
    table = matrix(tmp_path / "classifiers.csv")
    with Study.open(measured_study) as study:
        expected = study.classifiers()
    assert table.columns.tolist()[:2] == ["clean_accuracy", "white_box_success"]
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_the_predictions_are_those_of_the_study_without_what_is_not_counted(measured_study: Path, tmp_path: Path) -> None:
    call("export", measured_study, "--out", tmp_path)
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert table.columns.tolist() == ["source", "target", "image", "label", "prediction"]
    with Study.open(measured_study) as study:
        known, transfer = study.predictions, study.transfer()
    rows = set(table.astype({"source": str, "target": str, "image": str}).itertuples(index=False, name=None))
    expected = {
        (source, target, image, int(known.labels[k]), int(known.transfer[i, j, k]))
        for i, source in enumerate(known.names)
        for j, target in enumerate(known.names)
        for k, image in enumerate(known.image_ids)
        if known.transfer[i, j, k] >= 0
    }
    assert rows == expected
    assert len(table) == len(expected) == int(transfer["count"].sum())


def test_the_predictions_give_the_scores_again(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b", "c"))
    call("export", tmp_path / "study", "--out", tmp_path)
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    table["fooled"] = table["label"] != table["prediction"]
    fooled = table.pivot_table(index="source", columns="target", values="fooled", observed=True)
    np.testing.assert_allclose(100 * fooled.to_numpy(), matrix(tmp_path / "transfer.csv").to_numpy())


def test_predictions_have_a_row_group_per_source_and_the_class_names(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b", "c"))
    call("export", tmp_path / "study", "--out", tmp_path)
    file = pq.ParquetFile(tmp_path / "predictions.parquet")
    assert file.metadata.num_row_groups == 3
    assert json.loads(file.schema_arrow.metadata[b"class_names"])[:2] == ["class 0", "class 1"]


def test_what_is_not_measured_is_an_empty_cell(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b"), num_measured=0)
    call("export", tmp_path / "study", "--out", tmp_path)
    assert (tmp_path / "sat.csv").read_text() == "classifier,a,b\na,,\nb,,\n"
    assert pd.read_parquet(tmp_path / "predictions.parquet").empty


def test_a_name_with_a_comma_survives(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ('a,"b"', "c"))
    call("export", tmp_path / "study", "--out", tmp_path)
    assert matrix(tmp_path / "sat.csv").columns.tolist() == ['a,"b"', "c"]


def test_a_folder_that_can_not_be_written_is_one_sentence(measured_study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = call("export", measured_study, "--out", tmp_path / "file")
    assert result.exit_code == 1
    assert (
        "can't be written (File exists); name a file in a folder that can be written, with space left."
        in result.stderr.splitlines()[-1]
    )


def test_python_has_it_too(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ("a", "b"))
    with Study.open(tmp_path / "study") as study:
        assert study.export(tmp_path / "tables") == tuple(tmp_path / "tables" / name for name in FILES)


def test_export_needs_a_folder(measured_study: Path) -> None:
    result = call("export", measured_study)
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_a_missing_study_is_one_sentence(tmp_path: Path) -> None:
    assert one_line(call("export", tmp_path / "none", "--out", tmp_path).stderr).startswith("Error: there is no study at")


def test_a_disk_that_fills_up_leaves_the_files_of_the_export_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_the_disk(self: pq.ParquetWriter, *_: object, **__: object) -> None:
        del self
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_study(tmp_path / "study", ("a", "b"))
    call("export", tmp_path / "study", "--out", tmp_path / "tables")
    before = (tmp_path / "tables" / "predictions.parquet").read_bytes()
    monkeypatch.setattr(pq.ParquetWriter, "write_table", fill_the_disk)
    result = call("export", tmp_path / "study", "--out", tmp_path / "tables")
    assert result.exit_code == 1
    assert "predictions.parquet can't be written (No space left on device)" in result.stderr.splitlines()[-1]
    assert (tmp_path / "tables" / "predictions.parquet").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == sorted(FILES)


def test_names_that_a_spreadsheet_would_run_are_guarded_and_come_back_by_import(tmp_path: Path) -> None:
    names = ("=cmd|'/c calc'!A0", "'+1", "b")
    write_study(tmp_path / "study", names)
    call("export", tmp_path / "study", "--out", tmp_path)
    lines = (tmp_path / "sat.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "classifier,'=cmd|'/c calc'!A0,''+1,b"
    assert [line.partition(",")[0] for line in lines[1:]] == ["'=cmd|'/c calc'!A0", "''+1", "b"]
    assert call("import", tmp_path / "sat.csv", tmp_path / "imported").exit_code == 0
    study = read_snapshot(tmp_path / "imported")
    assert study.names == names


def test_an_imported_matrix_is_exported_as_far_as_it_goes(tmp_path: Path) -> None:
    write_imported(tmp_path / "study")
    result = call("export", tmp_path / "study", "--out", tmp_path / "tables")
    assert result.stdout.splitlines() == [str(tmp_path / "tables" / "sat.csv")]
    expected = read_snapshot(tmp_path / "study").sat().to_numpy()
    np.testing.assert_allclose(matrix(tmp_path / "tables" / "sat.csv").to_numpy(), expected, rtol=1e-14)
