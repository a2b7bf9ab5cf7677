"""Models from TOML tables, and back: a table's `kind` names the model, its keys are the fields."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from backtest.model import MarginModel
from backtest.types import StudyError

from . import MODELS


def build_model(table: Mapping[str, Any]) -> MarginModel:
    """Model of a table; nested tables with a `kind` are built first.

    Raises
    ------
    StudyError : one line: which key, which value, what is known.

    Examples
    --------
    >>> build_model({"kind": "siloed", "base": {"kind": "historical_var", "lookback": 250}})
    Siloed(base=HistoricalVaR(lookback=250, measure='var', scaling='overlapping'))
    """
    fields = dict(table)
    kind = fields.pop("kind", None)
    if kind is None:
        raise StudyError(f"a model needs a `kind`; known: {', '.join(MODELS)}.")
    if kind not in MODELS:
        raise StudyError(
            f"unknown kind {kind!r}; known: {', '.join(MODELS)}." + _hint(str(kind), MODELS)
        )
    known = list(field_names(MODELS[kind]))
    for key, value in fields.items():
        if key not in known:
            options = ", ".join(known) or "no parameters"
            raise StudyError(
                f"{kind} has no parameter {key!r}; known: {options}." + _hint(key, known)
            )
        if isinstance(value, Mapping) and "kind" in value:
            fields[key] = build_model(value)
        elif isinstance(value, list):
            fields[key] = tuple(value)
    try:
        return MODELS[kind](**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{kind}.{where} is {first['input']!r}: {first['msg']}.") from error


def model_table(model: MarginModel) -> dict[str, Any]:
    """The table that builds `model`: plain TOML values, every field written out.

    Examples
    --------
    >>> from strategies import HistoricalVaR
    >>> build_model(model_table(HistoricalVaR(lookback=99))) == HistoricalVaR(lookback=99)
    True
    """
    kinds = {cls: kind for kind, cls in MODELS.items()}
    if type(model) not in kinds:
        raise StudyError(f"{model!r} is not in the registry; known: {', '.join(MODELS)}.")
    table: dict[str, Any] = {"kind": kinds[type(model)]}
    for name in field_names(type(model)):
        value = getattr(model, name)
        if isinstance(value, MarginModel):
            table[name] = model_table(value)
        elif isinstance(value, tuple):
            table[name] = list(value)
        else:
            table[name] = value
    return table


def field_names(model: type[MarginModel]) -> tuple[str, ...]:
    """Parameters of a model class, in the order of its definition."""
    return tuple(getattr(model, "__dataclass_fields__", {}))


def _hint(wrong: str, known: Any) -> str:
    close = get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
