"""The page: everything that is computed for it, put into its template."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from zooscope.errors import StudyError
from zooscope.outputs import write_text
from zooscope.report import writing
from zooscope.report.facts import Facts
from zooscope.report.sections.classifier_table import classifier_table
from zooscope.report.sections.gallery import Verdict, gallery
from zooscope.report.sections.heat_map import COLOURS, draw, heat_map
from zooscope.report.sections.methods import methods
from zooscope.report.sections.pairs import different_pairs, pair_grid
from zooscope.report.sections.summary import summary
from zooscope.scores.matrices import CONFIDENCE
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.study import Study

TEMPLATES: Final = "templates"


def write_report(study: Study, path: Path, *, confidence: float = CONFIDENCE) -> Path:
    """Writes a study as one HTML file that opens in any browser and loads nothing from anywhere.

    Example:
        >>> import zooscope, zooscope.report
        >>> study = zooscope.Study.open("study")                          # doctest: +SKIP
        >>> zooscope.report.write_report(study, Path("report.html"))      # doctest: +SKIP

    Args:
        study: measured as far as it may be; classifiers that can't be loaded any more are missing from the gallery only.
        path: the file; its folder is made.
        confidence: of all intervals, in (0, 1).

    Returns:
        The path.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
        StudyError: the study has no classifier, or the file can't be written.
    """
    require_confidence(confidence)
    if not study.names:
        msg = "the study has no classifier, so there is nothing to report; add some and measure them."
        raise StudyError(msg)
    write_text(path, render(study, confidence=confidence))
    return path


def render(study: Study, *, confidence: float) -> str:
    """The page as text."""
    facts = Facts.of(study, confidence=confidence)
    pairs = different_pairs(pair_grid(facts))
    picture = heat_map(facts)
    environment = _environment()
    plotly, script = get_plotlyjs(), _source("page.js")
    return environment.get_template("page.html").render(
        summary=summary(facts, pairs),
        pairs=pairs,
        has_controls=any(pair.control_a_to_b is not None for pair in pairs),
        heat_map=picture,
        figure=_as_data(draw(picture).to_json()),
        colours=COLOURS,
        classifiers=classifier_table(facts),
        gallery=gallery(study, facts.predictions, picture.names, facts.class_names),
        methods=methods(facts, study.path),
        Verdict=Verdict,
        style=_source("page.css"),
        plotly=plotly,
        script=script,
        script_digests=[_digest(plotly), _digest(script)],
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zooscope.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"decimal": writing.decimal, "percent": writing.percent}
    environment.globals["interval"] = writing.interval
    return environment


def _source(name: str) -> str:
    """A file of ours beside the template, as it is."""
    return files(__package__).joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def _as_data(text: str) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or open a comment."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _digest(script: str) -> str:
    """What the page's security policy knows a script by: no other script may run, an event handler in a name least of all."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
