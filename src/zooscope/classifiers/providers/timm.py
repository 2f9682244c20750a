"""timm's networks, with its own weights from the Hugging Face hub, from a folder in the hub's format, or with a checkpoint's.

Size, mean, std, interpolation, crop fraction and crop mode are those that timm gives for the weights (`resolve_data_config`), where
no option says otherwise. That is the size of training, timm's default: where a network is known to do better at a larger one
(`test_input_size`), that is not used unless `size=` asks for it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import timm
from timm.data import ImageNetInfo, infer_imagenet_subset, resolve_data_config
from timm.models import PretrainedCfg, get_deprecated_models

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import NUM_CHANNELS, Classifier
from zooscope.classifiers.first_pass import count_outputs
from zooscope.classifiers.options import (
    ONE_LOGIT,
    PREPROCESSING,
    adjust,
    read_per_channel,
    read_whole_number,
    refuse_unknown,
    settle_num_classes,
)
from zooscope.classifiers.providers.registry import TIMM_FOLDER as FOLDER
from zooscope.classifiers.providers.timm_weights import convert, create, load_pretrained
from zooscope.classifiers.weights import Checkpoint, find_weights, read_checkpoint
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError, first_line
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = ("weights", "part", "num_classes", *PREPROCESSING)
HUB: Final = "hf-hub:"
IMAGENET: Final = re.compile(r"in(1k|12k|21k|22k)(_|$)")


def list_names() -> tuple[str, ...]:
    """All weights that timm knows, by `architecture.tag`, as far as they classify."""
    return tuple(name for name in timm.list_pretrained() if _make_facts(name).num_classes)


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A network of timm's.

    Args:
        rest: what timm calls it: `ARCHITECTURE` or `ARCHITECTURE.TAG`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`. Without a tag it is
            the one that timm takes first; the address that is recorded names it, since a later timm may take another.
        options: any of `weights` (a checkpoint, instead of the hub's), `part` (of the checkpoint), `num_classes`, `size`, `mean`,
            `std` (three numbers, or one, in [0, 1] units), `interpolation`, `crop`. The number of classes is that of the weights.
        name: what to call the classifier.

    Raises:
        UnknownNameError: timm has no such architecture or no such weights, or there is no such option.
        ClassifierError: the weights can't be had or don't fit, or the network can't take images of that size.
        MissingFileError: the checkpoint or the folder is not there.
        InvalidValueError: an option's value can't be used.
    """
    refuse_unknown(options, OPTIONS, provider="timm")
    if "part" in options and "weights" not in options:
        msg = f"timm:{rest}: part= chooses among what a checkpoint holds; name one with weights=FILE."
        raise InvalidValueError(msg)
    for scheme in (HUB, FOLDER):
        if rest.startswith(scheme):
            return _load_from_elsewhere(rest, scheme, options, name=name)
    if set("/:") & set(rest):
        msg = f"timm:{rest} is no name of timm's; for a repository write timm:{HUB}{rest}, for a folder timm:{FOLDER}{rest}."
        raise InvalidValueError(msg)
    facts = read_facts(rest)
    if "weights" in options:
        return _load_from_file(rest, facts, options, name=name)
    tagged = f"{facts.architecture}.{facts.tag}" if facts.tag else str(facts.architecture)
    if not facts.has_weights:
        others = timm.list_pretrained(f"{facts.architecture}.*")
        named = f" (but for {', '.join(others)})" if others else ""
        msg = f"timm:{rest} names no weights, and timm has none for it{named}; write timm:{rest}?weights=FILE."
        raise ClassifierError(msg)
    _refuse_features(int(facts.num_classes), f"timm:{tagged}")  # before anything is fetched
    instead = f"give weights of your own: timm:{tagged}?weights=FILE"
    network = load_pretrained(
        tagged, size=_choose_size(options), repository=facts.hf_hub_id, address=f"timm:{tagged}", instead=instead
    )
    address, class_names = write_address("timm", tagged, options), list_class_names(network.pretrained_cfg, network.num_classes)
    return make_classifier(network, options, name=name, address=address, asked=f"timm:{tagged}", class_names=class_names)


def list_class_names(facts: Mapping[str, Any], num_classes: int) -> tuple[str, ...] | None:
    """What the outputs of weights are called: as their repository says, else the synsets of the ImageNet that their tag names.

    >>> list_class_names({"tag": "a1_in1k"}, 1000)[0]
    'n01440764'
    >>> list_class_names({"label_names": ["cat", "dog"]}, 2)
    ('cat', 'dog')
    """
    names: Any = facts.get("label_names")
    subset = infer_imagenet_subset({"num_classes": num_classes})
    if not names and subset and IMAGENET.search(str(facts.get("tag") or "")):
        names = ImageNetInfo(subset).label_names()
    if isinstance(names, Mapping):
        table = {str(output): name for output, name in names.items()}
        names = [table.get(str(output)) for output in range(num_classes)]
    is_list = isinstance(names, list | tuple) and len(names) == num_classes and all(isinstance(name, str) for name in names)
    return tuple(names) if is_list else None


def read_facts(architecture: str) -> PretrainedCfg:
    """What timm knows of an architecture; its name may end in the tag of a set of weights, whose settings are then meant.

    Names that timm has retired count as those that it has put in their place.

    Raises:
        UnknownNameError: timm has no such architecture, or no such weights.
    """
    bare, _, tag = architecture.partition(".")
    retired = get_deprecated_models()
    if retired.get(bare):
        bare, _, tag_of_name = str(retired[bare]).partition(".")
        tag = tag or tag_of_name
        architecture = f"{bare}.{tag}" if tag else bare
    if bare in retired or not timm.is_model(bare):
        kind = "timm architecture"
        raise UnknownNameError(kind, bare, timm.list_models(), "timm.list_models() lists them.")
    try:
        return _make_facts(architecture)
    except RuntimeError as error:
        kind, advice = "timm architecture", "Leave out what follows the dot, or name weights that timm knows."
        raise UnknownNameError(kind, architecture, timm.list_pretrained(f"{bare}.*"), advice) from error


def build(architecture: str, keywords: Mapping[str, Any], *, size: int | None, what: str) -> Any:  # noqa: ANN401  (as timm's builders)
    """An architecture without weights, for images of a size.

    Raises:
        ClassifierError: it can't be built with such keywords.
    """
    try:
        return create(architecture, keywords, size=size)
    except Exception as error:  # each architecture has its own way to refuse
        asked = ", ".join(f"{key}={value}" for key, value in {"size": size, **keywords}.items() if value is not None)
        msg = f"{what} can't be built with {asked} ({first_line(error)}); check these options."
        raise ClassifierError(msg) from error


def make_classifier(
    network: Any,  # noqa: ANN401  (timm's builders are untyped)
    options: Mapping[str, str],
    *,
    name: str,
    address: str | None,
    asked: str,
    architecture: str | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Classifier:
    """A network that timm built, with the settings of its weights where no option says otherwise.

    Args:
        network: has a `pretrained_cfg`, as timm leaves it.
        options: see `load`; `num_classes` is only compared.
        name: what to call the classifier.
        address: to load it again; None for a network that the user has built.
        asked: what was asked for, as a sentence about it begins.
        architecture: what was built; else timm's name.
        class_names: what its outputs are called.

    Raises:
        ClassifierError: the network has no classes, or another number of them; it can't take RGB images of such a size.
        InvalidValueError: an option's value can't be used.
    """
    facts: dict[str, Any] = dict(network.pretrained_cfg)
    config = resolve_data_config(pretrained_cfg=facts)
    channels, height, width = config["input_size"]
    num_outputs = int(network.num_classes)
    if channels != NUM_CHANNELS:
        msg = f"{asked} takes images of {channels} channels; only networks for RGB images can be compared."
        raise ClassifierError(msg)
    _refuse_features(num_outputs, asked)
    advice = "leave num_classes out, and choose among its classes with class_map=FILE"
    num_classes = settle_num_classes(num_outputs, options, what=asked, advice=advice)
    transform = adjust(
        PixelTransform(
            height=height,
            width=width,
            interpolation=config["interpolation"],
            crop_fraction=config["crop_pct"],
            crop_mode=config["crop_mode"],
        ),
        options,
    )
    network.eval()
    if "size" in options:
        count_outputs(network, transform.size, what=asked)
    return Classifier(
        name=name,
        network=network,
        num_classes=num_classes,
        transform=transform,
        mean=read_per_channel("mean", options, config["mean"]),
        std=read_per_channel("std", options, config["std"]),
        address=address,
        architecture=architecture or facts["architecture"],
        class_names=class_names,
    )


class Filled(NamedTuple):
    """An architecture with the weights of a checkpoint.

    Attributes:
        network: as timm builds it.
        part: the part of the checkpoint that was chosen; None if it holds no other network.
        class_names: what the checkpoint calls the outputs; None where it doesn't say.
    """

    network: Any
    part: str | None
    class_names: tuple[str, ...] | None


def fill_from_file(
    architecture: str,
    facts: PretrainedCfg,
    file: Path,
    options: Mapping[str, str],
    *,
    what: str,
    keywords: Mapping[str, Any] | None = None,
) -> Filled:
    """An architecture with the weights of a checkpoint, the number of classes being the checkpoint's.

    Args:
        architecture: a name of timm's, with or without a tag.
        facts: what timm knows of it.
        file: the checkpoint, under today's names of timm's weights or those that timm itself converts.
        options: of which `num_classes`, `size` and `part` count here.
        what: the network, as a sentence about it begins.
        keywords: for the architecture.

    Raises:
        MissingFileError: there is no such file.
        ClassifierError: it doesn't fit; its first differences are named.
        InvalidValueError: an option's value can't be used.
        UnknownNameError: the checkpoint has no such part.
    """
    checkpoint = read_checkpoint(file, part=options.get("part"))
    num_outputs = _choose_num_outputs(facts, checkpoint, options)
    asked = {"num_classes": num_outputs, **(keywords or {})}
    network = build(architecture, asked, size=_choose_size(options), what=what)
    expected = network.state_dict()
    found = find_weights(checkpoint, expected, architecture=what)
    if found.misfit is None:
        network.load_state_dict(expected | found.weights)
    else:  # where a shape differs timm would resize it, and it would be another network than the one that was trained
        network = convert(architecture, asked, found.weights, size=_choose_size(options)) if found.may_be_older else None
        if network is None:
            raise ClassifierError(found.misfit)
    return Filled(network, found.part, checkpoint.name_outputs(num_outputs))


def _load_from_file(rest: str, facts: PretrainedCfg, options: Mapping[str, str], *, name: str) -> Classifier:
    file = Path(options["weights"]).expanduser().resolve()  # a study is run on from wherever one stands
    tagged = ".".join(part for part in (facts.architecture, facts.tag) if part)
    found = fill_from_file(tagged, facts, file, options, what=f"timm's {rest}")
    chosen = {"part": found.part} if found.part else {}
    address = write_address("timm", rest, {**options, "weights": str(file), **chosen})
    return make_classifier(found.network, options, name=name, address=address, asked=f"timm:{rest}", class_names=found.class_names)


def _load_from_elsewhere(rest: str, scheme: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """From a repository or a folder that says itself what its architecture is."""
    place, repository = rest.removeprefix(scheme), None
    if "weights" in options:
        msg = f"timm:{rest} brings weights of its own; leave out weights=, or name the architecture in place of {scheme}..."
        raise InvalidValueError(msg)
    if scheme == HUB:
        repository = place.partition("@")[0]
    else:
        folder = Path(place).expanduser().resolve()
        if not (folder / "config.json").is_file():
            msg = f"there is no config.json in {folder}; name a folder in the hub's format, with config.json and model.safetensors."
            raise MissingFileError(msg)
        place = str(folder)
    asked = f"timm:{scheme}{place}"
    instead = f"put its files into a folder and write timm:{FOLDER}FOLDER" if scheme == HUB else "check the folder's files"
    network = load_pretrained(
        asked.removeprefix("timm:"), size=_choose_size(options), repository=repository, address=asked, instead=instead
    )
    address = write_address("timm", f"{scheme}{place}", options)
    class_names = list_class_names(network.pretrained_cfg, network.num_classes)
    return make_classifier(network, options, name=name, address=address, asked=asked, class_names=class_names)


def _make_facts(architecture: str) -> PretrainedCfg:
    return timm.get_pretrained_cfg(architecture) or PretrainedCfg(architecture=architecture)


def _refuse_features(num_classes: int, asked: str) -> None:
    if not num_classes:
        msg = f"{asked} gives features, not classes; take weights that were trained to classify, or a checkpoint with a last layer."
        raise ClassifierError(msg)


def _choose_size(options: Mapping[str, str]) -> int | None:
    return read_whole_number("size", options) if "size" in options else None


def _choose_num_outputs(facts: PretrainedCfg, checkpoint: Checkpoint, options: Mapping[str, str]) -> int:
    """The number of outputs that the checkpoint's last layer has, or that `num_classes` says; one logit may stand for two classes.

    Raises:
        ClassifierError: it has several last layers that differ.
    """
    asked = read_whole_number("num_classes", options) if "num_classes" in options else None
    heads: str | Sequence[str] | None = facts.classifier  # several where a network has several heads
    for head in (heads,) if isinstance(heads, str) else heads or ():
        for ending in ("weight", "bias"):
            lengths = checkpoint.lengths(f"{head}.{ending}")
            if len(lengths) == 1 and (lengths[0], asked) == ONE_LOGIT:
                return lengths[0]
            if len(lengths) > 1 and asked is None:
                counts = " and ".join(map(str, lengths))
                msg = f"{checkpoint.file} holds networks of {counts} classes; say which with num_classes= or part=."
                raise ClassifierError(msg)
            if lengths and asked is None:
                return lengths[0]
    return int(facts.num_classes) if asked is None else asked
