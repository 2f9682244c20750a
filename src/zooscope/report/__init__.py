"""A study as one HTML page that needs no network: a section per file, first computed, then rendered by its template."""

from zooscope.report.page import write_report
from zooscope.report.sections import SECTIONS
from zooscope.report.sections.base import Need, Part, Section

__all__ = ["SECTIONS", "Need", "Part", "Section", "write_report"]
