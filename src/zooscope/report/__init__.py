"""A study drawn as one HTML page that needs no network: picture data first, drawing second."""

from zooscope.report.page import write_report

__all__ = ["write_report"]
