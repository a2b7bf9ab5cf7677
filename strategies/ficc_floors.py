"""Floors by net and gross market value of buckets: of maturities, or of a price factor."""

from collections.abc import Mapping

import numpy as np

from backtest.book.book import Book
from backtest.market.market import Market, tenor_years
from backtest.types import DaysByPortfolios, StudyError


def by_bucket(
    market: Market, book: Book, rates: Mapping[str, float], *, net: bool
) -> DaysByPortfolios:
    """(days, portfolios) USD, sum over buckets of rate x |net| or x gross market value.

    rates : decimals of market value by bucket: a longest maturity ('10Y') or a price factor
        ('BTC'). net : of the net value of a bucket, else of the gross.

    Raises
    ------
    StudyError : a bucket that is neither a maturity nor a factor of the market, or an instrument
        that moves with yields and has no maturity.

    Examples
    --------
    >>> import backtest as bt, pandas as pd
    >>> market = bt.load_market("sample", end="2016-01-29")
    >>> usd = pd.DataFrame({"UST5Y": [50.0], "UST10Y": [-20.0], "BTC": [1.0]}, index=["book"])
    >>> book = bt.Book.from_frame(usd, market)
    >>> by_bucket(market, book, {"10Y": 0.01, "BTC": 0.5}, net=True)[-1].round(6).tolist()
    [0.8]
    """
    total = np.zeros((len(market.dates), len(book.portfolios)))
    if not rates:
        return total
    index, buckets = book.unit_index(market), _buckets(book, market, rates)
    for bucket, rate in rates.items():
        columns = [
            i for i, bucket_of_instrument in enumerate(buckets) if bucket_of_instrument == bucket
        ]
        exposure = book.exposure[:, columns]
        value = index[:, columns] @ (exposure if net else np.abs(exposure)).T
        total += rate * np.abs(value)
    return total


def _buckets(book: Book, market: Market, rates: Mapping[str, float]) -> list[str | None]:
    """The bucket of each instrument: its price factor, or the shortest that holds its maturity.

    A bond future has the maturity of what is delivered.
    """
    longest = {years: key for key in rates if (years := tenor_years(key)) is not None}
    left_out = () if market.before is None else market.before.left_out
    for key in rates:
        if key not in (*market.factors, *left_out, *longest.values()):
            raise StudyError(
                f"ficc_var has a rate for {key!r}, neither a maturity such as '10Y' nor a factor "
                f"of the market ({', '.join(market.factors)}); mend its spelling."
            )
    bucket_of: list[str | None] = []
    for instrument in book.instruments:
        years = instrument.maturity
        if tenor_years(instrument.factor) is None and instrument.factor in rates:
            bucket_of.append(instrument.factor)
        elif years is None and "yield" in instrument.factors.values():
            raise StudyError(
                f"ficc_var has floors by maturity, and {instrument.name} moves with yields but has "
                "no maturity; give it one, or leave the floors out."
            )
        elif years is None:
            bucket_of.append(None)
        else:
            bucket_of.append(next((longest[end] for end in sorted(longest) if years <= end), None))
    return bucket_of
