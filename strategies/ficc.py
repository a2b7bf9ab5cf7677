"""FICC: historical simulation over ten years, a minimum of late history, floors, a charge."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.window_tail import window_tail
from backtest.market.earlier import longer
from backtest.market.market import Market, tenor_years
from backtest.model.by_silo import proportional_shares
from backtest.model.deficiency import largest_deficiencies
from backtest.model.delta_gamma import Scenarios, book_scenarios
from backtest.model.protocol import Parts, model
from backtest.model.tails import Group, by_group
from backtest.parameters.buckets import Rate
from backtest.parameters.files import read_as
from backtest.parameters.terms import Terms
from backtest.types import (
    BoolArray,
    Dates,
    DaysByPortfolios,
    FloatArray,
    StudyError,
    tail_count,
)
from strategies.ficc_floors import by_bucket


class FiccTerms(Terms):
    """The terms of a version, see `FiccVaR`; `mpor` is None for that of the study."""

    lookback: Annotated[int, Ge(20)]
    stress: tuple[str, ...]
    mpor: Annotated[int, Ge(1)] | None
    charge_days: Annotated[int, Ge(0)]
    minimum_lookback: Annotated[int, Ge(0)]


@model(kind="ficc_var")
class FiccVaR:
    r"""Historical simulation over ten years and a stressed year, with floors and a charge.

    .. math:: M_t = \max(L_{(k)}, L^A_{(k)}, F_t, A_t) + B_t, \quad
              F = \sum_b n_b |N_b| + g_b G_b, \quad A = \sum_b a_b |N_b|

    L_(k) is the k-th largest of N scenario losses, k = ceil of N (1 - c): the last `lookback`
    shocks and the earlier ones of the stressed year, at today's sensitivities (delta and gamma;
    options are not revalued). L^A is the same of the last `minimum_lookback` shocks alone: the
    minimum margin amount of 2024, so that margin does not wait ten years for a volatile year. N_b
    and G_b are net and gross market values of bucket b. B_t is the first deficiency beyond the
    allowed number in the trailing `charge_days` days, the third largest at 99 %: with it, no more
    days than allowed would have been short. A loss counts from the day on which it is known.
    Margin at day t uses closes up to and including t. USD.

    FICC's methodology is confidential. Its minimum takes price returns of benchmarks where this one
    takes the scenarios of the charge, and its look-back is remembered. For the rates of the floors
    no citable source was found: they are zero by default.

    Parameters
    ----------
    lookback, at_least : scenarios that end by day t: the most used, and the fewest for a margin.
    stress : first and last day of the stressed year, ISO; () leaves it out. Its shocks count from
        the day on which they are known. FICC's own year, the default, is left out too where prices
        start later, as of a book with Bitcoin; page, screen and manifest then say so. Books of
        Treasuries beside it have it where the study keeps earlier history (docs/earlier.md).
    mpor : margin days of all positions: 'rule' is FICC's three, None takes those of the study.
        Losses are always over the study's days, so against two days a margin of three covers more.
    minimum_lookback : see above; no minimum at 0, or where it is not below `lookback`.
    net_floor, gross_floor, minimum : rates n_b, g_b, a_b by bucket, decimals of market value. A
        bucket is a longest maturity ('2Y', '10Y': bonds of more than two and up to ten years) or a
        price factor ('BTC'); a bond future counts with the bonds it delivers. Each table has its
        own buckets: '10Y' alone contains all bonds of up to ten years.
    charge_days : margin days of backtesting; 0 leaves the charge out.
    parameters : rule or version of `strategies/parameters/`, for the terms that are None here.

    References
    ----------
    FICC (2018). SR-FICC-2018-001, 83 FR 4687 (1 February 2018); SR-FICC-2018-801, 83 FR 9055
    (2 March 2018). FICC (2024). SR-FICC-2024-003, 89 FR 90109 (minimum margin amount).

    Examples
    --------
    >>> FiccVaR(stress=()).terms.mpor, FiccVaR(parameters="ficc_gsd/2018").terms.minimum_lookback
    (3, 0)
    """

    lookback: Annotated[int, Ge(20)] | None = None
    at_least: Annotated[int, Ge(20)] = 500
    stress: tuple[str, ...] | None = None
    mpor: Annotated[int, Ge(1)] | Literal["rule"] | None = "rule"
    minimum_lookback: Annotated[int, Ge(0)] | None = None
    net_floor: dict[str, Rate] = Field(default_factory=dict)
    gross_floor: dict[str, Rate] = Field(default_factory=dict)
    minimum: dict[str, Rate] = Field(default_factory=dict)
    charge_days: Annotated[int, Ge(0)] | None = None
    parameters: str = "ficc_gsd"

    @property
    def terms(self) -> FiccTerms:
        """The terms in use."""
        mpor = self._published.mpor if self.mpor == "rule" else self.mpor
        return FiccTerms.of(self).model_copy(update={"mpor": mpor})

    @property
    def _published(self) -> FiccTerms:
        return read_as(FiccTerms, self.parameters)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return np.add.reduce(self._layers(market, book, coverage))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, 'diversification and offset', 'floors', 'backtesting charge'.

        'gross' is the sum of the silos' margins, each with its own floors and charges; the other
        steps are the changes of each layer when the silos are margined as one book. Silos share
        the requirement in proportion.
        """
        joint = self._layers(market, book, coverage)
        silo_layers = [self._layers(market, book.in_silo(s), coverage) for s in book.silos]
        silo_margins = np.stack([np.add.reduce(layers) for layers in silo_layers], axis=2)
        gross, required = silo_margins.sum(axis=2), np.add.reduce(joint)
        changes = np.array(joint) - np.add.reduce(silo_layers)
        names = ("diversification and offset", "floors", "backtesting charge")
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps={"gross": gross} | dict(zip(names, changes, strict=True)),
        )

    def leaves_out(self, market: Market) -> str:
        """FICC's stressed year where the market starts later; a year that a user names must be in.

        Examples
        --------
        >>> import backtest as bt
        >>> FiccVaR().leaves_out(bt.load_market("treasury"))
        ''
        """
        default = self._published.stress
        if not default or self.terms.stress != default:
            return ""
        if np.datetime64(default[0]) >= market.dates[0]:
            return ""
        words = (
            f"ficc_var leaves out its stressed year, {default[0]} to {default[1]}: prices start on "
            f"{market.dates[0]}"
        )
        curve = [name for name in market.factors if tenor_years(name) is not None]
        begins = longer(market, curve).dates[0]
        if begins > np.datetime64(default[0]):
            return f"{words}."
        return f"{words}. Positions on {', '.join(curve)} alone have it, from {begins}."

    def _layers(
        self, market: Market, book: Book, coverage: Coverage
    ) -> tuple[DaysByPortfolios, DaysByPortfolios, DaysByPortfolios]:
        """Value at risk, the increase to minimum and floors, the backtesting charge."""
        terms = self.terms
        own_coverage = coverage if terms.mpor is None else replace(coverage, mpor=terms.mpor)
        value_at_risk, of_late = self._values_at_risk(market, book, own_coverage)
        floored = np.maximum.reduce([value_at_risk, of_late, self._floor(market, book)])
        # The charge repairs the margin that members pay, so it is measured after the floors, at
        # FICC's MPOR; the charge itself is not backtested again.
        charge = np.where(np.isnan(floored), np.nan, 0.0)
        if terms.charge_days:
            allowed_days = tail_count(terms.charge_days, coverage.confidence, "floor")
            charge += largest_deficiencies(
                market,
                book,
                floored,
                coverage=own_coverage,
                days=terms.charge_days,
                rank=allowed_days + 1,
            )
        return value_at_risk, floored - value_at_risk, charge

    def _values_at_risk(
        self, market: Market, book: Book, own_coverage: Coverage
    ) -> Sequence[FloatArray] | FloatArray:
        """(days, portfolios) the tail of the charge, and that of late history alone."""
        first, last = self._stressed_year(market)
        lookback, late = self.terms.lookback, self.terms.minimum_lookback

        def tails(group: Group) -> list[FloatArray]:
            scenarios = book_scenarios(market, group.book, coverage=own_coverage)
            is_stressed = (scenarios.dates >= first) & (scenarios.dates <= last)
            of_charge = self._tails(
                scenarios, own_coverage.confidence, lookback=lookback, is_stressed=is_stressed
            )
            # A minimum that looks back as far as the charge would see no more than it does.
            if not 0 < late < lookback:
                return [of_charge, of_charge]
            return [of_charge, self._tails(scenarios, own_coverage.confidence, lookback=late)]

        return by_group(market, book, tails)

    def _tails(
        self,
        scenarios: Scenarios,
        confidence: float,
        *,
        lookback: int,
        is_stressed: BoolArray | None = None,
    ) -> FloatArray:
        """(days, portfolios) tail loss of the latest and stressed scenarios, >= 0."""
        days, portfolios = len(scenarios.shocks), len(scenarios.exposure)
        tails, unused = np.full((days, portfolios), np.nan), np.empty(portfolios)
        first_known_day = scenarios.first
        for day in range(first_known_day + self.at_least - 1, days):
            start = max(first_known_day, day + 1 - lookback)
            rows = np.arange(start, day + 1)
            if is_stressed is not None:
                # Every window contains the stressed year, but only once: its days within the last
                # `lookback` shocks are not added again.
                earlier = np.flatnonzero(is_stressed[first_known_day:start]) + first_known_day
                rows = np.append(earlier, rows)
            values = np.ascontiguousarray(scenarios.shocks[rows].T)
            count = tail_count(len(rows), confidence)
            window_tail(values, scenarios.unit[day], scenarios.exposure, count, tails[day], unused)
        return np.maximum(tails, 0.0)

    def _stressed_year(self, market: Market) -> Dates:
        """First and last day of the stressed year; StudyError if the market starts after it."""
        stress = self.terms.stress
        if not stress or self.leaves_out(market):
            return np.array(["NaT", "NaT"], dtype="datetime64[D]")
        try:
            days = np.array(stress, dtype="datetime64[D]")
        except ValueError:
            days = np.array([], dtype="datetime64[D]")
        if days.shape != (2,) or not days[0] <= days[1]:
            raise StudyError(
                f"ficc_var.stress is {list(stress)}; give its first and last day as "
                "YYYY-MM-DD, or [] for none."
            )
        if days[0] < market.dates[0]:
            raise StudyError(
                f"ficc_var.stress starts on {days[0]}, the market on {market.dates[0]}; set stress "
                "= [] to go without a stressed year, or give days that the market reaches."
            )
        return days

    def _floor(self, market: Market, book: Book) -> DaysByPortfolios:
        """The larger of the floor by net and gross value and the minimum margin amount."""
        floor = by_bucket(market, book, self.net_floor, net=True)
        floor = floor + by_bucket(market, book, self.gross_floor, net=False)
        return np.maximum(floor, by_bucket(market, book, self.minimum, net=True))
