"""Convert TOML tables to margin models, and models to tables."""

from collections.abc import Mapping
from typing import Any

from backtest.model.guard import contained, time_limit
from backtest.model.protocol import MarginModel
from backtest.model.user_models import user_classes, user_models
from backtest.parameters.registry import build, to_table
from backtest.types import StudyError
from strategies import MODELS


def build_model(table: Mapping[str, Any]) -> MarginModel:
    """Build the model of a table; nested tables with a `kind` are built first.

    A kind 'module:Class' is a user's own model, imported (see `backtest.model.user_models`).

    Raises
    ------
    StudyError : one line that names the key, the value, and the known ones.

    Examples
    --------
    >>> build_model({"kind": "siloed", "base": {"kind": "historical_var", "lookback": 250}})
    Siloed(base=HistoricalVaR(lookback=250, measure='var', scaling='overlapping'))
    """
    own = user_models(table)
    if not own:
        model: MarginModel = build(table, MODELS)
        return model
    try:
        with contained(), time_limit(f"making {' and '.join(own)}"):
            return build(table, MODELS | own)
    except RuntimeError as error:
        raise StudyError(f"{' and '.join(own)} cannot be made: {error}.") from error


def model_table(model: MarginModel) -> dict[str, Any]:
    """Return the table from which `model` can be built: TOML values, all fields with defaults.

    Examples
    --------
    >>> from strategies import HistoricalVaR
    >>> build_model(model_table(HistoricalVaR(lookback=99))) == HistoricalVaR(lookback=99)
    True
    """
    return to_table(model, user_classes(model) | MODELS)
