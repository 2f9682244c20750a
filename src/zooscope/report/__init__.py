"""A study drawn as one HTML page that needs no network: a section per file, computed first, then put into its template."""

from zooscope.report.page import write_report
from zooscope.report.sections import SECTIONS
from zooscope.report.sections.base import Need, Part, Section

__all__ = ["SECTIONS", "Need", "Part", "Section", "write_report"]
