"""Shared by overlays: one more step after the parts of the base, and the base's lookback."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from backtest.model.by_silo import proportional_shares
from backtest.model.protocol import MarginModel, Parts
from backtest.types import DaysByPortfolios, StudyError


def with_step(parts: Parts, required: DaysByPortfolios, *, step: str) -> Parts:
    """`parts` with one more step, so that they add up to `required`; silos in proportion."""
    # An overlay acts on the total and names no silo, so it is shared as the total before it was.
    before = parts.by_silo.sum(axis=2)
    steps = dict(parts.steps)
    steps[step] = steps.get(step, 0.0) + required - before
    by_silo = proportional_shares(parts.by_silo, required, gross=before)
    return Parts(silos=parts.silos, by_silo=by_silo, steps=steps)


def longest_lookback(model: MarginModel) -> int:
    """The longest `lookback` of a model and the models inside it; 0 where it has none.

    Examples
    --------
    >>> from strategies import CorrelationOffset, HistoricalVaR
    >>> longest_lookback(CorrelationOffset(base=HistoricalVaR(lookback=750)))
    750
    """
    inner_models = [inner for field in _inner(model).values() for inner in _models(field)]
    # A model may have its published terms apart, with a lookback among them or not.
    own = getattr(getattr(model, "terms", None), "lookback", getattr(model, "lookback", 0))
    return max([int(own), *map(longest_lookback, inner_models)])


def with_lookback(model: MarginModel, days: int) -> MarginModel:
    """The same model, and the models inside it, over another number of scenarios.

    Raises
    ------
    StudyError : no model in it has a `lookback`.

    Examples
    --------
    >>> from strategies import Siloed
    >>> with_lookback(Siloed(), 250)
    Siloed(base=HistoricalVaR(lookback=250, measure='var', scaling='overlapping'))
    """
    if not longest_lookback(model):
        raise StudyError(f"{model!r} has no lookback to change; name a second model instead.")

    def changed_field(field: Any) -> Any:
        if isinstance(field, Mapping):
            return {key: changed_field(inner_field) for key, inner_field in field.items()}
        return with_lookback(field, days) if longest_lookback(field) else field

    changed = {name: changed_field(field) for name, field in _inner(model).items()}
    if hasattr(model, "lookback"):
        changed["lookback"] = days
    dataclass_model: Any = model
    return replace(dataclass_model, **changed)


def _inner(model: Any) -> dict[str, Any]:
    """Fields of a model that hold models: one, or several by name."""
    if not is_dataclass(model):
        return {}
    values = {field.name: getattr(model, field.name) for field in fields(model)}
    return {name: value for name, value in values.items() if _models(value)}


def _models(field: Any) -> list[MarginModel]:
    """The models that a field holds."""
    values = field.values() if isinstance(field, Mapping) else [field]
    return [value for value in values if isinstance(value, MarginModel)]
