"""What may follow the `?` of an address, read and checked: the same words for every provider."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, Final

from zooscope.classifiers.addresses import COMMON_OPTIONS
from zooscope.errors import ClassifierError, InvalidValueError
from zooscope.images.pixel_transform import PixelTransform
from zooscope.providers import refuse_unknown_options

ONE_LOGIT: Final = (1, 2)  # outputs and classes of a network whose logit x stands for (0, x)
LONGEST: Final = 20  # characters of a value that an error names
PREPROCESSING: Final = ("size", "mean", "std", "interpolation", "crop")


def refuse_unknown(options: Mapping[str, str], known: Sequence[str], *, provider: str) -> None:
    """Refuses an option that the provider doesn't take.

    Raises:
        UnknownNameError: there is one; the options that the provider takes are listed.
    """
    refuse_unknown_options(options, known, provider=provider, common=COMMON_OPTIONS)


def adjust(transform: PixelTransform, options: Mapping[str, str]) -> PixelTransform:
    """The transform with what the options size, interpolation and crop say otherwise.

    Raises:
        InvalidValueError: an option's value can't be used.
    """
    changes: dict[str, Any] = {}
    if "size" in options:
        changes["height"] = changes["width"] = read_whole_number("size", options)
    if "interpolation" in options:
        changes["interpolation"] = options["interpolation"]
    if "crop" in options:
        changes["crop_fraction"] = read_numbers("crop", options, 1)[0]
    return replace(transform, **changes)


def read_per_channel(option: str, options: Mapping[str, str], default: Sequence[float]) -> tuple[float, float, float]:
    """Three numbers, one for each channel; a single one counts for all.

    Raises:
        InvalidValueError: the option holds no such numbers.
    """
    values = tuple(read_numbers(option, options, 3) if option in options else default)
    red, green, blue = values if len(values) > 1 else 3 * values
    return float(red), float(green), float(blue)


def read_whole_number(option: str, options: Mapping[str, str]) -> int:
    """A whole number from 1 on.

    Raises:
        InvalidValueError: the option holds something else.
    """
    text = options[option]
    if not text.isdecimal() or int(text) < 1:
        msg = f"the option {option} takes a whole number from 1 on: got {text!r}."
        raise InvalidValueError(msg)
    return int(text)


def settle_num_classes(num_outputs: int, options: Mapping[str, str], *, what: str, advice: str) -> int:
    """The number of classes: that of the outputs; two where the network gives one logit and `num_classes=2` says so.

    Args:
        num_outputs: how many logits the network gives.
        options: of the address; `num_classes` is only compared.
        what: the network, as a sentence about it begins.
        advice: what to do if they differ, as the sentence's end.

    Raises:
        ClassifierError: `num_classes` says another number.
    """
    asked = read_whole_number("num_classes", options) if "num_classes" in options else num_outputs
    if asked != num_outputs and (num_outputs, asked) != ONE_LOGIT:
        msg = f"{what} gives {num_outputs} logits, not {asked}; {advice}."
        raise ClassifierError(msg)
    return asked


def read_numbers(option: str, options: Mapping[str, str], most: int) -> tuple[float, ...]:
    """One finite number, or `most` of them with commas between.

    Raises:
        InvalidValueError: the option holds something else.
    """
    try:
        values = tuple(float(part) for part in options[option].split(","))
    except ValueError:
        values = ()
    if len(values) not in {1, most} or not all(isfinite(value) for value in values):
        wanted = "one number" if most == 1 else f"{most} numbers with commas between, or one"
        msg = f"the option {option} takes {wanted}: got {options[option]!r}."
        raise InvalidValueError(msg)
    return values


def parse_value(text: str) -> Any:  # noqa: ANN401  (whatever TOML holds)
    """A value as TOML would read it, else the text itself.

    >>> parse_value("0.1"), parse_value("[1, 2]"), parse_value("sgd")
    (0.1, [1, 2], 'sgd')

    Raises:
        InvalidValueError: it nests too deeply.
    """
    if "\n" in text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except RecursionError as error:
        msg = f"the value {text[:LONGEST]}... of an option nests too deeply; give a plain value."
        raise InvalidValueError(msg) from error
    except ValueError:  # no TOML, or a number of too many digits
        return text
