"""Images in tar files as WebDataset writes them: for each key an image, KEY.jpg, and its class, KEY.cls."""

import glob
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, final

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, InvalidValueError, MissingFileError, first_line
from zooscope.images.class_order import class_order, labels_of, parse_labels, reordered
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.folder import SUFFIXES

OPTIONS: Final = ("image", "label")
_RANGE: Final = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS: Final = 1_000_000
_LONGEST_LABEL: Final = 2**20


class _Place(NamedTuple):
    """Where the bytes of an image are."""

    shard: Path
    start: int
    size: int


class _Sample(NamedTuple):
    """An image and its label, as they are written."""

    name: str
    place: _Place
    label: str


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """The images of one shard or several; only headers and labels are read before an image is asked for.

    Args:
        rest: a tar file that is not compressed, or a pattern: `shard-{0000..0003}.tar`, `shard-*.tar`.
        options: `label`, the ending of the members that hold a class, its index or its name; cls if left out. `image`, the ending
            of the images, needed where a key has several.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        MissingFileError: a shard is not there.
        InvalidValueError: the pattern's numbers run backwards.
        ImagesError: a shard is compressed or damaged, a key lacks image or label, or labels don't fit the classes.
    """
    pattern = str(Path(rest).expanduser().resolve())  # a study is run on from wherever one stands
    address = write_address("webdataset", pattern, options)
    shards = _shards(pattern, address=address)
    root = Path(os.path.commonpath([shard.parent for shard in shards]))
    endings = frozenset({f".{options['image'].lower()}"}) if "image" in options else SUFFIXES
    label_ending = f".{options.get('label', 'cls').lower()}"
    samples = [sample for shard in shards for sample in _samples(shard, root, endings, label_ending, address=address)]
    if not samples:
        msg = f"{address} holds no image; shards hold members KEY.jpg with KEY{label_ending}."
        raise ImagesError(msg)
    texts = [sample.label for sample in samples]
    if all(text.isascii() and text.isdecimal() for text in set(texts)) and not (classes and set(texts) <= set(classes)):
        labels, class_names = reordered(parse_labels(texts, address=address), None, classes, address=address)
    else:
        class_names = class_order(texts, classes, address=address)
        labels = labels_of(texts, class_names)
    read = _Members({sample.name: sample.place for sample in samples})
    return ImageSet(
        address=address, ids=tuple(sample.name for sample in samples), labels=labels, class_names=class_names, read=read
    )


@final
class _Members:
    """Reads images by id; each thread opens the file for itself."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self._places = places

    def __call__(self, name: str) -> bytes:
        shard, start, size = self._places[name]
        try:
            with shard.open("rb") as file:
                file.seek(start)
                return file.read(size)
        except OSError as error:
            msg = f"{shard} can't be read ({error.strerror}); was it moved? Put it back or measure a new study."
            raise ImagesError(msg) from error


def _shards(pattern: str, *, address: str) -> list[Path]:
    names = list(_expanded(pattern, address=address))
    is_glob = glob.has_magic(pattern) and not any(Path(name).exists() for name in names)
    found = sorted({path for name in names for path in glob.glob(name, recursive=True)}) if is_glob else names  # noqa: PTH207  (absolute)
    missing = [name for name in found if not Path(name).is_file()]
    if missing or not found:
        first, count = (missing[0], len(missing)) if missing else (pattern, 1)
        forms = "FILE.tar, shard-{0000..0003}.tar or shard-*.tar"
        msg = f"{address}: there is no file {first} ({count} such); give tar files, as {forms}."
        raise MissingFileError(msg)
    return [Path(name) for name in found]


def _expanded(pattern: str, *, address: str) -> Iterator[str]:
    """The names that {0000..0003} stands for, as a shell expands it."""
    match = _RANGE.search(pattern)
    if not match:
        yield pattern
        return
    first, last = int(match[1]), int(match[2])
    if not first <= last < first + _MOST_SHARDS:
        msg = f"{address}: {match[0]} must count up, to at most {_MOST_SHARDS} shards."
        raise InvalidValueError(msg)
    for number in range(first, last + 1):
        filled = pattern[: match.start()] + str(number).zfill(len(match[1])) + pattern[match.end() :]
        yield from _expanded(filled, address=address)


def _samples(shard: Path, root: Path, endings: frozenset[str], label_ending: str, *, address: str) -> list[_Sample]:
    """Images with their labels, in the order of the shard."""
    images: list[tuple[str, str, _Place]] = []
    labels: dict[str, str] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                folder, slash, file = member.name.rpartition("/")
                stem, _, ending = file.partition(".")  # a key ends at the first dot, as WebDataset has it
                key, ending = f"{folder}{slash}{stem}", f".{ending.lower()}"
                if member.isdir() or not stem:
                    continue
                if ending == label_ending:
                    labels[key] = _label(archive, shard, member, address=address)
                elif ending in endings:
                    images.append((key, member.name, _place(shard, member, address=address)))
    except (tarfile.TarError, OSError, UnicodeDecodeError) as error:
        msg = f"{address}: {shard} is no plain tar file, or a damaged one ({first_line(error)}); unpack it if it is compressed."
        raise ImagesError(msg) from error
    twice = [key for key, count in Counter(key for key, _, _ in images).items() if count > 1]
    if twice:
        msg = f"{address}: {shard} has several images of the key {twice[0]}; choose one by image=ENDING."
        raise ImagesError(msg)
    lacking = [name for key, name, _ in images if not labels.get(key)]
    if lacking:
        msg = f"{address}: {shard} has no {label_ending} for {lacking[0]} ({len(lacking)} such); choose another by label=ENDING."
        raise ImagesError(msg)
    prefix = shard.relative_to(root).as_posix()
    return [_Sample(f"{prefix}/{name}", place, labels[key]) for key, name, place in images]


def _label(archive: tarfile.TarFile, shard: Path, member: tarfile.TarInfo, *, address: str) -> str:
    """The text of a member; empty for a folder."""
    _require_plain(shard, member, address=address)
    if member.size > _LONGEST_LABEL:
        msg = f"{address}: {member.name} in {shard} has {member.size} bytes, so it is no label; choose another by label=ENDING."
        raise ImagesError(msg)
    content = archive.extractfile(member)
    return content.read().decode("utf-8").strip() if content else ""


def _place(shard: Path, member: tarfile.TarInfo, *, address: str) -> _Place:
    _require_plain(shard, member, address=address)
    return _Place(shard, member.offset_data, member.size)


def _require_plain(shard: Path, member: tarfile.TarInfo, *, address: str) -> None:
    if not member.isreg() or member.issparse() or member.size < 0:
        what = "has a negative size" if member.size < 0 else "is a link or has holes"
        msg = f"{address}: {member.name} in {shard} {what}; write the shard with plain files."
        raise ImagesError(msg)
