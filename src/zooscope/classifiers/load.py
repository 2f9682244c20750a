"""Classifiers by address: `bundled:NAME`, `timm:NAME`, `checkpoint:FILE?architecture=NAME` and so on."""

from dataclasses import replace

from zooscope.classifiers.addresses import BACKGROUND, extended, parsed
from zooscope.classifiers.class_map import mapped, path_of
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.providers.registry import module_of


def load_classifier(address: str, *, name: str | None = None) -> Classifier:
    """The classifier at an address, on the CPU.

    Args:
        address: `SOURCE:REST?OPTION=VALUE&OPTION=VALUE`, the sources being bundled, timm, torchvision, huggingface, checkpoint,
            onnx and paper. What follows the `?` depends on the source; every source takes `name`, `group` (which of the groups of
            settings it belongs to) and `class_map` (see `zooscope.classifiers.class_map`). A `&`, `%` or `+` in a value is
            written %26, %25, %2B, a `?` in a path %3F.
        name: what to call it; else the option `name`, else the address up to the `?`.

    Raises:
        UnknownNameError: no such source, no such option, or the source knows no such name.
        ClassifierError: the weights can't be had, or don't fit.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a file that the address names is not there.
        MissingExtraError: the source needs a library that isn't installed.
    """
    parts = parsed(address)
    classifier: Classifier = module_of(parts.source).load(parts.rest, parts.options, name=name or parts.name)
    kept = {option: text for option, text in parts.common.items() if option != "name"}
    if "class_map" in kept:
        if kept["class_map"] != BACKGROUND:
            kept["class_map"] = str(path_of(kept["class_map"]))
        classifier = mapped(classifier, kept["class_map"])
    return replace(classifier, address=extended(classifier.address or address, kept)) if kept else classifier
