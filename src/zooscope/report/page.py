"""The page: its opening and its sections."""

import base64
import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zooscope.errors import EmptyPairWarning, OneSidedWarning, StudyError, WeakSourceWarning, ZooscopeError
from zooscope.outputs import write_text
from zooscope.report.facts import Facts, HasSnapshot
from zooscope.report.page_data import make_page_data
from zooscope.report.sections import SECTIONS
from zooscope.report.sections.base import Part, Section, fill_template, read_source
from zooscope.report.sections.summary import summarise_study
from zooscope.scores.matrices import CONFIDENCE
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.snapshot import Snapshot

FIRST_SCRIPTS: Final = ("study.js", "elements.js", "state.js", "downloads.js", "controls.js", "charts.js")  # what all others use


def write_report(
    study: HasSnapshot | Snapshot, path: Path, *, confidence: float = CONFIDENCE, sections: Sequence[Section] = SECTIONS
) -> Path:
    """Writes a study as one HTML file that opens in any browser and loads nothing.

    Example:
        >>> import zooscope, zooscope.report
        >>> study = zooscope.Study.open("study")                          # doctest: +SKIP
        >>> zooscope.report.write_report(study, Path("report.html"))      # doctest: +SKIP

    Args:
        study: a `Study`, fully or partly measured, or imported; or a `Snapshot`, which has no attacked images to show.
            Sections that can't be shown are left out, with a sentence that says why.
        path: the file; its folder is made. An existing file is replaced as a whole.
        confidence: of all intervals, in (0, 1).
        sections: the sections below the opening, in this order: `[*SECTIONS, Mine()]` adds one.

    Returns:
        The path.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
        StudyError: the study has no classifier, or the file can't be written.
    """
    require_confidence(confidence)
    write_text(path, render(study, confidence=confidence, sections=sections))
    return path


@dataclass(frozen=True, kw_only=True)
class SectionOnPage:
    """A section on the page, or the reason why it can't be shown."""

    title: str
    anchor: str
    part: Part | None
    reason: str = ""


def render(study: HasSnapshot | Snapshot, *, confidence: float, sections: Sequence[Section] = SECTIONS) -> str:
    """The page as text. Warnings about the scores stand on the page instead."""
    with warnings.catch_warnings():
        for category in (EmptyPairWarning, OneSidedWarning, WeakSourceWarning):
            warnings.simplefilter("ignore", category)
        return _render(study, confidence=confidence, sections=sections)


def _render(study: HasSnapshot | Snapshot, *, confidence: float, sections: Sequence[Section]) -> str:
    facts = Facts.read(study, confidence=confidence)
    if not facts.names:
        absent = f"{len(facts.waiting)} wait to be measured" if facts.waiting else "add some and measure them"
        msg = f"the study holds no measured classifier, so there is nothing to report; {absent}."
        raise StudyError(msg)
    summary = summarise_study(facts)  # first, as what can't be read is found there
    shown = [_show(section, facts) for section in sections]
    scripts = [*map(read_source, FIRST_SCRIPTS), *(script for section in shown if section.part for script in section.part.scripts)]
    scripts = list(dict.fromkeys([*scripts, read_source("page.js")]))
    return fill_template(
        "page.html",
        summary=summary,
        data=make_page_data(facts),
        is_imported=facts.is_imported,
        sections=shown,
        style=read_source("page.css"),
        scripts=scripts,
        script_digests=[_compute_digest(script) for script in scripts],
    )


def _show(section: Section, facts: Facts) -> SectionOnPage:
    """A section, or the reason why it is left out."""
    missing = section.find_missing(facts)
    if missing:
        return SectionOnPage(title=section.title, anchor=section.anchor, part=None, reason=missing[0].value)
    try:
        return SectionOnPage(title=section.title, anchor=section.anchor, part=section.show(facts))
    except ZooscopeError as error:
        reason = facts.hide_folders(str(error)).rstrip(".")
        return SectionOnPage(title=section.title, anchor=section.anchor, part=None, reason=reason)


def _compute_digest(script: str) -> str:
    """The digest that allows a script in the page's security policy; no other script runs, such as an event handler in a name."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
