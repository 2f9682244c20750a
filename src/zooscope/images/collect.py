"""Image sets of whatever holds images in Python: addresses, arrays with labels, data sets of torch."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Final, final

import numpy as np
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import DataLoader

from zooscope.addresses import Address, write_address
from zooscope.arguments import check_arguments
from zooscope.errors import ImagesError, InvalidValueError, describe_kind
from zooscope.images.class_order import find_classes, order_classes, order_numbers
from zooscope.images.image_set import ImageSet
from zooscope.images.levels import encode_image
from zooscope.images.load import load_images
from zooscope.images.stored_labels import store_texts

ARRAYS: Final = "arrays"  # the address of images that no provider finds again has no colon
PAIR: Final = 2
FORMS: Final = "an address such as bundled:cifar10, a pair (images, labels), a data set of (image, label) items, or an ImageSet"


@check_arguments
def collect_images(given: object, *, classes: str | Path | Sequence[str] | None = None, num_classes: int | None = None) -> ImageSet:
    """The images that are given, in any of these forms.

    - An `ImageSet` stays as it is.
    - A text is an address for `load_images`; a `Path` is a folder with a subfolder for each class.
    - A pair `(images, labels)` is a tuple. Images: an array or tensor of shape (image, height, width, 3), (image, 3, height, width)
      or (image, height, width), or a list of single ones or of PIL's. uint8; or floats in [0, 1] that are multiples of 1/255, as
      torchvision's `ToTensor` makes them: others are refused, as rounding would change the images.
    - A data set of torch, or a list: `given[row]` is a pair of one image, as above, and its label. Each is read once now and again
      when it is needed; it must be the same each time.

    Labels are whole numbers, indices of the classifiers' outputs that count from 0, or class names.

    Args:
        given: the images.
        classes: as for `load_images`; of a data set else its `classes`.
        num_classes: of the classifiers: how many classes there are at least where nothing names them.

    Raises:
        InvalidValueError: it is none of these, or an `ImageSet` and `classes`.
        ImagesError: an image or a label can't be used; it is named.
        ZooscopeError: what `load_images` raises.

    Example:
        >>> import numpy as np
        >>> import zooscope
        >>> zooscope.collect_images((np.zeros((4, 32, 32, 3), dtype=np.uint8), [0, 1, 1, 0]), classes=["cat", "dog"])
        ImageSet('arrays', 4 images, 2 classes)
    """
    if isinstance(given, ImageSet):
        if classes is not None:
            msg = f"{given.address} has its classes already; give classes= where it is made."
            raise InvalidValueError(msg)
        return given
    if isinstance(given, Path):
        return load_images(write_address("folder", given), classes=classes)
    if isinstance(given, str | Address):
        return load_images(given, classes=classes)
    if isinstance(given, DataLoader):
        msg = "images must be a data set, not its DataLoader, which draws batches; give loader.dataset."
        raise InvalidValueError(msg)
    names = find_classes(Path(classes)) if isinstance(classes, str | Path) else None if classes is None else tuple(classes)
    if isinstance(given, tuple) and len(given) == PAIR:
        return _widen(_collect_pair(*given, classes=names), names, num_classes)
    if _is_dataset(given):
        return _widen(_collect_dataset(given, classes=names), names or _find_names(given), num_classes)
    msg = f"images must be {FORMS}: got {describe_kind(given)}."
    raise InvalidValueError(msg)


@final
class _Rows:
    """The images of a data set, read one at a time; each must be the same as when it was first read."""

    def __init__(self, dataset: Any, address: str) -> None:  # noqa: ANN401  (whatever has items)
        self._dataset, self._address, self._lock = dataset, address, Lock()
        self.labels: list[object] = []
        self._digests: list[bytes] = []
        for row in range(len(dataset)):
            image, label = self._read(row)
            self.labels.append(label)
            self._digests.append(hashlib.sha256(image).digest())

    def __call__(self, name: str) -> bytes:
        row = int(name.rpartition("#")[2])
        image, _ = self._read(row)
        if hashlib.sha256(image).digest() != self._digests[row]:
            msg = f"{_place(self._address, row)} is another image each time it is read; leave out random changes of the images."
            raise ImagesError(msg)
        return image

    def _read(self, row: int) -> tuple[bytes, object]:
        place = _place(self._address, row)
        with self._lock:  # data sets are seldom made for threads
            try:
                item = self._dataset[row]
            except Exception as error:  # on reading, a data set may raise anything
                msg = f"{place} can't be read ({type(error).__name__}: {error})"
                raise ImagesError(msg) from error
        if not isinstance(item, tuple | list) or len(item) != PAIR:
            msg = f"{place} must be a pair of an image and its label: got {describe_kind(item)}."
            raise ImagesError(msg)
        return encode_image(item[0], place=place), item[1]


def _collect_pair(images: object, labels: object, *, classes: tuple[str, ...] | None) -> ImageSet:
    if not isinstance(images, np.ndarray | Tensor | list | tuple) or getattr(images, "ndim", 1) == 0:
        msg = f"of a pair (images, labels) the first must be an array, a tensor or a list of images: got {describe_kind(images)}."
        raise InvalidValueError(msg)
    read_labels = _list_labels(labels)
    if len(images) != len(read_labels):
        msg = f"{ARRAYS}: {len(images)} images for {len(read_labels)} labels; give one label per image."
        raise ImagesError(msg)
    files = [encode_image(image, place=_place(ARRAYS, row)) for row, image in enumerate(images)]
    return _make(ARRAYS, read_labels, None, classes, lambda name: files[int(name.rpartition("#")[2])])


def _collect_dataset(dataset: Any, *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ANN401  (whatever has items)
    address = f"{ARRAYS} of {type(dataset).__name__}"
    rows = _Rows(dataset, address)
    return _make(address, rows.labels, _find_names(dataset), classes, rows)


def _is_dataset(given: object) -> bool:
    """Whether something has numbered items; a mapping, a table or an array has not that kind."""
    has_items = hasattr(type(given), "__getitem__") and hasattr(type(given), "__len__")
    return has_items and not isinstance(given, np.ndarray | Tensor | tuple | bytes) and not hasattr(given, "keys")


def _make(
    address: str,
    labels: Sequence[object],
    names: tuple[str, ...] | None,
    classes: tuple[str, ...] | None,
    read: Callable[[str], bytes],
) -> ImageSet:
    values = [_take_scalar(label) for label in labels]
    if not values:
        msg = f"{address} holds no image; give at least one."
        raise ImagesError(msg)

    def place(row: int) -> str:
        return f"image {row}"

    if all(isinstance(value, str) for value in values):
        indices, found = order_classes(store_texts(map(str, values), place), classes, address=address)
    else:
        indices, found = order_numbers(_take_numbers(values, address), names, classes, place=place, address=address)
    return ImageSet(
        address=address,
        ids=tuple(f"image#{row}" for row in range(len(values))),
        labels=indices,
        class_names=found,
        read=read,
        has_given_classes=classes is not None,
    )


def _take_scalar(label: object) -> object:
    """A number of Python for one of NumPy or torch."""
    is_scalar = isinstance(label, np.generic | np.ndarray | Tensor) and label.ndim == 0
    return label.item() if is_scalar else label  # type: ignore[attr-defined]


def _take_numbers(values: Sequence[object], address: str) -> Int[np.ndarray, " image"]:
    for row, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int):
            msg = f"{_place(address, row)} has the label {value!r}; labels must be whole numbers, counted from 0, or class names."
            raise ImagesError(msg)
    return np.array(values, dtype=np.int64)


def _list_labels(labels: object) -> list[object]:
    if isinstance(labels, np.ndarray | Tensor):
        if labels.ndim != 1:
            advice = "; of one-hot labels give labels.argmax(1)" if labels.ndim == PAIR else ""
            msg = f"{ARRAYS}: labels must be of shape (image,): got {tuple(labels.shape)}{advice}."
            raise ImagesError(msg)
        return list(labels.tolist())
    if not isinstance(labels, list | tuple):
        msg = f"of a pair (images, labels) the second must be an array, a tensor or a list of labels: got {describe_kind(labels)}."
        raise InvalidValueError(msg)
    return list(labels)


def _find_names(dataset: object) -> tuple[str, ...] | None:
    """The class names that a data set has, or the one of which it is a part."""
    while dataset is not None:
        names: Any = getattr(dataset, "classes", None)
        if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
            return tuple(names)
        dataset = getattr(dataset, "dataset", None)
    return None


def _widen(images: ImageSet, names: tuple[str, ...] | None, num_classes: int | None) -> ImageSet:
    """The classifiers may have more classes than there are labels; where they have names, these are all."""
    unnamed = names is None and images.class_names == tuple(map(str, range(len(images.class_names))))
    if not unnamed or num_classes is None or num_classes <= len(images.class_names):
        return images
    return replace(images, class_names=tuple(map(str, range(num_classes))))


def _place(address: str, row: int) -> str:
    return f"{address}, image {row}"
