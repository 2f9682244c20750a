"""Image classifiers in Hugging Face's format, from the hub or from a folder."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, Final

import torch
from huggingface_hub import snapshot_download
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING
from transformers.utils import logging

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.first_pass import count_outputs
from zooscope.classifiers.options import PREPROCESSING, adjust, read_per_channel, refuse_unknown, settle_num_classes
from zooscope.classifiers.providers.hub import make_hub_error
from zooscope.classifiers.providers.image_processor import read_preprocessing
from zooscope.errors import ClassifierError, MissingFileError, first_line
from zooscope.hub import offline_if_unreachable

OPTIONS: Final = (*PREPROCESSING, "num_classes")
SETTINGS: Final = ("config.json", "preprocessor_config.json", "processor_config.json")
SAFE_WEIGHTS: Final = ("model.safetensors", "model-*.safetensors", "model.safetensors.index.json")
OTHER_WEIGHTS: Final = ("pytorch_model.bin", "pytorch_model-*.bin", "pytorch_model.bin.index.json")
LOCAL: Final = {"local_files_only": True, "trust_remote_code": False}  # code that comes with weights is never run


class Logits(nn.Module):
    """The logits alone of a network of transformers, which takes and gives more than that."""

    def __init__(self, network: nn.Module, *, is_flipped: bool, settings: Mapping[str, bool]) -> None:
        super().__init__()
        self.network, self.is_flipped, self.settings = network, is_flipped, settings

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of normalised pixels."""
        shown = pixels.flip(1) if self.is_flipped else pixels
        output: Any = self.network(**{str(self.network.main_input_name): shown}, **self.settings)
        logits: Tensor = output.logits
        return logits


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """An image classifier as transformers loads it, shown what its image processor would show it.

    No code that comes with the weights is run (`trust_remote_code=False`). Pixels are those of the processor's Pillow backend,
    exactly. On photographs its torchvision backend differs from that in 0.2 to 8 of a hundred values, by one of 255 levels
    (bilinear) or up to five (bicubic).

    Args:
        rest: a folder with config.json, preprocessor_config.json and model.safetensors; or `ORG/NAME` of the hub, `@REVISION`
            behind it if not the newest.
        options: any of `size`, `mean`, `std` (three numbers, or one, in [0, 1] units), `interpolation`, `crop`;
            `num_classes` (checked; 2 where one logit stands for two).
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is no such option.
        MissingFileError: the folder lacks something.
        ClassifierError: the hub refuses or can't be reached, this is no image classifier, the weights don't fit its settings, or
            its image processor can't be followed.
        InvalidValueError: an option's value can't be used.
    """
    refuse_unknown(options, OPTIONS, provider="huggingface")
    folder, place = _find_folder(rest)
    with _silence():
        network = _build_network(folder, place)
        preprocessing = read_preprocessing(_find_processor(folder, place), name=place)
        transform = adjust(preprocessing.transform, options)
        is_resizable = transform.size != preprocessing.transform.size and _can_interpolate_positions(network)
        settings = {"return_dict": True} | ({"interpolate_pos_encoding": True} if is_resizable else {})
        wrapped = Logits(network, is_flipped=preprocessing.is_flipped, settings=settings).eval()
        num_outputs = count_outputs(wrapped, transform.size, what=place)
    num_classes = settle_num_classes(num_outputs, options, what=place, advice="correct num_classes=, or leave it out")
    return Classifier(
        name=name,
        network=wrapped,
        num_classes=num_classes,
        transform=transform,
        mean=read_per_channel("mean", options, preprocessing.mean),
        std=read_per_channel("std", options, preprocessing.std),
        address=write_address("huggingface", place, options),
        architecture=type(network).__name__,
        class_names=_list_labels(network, num_outputs) if num_classes == num_outputs else None,
    )


def _list_labels(network: Any, num_classes: int) -> tuple[str, ...] | None:  # noqa: ANN401  (networks of transformers are untyped)
    """What config.json calls the outputs; None where it doesn't name each."""
    names = {int(output): str(name) for output, name in (network.config.id2label or {}).items()}
    return tuple(names[output] for output in range(num_classes)) if names.keys() == set(range(num_classes)) else None


def _find_folder(rest: str) -> tuple[Path, str]:
    """Where the files are, fetched if they are on the hub; and the place as an address names it."""
    folder = Path(rest).expanduser()
    if folder.is_dir():
        found = folder.resolve()
        rest = str(found)  # a study is run on from wherever one stands
    elif rest.startswith((".", "/", "~")) or rest.count("/") != 1:
        msg = f"there is no folder {folder}; give one with config.json and model.safetensors, or ORG/NAME of the Hugging Face hub."
        raise MissingFileError(msg)
    else:
        found = _fetch(rest)
    if not (found / "config.json").is_file():
        msg = f"{rest} has no config.json; give a network in the format of transformers' save_pretrained."
        raise MissingFileError(msg)
    return found, rest


def _fetch(rest: str) -> Path:
    """The folder of a repository in the hub's cache, with settings and weights and nothing else."""
    repository, _, revision = rest.partition("@")
    with offline_if_unreachable():
        try:
            folder = Path(snapshot_download(repository, revision=revision or None, allow_patterns=[*SETTINGS, *SAFE_WEIGHTS]))
            if not any(folder.glob("*.safetensors")):
                patterns = [*SETTINGS, *OTHER_WEIGHTS]
                folder = Path(snapshot_download(repository, revision=revision or None, allow_patterns=patterns))
        except Exception as error:
            sentence = make_hub_error(error, repository, instead="give a folder that holds its files: huggingface:FOLDER")
            if sentence is None:
                raise
            raise sentence from error
    return folder


def _build_network(folder: Path, place: str) -> nn.Module:
    """The network with its weights; all of them must be there, in the right shapes."""
    facts = _read_facts(folder / "config.json")
    try:
        config = AutoConfig.from_pretrained(folder, **LOCAL)
    except Exception as error:  # settings are of many kinds, and so are their faults
        if "auto_map" in facts:
            msg = f"{place} brings code of its own, which is never run; choose a network that transformers itself has."
        else:
            msg = f"transformers can't read the settings of {place} ({first_line(error)}); check its config.json."
        raise ClassifierError(msg) from error
    if type(config) not in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING:
        msg = f"{place} is no image classifier that transformers has (its model_type is {config.model_type}); choose one that is."
        raise ClassifierError(msg)
    if "quantization_config" in facts:
        msg = f"the weights of {place} are quantised: they have no gradient to attack along; choose those in full precision."
        raise ClassifierError(msg)
    try:
        network, report = AutoModelForImageClassification.from_pretrained(
            folder, config=config, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True, **LOCAL
        )
    except Exception as error:  # weights, too
        msg = f"transformers can't load the weights of {place} ({first_line(error)}); fetch or save them again."
        raise ClassifierError(msg) from error
    _require_all(network, report, place)
    classifier: nn.Module = network
    return classifier


def _require_all(network: nn.Module, report: Mapping[str, Any], place: str) -> None:
    """Refuses what transformers passes over: it would draw missing weights at random, and leave out layers that are too many."""
    kinds = {_drop_numbers(name) for name in network.state_dict()}
    for problem, names in (
        ("lack", sorted(report["missing_keys"])),
        ("have other shapes for", sorted(str(name) for name, *_ in report["mismatched_keys"])),
        ("have more layers of a kind than config.json says:", sorted(report["unexpected_keys"])),
    ):
        wrong = [name for name in names if not problem.startswith("have more") or _drop_numbers(name) in kinds]
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            msg = (
                f"the weights of {place} don't fit {type(network).__name__}: they {problem} {wrong[0]}{more}; transformers alone "
                "would go on with random ones. Choose a network trained to classify images."
            )
            raise ClassifierError(msg)


def _drop_numbers(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _find_processor(folder: Path, place: str) -> Any:  # noqa: ANN401  (transformers' processors share no useful type)
    """The image processor, in the form that resizes with Pillow as all other sources here do."""
    is_timm = _read_facts(folder / "config.json").get("model_type", "timm_wrapper") == "timm_wrapper"
    if not is_timm and not any((folder / name).is_file() for name in SETTINGS[1:]):
        msg = f"{place} has no preprocessor_config.json, so nothing says how its pixels are made; save its image processor there."
        raise MissingFileError(msg)
    try:
        return AutoImageProcessor.from_pretrained(folder, backend="pil", **LOCAL)
    except Exception as error:  # settings are of many kinds, and so are their faults
        msg = f"transformers can't read the image processor of {place} ({first_line(error)}); code of its own is never run."
        raise ClassifierError(msg) from error


def _read_facts(file: Path) -> dict[str, Any]:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{file} is no JSON ({first_line(error)}); fetch or save it again."
        raise ClassifierError(msg) from error
    return facts if isinstance(facts, dict) else {}


def _can_interpolate_positions(network: nn.Module) -> bool:
    """Whether the network can be asked to take images of another size than those that it was trained on."""
    return "interpolate_pos_encoding" in signature(network.forward).parameters


@contextmanager
def _silence() -> Iterator[None]:
    """Without transformers' own messages: what matters of them is an error here."""
    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()
