"""The recipe for a section of the report: one class in a package of one's own, handed over; no file of zooscope is touched."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from markupsafe import Markup, escape

from tests.report.synthetic import planted_study
from zooscope.errors import StudyError
from zooscope.report import SECTIONS, Need, Part, Section, write_report
from zooscope.report.facts import Facts


@final
@dataclass(frozen=True, kw_only=True)
class EasyImages(Section):
    """How many images every classifier gets right."""

    title = "Easy images"
    anchor = "easy-images"
    needs = frozenset({Need.PREDICTIONS})
    intro: str = ""

    def show(self, facts: Facts) -> Part:
        """One sentence."""
        predictions = facts.require_predictions()
        count = int((predictions.clean == predictions.labels).all(0).sum())
        html = Markup("<p>{}Every classifier gets {} images right.</p>").format(escape(self.intro), count)
        return Part(html=html, scripts=("document.body.dataset.easy = 'yes';",))


@final
class Broken(Section):
    """Says why it can't be shown."""

    title = "Broken"
    anchor = "broken"

    def show(self, facts: Facts) -> Part:
        """Never."""
        msg = f"{facts.names[0]} is <b>missing</b>; put it back."
        raise StudyError(msg)


def test_a_section_from_outside_is_on_the_page(tmp_path: Path) -> None:
    study = planted_study([["a", "b"]])
    sections = [EasyImages(intro="<i>First: </i>"), *SECTIONS]
    page = write_report(study, tmp_path / "report.html", sections=sections).read_text(encoding="utf-8")
    count = int((study.predictions.clean == study.predictions.labels).all(0).sum())
    assert f"<p>&lt;i&gt;First: &lt;/i&gt;Every classifier gets {count} images right.</p>" in page
    assert page.index("Easy images</h2>") < page.index("Who is alike</h2>")
    assert "<script>document.body.dataset.easy = &#39;yes&#39;;</script>" not in page
    assert "<script>document.body.dataset.easy = 'yes';</script>" in page


def test_a_section_that_can_not_be_shown_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    page = write_report(planted_study([["a"]]), tmp_path / "report.html", sections=[Broken()]).read_text(encoding="utf-8")
    assert "This section can't be shown: a is &lt;b&gt;missing&lt;/b&gt;; put it back." in page
    assert "Who is alike" not in page
