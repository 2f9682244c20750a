"""What has been measured, put together from the arrays of a record."""

import json
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Float16, Int, Int32, Shaped

from zooscope.errors import InvalidValueError, NotMeasuredError
from zooscope.records.arrays import PUBLISHED
from zooscope.records.database import undamaged
from zooscope.records.predictions import LOWEST, NOT_MEASURED, Predictions, choose_integers
from zooscope.records.records import LEFT_OUT, Records
from zooscope.records.rows import ArrayRow


def read_clean_predictions(records: Records) -> Int32[np.ndarray, "classifier image"]:
    """Clean predictions, NOT_MEASURED where there is none yet."""
    with records.one_moment(), undamaged(records.place):
        place = {name: row for row, name in enumerate(records.names)}
        result = np.full((len(place), len(records.labels)), NOT_MEASURED, dtype=np.int32)
        for row in records.arrays("clean"):
            _put(records, result[place[row.subject]], row)
    return result


def read_clean_logits(records: Records, classifier: str) -> Float16[np.ndarray, "image cls"]:
    """Clean logits of one classifier.

    Raises:
        NotMeasuredError: they are not all measured.
    """
    with records.one_moment(), undamaged(records.place):
        num_classes = next(known.num_classes for known in records.classifiers if known.name == classifier)
        result = np.full((len(records.labels), num_classes), np.nan, dtype=np.float16)
        missing = set(range(len(records.shards)))
        for row in records.arrays("logits", subject=classifier):
            _put(records, result, row)
            missing.discard(row.part)
    if missing:
        msg = f"the clean logits of {classifier} are not all measured; run `zooscope measure` to the end."
        raise NotMeasuredError(msg)
    return result


def read_predictions(records: Records) -> Predictions:
    """Everything that the scores need, as arrays, all of one moment even while another process measures."""
    with records.one_moment(), undamaged(records.place):
        names, num_classes = records.names, len(records.definition.class_names.split("\n"))
        kind = choose_integers(num_classes)
        attacked = records.subjects("transfer")
        sources = tuple(name for name in names if name in attacked)
        rows, columns = ({name: number for number, name in enumerate(some)} for some in (sources, names))
        transfer = np.full((len(sources), len(names), len(records.labels)), NOT_MEASURED, dtype=kind)
        for row in _with_classes(records.arrays("transfer"), num_classes):
            _put(records, transfer[rows[row.subject], columns[row.object]], row)
        return Predictions(
            names=names,
            image_ids=records.image_ids,
            labels=records.labels,
            clean=read_clean_predictions(records).astype(kind),
            sources=sources,
            transfer=transfer,
            transforms=tuple(classifier.transform for classifier in records.classifiers),
            controls=_read_controls(records, num_classes),
        )


def read_left_out(records: Records) -> dict[str, int]:
    """What lay beside the images and is not used: how many of each kind."""
    with undamaged(records.place):
        return {str(kind): int(count) for kind, count in dict(json.loads(records.notes.get(LEFT_OUT, "{}"))).items()}


def read_published(records: Records) -> Float[np.ndarray, "a b"]:
    """The published scores of all pairs, NaN where a pair is not known."""
    with records.one_moment():
        place = {name: row for row, name in enumerate(records.names)}
        result = np.full((len(place), len(place)), np.nan)
        for row in records.arrays(PUBLISHED):
            result[place[row.subject], place[row.object]] = row.values
    return result


def write_published(records: Records, scores: Float[np.ndarray, "a b"]) -> None:
    """Enters a published matrix of scores, rows and columns as in `records.names`; NaN where a pair is not known."""
    names = records.names
    records.save(
        ArrayRow(kind=PUBLISHED, subject=names[a], object=names[b], part=0, values=np.array(scores[a, b], dtype=np.float64))
        for a, b in np.argwhere(np.isfinite(scores))
    )


def _read_controls(records: Records, num_classes: int) -> dict[tuple[str, str], Int[np.ndarray, " image"]]:
    kind, result = choose_integers(num_classes), dict[tuple[str, str], Int[np.ndarray, " image"]]()
    for row in _with_classes(records.arrays("control"), num_classes):
        key = (row.subject, row.object)
        _put(records, result.setdefault(key, np.full(len(records.labels), NOT_MEASURED, dtype=kind)), row)
    return result


def _put(records: Records, whole: Shaped[np.ndarray, "image ..."], row: ArrayRow) -> None:
    """Puts a shard in its place among all images; within `undamaged` of the caller's."""
    here = records.shards[row.part]
    if row.values.shape != (len(here), *whole.shape[1:]):
        msg = f"{row.kind} of {row.subject}, shard {row.part + 1}: shape {row.values.shape} for {len(here)} images"
        raise InvalidValueError(msg)
    whole[here.start : here.stop] = row.values


def _with_classes(rows: Iterable[ArrayRow], num_classes: int) -> Iterable[ArrayRow]:
    """The rows; refuses classes that there are not, which smaller integers would hide."""
    for row in rows:
        values = row.values
        if values.size and not LOWEST <= values.min() <= values.max() < num_classes:
            msg = f"class {values.max() if values.max() >= num_classes else values.min()} of {num_classes}"
            raise InvalidValueError(msg)
        yield row
