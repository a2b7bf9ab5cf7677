"""What overlays do alike: lead the parts of the base on, ask the base for another lookback."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from backtest.model.mismatch import in_proportion
from backtest.model.protocol import MarginModel, Parts
from backtest.types import DaysByPortfolios, StudyError


def with_step(parts: Parts, required: DaysByPortfolios, *, step: str) -> Parts:
    """`parts` led on to `required` by one more step; every silo's share scales alike."""
    before = parts.by_silo.sum(axis=2)
    steps = dict(parts.steps)
    steps[step] = steps.get(step, 0.0) + required - before
    by_silo = in_proportion(parts.by_silo, required, gross=before)
    return Parts(silos=parts.silos, by_silo=by_silo, steps=steps)


def longest_lookback(model: MarginModel) -> int:
    """The longest `lookback` of a model and the models inside it; 0 where it has none.

    Examples
    --------
    >>> from strategies import CorrelationOffset, HistoricalVaR
    >>> longest_lookback(CorrelationOffset(base=HistoricalVaR(lookback=750)))
    750
    """
    own = int(getattr(model, "lookback", 0))
    return max(
        [
            own,
            *(
                longest_lookback(each)
                for field in _inner(model).values()
                for each in _models(field)
            ),
        ]
    )


def with_lookback(model: MarginModel, days: int) -> MarginModel:
    """The same model, and the models inside it, over another number of scenarios.

    Raises
    ------
    StudyError : nothing in it has a `lookback`.

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
            return {key: changed_field(inner) for key, inner in field.items()}
        return with_lookback(field, days) if longest_lookback(field) else field

    changed = {name: changed_field(field) for name, field in _inner(model).items()}
    if hasattr(model, "lookback"):
        changed["lookback"] = days
    whole: Any = model
    return replace(whole, **changed)


def _inner(model: Any) -> dict[str, Any]:
    """Fields of a model that hold models: one, or several by name."""
    if not is_dataclass(model):
        return {}
    held = {field.name: getattr(model, field.name) for field in fields(model)}
    return {name: value for name, value in held.items() if _models(value)}


def _models(field: Any) -> list[MarginModel]:
    """The models that a field holds."""
    held = field.values() if isinstance(field, Mapping) else [field]
    return [each for each in held if isinstance(each, MarginModel)]
