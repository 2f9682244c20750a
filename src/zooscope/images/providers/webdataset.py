"""Images in tar files as WebDataset writes them: for each key an image, KEY.jpg, and its class, KEY.cls."""

import glob
import json
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, final

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, InvalidValueError, MissingFileError, first_line
from zooscope.images.class_order import order_classes
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.files import LITTER, SUFFIXES
from zooscope.images.stored_labels import store_texts, write_value
from zooscope.stand_ins import find_stand_in

OPTIONS: Final = ("image", "label")
_RANGE: Final = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_SHARDS: Final = 1_000_000
_LONGEST_LABEL: Final = 2**20
_JSON: Final = "json"


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


class _Wanted(NamedTuple):
    """Which members hold images, which labels; endings are in lower case and begin with a dot."""

    images: frozenset[str]
    label: str
    field: str  # of a label in JSON, empty where the label is all of it

    @property
    def is_json(self) -> bool:
        return self.label.endswith(f".{_JSON}")


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """The images of one shard or several; only headers and labels are read before an image is asked for.

    A key ends at the first dot of a name, as WebDataset has it; where there is no such sample, at a later dot.

    Args:
        rest: a tar file that is not compressed, or a pattern: `shard-{0000..0003}.tar`, `shard-*.tar`.
        options: `label`, the ending of the members that hold a class, its index or its name; cls if left out. `json:FIELD` takes a
            field of JSON. `image`, the ending of the images, needed where a key has several.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        MissingFileError: a shard is not there.
        InvalidValueError: the pattern's numbers run backwards.
        ImagesError: a shard is compressed or damaged, a key lacks image or label, or labels don't fit the classes.
    """
    pattern = str(Path(rest).expanduser().resolve())  # a study is run on from wherever one stands
    address = write_address("webdataset", pattern, options)
    shards = _list_shards(pattern, address=address)
    root = Path(os.path.commonpath([shard.parent for shard in shards]))
    ending, _, field = options.get("label", "cls").partition(":")
    images = frozenset({f".{options['image'].lower()}"}) if "image" in options else SUFFIXES
    wanted = _Wanted(images, f".{ending.lower()}", field)
    samples: list[_Sample] = []
    left_out = Counter[str]()
    for shard in shards:
        some, others = _read_shard(shard, root, wanted, address=address)
        samples += some
        left_out += others
    if not samples:
        kinds = ", ".join(kind for kind, _ in left_out.most_common(3))
        has = f" (it has {kinds})" if kinds else ""
        shape = f"shards hold members KEY.jpg with KEY{wanted.label}, or others by image=ENDING"
        msg = f"{address} holds no image{has}; {shape}."
        raise ImagesError(msg)
    ids = tuple(sample.name for sample in samples)
    labels, class_names = order_classes(
        store_texts((sample.label for sample in samples), ids.__getitem__), classes, address=address
    )
    read = _Members({sample.name: sample.place for sample in samples})
    return ImageSet(
        address=address, ids=ids, labels=labels, class_names=class_names, read=read, left_out=dict(left_out.most_common())
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


def _list_shards(pattern: str, *, address: str) -> list[Path]:
    names = list(_expand(pattern, address=address))
    is_glob = glob.has_magic(pattern) and not any(Path(name).exists() for name in names)
    found = sorted({path for name in names for path in glob.glob(name, recursive=True)}) if is_glob else names  # noqa: PTH207  (absolute)
    missing = [name for name in found if not Path(name).is_file()]
    if missing or not found:
        first, count = (missing[0], len(missing)) if missing else (pattern, 1)
        forms = "FILE.tar, shard-{0000..0003}.tar or shard-*.tar"
        msg = f"{address}: there is no file {first} ({count} such); give tar files, as {forms}."
        raise MissingFileError(msg)
    return [Path(name) for name in found]


def _expand(pattern: str, *, address: str) -> Iterator[str]:
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
        yield from _expand(filled, address=address)


def _read_shard(shard: Path, root: Path, wanted: _Wanted, *, address: str) -> tuple[list[_Sample], Counter[str]]:
    """Images with their labels, in the order of the shard, and how many members of each kind belong to no image."""
    prefix = shard.relative_to(root).as_posix()
    try:
        with tarfile.open(shard, "r:") as archive:
            members = [member for member in archive if not member.isdir() and not _is_litter(member.name)]
            images, labels = _find_images(members, wanted), _find_labels(members, wanted)
            _refuse_incomplete(shard, images, labels, wanted, address=address)
            samples = [
                _Sample(
                    f"{prefix}/{member.name}",
                    _describe_place(shard, member, address=address),
                    _read_label(archive, shard, labels[key], wanted, address=address),
                )
                for key, member in images
            ]
    except (tarfile.TarError, OSError, UnicodeDecodeError) as error:
        stand_in = find_stand_in(shard)
        msg = (
            f"{address}: {shard} is no plain tar file, or a damaged one ({first_line(error)}); unpack it if it is compressed."
            if stand_in is None
            else f"{address}: {shard} is {stand_in.what}; {stand_in.advice}."
        )
        raise ImagesError(msg) from error
    keys = {key for key, _ in images}
    unused = [labels[key].name for key in labels.keys() - keys]
    unused += [member.name for member in members if not keys.intersection(_list_possible_keys(member.name))]
    return samples, Counter(f"members {_split(name)[1] or 'without an ending'}" for name in set(unused))


def _is_litter(name: str) -> bool:
    *folders, file = name.lower().split("/")
    return file.startswith(".") or not LITTER.isdisjoint((*folders, file))


def _split(name: str) -> tuple[str, str]:
    """Key and ending as WebDataset has them: the key ends at the first dot behind the folders."""
    folder, slash, file = name.rpartition("/")
    stem, dot, ending = file.partition(".")
    return f"{folder}{slash}{stem}", f"{dot}{ending}".lower()


def _list_possible_keys(name: str) -> Iterator[str]:
    """The name up to each dot behind the folders."""
    start = name.rfind("/") + 1
    return (name[:place] for place in range(start, len(name)) if name[place] == ".")


def _find_labels(members: list[tarfile.TarInfo], wanted: _Wanted) -> dict[str, tarfile.TarInfo]:
    return {member.name[: -len(wanted.label)]: member for member in members if member.name.lower().endswith(wanted.label)}


def _find_images(members: list[tarfile.TarInfo], wanted: _Wanted) -> list[tuple[str, tarfile.TarInfo]]:
    """Keys and images. In `img.7.png` the key may be `img`, with a further image of it, or `img.7`: then `img` has nothing else."""
    plain = {
        key for key, ending in (_split(member.name) for member in members) if ending in wanted.images or ending == wanted.label
    }
    found = []
    for member in members:
        key, ending = _split(member.name)
        matching = [each for each in wanted.images if ending.endswith(each)]
        if ending in wanted.images:
            found.append((key, member))
        elif matching and key not in plain:
            found.append((member.name[: -len(max(matching, key=len))], member))
    return found


def _refuse_incomplete(
    shard: Path, images: list[tuple[str, tarfile.TarInfo]], labels: Mapping[str, tarfile.TarInfo], wanted: _Wanted, *, address: str
) -> None:
    twice = [key for key, count in Counter(key for key, _ in images).items() if count > 1]
    if twice:
        msg = f"{address}: {shard} has several images of the key {twice[0]}; choose one by image=ENDING."
        raise ImagesError(msg)
    lacking = [member.name for key, member in images if key not in labels]
    if lacking:
        msg = (
            f"{address}: {shard} has no {wanted.label} for {lacking[0]} ({len(lacking)} such); choose another by label=ENDING, or "
            "the images by image=ENDING."
        )
        raise ImagesError(msg)


def _read_label(archive: tarfile.TarFile, shard: Path, member: tarfile.TarInfo, wanted: _Wanted, *, address: str) -> str:
    _require_plain(shard, member, address=address)
    if member.size > _LONGEST_LABEL:
        msg = f"{address}: {member.name} in {shard} has {member.size} bytes, so it is no label; choose another by label=ENDING."
        raise ImagesError(msg)
    content = archive.extractfile(member)
    try:
        text = content.read().decode("utf-8").strip() if content else ""
    except UnicodeDecodeError as error:
        msg = f"{address}: {member.name} in {shard} is no text, so it is no label; choose another by label=ENDING."
        raise ImagesError(msg) from error
    return _read_label_in_json(text, f"{member.name} in {shard}", wanted, address=address) if wanted.is_json else text


def _read_label_in_json(text: str, name: str, wanted: _Wanted, *, address: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{address}: {name} is no JSON ({first_line(error)}); choose another by label=ENDING."
        raise ImagesError(msg) from error
    fields = ", ".join(map(str, value)) if isinstance(value, dict) else ""
    if wanted.field:
        value = value.get(wanted.field) if isinstance(value, dict) else None
    label = write_value(value)
    if label is None:
        has = f"has the fields {fields}" if fields else "has no fields"
        what = f"no name or number in the field {wanted.field}" if wanted.field else "no name or number alone"
        msg = f"{address}: {name} holds {what}; it {has}. Choose one by label={wanted.label[1:]}:FIELD."
        raise ImagesError(msg)
    return label


def _describe_place(shard: Path, member: tarfile.TarInfo, *, address: str) -> _Place:
    _require_plain(shard, member, address=address)
    return _Place(shard, member.offset_data, member.size)


def _require_plain(shard: Path, member: tarfile.TarInfo, *, address: str) -> None:
    if not member.isreg() or member.issparse() or member.size < 0:
        what = "has a negative size" if member.size < 0 else "is a link or has holes"
        msg = f"{address}: {member.name} in {shard} {what}; write the shard with plain files."
        raise ImagesError(msg)
