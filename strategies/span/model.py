"""SPAN of a book on every day."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, is_option, undeclared
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, proportional_shares
from backtest.model.protocol import Parts, model
from backtest.types import Days, DaysByPortfolios, FloatArray, StudyError
from strategies.span.arrays import PAIRED, Grid, delta, risk_array
from strategies.span.credits import Credits, intercommodity_credit
from strategies.span.ranges import Legs, Share, load_span, month_of, rolling_scan


@dataclass(frozen=True, eq=False)
class _Commodity:
    """One combined commodity of a book; all (days, portfolios) USD but `unit_risk`, per USD."""

    scan: DaysByPortfolios
    charges: DaysByPortfolios
    delta: DaysByPortfolios
    unit_risk: DaysByPortfolios
    minimum: DaysByPortfolios


@model(kind="span")
class Span:
    r"""SPAN: the worst of sixteen scenarios per commodity, spread charges and credits, a minimum.

    .. math:: M = \sum_c \max(\text{scan}_c + \text{inter-month}_c + \text{delivery}_c
                              - \text{credit}_c, \; \text{SOM}_c)

    scan is the worst loss of all contracts on one commodity under common moves of price (none, a
    third, two thirds and all of the scan range, up and down) and volatility, and under two extreme
    moves of which a share counts; options are revalued. Contracts on one commodity net in scan,
    and pay the inter-month charge on the netted amount. Credits between commodities are formed on
    deltas in order of priority, **both legs credited** (the form of CME). No net option value is
    deducted: a premium is marked to market here like a futures price.

    Scan ranges are those of a file (for the horizon of its source, whatever confidence and MPOR),
    or `scan_multiple` standard deviations of past P&L over the MPOR. Margin at day t uses closes
    up to and including t. USD; all shares are of notional.

    Parameters
    ----------
    parameters : file of `strategies/parameters/`; the file in the package is not verified.
    extreme, cover : scan ranges of the extreme move, and the share of its loss that counts; None
        takes the file's. CME's older values were 2 and 0.35.
    scan : price scan range by instrument or commodity, in place of the file's.
    scan_multiple : in place of both, a multiple of the standard deviation of `lookback` past P&Ls
        over the MPOR.
    volatility_scan : relative scan range of implied volatility; None takes the file's.
    intermonth : charge per USD of spread between contracts on one commodity, as a share of its
        scan range; None takes the file's.
    delivery : charge by instrument in its delivery month, a share of notional.
    credits : (signed delta ratios by commodity, rate) in order of priority; None takes the file's.
    short_option_minimum : per USD of short option; None takes the file's.
    commodities : commodity by instrument; by default the instrument's `underlying`.
    elapsed : calendar days that pass in every scenario.

    References
    ----------
    CME Group (2019). CME SPAN: Standard Portfolio Analysis of Risk.
    McMillan, L. (2002). Options as a Strategic Investment, 4th ed., ch. 34.

    Examples
    --------
    >>> Span(scan={"BTC": 0.5}, extreme=2.0, cover=0.35).scan["BTC"]
    0.5
    """

    parameters: str = "span"
    extreme: Annotated[float, Ge(1)] | None = None
    cover: Share | None = None
    scan: dict[str, Share] = Field(default_factory=dict)
    scan_multiple: Annotated[float, Gt(0)] | None = None
    lookback: Annotated[int, Ge(20)] = 250
    volatility_scan: Annotated[float, Ge(0), Le(1)] | None = None
    intermonth: Share | None = None
    delivery: dict[str, Share] = Field(default_factory=dict)
    credits: tuple[tuple[Legs, Share], ...] | None = None
    short_option_minimum: Share | None = None
    commodities: dict[str, str] = Field(default_factory=dict)
    elapsed: Annotated[float, Ge(0)] = 1.0

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return self._steps(market, book, coverage)[2]

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, netting within commodities, credit between them, option minimum.

        Gross is the sum of the silos' margins; the other steps are the changes when the silos are
        pooled, so a credit that one silo grants alone is in gross. Silos share the requirement in
        proportion.
        """
        books = [book.in_silo(silo) for silo in book.silos]
        silo_margins = margins_by_silo(self, market, book, coverage)
        before, credited, required = self._steps(market, book, coverage)
        silo_steps = [self._steps(market, b, coverage) for b in books]
        gross_before = sum(o[0] for o in silo_steps)
        gross_credited = sum(o[1] for o in silo_steps)
        silo_margins[np.isnan(required)] = np.nan
        gross = silo_margins.sum(axis=2)
        netting, credit = (
            before - gross_before,
            (credited - before) - (gross_credited - gross_before),
        )
        steps = {
            "gross": gross,
            "netting within commodities": netting,
            "inter-commodity credit": credit,
            "short-option minimum": required - gross - netting - credit,
        }
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps=steps,
        )

    def _steps(
        self, market: Market, book: Book, coverage: Coverage
    ) -> tuple[DaysByPortfolios, DaysByPortfolios, DaysByPortfolios]:
        """Sums over commodities: before credits, after them, and with the minimum."""
        columns_of: dict[str, list[int]] = {}
        for i, instrument in enumerate(book.instruments):
            columns_of.setdefault(self._commodity(instrument), []).append(i)
        index = book.unit_index(market)
        commodities = {
            name: self._measure(market, book, coverage, columns, index[:, columns])
            for name, columns in columns_of.items()
        }
        credit = intercommodity_credit(
            {name: c.delta for name, c in commodities.items()},
            {name: c.unit_risk for name, c in commodities.items()},
            credits=self._credits(),
        )
        # A credit may not reduce a commodity below the minimum of its short options: far out of
        # the money they show no loss in sixteen scenarios, and are not free of risk.
        before = {name: c.scan + c.charges for name, c in commodities.items()}
        after = {name: before[name] - credit[name] for name in commodities}
        required = _total(np.maximum(after[name], c.minimum) for name, c in commodities.items())
        return _total(before.values()), _total(after.values()), np.maximum(required, 0.0)

    def _measure(
        self, market: Market, book: Book, coverage: Coverage, columns: list[int], index: FloatArray
    ) -> _Commodity:
        """Scan risk, charges and delta of the contracts on one commodity."""
        file = load_span(self.parameters)
        exposure, instruments = book.exposure[:, columns], [book.instruments[i] for i in columns]
        horizons = Closeout(book.holding(columns), coverage).by_instrument
        ranges = [self._scan(i, market, h) for i, h in zip(instruments, horizons, strict=True)]
        widest = np.maximum.reduce(ranges)[:, None]
        arrays = [
            risk_array(
                instrument,
                market,
                scan=scan,
                volatility=_or(self.volatility_scan, file.volatility),
                grid=Grid(_or(self.extreme, file.extreme), _or(self.cover, file.cover)),
                elapsed=self.elapsed,
            )
            for instrument, scan in zip(instruments, ranges, strict=True)
        ]
        loss = np.einsum("dks,dk,pk->dps", np.stack(arrays, axis=1), index, exposure)
        scan, price = scan_and_price_risk(loss)
        deltas = np.column_stack([delta(i, market) for i in instruments]) * index
        # Contracts of different months net in the scan as if they always moved together. The
        # inter-month charge is for the days on which they do not, on the smaller side.
        by_month = _by_month(instruments, deltas, exposure)
        net = by_month.sum(axis=2)
        spread = np.minimum(
            np.maximum(by_month, 0.0).sum(axis=2), np.maximum(-by_month, 0.0).sum(axis=2)
        )
        delivery = np.array([self._delivery(i) for i in instruments])
        short = np.array([is_option(i) for i in instruments]) * np.maximum(-exposure, 0.0)
        # With little net delta, price risk per USD of delta has no limit: a hedged book would
        # earn a credit beyond any risk. The widest scan range of its contracts is the limit.
        size = np.abs(net)
        per_usd = np.divide(price, size, out=np.zeros_like(price), where=size > 0)
        return _Commodity(
            scan=scan,
            charges=_or(self.intermonth, file.intermonth) * widest * spread
            + np.abs(index) @ (np.abs(exposure) * delivery).T,
            delta=net,
            unit_risk=np.minimum(per_usd, widest),
            minimum=_or(self.short_option_minimum, file.short_option_minimum) * (index @ short.T),
        )

    def _scan(self, instrument: Instrument, market: Market, horizon: int) -> Days:
        """(days,) price scan range of a contract."""
        if self.scan_multiple is not None:
            return rolling_scan(
                instrument,
                market,
                horizon=horizon,
                multiple=self.scan_multiple,
                lookback=self.lookback,
            )
        commodity = self._commodity(instrument)
        names = (instrument.name, instrument.name.partition("@")[0], commodity)
        share = next((self.scan[name] for name in names if name in self.scan), None)
        if share is None:
            share = load_span(self.parameters).scan(instrument, commodity)
        if share is None:
            raise StudyError(
                f"no scan range for {instrument.name} (commodity {commodity}) in SPAN parameters "
                f"{self.parameters}; add one under `scan`, or give a `scan_multiple`"
                f"{undeclared(instrument, 'span')}."
            )
        return np.full(len(market.dates), share)

    def _commodity(self, instrument: Instrument) -> str:
        return self.commodities.get(instrument.name, instrument.underlying)

    def _delivery(self, instrument: Instrument) -> float:
        return self.delivery.get(instrument.name, 0.0)

    def _credits(self) -> Credits:
        if self.credits is not None:
            return self.credits
        return [(c.legs, c.rate) for c in load_span(self.parameters).credits]


def scan_and_price_risk(loss: FloatArray) -> tuple[DaysByPortfolios, DaysByPortfolios]:
    """Scan risk and the part of it that is price risk; `loss` (days, portfolios, 16).

    Scan risk is the worst loss, at least zero. Its mean with the loss of the paired scenario (same
    price move, opposite volatility) removes volatility risk; subtracting the mean loss of the first
    two scenarios (no price move) removes time risk.

    Examples
    --------
    >>> loss = np.zeros((1, 1, 16))
    >>> loss[0, 0, 12:14] = 12.0, 8.0
    >>> loss[0, 0, :2] = 2.0, -1.0
    >>> [float(risk[0, 0]) for risk in scan_and_price_risk(loss)]
    [12.0, 9.5]
    """
    worst = loss.argmax(axis=2)[:, :, None]
    scan = np.take_along_axis(loss, worst, axis=2)[:, :, 0]
    paired = np.take_along_axis(loss, PAIRED[worst], axis=2)[:, :, 0]
    price = (scan + paired) / 2.0 - loss[:, :, :2].mean(axis=2)
    price = np.where(scan <= 0.0, 0.0, np.maximum(price, 0.0))
    return np.maximum(scan, 0.0), price


def _by_month(
    instruments: list[Instrument], deltas: FloatArray, exposure: FloatArray
) -> FloatArray:
    """(days, portfolios, months) net delta of each contract with its options, USD."""
    months = list(dict.fromkeys(month_of(i) for i in instruments))
    member = np.array([[month_of(i) == m for m in months] for i in instruments], dtype=np.float64)
    return np.einsum("dk,pk,km->dpm", deltas, exposure, member)


def _total(parts: Iterable[DaysByPortfolios]) -> DaysByPortfolios:
    return np.add.reduce(list(parts))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
