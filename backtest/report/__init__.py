"""The report of a study: one self-contained HTML page, its template beside the code."""

from .render import render_report, write_report

__all__ = ["render_report", "write_report"]
