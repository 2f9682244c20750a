"""The interface of every section of the report."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from importlib.util import find_spec
from typing import ClassVar, Final, final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from zooscope.report.facts import Facts
from zooscope.words import format_interval, format_number, format_percent, typeset

TEMPLATES: Final = "templates"


class Need(Enum):
    """What a section needs; the value says why it is missing."""

    PREDICTIONS = (
        "the scores were imported as published, so nothing is known about single images; "
        "`zooscope measure FOLDER --classifiers ... --images ...` measures these classifiers"
    )
    TORCH = "torch is not installed on the machine that wrote this page"

    def is_met(self, facts: Facts) -> bool:
        """Whether it is there."""
        return not facts.is_imported if self is Need.PREDICTIONS else _is_installed("torch")


@final
@dataclass(frozen=True, kw_only=True)
class Part:
    """What a section puts on the page.

    Attributes:
        html: below the section's title; names and other texts are escaped in it.
        scripts: JavaScript that the page runs at its end, in this order; the same text is run once.
    """

    html: Markup
    scripts: tuple[str, ...] = ()


class Section(ABC):
    """A section of the report: title, data and template in one place.

    Attributes:
        title: its heading.
        anchor: its name in the page's addresses; lower case, with hyphens.
        needs: if one of these is missing, the section is left out, and the page says why.
    """

    title: ClassVar[str]
    anchor: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset()

    @abstractmethod
    def show(self, facts: Facts) -> Part:
        """The content below the title.

        Raises:
            ZooscopeError: it can't be shown; the page then says why.
        """

    def find_missing(self, facts: Facts) -> tuple[Need, ...]:
        """The section's needs that are not met."""
        return tuple(need for need in Need if need in self.needs and not need.is_met(facts))


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # something keeps it from being found
        return False


def fill_template(name: str, /, **values: object) -> Markup:
    """One of the package's templates, rendered; every text is escaped.

    Args:
        name: of a file in `zooscope/report/templates`.
        values: the template's variables, by name.
    """
    return Markup(_ENVIRONMENT.get_template(name).render(**values))  # noqa: S704  (the template escapes)


def read_source(name: str) -> str:
    """A style or script of the package, unchanged."""
    return files("zooscope.report").joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def show_number(value: float, decimals: int = 2) -> str:
    """A number in the page's typography."""
    return typeset(format_number(value, decimals))


def show_percent(value: float, decimals: int = 1) -> str:
    """A percentage in the page's typography."""
    return typeset(format_percent(value, decimals))


def show_interval(low: float, high: float, decimals: int = 2) -> str:
    """An interval in the page's typography."""
    return typeset(format_interval(low, high, decimals))


def mark_commands(text: str) -> Markup:
    """A text, escaped, in which commands between backticks are marked as such.

    Example:
        >>> mark_commands("a < b: run `zooscope measure STUDY`")
        Markup('a &lt; b: run <code>zooscope measure STUDY</code>')
    """
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts))


def _make_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zooscope.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"decimal": show_number, "percent": show_percent, "codes": mark_commands}
    environment.globals["interval"] = show_interval
    return environment


_ENVIRONMENT: Final = _make_environment()
