"""The standardised schedule for uncleared derivatives: rates of notional, net-to-gross ratio."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, bucket_of, undeclared
from backtest.market.market import Market
from backtest.model.protocol import Parts, model
from backtest.parameters.buckets import ByMaturity, Rate
from backtest.parameters.files import read_as
from backtest.types import DaysByInstruments, FloatArray, StudyError

# Line of the schedule by asset class; crypto has no line of its own. Rates go by their maturity.
PRODUCTS = {
    "commodity": "commodity",
    "credit": "credit",
    "crypto": "other",
    "equity": "equity",
    "fx": "fx",
    "other": "other",
    "stablecoin": "other",
}


class MarginTable(BaseModel):
    """Rates by product, flat or by residual maturity in years, and the weights 0.4 and 0.6."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    gross_weight: Rate
    ratio_weight: Rate
    flat: dict[str, Rate]
    credit: ByMaturity
    rates: ByMaturity

    def rate(self, product: str, years: float | None = None) -> float:
        """Rate of a product; `years` to maturity for credit and rates.

        Examples
        --------
        >>> load_margin_table("uncleared_schedule/2020").rate("credit", 8.0)
        0.1
        """
        if product in self.flat:
            return self.flat[product]
        rows = self.credit if product == "credit" else self.rates
        rate = rows.at(years)
        if rate is None:
            raise StudyError(f"the schedule has no rate for {product} of {years} years.")
        return rate


@model(kind="uncleared_schedule")
class StandardSchedule:
    r"""Standardised schedule: 0.4 gross + 0.6 NGR gross, by counterparty.

    .. math:: M = \sum_s (0.4 + 0.6\, N_s)\, G_s, \qquad
              N_s = \frac{\max(0, \sum_i V_i)}{\sum_i \max(0, V_i)}

    G is the sum of rate times |notional| over the positions at a silo s, which here represents a
    counterparty: a netting agreement covers all products with one counterparty, never two
    counterparties. Treasuries and their futures count as rates of their maturity; crypto, for
    which the standard has no line, as other (15 %).
    V_i is the replacement cost of position i: its gain over the last `age` margin days, an
    assumed age of every position, without variation margin since. N is 1 where no position has a
    gain. Margin at day t uses closes up to and including t; NaN for the first `age` days. USD. It
    depends on neither confidence nor MPOR (the standard's is ten days).

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/` with rates and weights.
    age : margin days since the positions were opened.

    References
    ----------
    BCBS-IOSCO (2020). Margin requirements for non-centrally cleared derivatives (d475), App. A.

    Examples
    --------
    >>> table = load_margin_table("uncleared_schedule/2020")
    >>> net_margin(np.array([136e3]), np.array([550e3]), np.array([610e3]), table).round(2).tolist()
    [127973.77]
    """

    parameters: str = "uncleared_schedule"
    age: Annotated[int, Ge(1)] = 10

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return self.parts(market, book, coverage).by_silo.sum(axis=2)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'net to gross'; each silo is margined alone."""
        table, index = load_margin_table(self.parameters), book.unit_index(market)
        gain = replacement_cost(market, book, age=self.age)
        gross, net, winners = np.zeros(
            (3, len(market.dates), len(book.portfolios), len(book.silos))
        )
        for i, instrument in enumerate(book.instruments):
            silo = book.silos.index(instrument.silo)
            rate = table.rate(product_of(instrument), instrument.maturity)
            gross[:, :, silo] += rate * index[:, [i]] * np.abs(book.exposure[:, i])
            value = gain[:, [i]] * book.exposure[:, i]
            net[:, :, silo] += value
            winners[:, :, silo] += np.maximum(value, 0.0)
        # NGR compares net with gross replacement cost: positions that gained and lost together
        # with one counterparty would be replaced at the net cost.
        by_silo = net_margin(gross, np.maximum(net, 0.0), winners, table)
        total = gross.sum(axis=2)
        total[np.isnan(by_silo).any(axis=2)] = np.nan
        steps = {"gross": total, "net to gross": by_silo.sum(axis=2) - total}
        return Parts(silos=book.silos, by_silo=by_silo, steps=steps)


def net_margin(
    gross: FloatArray, net_cost: FloatArray, gross_cost: FloatArray, table: MarginTable
) -> FloatArray:
    """(0.4 + 0.6 NGR) gross; NGR = net over gross replacement cost, 1 where gross cost is 0."""
    ratio = np.divide(net_cost, gross_cost, out=np.ones_like(gross_cost), where=gross_cost != 0)
    return (table.gross_weight + table.ratio_weight * ratio) * gross


def replacement_cost(market: Market, book: Book, *, age: int) -> DaysByInstruments:
    """(days, instruments) gain per 1 USD of exposure over the last `age` days; first rows NaN.

    Days are those on which the instrument trades. In a book that is never rebalanced the exposure
    is that of `age` days ago.
    """
    columns = []
    index = book.unit_index(market)
    for i, instrument in enumerate(book.instruments):
        traded_market, last_row = market.own_days(instrument.factors)
        rows = np.unique(last_row, return_index=True)[1]
        pnl_from_then = instrument.pnl(traded_market, age) * index[rows, i]
        gain_known = np.full_like(pnl_from_then, np.nan)
        gain_known[age:] = pnl_from_then[:-age]
        columns.append(gain_known[last_row])
    gain = np.column_stack(columns)
    gain[np.isnan(gain).any(axis=1)] = np.nan
    return gain


def product_of(instrument: Instrument) -> str:
    """'rates', 'credit', 'equity', 'fx', 'commodity' or 'other': as declared, or by its class.

    Raises
    ------
    StudyError : an instrument without maturity, on a line by maturity or of a class without line.

    Examples
    --------
    >>> from backtest.instruments import parse_instrument
    >>> [product_of(parse_instrument(name)) for name in ("SWAP5Y", "ZN", "SPY", "BTC_CME")]
    ['rates', 'rates', 'equity', 'other']
    """
    declared, has_maturity = bucket_of(instrument, "uncleared"), instrument.maturity is not None
    by_class = PRODUCTS.get(instrument.asset_class)
    if by_class is None or (has_maturity and by_class != "credit"):
        by_class = "rates" if has_maturity else None
    product = by_class if declared is None else str(declared)
    if product is None or (product in ("rates", "credit") and not has_maturity):
        raise StudyError(
            f"the schedule has no line for {instrument.name}: it is {instrument.asset_class!r} "
            f"and has no maturity{undeclared(instrument, 'uncleared')}."
        )
    return product


def load_margin_table(name: str) -> MarginTable:
    """Rates of `strategies/parameters/<name>.toml`."""
    return read_as(MarginTable, name)
