"""A study for other programs: matrices as CSV, predictions as Parquet."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from jaxtyping import Int32

from zooscope.outputs import write_table, write_whole
from zooscope.records.predictions import Predictions

_NAME: Final = pa.dictionary(pa.int32(), pa.string())
COLUMNS: Final = (("source", _NAME), ("target", _NAME), ("image", _NAME), ("label", pa.int32()), ("prediction", pa.int32()))


def export(
    folder: Path,
    matrices: Mapping[str, xr.DataArray],
    classifiers: pd.DataFrame,
    predictions: Predictions,
    *,
    class_names: tuple[str, ...],
) -> tuple[Path, ...]:
    """Writes a CSV per matrix, classifiers.csv and predictions.parquet; returns their paths.

    Args:
        folder: is made; existing files of the same names are replaced, each as a whole.
        matrices: by name; names in the header and in the first column, rows are the first dimension. NaN is an empty cell.
        classifiers: a row per classifier.
        predictions: the counted ones are written, a row per (source, target, image).
        class_names: the names of labels and predictions; kept as JSON in the Parquet file's metadata.

    Raises:
        StudyError: a file can't be written.
    """
    files = (*export_matrices(folder, matrices), folder / "classifiers.csv", folder / "predictions.parquet")
    write_table(files[-2], classifiers)
    write_whole(files[-1], lambda out: _write_predictions(out, predictions, class_names))
    return files


def export_matrices(folder: Path, matrices: Mapping[str, xr.DataArray]) -> tuple[Path, ...]:
    """Writes a CSV per matrix; returns their paths.

    Raises:
        StudyError: a file can't be written.
    """
    files = tuple(folder / f"{name}.csv" for name in matrices)
    for file, matrix in zip(files, matrices.values(), strict=True):
        write_table(file, _make_table(matrix))
    return files


def _make_table(matrix: xr.DataArray) -> pd.DataFrame:
    rows, columns = (str(dimension) for dimension in matrix.dims)
    index = pd.Index(matrix[rows].to_numpy(), name="source" if rows == "source" else "classifier")
    return pd.DataFrame(matrix.to_numpy(), index=index, columns=matrix[columns].to_numpy())


def _write_predictions(out: IO[bytes], predictions: Predictions, class_names: tuple[str, ...]) -> None:
    """One row group per source, so that no more than one source's rows are in memory twice."""
    schema = pa.schema(COLUMNS, metadata={"class_names": json.dumps(class_names)})
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for columns in _iterate_columns(predictions):
            table = pa.table(columns, schema=schema)
            if len(table):
                writer.write_table(table, row_group_size=len(table))


def _iterate_columns(predictions: Predictions) -> Iterator[dict[str, Any]]:
    names, images = pa.array(predictions.names, pa.string()), pa.array(predictions.image_ids, pa.string())
    for source, transfer in zip(predictions.source_places, predictions.transfer, strict=True):
        targets, positions = (places.astype(np.int32) for places in np.nonzero(transfer >= 0))
        yield {
            "source": _encode(np.full(len(targets), source, dtype=np.int32), names),
            "target": _encode(targets, names),
            "image": _encode(positions, images),
            "label": predictions.labels[positions].astype(np.int32),
            "prediction": transfer[targets, positions].astype(np.int32),
        }


def _encode(codes: Int32[np.ndarray, " row"], values: Any) -> Any:  # noqa: ANN401  (pyarrow is untyped)
    return pa.DictionaryArray.from_arrays(codes, values)
