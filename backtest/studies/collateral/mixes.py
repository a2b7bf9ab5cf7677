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
from backtest.types import FloatArray, RowNumbers, StudyError, tail_count

Posted = Mix | Literal["cash"]

WORST = 0.95  # the days beyond this quantile of the loss are a book's worst


def compare_mixes(
    study: Study,
    market: Market,
    mixes: Mapping[str, Posted],
    *,
    horizon: int | RowNumbers,
    account: AccountTerms,
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
    >>> found = compare_mixes(study, market, {"cash": "cash", "BTC": Mix({"BTC": 1.0})},
    ...                       horizon=2, account=bt.AccountTerms())
    >>> found["breaches"].is_monotonic_increasing
    True
    """
    days = _rows_of_study(study, market)
    scored = _scored(study, market, horizon)
    loss = study.loss.to_numpy()[days]
    rows = []
    for name, posted in mixes.items():
        terms = replace(account, collateral=posted)
        marks = collateral_marks(posted, market, horizon=horizon)
        at_market = _value_at_closeout(posted, market, horizon, "market")
        for model, frame in study.required.items():
            required = frame.to_numpy()[days]
            history = replay_account(required, loss, terms, marks=marks, dates=market.dates)
            held = history.held[scored]
            columns = _columns(
                loss[scored],
                required[scored],
                held,
                history.collateral[scored],
                int(np.max(horizon)),
            ) | {
                "breaches_at_market": np.count_nonzero(
                    loss[scored] > held * at_market[scored], axis=0
                ),
                "mean_posted": held.mean(axis=0) * marks.posted,
            }
            table = pd.DataFrame(columns, index=pd.Index(study.loss.columns, name="portfolio"))
            table.insert(0, "model", model)
            table.insert(0, "mix", name)
            rows.append(table.reset_index())
    keys = ["mix", "model", "portfolio"]
    return pd.concat(rows, ignore_index=True).set_index(keys)


def wrong_way(
    study: Study, market: Market, mixes: Mapping[str, Posted], *, horizon: int | RowNumbers
) -> pd.DataFrame:
    """How collateral moved over the close-outs in which a book lost most; no margin model is used.

    Returns
    -------
    One row a (mix, portfolio): worst_days (the 5 % with the largest losses), correlation of the
    change of collateral value over t -> t + H with the book's loss, over all scored days and over
    the worst (negative is wrong-way; NaN where the collateral does not move), and mean_change of
    the collateral on the worst days.
    """
    days = _rows_of_study(study, market)
    scored = _scored(study, market, horizon)
    loss = study.loss.to_numpy()[days][scored]
    rows = []
    for name, posted in mixes.items():
        value = _value_at_closeout(posted, market, horizon, "after haircut")[scored]
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
        at = int(np.argmin(np.append(days[:count] == dates[:count], False)))
        day = dates[min(at, len(dates) - 1)]
        raise StudyError(
            f"the prices of the collateral and the study part at {day:%Y-%m-%d}; give both the "
            "same margin days."
        )
    return rows


def _scored(study: Study, market: Market, horizon: int | RowNumbers) -> RowNumbers:
    """Rows of the market that are scored and whose collateral has a price at close-out."""
    known = market.dates[: -np.max(horizon)]
    window = ScoredWindow.shared(market, [study.scored.to_numpy(), known])
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


def _columns(
    loss: FloatArray, required: FloatArray, held: FloatArray, value: FloatArray, horizon: int
) -> dict[str, Any]:
    breached = loss > value
    low, high = effective_interval(
        np.count_nonzero(breached, axis=0), len(loss), tail_inflation(loss, value)
    )
    gap = np.where(breached, loss - value, 0.0)
    return {
        "observations": len(loss),
        "exceedances": np.count_nonzero(loss > required, axis=0),
        "breaches": np.count_nonzero(breached, axis=0),
        "breach_rate": breached.mean(axis=0),
        "low": low,
        "high": high,
        "mean_shortfall": mean_shortfall(loss, value),
        "max_shortfall": np.where(breached.any(axis=0), gap.max(axis=0), np.nan),
        "mean_required": required.mean(axis=0),
        "mean_held": held.mean(axis=0),
    }


def _correlation(change: FloatArray, loss: FloatArray) -> float:
    if np.ptp(change) == 0.0 or np.ptp(loss) == 0.0:
        return float("nan")
    return float(np.corrcoef(change, loss)[0, 1])
