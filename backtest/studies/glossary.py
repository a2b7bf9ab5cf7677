"""The words that pages, documents and docs explain, from one file."""

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")


@cache
def glossary() -> dict[str, str]:
    """Each term with its explanation, in the order in which they are read.

    Examples
    --------
    >>> glossary()["exceedance"]
    'the loss over the MPOR is larger than the margin required: this tests the model'
    """
    terms: dict[str, str] = tomllib.loads(FILE.read_text(encoding="utf-8"))["terms"]
    return terms
