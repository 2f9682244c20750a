"""A classifier's architecture for reading its components, without weights where they are not needed."""

from collections.abc import Mapping

import torch
from torch import nn

from zooscope.addresses import Address
from zooscope.classifiers.addresses import COMMON_OPTIONS, find_name
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.options import read_whole_number, refuse_unknown
from zooscope.classifiers.providers import paper, timm
from zooscope.classifiers.providers.gluon_xception65 import GluonXception65
from zooscope.classifiers.providers.registry import parse_classifier_address
from zooscope.errors import ClassifierError


def load_skeleton(address: str | Address) -> Classifier:
    """The classifier at an address; for `timm:NAME` and `paper:NAME` its parameters have shapes but no values.

    They are on torch's meta device, so nothing is downloaded, initialized or computed. A classifier whose address names its
    weights, or of another provider, is loaded normally.

    Raises:
        ClassifierError: it can't be built or loaded.
        UnknownNameError: no such provider, name or option.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a file that the address names is missing.
        MissingExtraError: the provider needs a library that isn't installed.
    """
    parsed = parse_classifier_address(address)
    elsewhere = set("/:") & set(parsed.rest) or "weights" in parsed.options
    if parsed.provider not in {"timm", "paper"} or elsewhere:
        return load_classifier(parsed)
    name = parsed.rest if parsed.provider == "timm" else paper.find_entry(parsed.rest).timm
    own = parsed.without_options(*COMMON_OPTIONS)
    refuse_unknown(own.options, timm.OPTIONS, provider=own.provider)
    try:
        with torch.device("meta"):
            return _build(name, own.options, called=find_name(parsed), asked=parsed.head)
    except ClassifierError:  # a network may compute with values while it is built
        return _build(name, own.options, called=find_name(parsed), asked=parsed.head)


def _build(name: str | None, options: Mapping[str, str], *, called: str, asked: str) -> Classifier:
    """A network of timm's; where it has no name there, the one of the paper that timm no longer has."""
    keywords = {"num_classes": read_whole_number("num_classes", options)} if "num_classes" in options else {}
    if name is None:
        network: nn.Module = GluonXception65(**keywords)
    else:
        timm.read_facts(name)  # an unknown name is refused before anything is built
        size = read_whole_number("size", options) if "size" in options else None
        network = timm.build(name, keywords, size=size, what=asked)
    return timm.make_classifier(network, options, name=called, address=asked, asked=asked)
