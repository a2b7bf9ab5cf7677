"""The collateral account: when a call counts, and what is a breach."""

from typing import Any

import numpy as np

from backtest.account.account import AccountHistory, AccountTerms, replay_account
from backtest.account.adequacy import moves
from backtest.selfcheck.row import Row


def _replayed(
    required: list[float], loss: list[float] | None = None, **terms: Any
) -> AccountHistory:
    margins = np.array(required)[:, None]
    losses = np.zeros_like(margins) if loss is None else np.array(loss)[:, None]
    return replay_account(margins, losses, AccountTerms(**terms))


def _held(required: list[float], **terms: object) -> list[float]:
    return _replayed(required, None, **terms).held_value[:, 0].tolist()


def _gap() -> list[float]:
    """Moves over a hole in the prices of a coin."""
    import pandas as pd

    days = pd.to_datetime(["2022-02-12", "2022-02-13", "2022-05-01", "2022-05-02"])
    return moves(pd.Series([1.0, 1.1, 1.0, 0.9], days), asset="USDC", horizon=1)[0].tolist()


ROWS = (
    Row(
        "margins of 1, 3, 2 with calls that settle a day later",
        "definition",
        lambda: _held([1.0, 3.0, 2.0]),
        right=[1.0, 1.0, 2.0],
        by="the call of 2 arrives, and 1 goes back",
    ),
    Row(
        "a call that is on its way is not called again",
        "definition",
        lambda: _replayed([1.0, 3.0, 3.0, 3.0], call_lag=2).call[:, 0],
        right=[0.0, 2.0, 0.0, 0.0],
        by="2 is pending until the fourth day",
    ),
    Row(
        "calls below the minimum transfer of 1",
        "ISDA (2016), Credit Support Annex for initial margin, paragraph 13",
        lambda: _held([1.0, 1.9, 2.0, 2.0], minimum_transfer=1.0, call_lag=0),
        right=[1.0, 1.0, 2.0, 2.0],
        by="0.9 is not called, 1.0 is",
    ),
    Row(
        "excess that is kept",
        "definition",
        lambda: _held([3.0, 1.0, 2.0], excess="kept", call_lag=0),
        right=[3.0, 3.0, 3.0],
        by="nothing is returned",
    ),
    Row(
        "a loss of exactly the collateral, and one of a little more",
        "definition",
        lambda: _replayed([2.0, 2.0], [2.0, 2.5]).shortfall[:, 0],
        right=[0.0, 0.5],
        by="only what exceeds it is missing",
    ),
    Row(
        "margins that are not yet known",
        "definition",
        lambda: _held([float("nan"), 1.0, 1.0]),
        right=[float("nan"), 1.0, 1.0],
        by="no requirement, no account",
    ),
    Row(
        "one-day moves of a coin without prices from February to May",
        "pandas-dev/pandas#28461",
        _gap,
        right=[0.1, -0.1],
        by="the move over the hole is none of a day",
    ),
)
