"""What a model's docstring says of it: sentences, formulas, parameters, references."""

import inspect
import re
from typing import Any

from backtest.parameters.registry import field_names

HEAD = re.compile(r"^(\w+)\n-{3,}\n", re.M)
MATH = re.compile(r"^\.\. math::(.*?)(?=\n\n|\Z)", re.S | re.M)


def sections(cls: type[Any]) -> dict[str, str]:
    """The sections of a numpydoc docstring by head; the text before the first is ''.

    Examples
    --------
    >>> from strategies import CorrelationOffset
    >>> list(sections(CorrelationOffset))
    ['', 'Parameters', 'References', 'Examples']
    """
    parts = HEAD.split(inspect.getdoc(cls) or "")
    return {"": parts[0].strip()} | {
        head: text.strip() for head, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def sentences_and_formulas(cls: type[Any]) -> tuple[str, tuple[str, ...]]:
    """The text of a docstring as one paragraph without its formulas, and each formula in TeX."""
    text = sections(cls)[""]
    formulas = tuple(_line(found.replace("\\\n", " ")) for found in MATH.findall(text))
    # Marks of the site that is built from docstrings; a reader of a file sees their content.
    words = re.sub(r"(?::math:)?`+([^`]*)`+", r"\1", _line(MATH.sub("", text)))
    return words, tuple(filter(None, formulas))


def references(cls: type[Any]) -> tuple[str, ...]:
    """The references of a docstring, one after another; none where it names none."""
    text = sections(cls).get("References", "")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def parameter_words(cls: type[Any]) -> dict[str, str]:
    """What each parameter is, by name.

    Examples
    --------
    >>> from strategies import CorrelationOffset
    >>> parameter_words(CorrelationOffset)["cap"]
    'largest reduction as a share of S; CME-FICC programme: 0.80.'
    """
    # A line may tell of several: 'decay : lambda. measure : 'var' or 'es'.'
    name = "|".join(map(re.escape, field_names(cls)))
    if not name:
        return {}
    head = re.compile(rf"(?:^|(?<=\s))((?:{name})(?:, (?:{name}))*) : ")
    parts = head.split(_line(sections(cls).get("Parameters", "")))
    words = {
        each: text.strip()
        for names, text in zip(parts[1::2], parts[2::2], strict=True)
        for each in names.split(", ")
    }
    # Some are told only where another one is: 'volatility : 'ewma' with `decay`'.
    return words | {
        field: f"see {other}"
        for field in field_names(cls)
        if field not in words
        for other in [next((o for o, text in words.items() if f"`{field}`" in text), "")]
        if other
    }


def _line(text: str) -> str:
    return " ".join(text.split())
