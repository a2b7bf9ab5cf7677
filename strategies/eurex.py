"""A model in the form of Eurex Clearing's Prisma: filtered scenarios in buckets, a stress floor."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.kernels.bucketed import bucketed_tail
from backtest.kernels.window_tail import window_pnl
from backtest.market.earlier import longer
from backtest.market.market import Market, tenor_years
from backtest.model.bucketed import Filter, FilteredScenarios
from backtest.model.delta_gamma import Scenarios
from backtest.model.protocol import model
from backtest.model.revaluation import Revaluation, priced_scenarios
from backtest.model.tails import Group, by_group
from backtest.parameters.terms import Terms
from backtest.types import Dates, DaysByPortfolios, FloatArray, RowNumbers, StudyError
from strategies.stressed import FEWEST_SCENARIOS, Windows

Confidence = Annotated[float, Ge(0.5), Lt(1)]


class EurexTerms(Terms):
    """The published terms, see `EurexLike`."""

    mpor: Annotated[int, Ge(1)]
    lookback: Annotated[int, Ge(20)]
    burn_in: Annotated[int, Ge(2)]
    decay: Annotated[float, Gt(0), Lt(1)]
    demeaned: bool
    confidence: Confidence
    factor: Annotated[float, Gt(0)]
    stress: Windows
    stress_confidence: Confidence


@model(kind="eurex_like")
class EurexLike:
    r"""Filtered historical simulation as in Eurex Clearing's Prisma, with unverified terms.

    .. math:: M_t = \max\Bigl(f \, \overline{-Q_{1-c}}\bigl(P(z_s \sigma_{tk})\bigr), \;
              \overline{-Q_{1-d}}\bigl(P(r_s)\bigr)\Bigr)

    Every factor's returns over M = `mpor` days (logarithmic of a price, the difference of a yield)
    are dealt into M buckets of days that do not overlap. A return less the exponentially weighted
    mean of its bucket, over the volatility of its bucket, both of M days before, is z. On day t
    those of bucket k are scaled by sigma_tk, the mean of the latest M volatilities, at least the
    bucket's median volatility over the lookback: the floor of volatility. P are the P&Ls of the
    book under all factors' moves at once, options revalued; the bar is the mean over buckets of the
    quantile of each, weighted by their numbers of days. The right-hand term is the stress floor:
    the same of unfiltered returns r within windows of `stress` so far, without f. Of few returns
    the quantile is the worst of each bucket: where prices begin late the floor is a severe one.

    The form is from Eurex Clearing's circulars (filtered and stress period scenarios, a floor set
    by dates and a quantile) and, for filter, buckets and numbers, from Glinz (2023), who had
    Eurex's dates: that Eurex uses the numbers is not verified. All his 3,710 statistics of the
    EURO STOXX 50 future are met by this model (`backtest.anchors.procyclicality_statistics`). Left
    out are his caps, buffers and limits of speed (`cap`, `buffer`, `speed_limit` around any model),
    and Prisma's own correlation breaks, event risk and liquidity component. Unlike his floor,
    this one knows a stress only once it has been seen.

    Confidence and MPOR are the house's own; those of the study play no part. The first margin
    needs `lookback` + 2 `burn_in` days, nine years; his setting for short histories is lookback
    500, burn_in 200, demeaned False. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    mpor : M, margin days of all positions.
    lookback : scenarios of a day. burn_in : days of mean and volatility, `burn_in` / M returns of
        a bucket. decay : of their weights from one of these to the one before.
    demeaned : whether volatility is about the mean or about zero.
    confidence : c. factor : f.
    stress : first and last day of each window, ISO; () for no floor. What lies before the first
        day of the market is left out, and page, screen and manifest say so.
    stress_confidence : d.
    parameters : rule or version of `strategies/parameters/`, for the terms that are None here.

    References
    ----------
    Glinz, S. (2023). Margin procyclicality during Covid-19: drivers, impact and solutions.
    Bachelor's thesis, University of St. Gallen.
    Eurex Clearing, circular 049/20 (15 June 2020): stress period VaR, a floor; circular 014/21
    (26 February 2021): filtered and stress period historical scenarios.

    Examples
    --------
    >>> EurexLike().terms.mpor, EurexLike(factor=1.0).terms.factor
    (3, 1.0)
    """

    mpor: Annotated[int, Ge(1)] | None = None
    lookback: Annotated[int, Ge(20)] | None = None
    burn_in: Annotated[int, Ge(2)] | None = None
    decay: Annotated[float, Gt(0), Lt(1)] | None = None
    demeaned: bool | None = None
    confidence: Confidence | None = None
    factor: Annotated[float, Gt(0)] | None = None
    stress: Windows | None = None
    stress_confidence: Confidence | None = None
    parameters: str = "eurex_like"

    @property
    def terms(self) -> EurexTerms:
        """The terms in use; StudyError where the burn-in has no return for some bucket."""
        terms = EurexTerms.of(self)
        if terms.burn_in < terms.mpor:
            raise StudyError(
                f"eurex_like.burn_in is {terms.burn_in}, and a bucket has a return every "
                f"{terms.mpor} days; give a burn_in of at least twice that."
            )
        return terms

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        terms = self.terms
        settings = Filter(
            step=terms.mpor,
            lookback=terms.lookback,
            burn_in=terms.burn_in,
            decay=terms.decay,
            demeaned=terms.demeaned,
        )

        def margins(group: Group) -> list[FloatArray]:
            past = self._past(market, group.book, coverage)
            tails = FilteredScenarios(market, past, settings).tails(1.0 - terms.confidence)
            floored = np.fmax(np.maximum(terms.factor * tails, 0.0), _stress_tails(past, terms))
            return [np.where(np.isnan(tails), np.nan, floored)]

        return by_group(market, book, margins, empty=(0.0,))[0]

    def stress_floor(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """(days, portfolios) USD of loss in the stress so far; NaN until 20 of its days are known.

        It may be negative, and a margin is then as if there were none.
        """

        def floors(group: Group) -> list[FloatArray]:
            return [_stress_tails(self._past(market, group.book, coverage), self.terms)]

        return by_group(market, book, floors, empty=(0.0,))[0]

    def leaves_out(self, market: Market) -> str:
        """Windows of stress that began before prices do.

        Examples
        --------
        >>> import backtest as bt
        >>> EurexLike().leaves_out(bt.load_market("treasury"))
        ''
        """
        windows = self.terms.stress
        earlier = sum(np.datetime64(begin) < market.dates[0] for begin, _ in windows)
        if not earlier:
            return ""
        words = (
            f"eurex_like leaves {earlier} of {len(windows)} windows of stress out of its floor, or "
            f"a part of them: prices start on {market.dates[0]}"
        )
        curve = [name for name in market.factors if tenor_years(name) is not None]
        begins = longer(market, curve).dates[0]
        if begins >= market.dates[0]:
            return f"{words}."
        return f"{words}. Positions on {', '.join(curve)} alone have those since {begins}."

    def _past(self, market: Market, book: Book, coverage: Coverage) -> Scenarios | Revaluation:
        own_coverage = replace(coverage, mpor=self.terms.mpor)
        return priced_scenarios(market, book, coverage=own_coverage)


def _stress_tails(past: Scenarios | Revaluation, terms: EurexTerms) -> DaysByPortfolios:
    """(days of the scenarios, portfolios) mean over buckets of the loss in stress so far."""
    out = np.full((len(past.unit), len(past.exposure)), np.nan)
    spells = stressed_days(past.dates[past.first :], terms.stress, terms.mpor)
    for day in range(past.first, len(out) if terms.stress else 0):
        rows, buckets = dealt(spells, day - past.first, terms.mpor)
        if len(rows) < FEWEST_SCENARIOS:
            continue
        if isinstance(past, Revaluation):
            values = past.values(day, lookback=day + 1 - past.first)[:, rows]
        else:
            values = past.shocks[past.first + rows].T
        pnl = np.empty((len(past.exposure), len(rows)))
        window_pnl(np.ascontiguousarray(values), past.unit[day], past.exposure, pnl)
        bucketed_tail(pnl, buckets, terms.mpor, 1.0 - terms.stress_confidence, out[day])
    return out


def stressed_days(
    dates: Dates, windows: tuple[tuple[str, str], ...], step: int
) -> list[RowNumbers]:
    """Rows of each window whose return over `step` days lies within it.

    Examples
    --------
    >>> days = np.arange("2024-03-01", "2024-03-09", dtype="datetime64[D]")
    >>> [rows.tolist() for rows in stressed_days(days, (("2024-03-02", "2024-03-06"),), 2)]
    [[2, 3, 4, 5]]
    """
    ends = np.array(windows, dtype="datetime64[D]").reshape(-1, 2)
    return [np.flatnonzero((dates >= a) & (dates <= b))[step - 1 :] for a, b in ends]


def dealt(spells: list[RowNumbers], last: int, step: int) -> tuple[RowNumbers, RowNumbers]:
    """Rows of spells up to row `last`, and the bucket of each, dealt backwards in every spell.

    Examples
    --------
    >>> [part.tolist() for part in dealt([np.array([2, 3, 4, 5]), np.array([8, 9])], 8, 2)]
    [[2, 3, 4, 5, 8], [1, 0, 1, 0, 0]]
    """
    seen = [rows[: rows.searchsorted(last, side="right")] for rows in spells]
    buckets = [np.arange(len(rows) - 1, -1, -1) % step for rows in seen]
    return np.concatenate(seen), np.concatenate(buckets)
