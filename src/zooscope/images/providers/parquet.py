"""Images in Parquet files, as the Hugging Face hub keeps them: encoded images in one column, labels in another."""

import glob
import json
import os
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, MissingFileError, first_line
from zooscope.images.image_set import ImageSet
from zooscope.images.providers import columns
from zooscope.images.providers.columns import choose_columns, is_image_type, read_labels, require_image_type
from zooscope.stand_ins import find_stand_in

OPTIONS: Final = columns.OPTIONS
CACHED_BYTES: Final = 256 * 2**20
UNSUSPICIOUS_BYTES: Final = 64 * 2**20
MOST_TIMES: Final = 100  # images are compressed already, labels are small
ROWS_AT_ONCE: Final = 64
_SPLIT: Final = re.compile(r"(train|test|validation|valid|val|dev)(?![a-z])", re.IGNORECASE)  # as others name theirs
_SHARD: Final = re.compile(r"(.*)-\d{5}-of-\d{5}(?:-\w+)?\.parquet")  # how the hub names the files of a split


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """The rows of one Parquet file, of all in a folder, or of all that match a pattern; image bytes are read on demand.

    Args:
        rest: a file, a folder or a pattern such as `data/test-*.parquet`.
        options: `image` and `label`, the columns: a struct with a field `bytes`, or plain binary; class names or indices. Names of
            indices are taken from the hub's metadata in the files.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such file.
        ImagesError: a file is no Parquet or lacks a column; the files are of several splits; or labels don't fit.
    """
    place = Path(rest).expanduser()
    place = place.resolve()  # a study is run on from wherever one stands
    address = write_address("parquet", place, options)
    files = _list_files(place, address=address)
    root = place if place.is_dir() else Path(os.path.commonpath([file.parent for file in files]))
    tables = [_read_table(file, address=address) for file in files]
    first = tables[0].schema
    features = _read_features(first)
    images = [field.name for field in first if is_image_type(field.type)]
    labels = [name for name, feature in features.items() if feature.get("_type") == "ClassLabel"]
    image = choose_columns("image", options, first.names, images, address=address)
    label = choose_columns("label", options, first.names, labels, address=address)
    for file, table in zip(files, tables, strict=True):
        _require_columns(file, table.schema, image, label, features, address=address)
    found = _join_labels([table.labels(label) for table in tables], files, label, address=address)
    names = features.get(label, {}).get("names")
    rows = _Rows(image, {file.relative_to(root).as_posix(): table for file, table in zip(files, tables, strict=True)})
    ids = rows.ids()
    numbers, class_names = read_labels(found, names, classes, name=label, ids=ids, address=address)
    return ImageSet(address=address, ids=ids, labels=numbers, class_names=class_names, read=rows)


def _join_labels(parts: Sequence[pa.ChunkedArray], files: Sequence[Path], name: str, *, address: str) -> pa.ChunkedArray:
    """The labels of all files; of types that differ, in one that holds both, such as int64 for int32 and int64.

    Raises:
        ImagesError: no type holds both.
    """
    plain = [part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts]
    if len({part.type for part in parts}) == 1:
        plain = list(parts)
    try:
        return pa.concat_tables([pa.table({name: part}) for part in plain], promote_options="permissive").column(name)
    except pa.ArrowException as error:
        file, kind = next((file, part.type) for file, part in zip(files, plain, strict=True) if part.type != plain[0].type)
        msg = f"{address}: the column {name} holds {plain[0].type} in {files[0].name} and {kind} in {file.name}; write one type."
        raise ImagesError(msg) from error


class _Table(NamedTuple):
    """One file, of which only the end was read."""

    file: Path
    metadata: Any
    schema: pa.Schema
    starts: tuple[int, ...]  # the first row of each row group

    def opened(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.file, metadata=self.metadata)

    def labels(self, column: str) -> pa.ChunkedArray:
        with self.opened() as file:
            groups = [self.read(file, group, column, column) for group in range(len(self.starts))]
        return pa.chunked_array([chunk for group in groups for chunk in group.chunks], type=self.schema.field(column).type)

    def read(self, opened: pq.ParquetFile, group: int, wanted: str, column: str) -> pa.ChunkedArray:
        """A column of a row group; refused before it has unfolded to far more than its size in the file.

        Raises:
            ImagesError: it unfolds to too much.
        """
        compressed, unfolded = self._sizes(group, wanted)
        most = max(UNSUSPICIOUS_BYTES, MOST_TIMES * compressed)
        parts: list[pa.Array] = []
        batches = opened.iter_batches(batch_size=ROWS_AT_ONCE, row_groups=[group], columns=[wanted]) if unfolded <= most else ()
        for batch in batches:
            parts.append(batch.column(batch.schema.names.index(column)))
            unfolded = max(unfolded, sum(part.nbytes for part in parts))
            if unfolded > most:
                break
        if unfolded > most:
            msg = (
                f"{self.file}: the column {column} takes {compressed} bytes in the file and unfolds to {unfolded} or more; no "
                "images or labels do, so it is not read."
            )
            raise ImagesError(msg)
        return pa.chunked_array(parts, type=self.schema.field(column).type if not parts else parts[0].type)

    def _sizes(self, group: int, wanted: str) -> tuple[int, int]:
        """Bytes of a column in the file, and after unfolding, as the file says."""
        chunks = [self.metadata.row_group(group).column(place) for place in range(self.metadata.num_columns)]
        chosen = [chunk for chunk in chunks if f"{chunk.path_in_schema}.".startswith(f"{wanted}.")]
        return sum(chunk.total_compressed_size for chunk in chosen), sum(chunk.total_uncompressed_size for chunk in chosen)


@final
class _Rows:
    """Reads images by id; remembers the row groups that were read last. One thread reads at a time."""

    def __init__(self, column: str, tables: Mapping[str, _Table]) -> None:
        self._column, self._tables = column, tables
        self._cached, self._lock = OrderedDict[tuple[str, int], pa.ChunkedArray](), Lock()

    def ids(self) -> tuple[str, ...]:
        return tuple(f"{name}#{row}" for name, table in self._tables.items() for row in range(table.metadata.num_rows))

    def __call__(self, name: str) -> bytes:
        file, _, row = name.rpartition("#")
        with self._lock:
            group, place = self._place(file, int(row))
            data = self._group(file, group)[place].as_py()
        if data is None:
            msg = f"{name} (no bytes; the table names a file elsewhere)"
            raise ImagesError(msg)
        return bytes(data)

    def _place(self, file: str, row: int) -> tuple[int, int]:
        starts = self._tables[file].starts
        group = bisect_right(starts, row) - 1
        return group, row - starts[group]

    def _group(self, file: str, group: int) -> pa.ChunkedArray:
        key = (file, group)
        if key not in self._cached:
            table = self._tables[file]
            is_struct = pa.types.is_struct(table.schema.field(self._column).type)
            try:
                with table.opened() as opened:
                    wanted = f"{self._column}.bytes" if is_struct else self._column
                    column = table.read(opened, group, wanted, self._column)
            except (OSError, pa.ArrowException) as error:
                msg = f"{table.file} can't be read ({first_line(error)}); was it moved? Put it back or measure a new study."
                raise ImagesError(msg) from error
            self._cached[key] = pc.struct_field(column, "bytes") if is_struct else column
            while len(self._cached) > 1 and sum(part.nbytes for part in self._cached.values()) > CACHED_BYTES:
                self._cached.popitem(last=False)
        self._cached.move_to_end(key)
        return self._cached[key]


def _list_files(place: Path, *, address: str) -> list[Path]:
    if place.is_dir():
        candidates = (path for path in place.rglob("*.parquet") if path.is_file())
        files = sorted(path for path in candidates if not any(part.startswith(".") for part in path.relative_to(place).parts))
    else:
        files = [place] if place.is_file() else sorted(Path(path) for path in glob.glob(str(place), recursive=True))  # noqa: PTH207  (the pattern is absolute)
    if not files:
        msg = f"{address}: there is no Parquet file at {place}; give a file, a folder of them, or a pattern: FOLDER/test-*.parquet."
        raise MissingFileError(msg)
    by_split = {split: file for file in reversed(files) if (split := _find_split(file))}
    if len(by_split) > 1:
        first, *_ = splits = sorted(by_split)
        example = by_split[first]
        pattern = example.with_name(f"{first}{'-' if _SHARD.fullmatch(example.name) else ''}*.parquet")
        if not example.name.startswith(first):  # the folder is named so
            pattern = example.with_name("*.parquet")
        msg = f"{address} holds the splits {', '.join(splits)}; choose one by a pattern: parquet:{pattern}"
        raise ImagesError(msg)
    return files


def _find_split(file: Path) -> str | None:
    """The split that a file says it holds, by its own name or by that of its folder."""
    shard = _SHARD.fullmatch(file.name)
    named = _SPLIT.match(file.name) or _SPLIT.fullmatch(file.parent.name)
    return shard[1] if shard else named[0] if named else None


def _read_table(file: Path, *, address: str) -> _Table:
    try:
        with pq.ParquetFile(file) as opened:
            sizes = [opened.metadata.row_group(group).num_rows for group in range(opened.metadata.num_row_groups)]
            return _Table(file, opened.metadata, opened.schema_arrow, tuple(accumulate(sizes[:-1], initial=0)))
    except (OSError, pa.ArrowException) as error:
        stand_in = find_stand_in(file)
        msg = (
            f"{address}: {file} is no Parquet file, or a damaged one ({first_line(error)}); fetch it again or leave it out."
            if stand_in is None
            else f"{address}: {file} is {stand_in.what}; {stand_in.advice}."
        )
        raise ImagesError(msg) from error


def _read_features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """What the hub's metadata say of each column; empty where there are none."""
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(text).get("info", {}).get("features", {})
    except (ValueError, AttributeError, RecursionError):  # not as the hub writes them
        features = {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def _require_columns(
    file: Path, schema: pa.Schema, image: str, label: str, features: Mapping[str, Mapping[str, Any]], *, address: str
) -> None:
    for option, name in (("image", image), ("label", label)):
        if name not in schema.names:
            msg = f"{address}: {file} has no column {name}; there are {', '.join(schema.names)}. Choose one by {option}=COLUMN."
            raise ImagesError(msg)
    require_image_type(schema.field(image).type, image, address=address)
    if _read_features(schema).get(label) != features.get(label):
        msg = f"{address}: {file} has other classes than the files before it; give files of one data set."
        raise ImagesError(msg)
