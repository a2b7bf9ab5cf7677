"""A model in the form of CME's SPAN 2: historical and stressed value at risk, close-out costs."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.book.liquidation import BASIS_POINT, daily_volatility, load_costs
from backtest.instruments import Instrument, by_factor, is_option
from backtest.kernels.window_tail import window_tail
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, proportional_shares
from backtest.model.protocol import Parts, model
from backtest.model.tails import Group, by_group
from backtest.model.volatility_scaled import SEED_DAYS, FactorVolatility, FlooredShocks
from backtest.parameters.terms import Terms
from backtest.types import DaysByPortfolios, FloatArray, RowNumbers, StudyError, tail_count

Share = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, eq=False)
class _Leg:
    """One instrument over its MPOR: the shocks of its factors, and its sensitivities to them."""

    instrument: Instrument
    factors: tuple[FlooredShocks, ...]
    sensitivity: FloatArray
    elapsed: FloatArray

    def powers(self, rows: RowNumbers) -> FloatArray:
        """(rows, 2 factors) standardised shocks that ended on `rows`, then half their squares."""
        standard = np.column_stack([f.z[rows] for f in self.factors])
        return np.ascontiguousarray(np.hstack([standard, standard * standard / 2.0]))

    def values(
        self,
        market: Market,
        day: int,
        *,
        powers: FloatArray,
        elapsed: FloatArray,
        is_stressed: bool,
    ) -> FloatArray:
        """(scenarios,) P&L per 1 USD on `day`, from shocks scaled to that day's volatility."""
        scale = np.array(
            [f.highest_volatility[day] if is_stressed else f.volatility[day] for f in self.factors]
        )
        if is_option(self.instrument):
            shocks = powers[:, : len(scale)] * scale
            return self.instrument.scenarios(market, day, shocks, elapsed=elapsed)
        delta, gamma = self.sensitivity[:, day].T
        return powers @ np.append(delta * scale, gamma * scale * scale)


class Span2Terms(Terms):
    """The published terms, see `Span2`."""

    weight: Share
    lookback: Annotated[int, Ge(SEED_DAYS)]
    decay: Annotated[float, Gt(0), Lt(1)]
    floor: Annotated[float, Ge(0)]
    threshold: Annotated[float, Ge(0)]


@model(kind="span2")
class Span2:
    r"""SPAN 2-like: x historical + (1 - x) stressed value at risk, liquidity and concentration.

    .. math:: M_t = x \, HVaR_t + (1 - x) \, SVaR_t
              + \sum_i \tfrac{s_i}{2} |Q_i|
              + \sum_i Y \sigma_i \sqrt{\tfrac{(|Q_i| - k V_i)^+}{V_i}} \, (|Q_i| - k V_i)^+

    HVaR is the tail loss of past shocks scaled to today's volatility, r* = r sigma_T / sigma_t
    (see `FlooredShocks`), which is never below `floor` times the volatility of the whole lookback:
    the anti-procyclical part. SVaR is that of the same shocks scaled to the highest volatility of
    each factor so far. Liquidity is half the bid-offer of every position; concentration is the
    impact (Y daily volatilities for a day's volume V) of the amount above `threshold` k days'
    volume, so that beyond it margin grows faster than the book. Options are revalued.

    Only the form is that of CME's model. CME publishes neither x nor its scaling of correlations:
    here correlations are those of the standardised shocks, unscaled, so that a position's scenarios
    do not depend on other positions; hypothetical stresses are left out. Margin at day t uses
    closes up to and including t; on a day on which not all instruments of a portfolio trade it
    keeps its last value. USD.

    Parameters
    ----------
    weight : x; 0.75 is from memory, not verified.
    lookback, min_lookback : most and fewest shocks of each tail. CME uses ten years.
    decay : of the exponentially weighted variance.
    floor : see above; 0 removes the floor.
    threshold : days of average volume beyond which a position is concentrated; an assumption.
    costs : bid-offers and volumes, a file of `backtest/parameters/`, verified in part.
    parameters : rule or version of `strategies/parameters/`, for the terms that are None here.

    References
    ----------
    CME Group (2023). SPAN 2 methodology (x historical + (1 - x) stress + liquidity +
    concentration).
    Hull, J. & White, A. (1998). Incorporating volatility updating into the historical simulation
    method for value-at-risk. Journal of Risk, 1(1), 5-19.

    Examples
    --------
    >>> Span2(weight=1.0).terms.decay
    0.97
    """

    weight: Share | None = None
    lookback: Annotated[int, Ge(SEED_DAYS)] | None = None
    min_lookback: Annotated[int, Ge(20)] = 500
    decay: Annotated[float, Gt(0), Lt(1)] | None = None
    floor: Annotated[float, Ge(0)] | None = None
    threshold: Annotated[float, Ge(0)] | None = None
    costs: str = "liquidation/2025"
    parameters: str = "span2"

    @property
    def terms(self) -> Span2Terms:
        """The terms in use."""
        return Span2Terms.of(self)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        historical, stressed = self.tails(market, book, coverage)
        tail_margin = self.terms.weight * historical + (1.0 - self.terms.weight) * stressed
        return tail_margin + self.closeout(market, book)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'diversification and offset'; silos share the reduction in proportion.

        Gross contains liquidity and concentration, which are not reduced.
        """
        required = self.margin(market, book, coverage)
        silo_margins = margins_by_silo(self, market, book, coverage)
        silo_margins[np.isnan(required)] = np.nan
        gross = silo_margins.sum(axis=2)
        steps = {"gross": gross, "diversification and offset": required - gross}
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps=steps,
        )

    def tails(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """(2, days, portfolios) HVaR and SVaR, USD, >= 0; NaN while warming up."""
        volatility = FactorVolatility(market, decay=self.terms.decay, seed_days=SEED_DAYS)

        def tails(group: Group) -> FloatArray:
            positions: list[int] = list(range(len(group.book.instruments)))
            if market.traded is not None:
                # A bond that no portfolio holds must not remove the weekends of a crypto book.
                positions = [i for i in positions if group.book.exposure[:, i].any()]
            days = Closeout(group.book, coverage).by_instrument
            legs = [self._leg(volatility, group.book.instruments[i], days[i]) for i in positions]
            every = np.column_stack([f.z for leg in legs for f in leg.factors])
            rows = group.rows[~np.isnan(every[group.rows]).any(axis=1)]
            warming_up = len(group.rows) - len(rows)
            index = group.book.unit_index(market)[:, positions]
            exposure = np.ascontiguousarray(group.book.exposure[:, positions])
            powers = [leg.powers(rows) for leg in legs]
            elapsed = [leg.elapsed[rows] for leg in legs]
            out = np.full((2, len(group.rows), len(exposure)), np.nan)
            shortfall = np.empty(len(exposure))
            # The two tails see the same shocks and differ in their scale alone: today's volatility
            # for HVaR, the highest so far for SVaR.
            for end in range(self.min_lookback, len(rows) + 1):
                window, day = slice(max(0, end - self.terms.lookback), end), int(rows[end - 1])
                count = tail_count(end - window.start, coverage.confidence)
                for k, tail in enumerate(out[:, warming_up + end - 1]):
                    values = [
                        leg.values(
                            market, day, powers=p[window], elapsed=e[window], is_stressed=k == 1
                        )
                        for leg, p, e in zip(legs, powers, elapsed, strict=True)
                    ]
                    window_tail(np.stack(values), index[day], exposure, count, tail, shortfall)
            return np.maximum(out, 0.0)

        return np.asarray(by_group(market, book, tails))

    def closeout(self, market: Market, book: Book) -> DaysByPortfolios:
        """(days, portfolios) liquidity and concentration, USD, >= 0."""
        costs = load_costs(self.costs)
        index, size = np.abs(book.unit_index(market)), np.abs(book.exposure)
        out = np.zeros((len(market.dates), len(book.portfolios)))
        for i, instrument in enumerate(book.instruments):
            cost, usd = costs.of(instrument), np.outer(index[:, i], size[:, i])
            beyond = np.maximum(usd - self.terms.threshold * cost.adv_usd, 0.0)
            # Up to the threshold a position pays the bid-offer alone; impact is charged on the
            # amount beyond, so that only books too large for their market are dearer per USD.
            impact = costs.impact.coefficient * daily_volatility(instrument, market)[:, None]
            out += BASIS_POINT * cost.half_spread_bp * usd
            out += impact * np.sqrt(beyond / cost.adv_usd) * beyond
        return out

    def _leg(self, volatility: FactorVolatility, instrument: Instrument, horizon: int) -> _Leg:
        """Standardised shocks of the factors of an instrument, over its MPOR."""
        market = volatility.market
        by_factor_name = by_factor(instrument, market)
        names = instrument.moved_by if is_option(instrument) else tuple(by_factor_name)
        if is_option(instrument) and market.traded is not None:
            raise StudyError(
                f"{instrument.name} is revalued in full, which needs the business clock; leave it "
                "out or set [clock] kind = 'business'."
            )
        elapsed = np.full(len(market.dates), np.nan)
        elapsed[horizon:] = (market.dates[horizon:] - market.dates[:-horizon]).astype(np.float64)
        return _Leg(
            instrument=instrument,
            factors=tuple(
                FlooredShocks.of(
                    volatility,
                    name,
                    horizon=horizon,
                    floor=self.terms.floor,
                    lookback=self.terms.lookback,
                )
                for name in names
            ),
            sensitivity=np.stack([by_factor_name[name] for name in names]),
            elapsed=elapsed,
        )
