"""What the sections with an analysis have in common."""

from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from zooscope.report.facts import Facts
from zooscope.report.sections.base import Part, Section, fill_template
from zooscope.words import quote_path


class Analysis(Section):
    """A section that shows what an analysis finds.

    Attributes:
        reading: how to read it, in one line.
        command: the command that tells more; STUDY stands for the study's folder.
    """

    reading: ClassVar[str]
    command: ClassVar[str] = ""

    def fill(
        self,
        facts: Facts,
        *blocks: Markup,
        reading: str = "",
        sentences: Sequence[str] = (),
        remarks: Sequence[str] = (),
        scripts: Sequence[str] = (),
    ) -> Part:
        """The section's content: how to read it, what was found, figures and tables, remarks, the command.

        Args:
            facts: of the study.
            blocks: figures and tables.
            reading: how to read it; the section's own by default.
            sentences: what was found; commands in them stand between backticks.
            remarks: below, in small print.
            scripts: as for `Part`.
        """
        folder = quote_path(facts.path.name) if facts.path else "STUDY"
        html = fill_template(
            "analysis.html",
            reading=reading or self.reading,
            sentences=sentences,
            blocks=blocks,
            remarks=remarks,
            command=self.command.replace("STUDY", folder),
        )
        return Part(html=html, scripts=tuple(scripts))
