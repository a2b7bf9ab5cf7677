"""Shocks whose variance grows with the closed days that a step spans: weekends and holidays."""

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.garch_t import GarchT
from backtest.simulate.paths import Sampler, Simulator, known_shocks, path_days
from backtest.simulate.recast import recast
from backtest.types import Dates, Days, DaysByFactors, FloatArray

NEARBY = 5  # ordinary steps on either side that say how large shocks are at the time
BISECTIONS = 60  # halves the range of the variance of a closed day to below 1e-15
HIGHEST_SHARE = 10.0  # variances of an ordinary day; no closed day has more


@model
class WeekendVariance:
    r"""A base of ordinary days, and steps over weekends and holidays as much larger as the data's.

    .. math:: x_t = \sqrt{1 + w c_t} \; y_t

    for each factor, with c the calendar days of a step beyond the first (two for a weekend, three
    where a holiday follows it), w the variance of such a day against that of an ordinary one, and y
    drawn from the base, which is fitted to the data's shocks divided by the same root. The days are
    those of the path, so that a bootstrap no longer lays a Monday's shock, which holds the weekend,
    on a Wednesday. Where no step of the data spans a closed day w is zero.

    w is that at which shocks over closed days have, on average, the size that nearby ordinary
    shocks lead one to expect (`closed_day_variance`): Bitcoin's weekends are quieter than its
    weeks, and yields hardly move.

    A `Spliced` belongs inside, so that its future has the path's own days.

    Parameters
    ----------
    base : simulator of the ordinary days.
    prices : w of every price; None takes the data's, factor by factor, as for yields.

    References
    ----------
    French, K. & Roll, R. (1986). Stock return variances: The arrival of information and the
    reaction of traders. Journal of Financial Economics, 17(1), 5-26.

    Examples
    --------
    >>> WeekendVariance(prices=0.7).prices
    0.7
    """

    keeps: ClassVar[str] = (
        "how much more each factor moves over weekends and holidays, on the path's own days, and "
        "what its base keeps of ordinary days"
    )
    loses: ClassVar[str] = (
        "differences among weekdays, and between weekends and holidays, and what its base loses"
    )
    follows_dates: ClassVar[bool] = True

    base: Simulator = GarchT()
    prices: Annotated[float, Ge(0)] | None = None

    def sampler(self, market: Market) -> Sampler:
        """Fit the base to ordinary days; draw from it and scale by the days of the path."""
        shocks = known_shocks(market)
        share = closed_day_variance(shocks, closed_days(market.dates))
        price = np.array([kind == "price" for kind in market.kinds])
        if self.prices is not None:
            share = np.where(price, self.prices, share)

        def scale(days: int) -> FloatArray:
            closed = closed_days(path_days(market.dates, days + 1))
            return np.asarray(np.sqrt(1.0 + closed[:, None] * share))

        draw = self.base.sampler(recast(market, shocks / scale(len(shocks))))

        def scaled(rng: np.random.Generator) -> DaysByFactors:
            ordinary = draw(rng)
            return floored(ordinary * scale(len(ordinary)), price)

        return scaled


def closed_days(dates: Dates) -> Days:
    """(days - 1,) calendar days of each step beyond its first: 2 over a weekend.

    Examples
    --------
    >>> closed_days(np.array(["2024-07-03", "2024-07-05", "2024-07-08"], "M8[D]")).tolist()
    [1.0, 2.0]
    """
    return np.diff(dates).astype(np.float64) - 1.0


def closed_day_variance(shocks: DaysByFactors, closed: Days) -> FloatArray:
    r"""(factors,) variance of a closed day against an ordinary one; at least zero.

    The w at which the sum over closed steps of \|x\| / s, with s the mean \|x\| of the ordinary
    steps nearby, is that of sqrt(1 + w c) times the mean of the same ratio over ordinary steps.
    Sizes and not squares: a few wild days would decide the mean of squares.

    Parameters
    ----------
    shocks : (steps, factors). closed : (steps,) closed days of each.

    Examples
    --------
    >>> closed = np.tile([0.0, 0.0, 0.0, 0.0, 2.0], 400)
    >>> shocks = np.random.default_rng(0).standard_normal((2000, 1))
    >>> closed_day_variance(shocks * np.sqrt(1.0 + 0.5 * closed)[:, None], closed).round(1)
    array([0.6])
    """
    ordinary, span = closed == 0.0, closed > 0.0
    if not span.any() or not ordinary.any():
        return np.zeros(shocks.shape[1])
    size = np.abs(shocks)
    known = np.flatnonzero(ordinary)
    # Nearby are the ordinary steps before and after, never the step itself: its own size in the
    # mean would draw the ratio of a large shock towards one.
    after = np.searchsorted(known, np.arange(len(shocks)) + 1)
    before = np.searchsorted(known, np.arange(len(shocks)))
    total = np.vstack([np.zeros((1, size.shape[1])), np.cumsum(size[known], axis=0)])
    first, last = np.maximum(before - NEARBY, 0), np.minimum(after + NEARBY, len(known))
    count = (last - first - (after - before)).astype(np.float64)
    nearby = total[last] - total[after] + total[before] - total[first]
    nearby /= np.maximum(count, 1.0)[:, None]
    ratio = np.divide(size, nearby, out=np.zeros_like(size), where=nearby > 0.0)
    norm = ratio[ordinary].mean(axis=0)
    wanted = ratio[span].sum(axis=0) / np.where(norm > 0.0, norm, 1.0)
    low, high = np.zeros(size.shape[1]), np.full(size.shape[1], HIGHEST_SHARE)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        below = np.sqrt(1.0 + closed[span, None] * middle).sum(axis=0) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(wanted > span.sum(), (low + high) / 2.0, 0.0)
