"""A probe pack: images attacked through some landmarks, with all that other classifiers need to be tested on them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from zooscope.attacks.base import Attack
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.images.image_set import ImageSet
from zooscope.kept.packing import pack, unpack
from zooscope.probe.pack_file import PackFile, write_pack_file
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.records import GIVEN_CLASSES
from zooscope.records.rows import ArrayRow
from zooscope.words import format_count

LEVELS: Final = 255


@dataclass(frozen=True, kw_only=True, eq=False)
class Landmark:
    """A classifier through which the images of a pack were attacked.

    Attributes:
        record: the classifier, as a study's record knows it.
        components: its architectural components, by name.
        guesses: names of those that are guesses.
    """

    record: ClassifierRecord
    components: Mapping[str, str]
    guesses: frozenset[str]


@final
class Pack:
    """A pack in a file; arrays are read, and compared with their checksums, when they are asked for.

    Example:
        >>> import tempfile
        >>> import zooscope
        >>> file, names = f"{tempfile.mkdtemp()}/pack.zoo", ["bundled:resnet", "bundled:vit"]
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(iterations=2)
        >>> with zooscope.Study.in_memory(classifiers=names, images=images, attack=attack) as study:
        ...     study.run(device="cpu")
        ...     made = zooscope.probe.make(study, file, landmarks=names, device="cpu")
        >>> pack = zooscope.probe.Pack(file)
        >>> pack.names
        ('bundled:resnet', 'bundled:vit')

    Attributes:
        path: of the file.
        digest: of its contents.
        definition: of the study that it was made from.
        notes: of that study's record.
        image_ids: the images.
        landmarks: in the order of the study.
    """

    def __init__(self, path: str | Path) -> None:
        """Opens a pack.

        Raises:
            MissingFileError: there is none.
            StudyError: it is no pack, one of another version, or damaged.
        """
        self._file = PackFile(path)
        described = self._file.description
        self.path, self.digest = self._file.path, self._file.digest
        self.definition = Definition(**described["definition"])
        self.notes: dict[str, str] = described["notes"]
        self.image_ids: tuple[str, ...] = tuple(described["image_ids"])
        self.landmarks = tuple(
            Landmark(record=ClassifierRecord(**one["record"]), components=one["components"], guesses=frozenset(one["guesses"]))
            for one in described["landmarks"]
        )
        self._rows: list[dict[str, Any]] = described["rows"]
        self._transforms: list[str] = described["transforms"]
        self._epsilon: float = described["epsilon"]

    def __repr__(self) -> str:
        """The file and the counts."""
        return f"Pack({str(self.path)!r}, {len(self.landmarks)} landmarks, {len(self.image_ids)} images)"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the landmarks."""
        return tuple(landmark.record.name for landmark in self.landmarks)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return tuple(self.definition.class_names.split("\n"))

    @property
    def labels(self) -> Int[np.ndarray, " image"]:
        """The true classes."""
        return self._file.read("labels").numpy()

    @property
    def rows(self) -> tuple[ArrayRow, ...]:
        """What was measured of the landmarks, on clean images and on each other's attacked ones, as rows of a record."""
        content, rows, start = self._file.read("rows").numpy().tobytes(), [], 0
        for described in self._rows:
            key, dtype, shape = dict(described), np.dtype(described["dtype"]), described["shape"]
            del key["dtype"], key["shape"]
            count = int(np.prod(shape))
            rows.append(ArrayRow(**key, values=np.frombuffer(content, dtype, count, start).reshape(shape)))
            start += count * dtype.itemsize
        return tuple(rows)

    @cached_property
    def images(self) -> ImageSet:
        """The clean images, as they were in their files."""
        content, ends = self._file.read("images").numpy().tobytes(), self._file.read("image_ends").tolist()
        parts = dict(zip(self.image_ids, zip([0, *ends], ends, strict=False), strict=True))

        def read(name: str) -> bytes:
            start, end = parts[name]
            return content[start:end]

        return ImageSet(
            address=self.definition.images,
            ids=self.image_ids,
            labels=self.labels,
            class_names=self.class_names,
            read=read,
            **{key: value for key, value in self._file.description["image_settings"].items() if value},
        )

    def read_clean(self, transform: str, shard: int) -> Float[Tensor, "image channel height width"]:
        """The images of a shard, clean, as landmarks with this transform take them; float32 in [0, 1].

        >>> pack.read_clean(pack.landmarks[0].record.transform, 0).shape
        torch.Size([20, 3, 32, 32])

        Args:
            transform: its `description`, as landmarks have it.
            shard: of the images, counted from 0.

        Raises:
            InvalidValueError: no landmark has this transform, or there is no such shard.
            StudyError: the file is damaged.
        """
        if transform not in self._transforms:
            msg = f"no landmark of {self.path} takes pixels as {transform!r} says; take the transform of one of its landmarks."
            raise InvalidValueError(msg)
        num_shards = -(-len(self.image_ids) // self.definition.shard_size)
        if not 0 <= shard < num_shards:
            msg = f"{self.path} has {format_count(num_shards, 'shard')}, counted from 0: got shard {shard}."
            raise InvalidValueError(msg)
        kept = self._file.read(f"clean/{self._transforms.index(transform)}/{shard}")
        return kept.to(torch.float32) / LEVELS if kept.dtype == torch.uint8 else kept

    def read_attacked(
        self, name: str, shard: int, source_right: Bool[np.ndarray, " image"]
    ) -> Float[Tensor, "attacked channel height width"]:
        """The images of a shard that a landmark gets right, attacked through it; float32 in [0, 1], at its size.

        >>> [said] = [row.values for row in pack.rows if (row.kind, row.subject) == ("clean", "bundled:vit")]
        >>> pack.read_attacked("bundled:vit", 0, said == pack.labels).shape
        torch.Size([16, 3, 32, 32])

        Args:
            name: of the landmark.
            shard: of the images, counted from 0.
            source_right: which images of the shard the landmark gets right.

        Raises:
            UnknownNameError: the pack has no such landmark.
            InvalidValueError: there is no such shard.
            StudyError: the file is damaged.
        """
        if name not in self.names:
            kind = "landmark"
            raise UnknownNameError(kind, name, self.names, f"{self.path} has {', '.join(self.names)}.")
        place = self.names.index(name)
        clean = self.read_clean(self.landmarks[place].record.transform, shard)[torch.from_numpy(source_right)]
        return unpack(self._file.read(f"attacked/{place}/{shard}").numpy().tobytes(), clean, epsilon=self._epsilon)

    def check(self) -> None:
        """Compares every part with its checksum.

        >>> pack.check()  # no error: nothing is damaged

        Raises:
            StudyError: one is not as it was written.
        """
        self._file.check()


@final
class PackWriter:
    """Gathers the parts of a pack, shard by shard, and writes it."""

    def __init__(
        self,
        *,
        definition: Definition,
        notes: Mapping[str, str],
        images: ImageSet,
        landmarks: Sequence[Landmark],
        attack: Attack,
    ) -> None:
        """Takes what is known before anything is attacked."""
        self._transforms = list(dict.fromkeys(one.record.transform for one in landmarks))
        self._places = {one.record.name: place for place, one in enumerate(landmarks)}
        self._epsilon = float(getattr(attack, "epsilon", 0.0))
        files = [images.read(name) for name in images.ids]
        self._arrays: dict[str, Tensor] = {
            "labels": torch.from_numpy(np.asarray(images.labels, dtype=np.int64)),
            "images": torch.frombuffer(bytearray(b"".join(files)), dtype=torch.uint8),
            "image_ends": torch.tensor(np.cumsum([len(data) for data in files]), dtype=torch.int64),
        }
        self._rows: list[dict[str, Any]] = []
        self._values: list[bytes] = []
        self._description: dict[str, Any] = {
            "definition": asdict(definition),
            "notes": dict(notes),
            "image_ids": list(images.ids),
            "image_settings": {"bits": images.bits, "has_given_classes": GIVEN_CLASSES in notes},
            "landmarks": [
                {"record": asdict(one.record), "components": dict(one.components), "guesses": sorted(one.guesses)}
                for one in landmarks
            ],
            "transforms": self._transforms,
            "epsilon": self._epsilon,
        }

    def add_clean(self, transform: str, shard: int, pixels: Float[Tensor, "image channel height width"]) -> None:
        """Enters the clean images of a shard as landmarks with this transform take them, without loss."""
        self._arrays[f"clean/{self._transforms.index(transform)}/{shard}"] = shrink(pixels)

    def add_attacked(
        self,
        name: str,
        shard: int,
        attacked: Float[Tensor, "attacked channel height width"],
        clean: Float[Tensor, "attacked channel height width"],
    ) -> None:
        """Enters the attacked images of a shard, packed without loss against the same images unattacked."""
        data = pack(attacked.cpu(), clean, epsilon=self._epsilon) if len(attacked) else b""
        self._arrays[f"attacked/{self._places[name]}/{shard}"] = torch.frombuffer(bytearray(data or b"\0"), dtype=torch.uint8)

    def add_row(self, row: ArrayRow) -> None:
        """Enters something that was measured of landmarks."""
        values = np.asarray(row.values)
        values = values.astype(values.dtype.newbyteorder("<"), order="C")
        place = {"kind": row.kind, "digest": row.digest, "subject": row.subject, "object": row.object, "part": row.part}
        self._rows.append(place | {"dtype": values.dtype.str, "shape": list(values.shape)})
        self._values.append(values.tobytes())

    def write(self, path: Path) -> None:
        """Writes the pack, as a whole or not at all.

        Raises:
            StudyError: it can't be written.
        """
        rows = torch.frombuffer(bytearray(b"".join(self._values)), dtype=torch.uint8)
        write_pack_file(path, self._description | {"rows": self._rows}, self._arrays | {"rows": rows})


def shrink(pixels: Float[Tensor, "*pixels"]) -> Shaped[Tensor, "*pixels"]:
    """Pixels in 8 bits, if these hold them without loss; else as they are."""
    levels = (pixels * LEVELS).round().to(torch.uint8)
    return levels if torch.equal(levels.to(torch.float32) / LEVELS, pixels) else pixels
