"""Images of a data set of the Hugging Face hub, or of a folder in its format, through the `datasets` library."""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Final, final

import pyarrow as pa
from datasets import (
    ClassLabel,
    Dataset,
    Image,
    config,
    get_dataset_config_names,
    get_dataset_split_names,
    load_dataset,
    load_dataset_builder,
)
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, MissingFileError, UnknownNameError, first_line
from zooscope.hub import TOKEN, explain_offline, offline_if_unreachable
from zooscope.images.image_set import ImageSet
from zooscope.images.providers import columns
from zooscope.images.providers.columns import choose_columns, is_image_type, read_labels, require_image_type

OPTIONS: Final = ("split", "config", *columns.OPTIONS)
_REFUSED: Final = (401, 403)


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """One split of a data set; its files are fetched as they are, and no code of it is run.

    Args:
        rest: `ORG/NAME` on the hub, or a folder in the hub's format.
        options: `split`, which may be left out where there is only one, or be a part such as `test[:500]`; `config`; `image` and
            `label`, the columns.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        UnknownNameError: the data set has no such split or config.
        MissingFileError: there is no such folder.
        ImagesError: the hub refuses or can't be reached, a column is missing, or labels don't fit.
    """
    place = _find_place(rest)
    with nullcontext() if Path(place).is_dir() else offline_if_unreachable():
        split = options.get("split") or _find_only_split(place, options.get("config"))
        dataset = _open_dataset(place, options.get("config"), split)
    address = write_address("huggingface", place, {**options, "split": split})
    features = dataset.features
    types = features.arrow_schema
    images = [name for name, feature in features.items() if isinstance(feature, Image)]
    candidates = images or [field.name for field in types if is_image_type(field.type)]
    labels = [name for name, feature in features.items() if isinstance(feature, ClassLabel)]
    image = choose_columns("image", options, dataset.column_names, candidates, address=address)
    label = choose_columns("label", options, dataset.column_names, labels, address=address)
    if image not in images:
        require_image_type(types.field(image).type, image, address=address)
    column = dataset.select_columns([label]).with_format("arrow")[:].column(label)
    names = features[label].names if label in labels else None
    try:
        stored = dataset.select_columns([image]).cast_column(image, Image(decode=False))
    except (TypeError, pa.ArrowException) as error:
        kind = types.field(image).type
        msg = (
            f"{address}: the column {image} holds {kind}, not images as the hub keeps them ({first_line(error)}); try parquet:FILE."
        )
        raise ImagesError(msg) from error
    rows = _Rows(stored, image, split)
    ids = rows.ids()
    numbers, class_names = read_labels(column, names, classes, name=label, ids=ids, address=address)
    return ImageSet(address=address, ids=ids, labels=numbers, class_names=class_names, read=rows)


@final
class _Rows:
    """Reads the stored bytes of images by id. One thread reads at a time; the library maps its files into memory."""

    def __init__(self, dataset: Dataset, column: str, split: str) -> None:
        self._dataset, self._column, self._split, self._lock = dataset, column, split, Lock()

    def ids(self) -> tuple[str, ...]:
        return tuple(f"{self._split}#{row}" for row in range(len(self._dataset)))

    def __call__(self, name: str) -> bytes:
        with self._lock:
            stored = self._dataset[int(name.rpartition("#")[2])][self._column]
        if stored is None:
            msg = f"{name} (the row has no image)"
            raise ImagesError(msg)
        if stored["bytes"] is not None:
            return bytes(stored["bytes"])
        try:
            return Path(stored["path"]).read_bytes()
        except OSError as error:
            msg = f"{stored['path']} can't be read ({error.strerror}); was it moved? Put it back or measure a new study."
            raise ImagesError(msg) from error


def _find_place(rest: str) -> str:
    folder = Path(rest).expanduser()
    if folder.is_dir():
        return str(folder.resolve())  # a study is run on from wherever one stands
    if rest.startswith((".", "/", "~")) or rest.count("/") > 1:
        msg = f"there is no folder {folder}; give one in the hub's format, or ORG/NAME of the Hugging Face hub."
        raise MissingFileError(msg)
    return rest


def _find_only_split(place: str, configuration: str | None) -> str:
    try:
        splits = get_dataset_split_names(place, configuration)
    except Exception as error:
        raise _describe_failure(error, place, configuration, "") from error
    if len(splits) > 1:
        msg = f"{place} has the splits {', '.join(splits)}; choose one by split=NAME."
        raise ImagesError(msg)
    return str(splits[0])


def _open_dataset(place: str, configuration: str | None, split: str) -> Dataset:
    try:
        return load_dataset(place, configuration, data_files=_list_files(place, configuration, split), split=split)
    except Exception as error:
        raise _describe_failure(error, place, configuration, split) from error


def _list_files(place: str, configuration: str | None, split: str) -> dict[str, list[str]] | None:
    """The files of one split, since the library fetches and prepares all that it is not told to leave; None where it can't say."""
    files = load_dataset_builder(place, configuration).config.data_files or {}
    (name,) = re.findall(r"^\w[\w.-]*", split) or [split]
    return {name: list(files[name])} if len(files) > 1 and name in files else None


def _describe_failure(error: Exception, place: str, configuration: str | None, split: str) -> Exception:
    """What the library says, as one sentence that says what to do."""
    page = f"https://huggingface.co/datasets/{place}"
    if isinstance(error, DatasetNotFoundError) and "gated" in str(error):
        then = "the owner of the token that was sent has not yet" if get_token() else f"then give {TOKEN}"
        return ImagesError(f"{place} is gated: accept its terms at {page} ({then}).")
    if isinstance(error, DatasetNotFoundError) and "Revision" not in str(error):
        private = "if it is private, the token that was sent may not read it" if get_token() else f"if it is private, give {TOKEN}"
        return ImagesError(f"the Hugging Face hub has no data set {place}; check the spelling, or {private}.")
    if isinstance(error, HfHubHTTPError) and error.response.status_code in _REFUSED:
        return ImagesError(f"the Hugging Face hub refuses the token that was sent for {place}; give {TOKEN}, or none.")
    if isinstance(error, ConnectionError):
        cache = f"not in the cache ({config.HF_DATASETS_CACHE})"
        return ImagesError(f"{place} is {cache}, and {explain_offline()}; go online once, or give a folder that holds its files.")
    return _explain_unknown(error, place, configuration, split) or ImagesError(
        f"{place} can't be loaded as a data set of images ({first_line(error)}); give one with its data in Parquet or image files."
    )


def _explain_unknown(error: Exception, place: str, configuration: str | None, split: str) -> Exception | None:
    """A split or a config that the data set doesn't have."""
    if not isinstance(error, ValueError):
        return None
    text = str(error)
    if "BuilderConfig" in text or "Config name is missing" in text:
        return _explain_unknown_name("config", configuration or "", get_dataset_config_names(place), place)
    if "Unknown split" in text:
        return _explain_unknown_name("split", split.partition("[")[0], get_dataset_split_names(place, configuration), place)
    return None


def _explain_unknown_name(option: str, name: str, known: Any, place: str) -> Exception:  # noqa: ANN401  (the library is untyped)
    if not name:
        return ImagesError(f"{place} has the {option}s {', '.join(known)}; choose one by {option}=NAME.")
    return UnknownNameError(option, name, known, f"{place} has {', '.join(known)}.")
