"""Images of torchvision's classification data sets, from a folder where they already lie."""

import io
from collections import Counter
from collections.abc import Mapping
from functools import partial
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int
from PIL import Image
from torchvision import datasets

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, InvalidValueError, UnknownNameError, first_line
from zooscope.images.class_order import order_numbers
from zooscope.images.image_set import ImageSet

OPTIONS: Final = ("root", "split", "train")
UNPICKLING: Final = ("LSUN", "LSUNClass")  # they unpickle a cache that may lie in the current folder: left out
_SIDES: Final = {"train": True, "test": False}
_TRUTH: Final = {"true": True, "false": False}
_LABELS: Final = ("targets", "labels", "_labels", "y")  # where data sets keep the labels, so that no image need be opened for them
_PAIRS: Final = ("samples", "_samples")


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """One of torchvision's data sets of (image, label); nothing is downloaded.

    Args:
        rest: the name of its class, such as `CIFAR10`.
        options: `root`, where it lies; `split`, as the constructor takes it, or `train` and `test` where the constructor has
            `train` instead; `train`, true or false, where it takes both.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        UnknownNameError: torchvision has no such data set, or it takes no such option.
        InvalidValueError: `root` is missing, or the choice of a split, or a value can't be used.
        ImagesError: the data are not there, or have no labels that are classes.
    """
    names = [name for name in datasets.__all__ if isinstance(getattr(datasets, name), type) and name not in UNPICKLING]
    if rest not in names:
        kind = "data set of torchvision"
        raise UnknownNameError(kind, rest, names, "Write a name of torchvision.datasets, such as CIFAR10 or ImageNet.")
    if "root" not in options:
        msg = f"torchvision:{rest} needs root=PATH, the folder that holds the data (torchvision.datasets.{rest}'s root)."
        raise InvalidValueError(msg)
    root = Path(options["root"]).expanduser().resolve()
    address = write_address("torchvision", rest, {**options, "root": str(root)})
    dataset = _make(rest, root, _read_arguments(rest, options), address=address)
    numbers = _find_labels(dataset, address=address)
    split = options.get("split", options.get("train", rest))
    ids = tuple(f"{split}#{row}" for row in range(len(numbers)))
    labels, class_names = order_numbers(numbers, _find_class_names(dataset), classes, place=ids.__getitem__, address=address)
    return ImageSet(
        address=address,
        ids=ids,
        labels=labels,
        class_names=class_names,
        read=partial(_read, dataset),
        left_out=_count_left_out(dataset),
    )


def _read_arguments(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """What the constructor takes of `split` and `train`."""
    parameters = _list_parameters(getattr(datasets, name))
    has_split, has_train = "split" in parameters, "train" in parameters
    arguments: dict[str, Any] = {"download": False} if "download" in parameters else {}
    if "split" in options and has_split:
        arguments["split"] = options["split"]
    elif "split" in options and has_train:
        arguments["train"] = _require_one_of("split", options, _SIDES)
    if "train" in options and has_train:
        arguments["train"] = _require_one_of("train", options, _TRUTH)
    takes = {"split": has_split or has_train, "train": has_train}
    unused = [option for option, is_taken in takes.items() if option in options and not is_taken]
    if unused:
        known = [option for option, is_known in (("root", True), ("split", has_split), ("train", has_train)) if is_known]
        kind = "option"
        raise UnknownNameError(kind, unused[0], known, f"torchvision:{name} takes {', '.join(known)}.")
    lacking = [option for option, is_known in (("split", has_split), ("train", has_train)) if is_known and option not in arguments]
    if lacking:  # the constructors' own choice is the training set, which no one should measure unawares
        choice = "split=NAME" if lacking[0] == "split" else "train=false" if has_split else "split=test or split=train"
        msg = f"torchvision:{name} has several parts; choose one by {choice}."
        raise InvalidValueError(msg)
    return arguments


def _list_parameters(kind: type) -> set[str]:
    """The names of a constructor's parameters, also of those that it hands on."""
    found: set[str] = set()
    for base in kind.__mro__:
        if "__init__" in vars(base):
            parameters = signature(vars(base)["__init__"]).parameters.values()
            found |= {parameter.name for parameter in parameters}
            if all(parameter.kind != Parameter.VAR_KEYWORD for parameter in parameters):
                break
    return found


def _require_one_of(option: str, options: Mapping[str, str], known: Mapping[str, bool]) -> bool:
    if options[option] not in known:
        raise UnknownNameError(option, options[option], known, f"Write {option}={f' or {option}='.join(known)}.")
    return known[options[option]]


def _make(name: str, root: Path, arguments: dict[str, Any], *, address: str) -> Any:  # noqa: ANN401  (torchvision is untyped)
    try:
        return getattr(datasets, name)(root, **arguments)
    except TypeError as error:
        msg = f"{address}: {name} is no data set of images with one label each ({first_line(error)}); take another."
        raise ImagesError(msg) from error
    except Exception as error:
        said = first_line(error).partition(" You can use download=True")[0].rstrip(".")
        msg = f"{address}: {name} can't be had from {root} ({said}); fetch it by torchvision.datasets.{name}, or name another root."
        raise ImagesError(msg) from error


def _find_labels(dataset: Any, *, address: str) -> Int[np.ndarray, " image"]:  # noqa: ANN401  (torchvision is untyped)
    found: Any = next((getattr(dataset, name) for name in _LABELS if hasattr(dataset, name)), None)
    pairs = next((getattr(dataset, name) for name in _PAIRS if hasattr(dataset, name)), None)
    if found is None and pairs is not None:
        found = [pair[1] for pair in pairs]
    labels = np.asarray([] if found is None else found)
    is_whole = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer) and len(labels) == len(dataset)
    is_of_folder = isinstance(dataset, datasets.DatasetFolder)  # its labels are known without opening an image
    if not is_whole or not len(labels) or not (is_of_folder or dataset[0][1] == labels[0]):
        msg = f"{address} has no list of one class for each image; take a data set for classification."
        raise ImagesError(msg)
    return labels.astype(np.int64)


def _find_class_names(dataset: Any) -> tuple[str, ...] | None:  # noqa: ANN401  (torchvision is untyped)
    """The name of each number: synsets where there are some, as ImageNet's other names are not unique."""
    for name in ("wnids", "classes"):
        found = getattr(dataset, name, None)
        if found and all(isinstance(each, str) for each in found):
            return tuple(found)
    return None


def _count_left_out(dataset: Any) -> dict[str, int]:  # noqa: ANN401  (torchvision is untyped)
    """Files beside the images of a folder that torchvision does not take, such as .jfif."""
    if not isinstance(dataset, datasets.DatasetFolder):
        return {}
    used, root = {Path(file) for file, _ in dataset.samples}, Path(dataset.root)
    others = [file for name in dataset.classes for file in (root / name).rglob("*") if file.is_file() and file not in used]
    kinds = Counter(f"files {file.suffix or 'without suffix'}" for file in others if not file.name.startswith("."))
    return dict(kinds.most_common())


def _read(dataset: Any, name: str) -> bytes:  # noqa: ANN401  (torchvision is untyped)
    """The stored file where there is one, else the levels that torchvision gives, as PPM or PGM."""
    row = int(name.rpartition("#")[2])
    try:
        if isinstance(dataset, datasets.DatasetFolder):
            return Path(dataset.samples[row][0]).read_bytes()
        image = dataset[row][0]
    except OSError as error:
        msg = f"{name} ({error.strerror or first_line(error)})"
        raise ImagesError(msg) from error
    file = io.BytesIO()
    _make_plain(image).save(file, "PPM")
    return file.getvalue()


def _make_plain(image: Image.Image) -> Image.Image:
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")
