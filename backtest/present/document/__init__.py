"""Documents to hand in: one model, and the same document as Word, PDF and HTML.

A command builds a `Document` of blocks; `write_document` writes it. Numbers of sections, figures
and tables, and the references to them, are worked out once, so the three files agree.
"""

from backtest.present.document.model import (
    Block,
    Code,
    Contents,
    Document,
    Heading,
    Inline,
    Line,
    Listing,
    Paragraph,
    Picture,
    Ref,
    Span,
    Tabular,
    Terms,
    line,
)
from backtest.present.document.numbering import Numbers
from backtest.present.document.write import moment, need_report_extra, write_document

__all__ = [
    "Block",
    "Code",
    "Contents",
    "Document",
    "Heading",
    "Inline",
    "Line",
    "Listing",
    "Numbers",
    "Paragraph",
    "Picture",
    "Ref",
    "Span",
    "Tabular",
    "Terms",
    "line",
    "moment",
    "need_report_extra",
    "write_document",
]
