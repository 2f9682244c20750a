"""Labelled images: what they are called, what they show, and how to read them."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from zooscope.arguments import check_arguments
from zooscope.errors import ImagesError, InvalidValueError, ZooscopeError, describe_kind
from zooscope.images.decode import decode
from zooscope.images.left_out import describe_left_out
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import HasPixelTransform, PixelTransform
from zooscope.images.threads import map_in_order
from zooscope.inline.facts import format_facts
from zooscope.inline.heat_map import format_thumbnail
from zooscope.words import list_few

NUM_NAMED_IN_ERROR: Final = 5
NUM_SHOWN: Final = 8  # in a notebook
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # would speak to a terminal, or end the name


@check_arguments
@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSet:
    """Images with ids and labels; nothing is read before it is asked for.

    Attributes:
        address: what `load_images` took to find the set.
        ids: one name per image, unique.
        labels: one class per image, an index into `class_names`.
        class_names: the classes, in the order of the classifiers' outputs.
        read: gives the bytes of an image file by id; called from several threads at once.
        bits: how many bits the levels of the images have, where their files keep 16 or 32 bits and don't say it; see `decode`.
        has_given_classes: whether the user gave the order of the classes.
        left_out: what lies beside the images and is not used: how many of each kind, such as `.txt`.

    Example:
        >>> import numpy as np
        >>> import zooscope
        >>> images = zooscope.load_images("bundled:cifar10").sample(20)
        >>> images
        ImageSet('bundled:cifar10', 20 images, 10 classes)
        >>> np.bincount(images.labels).tolist()
        [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
        >>> images.pixels(zooscope.load_classifier("bundled:resnet")).shape
        torch.Size([20, 3, 32, 32])
    """

    address: str
    ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    class_names: tuple[str, ...]
    read: Callable[[str], bytes]
    bits: int | None = None
    has_given_classes: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses sets that contradict themselves, and names that are no text."""
        if not self.address.isprintable():
            msg = f"{self.address!a} is not all printable text (is a folder's name not in UTF-8?); rename it."
            raise ImagesError(msg)
        if len(self.ids) != len(self.labels):
            msg = f"{self.address}: {len(self.ids)} ids for {len(self.labels)} labels; give one label per image."
            raise ImagesError(msg)
        if not self.ids:
            msg = f"{self.address} holds no image; name a set with at least one."
            raise ImagesError(msg)
        if len(set(self.ids)) != len(self.ids):
            twice = Counter(self.ids).most_common(1)[0][0]
            msg = f"{self.address}: two images are called {twice}; ids must be unique."
            raise ImagesError(msg)
        odd = next((name for name in self.ids if _CONTROL.search(name)), None)
        if odd is not None:
            msg = f"{self.address}: the image {odd!r} has a control character in its name; rename it."
            raise ImagesError(msg)
        if self.labels.min() < 0 or self.labels.max() >= len(self.class_names):
            msg = (
                f"{self.address}: labels must lie in 0 to {len(self.class_names) - 1}: "
                f"got {self.labels.min()} to {self.labels.max()}."
            )
            raise ImagesError(msg)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.ids)

    def __repr__(self) -> str:
        """The address and the counts."""
        return f"ImageSet({self.address!r}, {len(self)} images, {len(self.class_names)} classes)"

    def _repr_html_(self) -> str:
        facts = {
            "address": self.address,
            "images": len(self),
            "classes": f"{len(self.class_names)}: {list_few(self.class_names, NUM_SHOWN)}",
            "left out": describe_left_out(self.left_out),
        }
        return format_facts("ImageSet", facts, self._show_some())

    def _show_some(self) -> str:
        """Some images from the first to the last, small; nothing where they can't be read."""
        places = np.linspace(0, len(self) - 1, min(NUM_SHOWN, len(self))).astype(int).tolist()
        try:
            shown = [(self.image(place), self.class_names[self.labels[place]]) for place in places]
        except (ZooscopeError, OSError):
            return ""
        return "".join(format_thumbnail(image, name) for image, name in shown)

    def take(self, indices: Sequence[int] | Int[np.ndarray, " chosen"]) -> "ImageSet":
        """The images at these positions, in this order.

        >>> images.take([19, 0]).ids == (images.ids[19], images.ids[0])
        True

        Raises:
            IndexError: there is no such position.
        """
        positions = np.asarray(indices, dtype=np.int64)
        return replace(self, ids=tuple(self.ids[position] for position in positions), labels=self.labels[positions])

    def sample(self, count: int, seed: int = 0) -> "ImageSet":
        """A stratified sample without replacement, in an order that spreads every class evenly.

        A smaller sample of the same seed is the beginning of a larger one, and every run of images within it is stratified, too.

        >>> images.sample(5).ids == images.sample(10).ids[:5]
        True

        Args:
            count: how many images; every class gets its share, rounded down or up.
            seed: decides which images of a class, and the order.

        Raises:
            InvalidValueError: `count` is not between 1 and the size of the set.
        """
        if not 1 <= count <= len(self):
            msg = f"a sample of {self.address} must have between 1 and {len(self)} images: got {count}."
            raise InvalidValueError(msg)
        return self.take(_order_by_stratum(self.labels, count, np.random.default_rng(seed)))

    def image(self, index: int) -> Image.Image:
        """One image as 8-bit RGB, at its own size.

        >>> images.image(0).mode, images.image(0).size  # width and height
        ('RGB', (32, 32))

        Raises:
            ImagesError: it can't be read.
            IndexError: there is no such position.
        """
        return decode(self.read(self.ids[index]), self.ids[index], bits=self.bits)

    def pixels(
        self, classifier: HasPixelTransform, indices: Iterable[int] | None = None
    ) -> Float[Tensor, "image channel height width"]:
        """Pixels as the classifier takes them.

        >>> images.pixels(zooscope.load_classifier("bundled:resnet"), [0, 1]).shape
        torch.Size([2, 3, 32, 32])

        Args:
            classifier: whose size, interpolation and crop apply.
            indices: which images, all of them by default.

        Returns:
            float32 in [0, 1], at the classifier's own size, on the CPU.

        Raises:
            ImagesError: an image can't be read.
            IndexError: there is no image at such a position.
            InvalidValueError: this is no classifier.
        """
        chosen = [int(index) for index in (range(len(self)) if indices is None else indices)]
        transform: object = classifier.transform
        if not isinstance(transform, PixelTransform):  # tables have a method of that name
            msg = f"images make pixels for a Classifier: got {describe_kind(classifier)}."
            raise InvalidValueError(msg)
        pixels = make_blank(len(chosen), transform.size)

        def fill(row: int) -> None:
            pixels[row] = make_pixels(transform, self.image(chosen[row]))

        for _ in map_in_order(fill, self.as_stored(chosen)):
            pass
        return pixels

    def as_stored(self, indices: Sequence[int]) -> list[int]:
        """The places within `indices` in the order in which their images are stored: what lies together is read together.

        An id that ends in a number behind a `#` is that row of a table; others are names of files.

        >>> images.ids[3:6], images.as_stored([3, 4, 5])
        (('horse/00020.png', 'deer/00769.png', 'bird/00183.png'), [2, 1, 0])
        """
        return sorted(range(len(indices)), key=lambda place: _read_stored(self.ids[indices[place]]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids, labels, class names and file contents; reads and decodes every image once.

        Raises:
            ImagesError: some images can't be decoded; they are counted and named.
        """
        total, damaged = hashlib.sha256("\0".join(self.class_names).encode()), []
        if self.bits is not None:  # other bits are other pixels
            total.update(f"\0bits={self.bits}".encode())
        order = self.as_stored(range(len(self)))
        inspected = dict(zip(order, map_in_order(self._inspect, (self.ids[place] for place in order)), strict=True))
        for place, (name, label) in enumerate(zip(self.ids, self.labels, strict=True)):
            content, fault = inspected[place]
            total.update(f"\0{name}\0{label}\0{content}".encode())
            if fault:
                damaged.append(fault)
        if damaged:
            msg = (
                f"{len(damaged)} of {len(self)} images in {self.address} can't be read: {list_few(damaged, NUM_NAMED_IN_ERROR)}. "
                "Remove or replace them, then run again."
            )
            raise ImagesError(msg)
        return total.hexdigest()

    def _inspect(self, name: str) -> tuple[str, str]:
        """The digest of an image file and what is wrong with it, if anything."""
        try:
            data = self.read(name)
            decode(data, name, bits=self.bits)
        except ImagesError as error:
            cause = error.__cause__
            return "", f"{name} ({cause.strerror})" if isinstance(cause, OSError) and cause.strerror else str(error)
        return hashlib.sha256(data).hexdigest(), ""


def _read_stored(name: str) -> tuple[str, int]:
    table, _, row = name.rpartition("#")
    return (table, int(row)) if table and row.isdecimal() else (name, 0)


def make_blank(count: int, size: tuple[int, int]) -> Float[Tensor, "image channel height width"]:
    """Room for pixels, to be filled by other threads; also where the caller is in inference mode, which they are not."""
    with torch.inference_mode(mode=False):
        return torch.empty((count, 3, *size), dtype=torch.float32)


def _order_by_stratum(labels: Int[np.ndarray, " image"], count: int, generator: np.random.Generator) -> list[int]:
    """The first `count` positions of an order in which every class has its share, rounded down or up, of every beginning.

    The member of rank r of a class of n among N images may come from place r N / n on and must come before place (r + 1) N / n.
    Taking at each place, of all that may come, the one that must come first keeps every such promise.
    """
    members, waiting, ready = {}, [], list[tuple[int, float, int, int]]()
    by_label = np.argsort(labels, kind="stable")  # one pass for all classes; within a class the positions ascend
    present, starts = np.unique(labels[by_label], return_index=True)
    for label, positions in zip(present.tolist(), np.split(by_label, starts[1:]), strict=True):
        members[label] = generator.permutation(positions)
        waiting.append((0, generator.random() / len(positions), label, 0))
    heapify(waiting)
    order: list[int] = []
    while len(order) < count:
        while waiting and waiting[0][0] <= len(order):
            _, tie, label, rank = heappop(waiting)
            heappush(ready, (-(-(rank + 1) * len(labels) // len(members[label])), tie, label, rank))
        _, tie, label, rank = heappop(ready)
        order.append(int(members[label][rank]))
        if rank + 1 < len(members[label]):
            heappush(waiting, ((rank + 1) * len(labels) // len(members[label]), tie, label, rank + 1))
    return order
