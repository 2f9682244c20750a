"""Classifiers of whatever stands for some in Python: addresses, patterns, zoo files, networks."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from torch import nn

from zooscope.addresses import Address
from zooscope.classifiers.addresses import find_name
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.providers.paper import find_missing_weights
from zooscope.classifiers.selection import select_classifiers
from zooscope.errors import ClassifierError, InvalidValueError, LeftOutWarning, describe_kind

FORMS: Final = "addresses such as bundled:resnet, patterns such as timm:vit_*, zoo files, or Classifiers"
ARGUMENTS: Final = (
    "zooscope.Classifier(name=..., network=network.eval(), num_classes=..., "
    "transform=zooscope.PixelTransform(height=..., width=...), mean=(...), std=(...))"
)


def collect_classifiers(given: object) -> tuple[Classifier, ...]:
    """The classifiers that are given, in the order given; one alone, or several.

    Each may be a `Classifier`; an address, a pattern or a zoo file, as `classifier_addresses` takes them; or a network of timm's
    in eval mode, which brings its size, mean and std (`pretrained_cfg`) and is called by its architecture.

    Raises:
        InvalidValueError: it is none of these.
        ClassifierError: it is a network that doesn't say how its pixels are made, or two classifiers have one name.
        ZooscopeError: what `load_classifier` raises.

    Example:
        >>> import zooscope
        >>> zooscope.collect_classifiers(["bundled:resnet", "bundled:vit_*"])[1:]
        (Classifier('bundled:vit_seed1', 10 classes, 32x32), Classifier('bundled:vit_seed2', 10 classes, 32x32))
    """
    items = [given] if isinstance(given, str | Path | Address | nn.Module | Classifier) else given
    if not isinstance(items, Iterable) or isinstance(items, bytes | dict):
        msg = f"classifiers must be {FORMS}: got {describe_kind(given)}."
        raise InvalidValueError(msg)
    chosen = list(_expand(items))
    owners: dict[str, Classifier | Address] = {}
    for one in chosen:
        name = one.name if isinstance(one, Classifier) else find_name(one)
        if name in owners:
            both = f": {owners[name]} and {one}" if isinstance(owners[name], Address) and isinstance(one, Address) else ""
            msg = f"two classifiers are called {name}{both}; give one of them another name (name=...)."
            raise ClassifierError(msg)
        owners[name] = one
    return tuple(one if isinstance(one, Classifier) else load_classifier(one) for one in chosen)


def collect_classifier(given: object) -> Classifier:
    """The one classifier that is given, in any form of `collect_classifiers`.

    Raises:
        InvalidValueError: it is none, or several.
        ZooscopeError: as `collect_classifiers`.

    Example:
        >>> collect_classifier("bundled:resnet")
        Classifier('bundled:resnet', 10 classes, 32x32)
    """
    found = collect_classifiers(given)
    if len(found) != 1:
        msg = f"one classifier is needed: got {len(found)}."
        raise InvalidValueError(msg)
    return found[0]


def _expand(items: Iterable[object]) -> Iterator[Classifier | Address]:
    """Classifiers as they are, every address once, none loaded."""
    seen: set[Address] = set()
    for item in items:
        if isinstance(item, Classifier):
            yield item
        elif isinstance(item, nn.Module):
            yield _take_network(item)
        elif isinstance(item, str | Path | Address):
            found = [item] if isinstance(item, Address) else _select(str(item))
            yield from (address for address in found if address not in seen)
            seen.update(found)
        else:
            msg = f"classifiers must be {FORMS}: got {describe_kind(item)}."
            raise InvalidValueError(msg)


def _select(word: str) -> list[Address]:
    """What a word stands for; of a pattern's, those whose weights are missing are left out and named."""
    found, missing = select_classifiers([word]), find_missing_weights()
    left_out = [
        address for address in found if address.head in missing and "weights" not in address.options and str(address) != word
    ]
    for address in left_out:
        warnings.warn(f"{address} is left out: {missing[address.head]}", LeftOutWarning, stacklevel=2)
    return [address for address in found if address not in left_out]


def _take_network(network: Any) -> Classifier:  # noqa: ANN401  (timm's networks have attributes that torch's don't)
    kind = type(network).__name__
    facts = getattr(network, "pretrained_cfg", None)
    if not facts or not hasattr(network, "num_classes"):
        msg = f"a network alone ({kind}) doesn't say how its pixels are made; give it as {ARGUMENTS}."
        raise ClassifierError(msg)
    from zooscope.classifiers.providers.timm import make_classifier  # noqa: PLC0415  (timm takes seconds, and is seldom needed here)

    name = str(facts.get("architecture") or kind)
    if network.training:
        msg = f"{name}: the network is in training mode, where it answers differently each time; call network.eval() first."
        raise ClassifierError(msg)
    return make_classifier(network, {}, name=name, address=None, asked=name)
