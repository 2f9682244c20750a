"""Classifiers by address: `bundled:NAME`, `timm:NAME`, `checkpoint:FILE?architecture=NAME` and so on."""

from dataclasses import replace

from zooscope.addresses import Address, parse_address
from zooscope.arguments import check_arguments
from zooscope.classifiers.addresses import BACKGROUND, COMMON_OPTIONS, find_name
from zooscope.classifiers.class_map import apply_class_map
from zooscope.classifiers.class_map_file import find_path
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.outputs import LOGITS, OUTPUTS, PROBABILITIES, Logarithm
from zooscope.classifiers.providers.registry import PROVIDERS, find_provider, import_provider, parse_classifier_address
from zooscope.errors import InvalidValueError


@check_arguments
def load_classifier(address: str | Address, *, name: str | None = None, trust: bool = True) -> Classifier:
    """The classifier at an address, on the CPU.

    Args:
        address: `PROVIDER:REST?OPTION=VALUE&OPTION=VALUE`, the providers being bundled, timm, torchvision, huggingface, checkpoint,
            onnx and paper, and those that were added. What follows the `?` depends on the provider; every provider takes `name`,
            `group` (which of the groups of settings it belongs to), `class_map` (see `zooscope.classifiers.class_map`) and
            `outputs` (`probabilities` where the network gives those in place of logits: their logarithm is taken). A `&`, `%` or
            `+` in a value is written %26, %25, %2B, a `?` in a path %3F.
        name: what to call it; else the option `name`, else the address up to the `?`.
        trust: whether to run code that the address names (`architecture=module:function`). Say False for an address that you have
            from someone else: it is then refused before anything is imported.

    Raises:
        UnknownNameError: no such provider, no such option, or the provider knows no such name.
        ClassifierError: the weights can't be had, or don't fit.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a file that the address names is not there.
        UntrustedCodeError: the address names code, and `trust` is False.
        MissingExtraError: the provider needs a library that isn't installed.

    Example:
        >>> import zooscope
        >>> zooscope.load_classifier("bundled:resnet")
        Classifier('bundled:resnet', 10 classes, 32x32)
        >>> zooscope.load_classifier("bundled:resnet?name=mine").name
        'mine'
    """
    parsed = parse_classifier_address(address)
    if not trust:
        PROVIDERS.require_no_code(find_provider(parsed), parsed, name=name or find_name(parsed))
    own, common = parsed.without_options(*COMMON_OPTIONS), parsed.without_options(*parsed.options.keys() - COMMON_OPTIONS).options
    classifier: Classifier = import_provider(parsed).load(own.rest, own.options, name=name or find_name(parsed))
    kept = {option: value for option, value in common.items() if option != "name"}
    if kept.get("outputs", LOGITS) not in OUTPUTS:
        msg = f"the option outputs takes {' or '.join(OUTPUTS)}: got {kept['outputs']!r}."
        raise InvalidValueError(msg)
    if kept.get("outputs") == PROBABILITIES:
        classifier = replace(classifier, network=Logarithm(classifier.network, name=classifier.name).eval())
    if "class_map" in kept:
        if kept["class_map"] != BACKGROUND:
            kept["class_map"] = str(find_path(kept["class_map"]))
        classifier = apply_class_map(classifier, kept["class_map"])
    found = parse_address(classifier.address) if classifier.address else own
    return replace(classifier, address=str(found.with_options(kept)))
