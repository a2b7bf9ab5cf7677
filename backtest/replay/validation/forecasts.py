"""VaR, expected shortfall and PIT of a given table, in the form of `model_forecasts`."""

import numpy as np
import pandas as pd

from backtest.replay.forecasts import FIELDS
from backtest.replay.validation.checks import Examined
from backtest.scores.forecasts.signs import check_signs
from backtest.types import DataError

OPPOSED = 0.5  # share of the distances of a PIT from one half that lies on the wrong side


def given_forecasts(examined: Examined) -> pd.DataFrame:
    """VaR, ES and PIT on the scored days of each account; empty where the table has none.

    Raises
    ------
    DataError : a forecast of the other sign or for some scored days only, a pit outside [0, 1].
    """
    given, tables = examined.given, []
    for model in given.required:
        fields = {
            field: values for (field, name), values in given.forecasts.items() if name == model
        }
        if not fields:
            continue
        _check(examined, fields, model)
        day, account = np.nonzero(examined.own)
        columns = {
            field: fields[field][day, account] if field in fields else np.nan for field in FIELDS
        }
        names = np.array(given.accounts, dtype=object)
        tables.append(
            pd.DataFrame(
                {"date": given.dates[day], "model": model, "portfolio": names[account]}
                | columns
                | {"loss": given.loss[day, account]}
            )
        )
    head = ["date", "model", "portfolio", *FIELDS, "loss"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=head)


def _check(examined: Examined, fields: dict[str, np.ndarray], model: str) -> None:
    given, own = examined.given, examined.own
    for field, values in fields.items():
        blank = own & np.isnan(values)
        partly = blank.any(axis=0) & (own & ~blank).any(axis=0)
        if partly.any():
            account = int(np.flatnonzero(partly)[0])
            day = given.dates[np.flatnonzero(blank[:, account])[0]]
            raise DataError(
                f"{field} of model {model!r} is blank for {given.accounts[account]!r} on {day} and "
                f"not on other days ({int(partly.sum()):,} such accounts); give it for all scored "
                "days of an account or for none."
            )
    if "pit" in fields:
        known = fields["pit"][own]
        wrong = known[(known < 0.0) | (known > 1.0)]
        if len(wrong):
            raise DataError(f"a pit of model {model!r} is {wrong[0]:g}; it is a probability.")
        _check_way(given.loss[own], known, model)
    if "value_at_risk" in fields:
        shortfall = fields.get("expected_shortfall")
        check_signs(fields["value_at_risk"][own], None if shortfall is None else shortfall[own])


def _check_way(loss: np.ndarray, pit: np.ndarray, model: str) -> None:
    """DataError where the PIT grows with the loss: one of the two runs the other way round."""
    known = ~np.isnan(pit)
    signs, place = np.sign(loss[known]), pit[known] - 0.5
    if signs @ place > OPPOSED * np.abs(place).sum():
        raise DataError(
            f"pit of model {model!r} is larger where losses are; it is the forecast probability of "
            "a P&L no higher than the one that came: give 1 - pit, or turn the losses round."
        )
