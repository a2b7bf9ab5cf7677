"""Models that harm what they are given, in the way of each name: no other number may move.

`margin` is the honest one. A harm is a function of (market, book, coverage) that is called before
it, in `parts` and in `forecast` too. `REFUSED` must end with a line, `HARMLESS` may also go on.
"""

import ctypes

import numpy as np

import strategies as st
from backtest.instruments import by_factor
from backtest.model.delta_gamma import book_scenarios
from backtest.model.protocol import Forecast, Parts

REFUSED, HARMLESS = {}, {}
VAR = st.HistoricalVaR(lookback=60)


class Harmful:
    """A model with one harm, in margin, parts and forecast."""

    def __init__(self, name):
        self.name, self.harm = name, (REFUSED | HARMLESS)[name]

    def __repr__(self):
        return f"Harmful({self.name!r})"

    def margin(self, market, book, coverage):
        margin = VAR.margin(market, book, coverage)
        self.harm(market, book, coverage)
        return margin

    def parts(self, market, book, coverage):
        parts: Parts = VAR.parts(market, book, coverage)
        self.harm(market, book, coverage)
        return parts

    def forecast(self, market, book, coverage):
        forecast: Forecast = VAR.forecast(market, book, coverage)
        self.harm(market, book, coverage)
        return forecast


def harm(registry):
    def registered(function):
        registry[function.__name__.replace("_", " ")] = function
        return function

    return registered


def overwrite(array, value=0):
    array.flags.writeable = True
    array[...] = value


@harm(REFUSED)
def zeroes_positions(market, book, coverage):
    overwrite(book.exposure)


@harm(REFUSED)
def doubles_positions_without_asking(market, book, coverage):
    book.exposure[...] *= 2.0


@harm(REFUSED)
def replaces_positions(market, book, coverage):
    object.__setattr__(book, "exposure", np.zeros_like(book.exposure))


@harm(REFUSED)
def writes_positions_at_their_address(market, book, coverage):
    ctypes.memset(book.exposure.ctypes.data, 0, book.exposure.nbytes)


@harm(REFUSED)
def flattens_prices(market, book, coverage):
    overwrite(market.levels, 1.0)


@harm(REFUSED)
def flattens_prices_through_a_column(market, book, coverage):
    column = market.level("BTC")
    overwrite(column if column.base is None else column.base, 1.0)


@harm(REFUSED)
def moves_the_days(market, book, coverage):
    overwrite(market.dates, market.dates + 1)


@harm(REFUSED)
def removes_an_array(market, book, coverage):
    object.__delattr__(market, "levels")


@harm(HARMLESS)
def shortens_the_standard(market, book, coverage):
    object.__setattr__(coverage, "mpor", 1)
    object.__setattr__(coverage, "confidence", 0.5)


@harm(HARMLESS)
def renames_portfolios_and_factors(market, book, coverage):
    object.__setattr__(book, "portfolios", tuple(f"x{i}" for i in range(len(book.portfolios))))
    object.__setattr__(market, "factors", market.factors[::-1])
    object.__setattr__(market, "kinds", market.kinds[::-1])


@harm(HARMLESS)
def swaps_instruments(market, book, coverage):
    object.__setattr__(book, "instruments", book.instruments[::-1])


@harm(HARMLESS)
def changes_an_instrument(market, book, coverage):
    for instrument in book.instruments:
        object.__setattr__(instrument, "silo", "elsewhere")
        vars(instrument).update(tenor=1.0, factor="ETH")


@harm(HARMLESS)
def stops_rebalancing(market, book, coverage):
    object.__setattr__(book, "rebalance", "never")
    object.__setattr__(book, "liquidation", None)


@harm(HARMLESS)
def calls_the_market_simulated(market, book, coverage):
    object.__setattr__(market, "simulated", not market.simulated)
    object.__setattr__(market, "source", "nowhere")


@harm(HARMLESS)
def writes_into_what_is_computed(market, book, coverage):
    scenarios = book_scenarios(market, book, coverage=coverage)
    for array in (
        market.shocks(2),
        book.loss(market, coverage),
        scenarios.shocks,
        *(s for i in book.instruments for s in by_factor(i, market).values()),
    ):
        overwrite(array)


_kept = []


@harm(HARMLESS)
def harms_what_it_was_given_before(market, book, coverage):
    for earlier_market, earlier_book in _kept:
        overwrite(earlier_book.exposure)
        overwrite(earlier_market.levels, 1.0)
    _kept[:] = [(market, book)]
