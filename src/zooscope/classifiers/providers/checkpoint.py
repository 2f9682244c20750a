"""Checkpoints of one's own: weights in a file, an architecture of timm's with options or a function of one's own that builds it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import NUM_CHANNELS, Classifier
from zooscope.classifiers.final_softmax import drop_final_softmax
from zooscope.classifiers.first_pass import count_outputs
from zooscope.classifiers.options import (
    PREPROCESSING,
    adjust,
    parse_value,
    read_per_channel,
    read_whole_number,
    refuse_unknown,
    settle_num_classes,
)
from zooscope.classifiers.providers import bundled, timm
from zooscope.classifiers.providers.registry import BUNDLED, is_bundled, is_function
from zooscope.classifiers.weights import fill, read_checkpoint
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError, first_line
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = ("architecture", "num_classes", "part", *PREPROCESSING)
LOADING: Final = ("checkpoint_path", "cache_dir")  # timm loads files by these
NEEDED: Final = ("size", "mean", "std")
KEYWORD: Final = "architecture."
PREFIXES: Final = (KEYWORD,)


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A network filled from a checkpoint on disk.

    Args:
        rest: the checkpoint, a .safetensors or .pth file.
        options: `architecture` is required. As a name that timm knows it takes from timm whatever the other options, `num_classes`,
            `size`, `mean`, `std`, `interpolation`, `crop`, don't say; the number of classes is the checkpoint's. `part` says which
            of several networks in the file it is. As `bundled:NAME` it is an architecture of the bundled classifiers. As
            `package.module:function` it is imported from the Python path or the current folder, and called; then `size`, `mean` and
            `std` are required. Options `architecture.KEY=VALUE` are keywords for it; a value is read as in TOML (`96`, `true`,
            `[2, 2]`), else as text. The function gets `num_classes`, too, if that is given and it takes it.
        name: what to call the classifier.

    Raises:
        MissingFileError: there is no such checkpoint, or no such module.
        UnknownNameError: no such architecture, function or option.
        ClassifierError: the network can't be built, the weights don't fit, or it can't take images of that size.
        InvalidValueError: an option is missing, or its value can't be used.
    """
    keywords = {option.removeprefix(KEYWORD): parse_value(text) for option, text in options.items() if option.startswith(KEYWORD)}
    refuse_unknown(
        {option: text for option, text in options.items() if not option.startswith(KEYWORD)}, OPTIONS, provider="checkpoint"
    )
    architecture = options.get("architecture", "")
    if not architecture:
        msg = f"checkpoint:{rest} names no architecture; write ?architecture=NAME, or ?architecture=module:function."
        raise InvalidValueError(msg)
    file = Path(rest).expanduser().resolve()  # a study is run on from wherever one stands
    described = f"{architecture}({', '.join(f'{key}={value}' for key, value in keywords.items())})" if keywords else architecture
    if is_bundled(architecture):
        return _load_bundled(file, options, keywords, name=name)
    if is_function(architecture):
        return _load_by_function(file, options, keywords, name=name, described=described)
    for keyword, option in (("img_size", "size"), ("num_classes", "num_classes")):
        if keyword in keywords:
            msg = f"write {option}={keywords[keyword]} instead of {KEYWORD}{keyword}: it also says which images the network gets."
            raise InvalidValueError(msg)
    for keyword in keywords:
        if keyword in LOADING or keyword.startswith("pretrained"):
            msg = f"{KEYWORD}{keyword} would load other weights; those of {described} are in checkpoint:{rest}."
            raise InvalidValueError(msg)
    facts = timm.read_facts(architecture)
    tagged = ".".join(part for part in (facts.architecture, facts.tag) if part)
    filled = timm.fill_from_file(tagged, facts, file, options, what=described, keywords=keywords)
    address = _write_address(file, options, filled.part)
    return timm.make_classifier(
        filled.network,
        options,
        name=name,
        address=address,
        asked=described,
        architecture=described,
        class_names=filled.class_names,
    )


def _load_by_function(file: Path, options: Mapping[str, str], keywords: dict[str, Any], *, name: str, described: str) -> Classifier:
    lacking = [option for option in NEEDED if option not in options]
    if lacking:
        msg = (
            f"{described} is not timm's, so nobody knows what images it wants: add {', '.join(f'{option}=' for option in lacking)} "
            "(mean=0 and std=1 for pixels in [0, 1])."
        )
        raise InvalidValueError(msg)
    size = read_whole_number("size", options)
    checkpoint = read_checkpoint(file, part=options.get("part"))
    asked_classes = read_whole_number("num_classes", options) if "num_classes" in options else None
    network = _call(options["architecture"], keywords, asked_classes).eval()
    part = fill(network, checkpoint, architecture=described)
    num_outputs = count_outputs(network, (size, size), what=described)
    drop_final_softmax(network, torch.full((1, NUM_CHANNELS, size, size), 0.5))
    num_classes = settle_num_classes(num_outputs, options, what=described, advice="leave num_classes out, or check the function")
    return Classifier(
        name=name,
        network=network,
        num_classes=num_classes,
        transform=adjust(PixelTransform(height=size, width=size), options),
        mean=read_per_channel("mean", options, ()),
        std=read_per_channel("std", options, ()),
        address=_write_address(file, options, part),
        architecture=described,
        class_names=checkpoint.name_outputs(num_classes),
    )


def _load_bundled(file: Path, options: Mapping[str, str], keywords: dict[str, Any], *, name: str) -> Classifier:
    architecture = options["architecture"].removeprefix(BUNDLED)
    if keywords:
        msg = f"bundled:{architecture} takes no {KEYWORD}{next(iter(keywords))}; bundled architectures have no options."
        raise InvalidValueError(msg)
    checkpoint = read_checkpoint(file, part=options.get("part"))
    num_classes = read_whole_number("num_classes", options) if "num_classes" in options else bundled.NUM_CLASSES
    network = bundled.build(architecture, num_classes)
    part = fill(network, checkpoint, architecture=options["architecture"])
    return bundled.make_classifier(
        network,
        options,
        name=name,
        num_classes=num_classes,
        address=_write_address(file, options, part),
        architecture=architecture,
        class_names=checkpoint.name_outputs(num_classes),
    )


def _write_address(file: Path, options: Mapping[str, str], part: str | None) -> str:
    """What loads the same again, also the part of the checkpoint where that was chosen here."""
    return write_address("checkpoint", str(file), {**options, **({"part": part} if part else {})})


def _call(architecture: str, keywords: dict[str, Any], num_classes: int | None) -> nn.Module:
    """The network that a function of one's own builds."""
    build = _import_function(architecture)
    if num_classes is not None and _accepts(build, "num_classes"):
        keywords = {"num_classes": num_classes, **keywords}
    try:
        network = build(**keywords)
    except Exception as error:  # it is the user's function
        asked = ", ".join(f"{key}={value}" for key, value in keywords.items())
        msg = f"{architecture} fails when it is called with ({asked}): {type(error).__name__}, {first_line(error)}."
        raise ClassifierError(msg) from error
    if not isinstance(network, nn.Module):
        msg = f"{architecture} must give a torch.nn.Module: got {type(network).__name__}."
        raise ClassifierError(msg)
    return network


def _import_function(architecture: str) -> Callable[..., Any]:
    module_name, _, function = architecture.partition(":")
    try:
        with _make_current_folder_importable():
            module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            msg = f"the module {module_name} needs {error.name}, which is not installed; install it."
            raise ClassifierError(msg) from error
        msg = f"there is no module {module_name} on the Python path or in {Path.cwd()}; start where it lies, or set PYTHONPATH."
        raise MissingFileError(msg) from error
    except Exception as error:  # it is the user's module
        msg = f"the module {module_name} can't be imported: {type(error).__name__}, {first_line(error)}."
        raise ClassifierError(msg) from error
    build = getattr(module, function, None)
    if not callable(build):
        kind, known = f"function of {module_name}", [key for key, value in vars(module).items() if callable(value)]
        remark = "Write module:function, with a function (or class) that gives the network."
        if module_name == "timm":
            remark = f"timm's architectures are written without `timm:`, as in architecture={function}."
        raise UnknownNameError(kind, function, known, remark)
    found: Callable[..., Any] = build
    return found


@contextmanager
def _make_current_folder_importable() -> Iterator[None]:
    """The program `zooscope`, unlike `python -m`, does not look for modules where one stands."""
    folder = str(Path.cwd())
    sys.path.append(folder)  # last, so that nothing there hides an installed module
    try:
        yield
    finally:
        sys.path.remove(folder)


def _accepts(build: Callable[..., Any], keyword: str) -> bool:
    try:
        parameters = signature(build).parameters
    except ValueError:  # some builtins have none
        return False
    return keyword in parameters or any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
