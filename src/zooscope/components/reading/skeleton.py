"""A classifier's architecture for reading its components, without weights where they are not needed."""

from collections.abc import Mapping

import torch

from zooscope.classifiers.addresses import parsed
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.options import refuse_unknown, whole
from zooscope.classifiers.providers import paper, timm
from zooscope.errors import ClassifierError


def load_skeleton(address: str) -> Classifier:
    """The classifier at an address; for `timm:NAME` and `paper:NAME` its parameters have shapes and no values.

    They lie on torch's meta device, so that nothing is downloaded, initialized or computed. A classifier whose address names its
    weights, and one of another source, is loaded as it is.

    Raises:
        ClassifierError: it can't be built or loaded.
        UnknownNameError: no such source, name or option.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a file that the address names is not there.
        MissingExtraError: the source needs a library that isn't installed.
    """
    parts = parsed(address)
    elsewhere = set("/:") & set(parts.rest) or "weights" in parts.options
    if parts.source not in {"timm", "paper"} or elsewhere:
        return load_classifier(address)
    name = parts.rest if parts.source == "timm" else _today(parts.rest)
    refuse_unknown(parts.options, timm.OPTIONS, source=parts.source)
    return _built(name, parts.options, called=parts.name, asked=parts.head)


def _today(name: str) -> str:
    found = paper.entry(name)
    if found.timm is None:
        msg = (
            f"paper:{found.name} can't be built: timm no longer has this network; its components stand in the paper's table, "
            "see `zooscope classifiers --paper`."
        )
        raise ClassifierError(msg)
    return found.timm


def _built(name: str, options: Mapping[str, str], *, called: str, asked: str) -> Classifier:
    """On the meta device; on the CPU where a network computes with values while it is built."""
    timm.facts_of(name)  # an unknown name is refused before anything is built
    size = whole("size", options) if "size" in options else None
    keywords = {"num_classes": whole("num_classes", options)} if "num_classes" in options else {}
    try:
        with torch.device("meta"):
            network = timm.built(name, keywords, size=size, what=asked)
            return timm.classifier_of(network, options, name=called, address=asked, asked=asked)
    except ClassifierError:
        network = timm.built(name, keywords, size=size, what=asked)
        return timm.classifier_of(network, options, name=called, address=asked, asked=asked)
