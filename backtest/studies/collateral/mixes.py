"""The same books and models, margined in one kind of collateral after another."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from backtest.account.account import AccountTerms, replay_account
from backtest.account.mix import AtCloseout, Mix, collateral_marks
from backtest.market.market import Market
from backtest.model.window import ScoredWindow
from backtest.replay.study import Study
from backtest.scores import mean_shortfall
from backtest.scores.money.cost import tail_inflation
from backtest.scores.overlapping.slow_variance import effective_interval
from backtest.types import (
    FloatArray,
    Progress,
    RowNumbers,
    StudyError,
    counted,
    tail_count,
    unheard,
)

Posted = Mix | Literal["cash"]

WORST = 0.95  # the days beyond this quantile of the loss are a book's worst


def compare_mixes(
    study: Study,
    market: Market,
    mixes: Mapping[str, Posted],
    *,
    horizon: int | RowNumbers,
    account: AccountTerms,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """Breaches of every (mix, model, portfolio) of a finished study; margins do not change.

    Parameters
    ----------
    study : its requirements and losses are replayed through an account in each mix.
    market : prices the mixes; its days must be days of the study, one after the other. A market
        that begins later than the study opens the account on its first day.
    mixes : collateral by the name it carries.
    horizon : margin days to the end of close-out, of all portfolios or (portfolios,) of each.
    account : the other terms; its own collateral is replaced.

    Returns
    -------
    One row a (mix, model, portfolio): observations, exceedances, breaches, breach_rate with low
    and high; breaches_at_market, with the haircut used as a cushion at close-out; mean_shortfall
    and max_shortfall; mean_required, mean_held (after haircut) and mean_posted (market value).

    Raises
    ------
    StudyError : no common day, or a day of the market that the study skips.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), market)
    >>> study = bt.run(market, book, {"var": st.HistoricalVaR()}, audit=False)
    >>> table = compare_mixes(study, market, {"cash": "cash", "BTC": Mix({"BTC": 1.0})},
    ...                       horizon=2, account=bt.AccountTerms())
    >>> table["breaches"].is_monotonic_increasing
    True
    """
    days = _rows_of_study(study, market)
    rows = _scored_rows(study, market, horizon)
    loss = study.loss.to_numpy()[days]
    tables = {}
    for name, posted in counted(progress, "collateral mixes", mixes.items(), len(mixes)):
        terms = replace(account, collateral=posted)
        marks = collateral_marks(posted, market, horizon=horizon)
        at_market = _value_at_closeout(posted, market, horizon, "market")[rows]
        for model, frame in study.required.items():
            # The account is replayed from the first day on: what it holds depends on the past.
            required = frame.to_numpy()[days]
            history = replay_account(required, loss, terms, marks=marks, dates=market.dates)
            held_value = history.held_value[rows]
            columns = _breach_columns(
                loss[rows],
                required[rows],
                held_value,
                history.collateral[rows],
            ) | {
                "breaches_at_market": np.count_nonzero(loss[rows] > held_value * at_market, axis=0),
                "mean_posted": held_value.mean(axis=0) * marks.posted,
            }
            tables[name, model] = pd.DataFrame(columns, index=study.loss.columns)
    return pd.concat(tables, names=["mix", "model", "portfolio"])


def wrong_way(
    study: Study,
    market: Market,
    mixes: Mapping[str, Posted],
    *,
    horizon: int | RowNumbers,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """How collateral moved over the close-outs in which a book lost most; no margin model is used.

    Returns
    -------
    One row a (mix, portfolio): worst_days (the 5 % with the largest losses), correlation of the
    change of collateral value over t -> t + H with the book's loss, over all scored days and over
    the worst (negative is wrong-way; NaN where the collateral does not move), and mean_change of
    the collateral on the worst days.
    """
    scored_rows = _scored_rows(study, market, horizon)
    loss = study.loss.to_numpy()[_rows_of_study(study, market)][scored_rows]
    rows = []
    for name, posted in counted(progress, "wrong-way risk", mixes.items(), len(mixes)):
        value = _value_at_closeout(posted, market, horizon, "after haircut")[scored_rows]
        changes = np.broadcast_to(value - 1.0, loss.shape)
        for p, portfolio in enumerate(study.loss.columns):
            change = changes[:, p]
            worst = np.argsort(-loss[:, p], kind="stable")[: tail_count(len(loss), WORST)]
            rows.append(
                {
                    "mix": name,
                    "portfolio": portfolio,
                    "worst_days": len(worst),
                    "correlation": _correlation(change, loss[:, p]),
                    "correlation_on_worst": _correlation(change[worst], loss[worst, p]),
                    "mean_change_on_worst": float(change[worst].mean()),
                }
            )
    return pd.DataFrame(rows).set_index(["mix", "portfolio"])


def _rows_of_study(study: Study, market: Market) -> slice:
    """Rows of the study whose dates are the days of the market."""
    index, dates = pd.DatetimeIndex(study.loss.index), pd.DatetimeIndex(market.dates)
    first = int(index.searchsorted(dates[0]))
    rows = slice(first, first + len(dates))
    if not index[rows].equals(dates):
        days = index[rows]
        count = min(len(days), len(dates))
        # The appended False stands for the end of the shorter record, where one has more days.
        at = int(np.argmin(np.append(days[:count] == dates[:count], False)))
        day = dates[min(at, len(dates) - 1)]
        raise StudyError(
            f"the prices of the collateral and the study part at {day:%Y-%m-%d}; give both the "
            "same margin days."
        )
    return rows


def _scored_rows(study: Study, market: Market, horizon: int | RowNumbers) -> RowNumbers:
    """Rows of the market that are scored and whose collateral has a price at close-out."""
    priced_days = market.dates[: -np.max(horizon)]
    window = ScoredWindow.shared(market, [study.scored.to_numpy(), priced_days])
    if window.why_none:
        raise StudyError("no scored day of the study has prices of the collateral; widen either.")
    return np.arange(len(market.dates))[window.rows]


def _value_at_closeout(
    posted: Posted, market: Market, horizon: int | RowNumbers, at: AtCloseout
) -> FloatArray:
    """(days, portfolios or 1) value at close-out per unit of value after haircut at t."""
    if posted != "cash":
        posted = replace(posted, at_closeout=at)
    return collateral_marks(posted, market, horizon=horizon).closeout


def _breach_columns(
    loss: FloatArray,
    required: FloatArray,
    held_value: FloatArray,
    value: FloatArray,
) -> dict[str, Any]:
    """Breaches and amounts by portfolio, from (scored days, portfolios) USD.

    value : of the collateral at the end of close-out.
    """
    is_breach = loss > value
    low, high = effective_interval(
        np.count_nonzero(is_breach, axis=0), len(loss), tail_inflation(loss, value)
    )
    gap = np.where(is_breach, loss - value, 0.0)
    return {
        "observations": len(loss),
        "exceedances": np.count_nonzero(loss > required, axis=0),
        "breaches": np.count_nonzero(is_breach, axis=0),
        "breach_rate": is_breach.mean(axis=0),
        "low": low,
        "high": high,
        "mean_shortfall": mean_shortfall(loss, value),
        "max_shortfall": np.where(is_breach.any(axis=0), gap.max(axis=0), np.nan),
        "mean_required": required.mean(axis=0),
        "mean_held": held_value.mean(axis=0),
    }


def _correlation(change: FloatArray, loss: FloatArray) -> float:
    # numpy would warn and give NaN: cash never moves, so there is nothing to correlate.
    if np.ptp(change) == 0.0 or np.ptp(loss) == 0.0:
        return float("nan")
    return float(np.corrcoef(change, loss)[0, 1])
