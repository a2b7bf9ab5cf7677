"""Sensitivities of a book in the form of SIMM, on every day."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.instruments import CurveFuture, Instrument, by_factor, is_option, undeclared
from backtest.market.market import Market, tenor_years
from backtest.types import Days, StudyError
from strategies.simm.crif import CREDIT_VERTICES
from strategies.simm.declared import declared_class
from strategies.simm.sensitivity import Measure, Sensitivity, tenor_days
from strategies.simm.tables import DAYS_PER_YEAR

BASIS_POINT, PER_CENT = 1e-4, 1e-2
INDEX_BUCKET = "11"  # equity: indices, funds and ETFs
PRODUCTS = {"equity": "Equity", "commodity": "Commodity", "fx": "RatesFX"}
USUAL_CREDIT_YEARS = 5.0  # of a spread whose maturity is not declared


@dataclass(frozen=True, eq=False)
class _Unit:
    """A sensitivity of 1 USD of one instrument, (days,)."""

    measure: Measure
    product: str
    risk: str
    bucket: str
    qualifier: str
    amount: Days
    tenor: str = ""
    curve: str = ""
    expiry: Days | None = None


def book_sensitivities(
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    tenors: list[str],
    crypto_product: str,
    scaled_from: float | None,
) -> list[Sensitivity]:
    """Sensitivities of every portfolio on every day, from the view of the collecting party.

    Amounts (days, portfolios) are minus those of the holder, since a loss of the holder is a gain
    of the collecting party: curvature thus charges the holder of short options. Yields: USD per
    basis point, divided between the vertices on either side. Prices: USD per per cent. Options
    also: USD per point of volatility. The funding of a perpetual is no factor of SIMM.

    crypto_product : the product class of crypto.
    scaled_from : margin days from which each is scaled to the MPOR, by the root of time; None does
        not scale.

    Raises
    ------
    StudyError : an instrument that belongs to no risk class.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = pd.DataFrame({"10Y": [0.04], "BTC": [1e5]}, index=["2024-01-02"])
    >>> market = Market.from_frame(levels)
    >>> book = Book.from_frame(pd.DataFrame({"UST10Y": [1e6], "BTC": [1e5]}, index=["p"]))
    >>> rows = book_sensitivities(market, book, coverage=Coverage(), tenors=["5y", "10y"],
    ...                           crypto_product="Crypto", scaled_from=None)
    >>> [(s.bucket, s.tenor, round(s.amount.item(), 1)) for s in rows]
    [('USD', '10y', 817.6), ('floating', '', -1000.0)]
    """
    index, horizons = book.unit_index(market), Closeout(book, coverage).by_instrument
    sensitivities = []
    for i, instrument in enumerate(book.instruments):
        scale = 1.0 if scaled_from is None else (horizons[i] / scaled_from) ** 0.5
        for unit in _units(instrument, market, tenors, crypto_product):
            usd = np.outer(unit.amount * index[:, i] * scale, -book.exposure[:, i])
            sensitivities.append(
                Sensitivity(
                    product=unit.product,
                    risk=unit.risk,
                    measure=unit.measure,
                    bucket=unit.bucket,
                    qualifier=unit.qualifier,
                    amount=usd,
                    tenor=unit.tenor,
                    curve=unit.curve,
                    expiry=0.0 if unit.expiry is None else unit.expiry[:, None],
                )
            )
    return sensitivities


def _units(
    instrument: Instrument, market: Market, tenors: list[str], crypto_product: str
) -> Iterator[_Unit]:
    """The sensitivities of 1 USD of an instrument."""
    if instrument.maturity is not None and "yield" not in instrument.factors.values():
        instrument = CurveFuture(instrument.underlying, silo=instrument.silo)  # at its own price
    if "yield" in instrument.factors.values():
        yield from _by_vertex(instrument, market, tenors)
        return
    product, risk, bucket = _class_of(instrument, crypto_product)
    by_factor_name = by_factor(instrument, market)
    amount = PER_CENT * by_factor_name[instrument.factor][:, 0]
    yield _Unit("delta", product, risk, bucket, instrument.underlying, amount)
    if is_option(instrument):
        # Models shock volatility by relative changes, SIMM asks per point: divide by the level.
        volatility = instrument.moved_by[1]
        vega = PER_CENT * by_factor_name[volatility][:, 0] / market.level(volatility)
        days_left = instrument.days_left(market.dates)
        yield _Unit("vega", product, risk, bucket, instrument.underlying, vega, expiry=days_left)


def _by_vertex(instrument: Instrument, market: Market, tenors: list[str]) -> Iterator[_Unit]:
    """USD per basis point of each yield, divided linearly between the vertices around it."""
    years = [tenor_days(t) / DAYS_PER_YEAR for t in tenors]
    for factor, sensitivity in by_factor(instrument, market).items():
        per_point = BASIS_POINT * sensitivity[:, 0]
        maturity = tenor_years(factor)
        if maturity is None:
            # A bond's own yield is a rate and a spread: each moves it as much. Beside a Treasury
            # yield it is the spread alone.
            yield from _spread(instrument, factor, per_point)
            maturity = instrument.maturity if len(instrument.factors) == 1 else None
            if maturity is None:
                continue
        for j, tenor in enumerate(tenors):
            share = float(np.interp(maturity, years, np.eye(len(years))[j]))
            if share > 0.0:
                yield _Unit("delta", "RatesFX", "rates", "USD", "USD", share * per_point, tenor)


def _spread(instrument: Instrument, factor: str, per_point: Days) -> Iterator[_Unit]:
    """USD per basis point of a credit spread, at the vertex nearest to its maturity."""
    if instrument.asset_class in ("treasury", "rates"):
        if instrument.maturity is None:
            raise StudyError(
                f"{instrument.name} moves with {factor}, which SIMM has no vertex for."
            )
        return
    risk, bucket = declared_class(instrument) or ("", "")
    if not risk.startswith("credit"):
        raise StudyError(
            f"SIMM needs the credit bucket of {instrument.name}, such as 'credit_qualifying 2', "
            f"for its spread {factor}{undeclared(instrument, 'simm')}."
        )
    years = instrument.maturity or USUAL_CREDIT_YEARS
    tenor = min(CREDIT_VERTICES, key=lambda t: abs(tenor_days(t) / DAYS_PER_YEAR - years))
    # Without a group of its own each name is its own group.
    name = instrument.underlying
    yield _Unit("delta", "Credit", risk, bucket, name, per_point, tenor, curve=name)


def _class_of(instrument: Instrument, crypto_product: str) -> tuple[str, str, str]:
    """Product class, risk class and bucket of an instrument with a price."""
    risk, bucket = declared_class(instrument) or _usual_class(instrument)
    if risk == "crypto":
        return crypto_product, risk, bucket
    if risk in PRODUCTS:
        return PRODUCTS[risk], risk, bucket
    raise StudyError(
        f"SIMM has no risk class here for {instrument.name} ({instrument.asset_class}); it margins "
        "Treasuries, swaps, equity indices, exchange rates and crypto; credit by its spread"
        f"{undeclared(instrument, 'simm')}."
    )


def _usual_class(instrument: Instrument) -> tuple[str, str]:
    """Risk class and bucket of a class that has but one here; ('', '') of any other."""
    return {
        "crypto": ("crypto", "floating"),
        "stablecoin": ("crypto", "pegged"),
        "equity": ("equity", INDEX_BUCKET),
        "fx": ("fx", "Common"),
    }.get(instrument.asset_class, ("", ""))
