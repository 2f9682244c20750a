"""A classifier's architecture for reading its components, without weights where they are not needed."""

from collections.abc import Mapping

import torch

from zooscope.addresses import Address
from zooscope.classifiers.addresses import COMMON_OPTIONS, name_of
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.options import refuse_unknown, whole
from zooscope.classifiers.providers import paper, timm
from zooscope.classifiers.providers.registry import parse_classifier_address
from zooscope.errors import ClassifierError


def load_skeleton(address: str | Address) -> Classifier:
    """The classifier at an address; for `timm:NAME` and `paper:NAME` its parameters have shapes and no values.

    They lie on torch's meta device, so that nothing is downloaded, initialized or computed. A classifier whose address names its
    weights, and one of another provider, is loaded as it is.

    Raises:
        ClassifierError: it can't be built or loaded.
        UnknownNameError: no such provider, name or option.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a file that the address names is not there.
        MissingExtraError: the provider needs a library that isn't installed.
    """
    parsed = parse_classifier_address(address)
    elsewhere = set("/:") & set(parsed.rest) or "weights" in parsed.options
    if parsed.provider not in {"timm", "paper"} or elsewhere:
        return load_classifier(parsed)
    name = parsed.rest if parsed.provider == "timm" else _today(parsed.rest)
    own = parsed.without_options(*COMMON_OPTIONS)
    refuse_unknown(own.options, timm.OPTIONS, provider=own.provider)
    return _built(name, own.options, called=name_of(parsed), asked=parsed.head)


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
