"""timm's own way of loading weights, held to the rule that every weight of a network must be loaded."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import timm
from torch import Tensor

from zooscope.classifiers.providers.hub import make_hub_error
from zooscope.classifiers.weights import describe_misfit
from zooscope.errors import ClassifierError, ZooscopeError, first_line
from zooscope.hub import offline_if_unreachable

LOADER: Final = "timm.models._builder"
UNSAFE: Final = "weights_only"
_MISSING: Final = re.compile(r"Missing keys \((.*?)\)|(Using random initialization|using random init)", re.IGNORECASE)


def create(model: str, keywords: Mapping[str, Any], *, size: int | None) -> Any:  # noqa: ANN401  (timm's builders are untyped)
    """`timm.create_model` for images of a size, which is a keyword of some networks and of no concern to others."""
    if size is not None:
        try:
            return timm.create_model(model, img_size=size, **keywords)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
    return timm.create_model(model, **keywords)


def load_pretrained(model: str, *, size: int | None, repository: str | None, address: str, instead: str) -> Any:  # noqa: ANN401  (timm's builders are untyped)
    """A network with the weights that timm has for it, fetched from the hub if they are not in its cache.

    Args:
        model: what timm calls it, with tag, `hf-hub:` or `local-dir:`.
        size: of the images, where it isn't that of the weights; positions are then interpolated by timm.
        repository: where the weights lie on the hub; None where they lie elsewhere.
        address: as a sentence about it begins.
        instead: what to do where the hub can't be reached; ends a sentence.

    Raises:
        ClassifierError: the weights can't be had, or don't fit.
    """
    with offline_if_unreachable() if repository else nullcontext():
        try:
            with _load_strictly(address):
                return create(model, {"pretrained": True}, size=size)
        except ZooscopeError:
            raise
        except Exception as error:  # the hub, the network and each architecture have their own ways to fail
            known = make_hub_error(error, repository, instead=instead) if repository else None
            raise known or _explain_failure(error, address, instead) from error


def _explain_failure(error: Exception, address: str, instead: str) -> ClassifierError:
    unfit = describe_misfit(error) if isinstance(error, RuntimeError) else None
    if unfit:
        msg = f"the weights of {address} don't fit the architecture that they are for: the file {unfit}."
    elif UNSAFE in str(error):  # timm and PyTorch advise to run the code of the file
        msg = f"the weights of {address} hold more than tensors and are not opened, since that could run code; give safetensors."
    elif isinstance(error, KeyError):
        msg = f"{address}: its config.json is not in timm's format (it has no {error}); for another, see huggingface:ORG/NAME."
    else:
        msg = f"timm can't load {address} ({first_line(error)}); {instead}."
    return ClassifierError(msg)


def convert(model: str, keywords: Mapping[str, Any], weights: Mapping[str, Tensor], *, size: int | None) -> Any:  # noqa: ANN401  (as above)
    """A network filled from a checkpoint whose names are older than today's; None where timm can't convert them.

    The keywords are those of the network; `num_classes` is among them.
    """
    overlay = {"state_dict": dict(weights), "num_classes": keywords["num_classes"]}
    try:
        with _load_strictly(model):
            network = create(model, {**keywords, "pretrained": True, "pretrained_cfg_overlay": overlay}, size=size)
    except Exception:  # noqa: BLE001  (whatever it is, the caller has a better sentence for it)
        return None
    network.pretrained_cfg = {key: value for key, value in network.pretrained_cfg.items() if key != "state_dict"}
    return network


class _Kept(logging.Handler):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _load_strictly(address: str) -> Iterator[None]:
    """Refuses a network that keeps random weights: of some architectures timm only mentions it in its log."""
    logger, kept = logging.getLogger(LOADER), _Kept()
    before = logger.level, logger.propagate
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(kept)
        logger.level, logger.propagate = before
    for said in kept.said:
        found = _MISSING.search(said)
        if found:
            lacking = f"lack {', '.join((found[1] or '').split(', ')[:3])}" if found[1] else "do not fill it"
            msg = f"the weights of {address} {lacking}, which would stay random; take other weights."
            raise ClassifierError(msg)
