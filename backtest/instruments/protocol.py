"""The protocol of an instrument: a contract at a venue, whose clearing house is its silo."""

from collections.abc import Mapping
from typing import Protocol, TypeGuard

import numpy as np

from backtest.market.market import Kind, Market
from backtest.types import Dates, Days, FloatArray, StudyError

TERMS = ("asset_class", "contract", "underlying", "maturity")


class Instrument(Protocol):
    """One contract at one clearing house. P&L and sensitivities are per 1 USD of notional."""

    @property
    def name(self) -> str:
        """Column name in a book."""

    @property
    def factor(self) -> str:
        """The market factor that moves it most."""

    @property
    def factors(self) -> Mapping[str, Kind]:
        """Every market factor that its price needs, and the kind of each."""

    @property
    def silo(self) -> str:
        """The clearing house that margins it."""

    @property
    def asset_class(self) -> str:
        """Class of its risk: 'treasury', 'rates', 'crypto', 'stablecoin', 'equity' or 'other'.

        Declared instruments also have 'credit', 'commodity' and 'fx'.
        """

    @property
    def contract(self) -> str:
        """Form: 'bond', 'bill', 'swap', 'future', 'spot', 'perpetual', 'option' or another.

        An 'option' is a `Revalued`; a model refuses a form that it does not know, by name.
        """

    @property
    def underlying(self) -> str:
        """What it is a contract on: 'BTC' for the coin and for every derivative of it.

        Bonds, bills and swaps: form and maturity, the same at every clearing house ('UST10Y'). A
        bond future delivers a basket of its own ('ZN').
        """

    @property
    def maturity(self) -> float | None:
        """Years of the bond, bill or swap, or of the bond a future delivers; None for a price."""

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) exact P&L per 1 USD bought at each close, held `horizon` days; tail NaN."""

    def sensitivity(self, market: Market) -> FloatArray | Mapping[str, FloatArray]:
        """(days, 2) delta and gamma per 1 USD: P&L is about delta x + gamma x^2 / 2.

        An instrument with more than one factor returns such an array by factor.
        """

    def scenarios(self, market: Market, day: int, shocks: FloatArray) -> FloatArray:
        """(scenarios,) P&L per 1 USD at the level of `day` for each shock of the factor.

        For an instrument with more than one factor `shocks` are (scenarios, factors), in the order
        of its sensitivities.
        """

    def unit_value(self, market: Market) -> Days:
        """(days,) USD value of one unit, for books that buy units once and never rebalance."""


class Revalued(Instrument, Protocol):
    """An option: priced anew in every scenario, for its sensitivities do not tell enough of it.

    Its `scenarios` take (scenarios, factors) joint shocks, columns in the order of `moved_by`,
    which is that of its sensitivities.
    """

    @property
    def moved_by(self) -> tuple[str, ...]:
        """The factors whose shocks it is revalued under: the price, then its volatility."""

    def days_left(self, dates: Dates) -> Days:
        """(days,) calendar days to expiry of the option held on each of `dates`."""

    def scenarios(
        self, market: Market, day: int, shocks: FloatArray, *, elapsed: FloatArray | float = 0.0
    ) -> FloatArray:
        """(scenarios,) P&L per 1 USD; `elapsed` calendar days pass in each scenario."""


def is_option(instrument: Instrument) -> TypeGuard[Revalued]:
    """Whether an instrument is an option, and so is revalued in full."""
    return instrument.contract == "option"


def treasury_maturity(instrument: Instrument) -> float | None:
    """Years of a Treasury bond or bill held outright; None for any other instrument.

    Examples
    --------
    >>> from backtest.instruments import parse_instrument
    >>> [treasury_maturity(parse_instrument(n)) for n in ("UST10Y", "BILL3M", "ZN", "BTC")]
    [10.0, 0.25, None, None]
    """
    outright = instrument.asset_class == "treasury" and instrument.contract in ("bond", "bill")
    return instrument.maturity if outright else None


def bucket_of(instrument: Instrument, table: str) -> str | float | None:
    """The bucket in which an instrument is declared to be in a table of models; None without one.

    table : a field of `declared.Buckets`, such as 'span'.

    Examples
    --------
    >>> from backtest.instruments import Declaration, DeclaredPrice, Spot
    >>> gold = Declaration(kind="spot", asset_class="commodity", buckets={"simm": "commodity 12"})
    >>> bucket_of(DeclaredPrice("GOLD", gold, "CME"), "simm"), bucket_of(Spot("BTC"), "simm")
    ('commodity 12', None)
    """
    buckets: Mapping[str, str | float] = getattr(instrument, "buckets", {})
    return buckets.get(table)


def rate_in(instrument: Instrument, table: str, rates: Mapping[str, float]) -> float | None:
    """The rate that an instrument is declared to take from `rates`, or its own; None without one.

    A bucket that `rates` does not have is none: schedules are tried one after another.
    """
    bucket = bucket_of(instrument, table)
    return rates.get(bucket) if isinstance(bucket, str) else bucket


def undeclared(instrument: Instrument, table: str) -> str:
    """End of a refusal: the bucket that a declared instrument lacks; empty for any other."""
    if not hasattr(instrument, "buckets"):
        return ""
    code = instrument.name.partition("@")[0]
    bucket = bucket_of(instrument, table)
    if bucket is not None:
        return f", or mend buckets.{table} of [instruments.{code}], {bucket!r}"
    return f", or declare buckets.{table} of [instruments.{code}]"


def check_terms(instrument: Instrument) -> None:
    """Raise StudyError, one line, where an instrument lacks a term that models ask for."""
    missing_terms = [term for term in TERMS if not hasattr(instrument, term)]
    if missing_terms:
        raise StudyError(
            f"instrument {instrument.name!r} does not say its {' and '.join(missing_terms)}, which "
            "models ask for; see `backtest.instruments.Instrument`."
        )


def qualified(name: str, silo: str, home: str) -> str:
    """Name of a contract, with its silo where that is not its home clearing house."""
    return name if silo == home else f"{name}@{silo}"


def by_factor(instrument: Instrument, market: Market) -> Mapping[str, FloatArray]:
    """(days, 2) delta and gamma per 1 USD, by the factors of the instrument."""
    sensitivity = instrument.sensitivity(market)
    return sensitivity if isinstance(sensitivity, Mapping) else {instrument.factor: sensitivity}


def unknown_tail(pnl: FloatArray, days: int) -> Days:
    """(days,) the P&L that is known, then NaN: the latest positions are still held at the end.

    Examples
    --------
    >>> unknown_tail(np.array([1.0, 2.0]), 4).tolist()
    [1.0, 2.0, nan, nan]
    """
    out = np.full(days, np.nan)
    out[: len(pnl)] = pnl
    return out


def delta_gamma(sensitivity: FloatArray, shocks: FloatArray) -> FloatArray:
    """P&L per 1 USD to second order; `sensitivity` (2,) of one day."""
    return sensitivity[0] * shocks + sensitivity[1] * shocks * shocks / 2.0
