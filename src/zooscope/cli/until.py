"""The options of `measure` that stop when enough is measured, and what is said then."""

from typing import TYPE_CHECKING

from zooscope.errors import InvalidValueError
from zooscope.words import format_percent, quote_path

if TYPE_CHECKING:
    from zooscope.study.study import Study
    from zooscope.study.until import Until


def choose_until(width: float | None, *, until_order: bool) -> "Until | None":
    """The rule that was asked for.

    Raises:
        InvalidValueError: two were, or the width is out of range.
    """
    if until_order and width is not None:
        msg = "--until-width and --until-order are two rules to stop by: name one of them."
        raise InvalidValueError(msg)
    if width is not None and not 0 < width < 100:  # noqa: PLR2004  (percent)
        msg = f"--until-width must be above 0 and below 100 (percentage points): got {width:g}."
        raise InvalidValueError(msg)
    if width is None and not until_order:
        return None
    from zooscope.study.until import UntilOrder, UntilWidth

    return UntilOrder() if width is None else UntilWidth(points=width)


def describe_end(study: "Study", until: "Until | None") -> tuple[str, str]:
    """How many images are measured; and where the rule stopped, as sentences with a space behind them."""
    from zooscope.study.until import describe_stop

    if until is None:
        return f"{study.num_images} images", ""
    stop = describe_stop(study.snapshot(), until)
    if stop.num_images == study.num_images:
        also = "" if stop.look.is_reached else ": what was asked for would take more images"
        return f"all {study.num_images} images", f"Now {stop.look.says}{also}. "
    sentences = (
        f"They are enough: {stop.look.says}. This saves {format_percent(stop.saved, 0)} of all passes through the networks. "
        f"`zooscope measure {quote_path(study.path)}` measures the rest. "
    )
    return f"{stop.num_images} of {study.num_images} images", sentences
