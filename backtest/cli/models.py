"""What `backtest models` prints: one block a model, with parameters, sources and marks."""

import inspect
import re
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from backtest.parameters.registry import field_names
from backtest.parameters.sources import ParameterSource, parameter_sources
from strategies import MODELS


def models_list() -> list[RenderableType]:
    """One block a model of the registry, then every parameter file they name, once."""
    blocks = [model_block(kind, cls) for kind, cls in MODELS.items()]
    sources = {s.name: s for cls in MODELS.values() for s in parameter_sources(cls())}
    user_models = Text("Your own: kind = 'my_module:MyModel', a file beside the study.\n")
    return [
        *blocks,
        user_models,
        Text("Parameter files", style="bold"),
        *map(source_line, sources.values()),
    ]


def model_block(kind: str, cls: type[Any]) -> RenderableType:
    """Kind, what it is, parameters = defaults, where numbers come from, references."""
    default = cls()
    summary = (inspect.getdoc(cls) or "").split("\n")[0]
    rows = Table.grid(padding=(0, 2))
    rows.add_column(width=10)
    rows.add_column()
    fields = (f"{name} = {_value(default, name)!r}" for name in field_names(cls))
    numbers = [name_and_mark(source) for source in parameter_sources(default)]
    rows.add_row("parameters", Text(", ".join(fields) or "none"))
    if numbers:
        rows.add_row("numbers", Text("; ").join(numbers))
    rows.add_row("references", Text(references(cls)))
    head = Text.assemble((kind, "bold"), f"  {cls.__name__}: {summary}")
    return Group(head, rows, Text())


def _value(model: Any, name: str) -> Any:
    """A field's value, or the published one that stands in for None."""
    own = getattr(model, name)
    return getattr(getattr(model, "terms", model), name, own) if own is None else own


def name_and_mark(source: ParameterSource) -> Text:
    """'haircuts/cme/2014 (from 2014-01-01, verified)'; any mark but 'verified' is in bold."""
    style = "" if source.mark == "verified" else "bold"
    return Text.assemble(f"{source.name} (from {source.dated}, ", (source.mark, style), ")")


def source_line(source: ParameterSource) -> Text:
    """'haircuts/cme/2014 (2014-01-01, verified): title. Source.'."""
    words = ". ".join(part for part in (source.title, source.source) if part)
    return Text.assemble(name_and_mark(source), f": {words}.")


def references(cls: type[Any]) -> str:
    """The References section of a numpydoc docstring, on one line.

    Examples
    --------
    >>> from strategies import StandardSchedule
    >>> references(StandardSchedule)[:19]
    'BCBS-IOSCO (2020). '
    """
    section = re.search(
        r"^References\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", inspect.getdoc(cls) or "", re.S | re.M
    )
    return " ".join(section[1].split()) if section else "none given"
