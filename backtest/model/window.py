"""The scored days: those on which every model has a requirement and the loss is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.market.market import Market
from backtest.types import Dates, FloatArray, StudyError, parse_day


@dataclass(frozen=True, eq=False)
class ScoredWindow:
    """Consecutive scored days of a market.

    Parameters
    ----------
    rows : of the market. dates : (rows,) their days.
    why_none : why no day can be scored, in one line; None where at least one can.
    """

    rows: slice
    dates: Dates
    why_none: str | None = None

    @classmethod
    def of(
        cls,
        market: Market,
        required: Mapping[str, FloatArray],
        loss: FloatArray,
        score_from: str | None = None,
        *,
        models: Mapping[str, object],
    ) -> "ScoredWindow":
        """Window from the first day with all requirements to the last day with a known loss.

        Parameters
        ----------
        required : (days, ...) by model; NaN while the model warms up.
        loss : (days, ...); NaN on the last days, whose close-out has not ended.
        score_from : ISO day; a later first day, where given.
        models : the models of `required`, for the reason why no day can be scored.

        Raises
        ------
        StudyError : `score_from` is no ISO day.

        Examples
        --------
        >>> import pandas as pd
        >>> days = pd.bdate_range("2024-01-02", periods=5)
        >>> market = Market.from_frame(pd.DataFrame({"BTC": [4.0, 5.0, 6.0, 5.0, 4.0]}, index=days))
        >>> required = {"var": np.array([[np.nan], [1.0], [1.0], [1.0], [1.0]])}
        >>> loss = np.array([[0.0], [2.0], [0.0], [np.nan], [np.nan]])
        >>> ScoredWindow.of(market, required, loss, models={"var": "VaR()"}).rows
        slice(1, 3, None)
        >>> ScoredWindow.of(market, required, loss, "2024-01-04", models={}).dates.astype(str)
        array(['2024-01-04'], dtype='<U28')
        """
        warm = {name: _known_onwards(values) for name, values in required.items()}
        slowest = max(warm, key=lambda name: warm[name])
        days, first = len(market.dates), warm[slowest]
        # Close-outs of the last days end after the market: their losses are not zero but unknown.
        last = days
        while last > 0 and np.isnan(loss[last - 1]).any():
            last -= 1
        if score_from is not None:
            row = _row_of(score_from, market)
            if row >= last:
                return cls._none(
                    market,
                    f"score_from is {score_from}, after the last day that can be scored "
                    f"({market.dates[max(last - 1, 0)]}); give an earlier one.",
                )
            first = max(first, row)
        if first >= last:
            return cls._none(
                market,
                f"no day can be scored: {slowest!r} ({models[slowest]!r}) warms up for "
                f"{warm[slowest]} of the {days} days and the last {days - last} losses are not "
                "yet known; shorten the lookback or lengthen the history.",
            )
        return cls(slice(first, last), market.dates[first:last])

    @classmethod
    def shared(cls, market: Market, windows: Sequence[Dates]) -> "ScoredWindow":
        """Rows of `market` from the first to the last day that all `windows` share."""
        if all(map(len, windows)):
            first, last = max(d[0] for d in windows), min(d[-1] for d in windows)
            days = np.flatnonzero((market.dates >= first) & (market.dates <= last))
            if len(days):
                return cls(slice(int(days[0]), int(days[-1]) + 1), market.dates[days])
        return cls._none(market, "no day can be scored in common; lengthen the history.")

    @classmethod
    def _none(cls, market: Market, why: str) -> "ScoredWindow":
        return cls(slice(0, 0), market.dates[:0], why)

    def checked(self) -> "ScoredWindow":
        """Give back this window; StudyError where no day can be scored."""
        if self.why_none is not None:
            raise StudyError(self.why_none)
        return self


def _known_onwards(values: FloatArray) -> int:
    """First day (axis 0) from which on no value is NaN; the number of days where there is none.

    Examples
    --------
    >>> _known_onwards(np.array([[1.0], [np.nan], [2.0], [1.0]]))
    2
    """
    unknown = np.flatnonzero(np.isnan(values))
    return int(unknown[-1]) // (values.size // len(values)) + 1 if len(unknown) else 0


def _row_of(score_from: str, market: Market) -> int:
    """First row on or after an ISO day."""
    return int(market.dates.searchsorted(parse_day(score_from, "score_from")))
