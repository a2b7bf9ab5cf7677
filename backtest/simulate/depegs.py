"""A stablecoin that is at par but for depegs: sudden falls that fade within days."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from backtest.estimators.depegs import DEPEGGED
from backtest.instruments.spot import Spot
from backtest.kernels.recursion import revert
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.garch_t import GarchT
from backtest.simulate.paths import Sampler, Simulator, known_shocks, path_days
from backtest.types import BoolArray, Dates, Days, DaysByFactors, RowNumbers, StudyError

YEAR = 365.25  # calendar days
DEEPEST = 0.5  # share of par that depegs can take together
WORST = 0.02  # share of a path's days that are the worst of crypto


@model
class Depegs:
    r"""Paths of a base in which one price is a stablecoin: par, its daily noise, and depegs.

    .. math:: P_t = c \, (1 + n_t) \Bigl(1 - \sum_k D_k 2^{-(t - t_k) / h}\Bigr), \qquad t \ge t_k

    with c the median of the data, n the deviation from it, a first-order autoregression whose
    innovations are drawn from the data's (depegs left out), t_k the calendar days on which depegs
    begin, and D an exponential variable of mean `depth`, at most one half. A depeg can begin on any
    calendar day: one of a Saturday has partly faded by Monday, as that of USDC had in March 2023.

    Depegs meet crypto: a share of them, `with_falls`, begins on one of the path's own worst days of
    crypto, the 2 % with the lowest sum of standardised shocks; the others, and all where the market
    has no crypto, on any day. The shocks of other factors are those of the base, which is fitted to
    the market without the coin.

    Defaults are the record of USDC (`recorded_depegs`): from October 2018 to February 2026 three
    depegs on daily closes, .42 a year and 2.7 % deep on average; the slowest, of 11 March 2023,
    had .8 % of 2.85 % left a day later. The two of March 2020 are one vendor's closes. None began
    on a worst day of crypto. A run in a week like that of 9 May 2022, which had two of them, is
    what `with_falls` is for; its value is an assumption.

    Parameters
    ----------
    factor : the stablecoin. base : simulator of the other factors.
    per_year : mean number of depegs in a calendar year. depth : their mean depth, a share of par.
    half_life : calendar days in which half of the distance from par is made up for.
    with_falls : share of the depegs that begin on a worst day of crypto.

    References
    ----------
    Lyons, R. & Viswanath-Natraj, G. (2023). What keeps stablecoins stable? Journal of International
    Money and Finance, 131, 102777 (deviations from par are arbitraged away).

    Examples
    --------
    >>> Depegs(depth=0.10, half_life=3.0).factor
    'USDC'
    """

    keeps: ClassVar[str] = (
        "par, the coin's daily noise about it, how often and how deeply it left par on record, and "
        "of the other factors what its base keeps"
    )
    loses: ClassVar[str] = (
        "the date and the cause of the depeg, what Treasuries did on it, any link of the coin's "
        "noise to other factors, and what its base loses"
    )
    follows_dates: ClassVar[bool] = True

    factor: str = "USDC"
    base: Simulator = GarchT()
    per_year: Annotated[float, Ge(0)] = 0.42
    depth: Annotated[float, Gt(0), Lt(0.5)] = 0.027
    half_life: Annotated[float, Gt(0)] = 0.5
    with_falls: Annotated[float, Ge(0), Le(1)] = 0.5

    def sampler(self, market: Market) -> Sampler:
        """Fit the noise of the coin and the base of the others; draw both and the depegs."""
        known_shocks(market, fit=True)
        coin = market.column(self.factor)
        others = np.arange(len(market.factors)) != coin
        if not others.any():
            raise StudyError(
                f"the market has no factor but {self.factor}; add the crypto that it is held for."
            )
        noise = _Noise.of(market.levels[:, coin], self.factor)
        draw = self.base.sampler(_columns(market, others))
        crypto = np.array([Spot(f).asset_class == "crypto" for f in market.factors])[others]

        def with_depegs(rng: np.random.Generator) -> DaysByFactors:
            drawn = draw(rng)
            dates = path_days(market.dates, len(drawn) + 1)
            below = self._below_par(rng, dates, _worst_days(drawn[:, crypto]))
            level = noise.draw(rng, len(drawn)) * (1.0 - below)
            out = np.empty((len(drawn), len(others)))
            out[:, others] = drawn
            out[:, coin] = level[1:] / level[:-1] - 1.0
            return out

        return with_depegs

    def _below_par(self, rng: np.random.Generator, dates: Dates, worst: RowNumbers) -> Days:
        """(days,) how far depegs hold the coin below par; zero on the first day."""
        day = (dates - dates[0]).astype(np.float64)
        number = rng.poisson(self.per_year * day[-1] / YEAR)
        begins = rng.uniform(0.0, day[-1], number)
        if len(worst):
            tied = rng.random(number) < self.with_falls
            begins[tied] = day[rng.choice(worst, number)][tied]
        depth = np.minimum(rng.exponential(self.depth, number), DEEPEST)
        since = day[:, None] - np.ceil(begins)
        faded = np.where(since >= 0.0, 2.0 ** -(np.maximum(since, 0.0) / self.half_life), 0.0)
        return np.minimum((depth * faded).sum(axis=1), DEEPEST)


def _worst_days(shocks: DaysByFactors) -> RowNumbers:
    """Rows of the path that end the worst steps of crypto; none where there is no crypto."""
    if shocks.shape[1] == 0:
        return np.array([], dtype=np.int64)
    sums = (shocks / shocks.std(axis=0)).sum(axis=1)
    return np.argsort(sums, kind="stable")[: max(1, round(WORST * len(sums)))] + 1


def _columns(market: Market, columns: BoolArray) -> Market:
    """The market with some of its factors."""
    return replace(
        market,
        factors=tuple(f for f, kept in zip(market.factors, columns, strict=True) if kept),
        kinds=tuple(k for k, kept in zip(market.kinds, columns, strict=True) if kept),
        levels=market.levels[:, columns],
        adjusted=(),
        findings=(),
        before=None,
    )


@dataclass(frozen=True, eq=False)
class _Noise:
    """Deviations of the coin from par while it is not depegged: an autoregression."""

    par: float
    first: float  # deviation on the first day of a path, the market's own
    persistence: float
    innovations: Days
    limits: tuple[float, float]

    @classmethod
    def of(cls, levels: Days, factor: str) -> "_Noise":
        par = float(np.median(levels))
        deviation = levels / par - 1.0
        near = deviation > -DEPEGGED
        calm = near[1:] & near[:-1]
        if not 0.5 < par < 2.0 or np.abs(deviation[near]).max() > DEEPEST or not calm.any():
            raise StudyError(
                f"{factor} is no stablecoin: its levels are {levels.min():.4g} to "
                f"{levels.max():.4g}; name in `factor` the one whose par is 1."
            )
        before, after = deviation[:-1][calm], deviation[1:][calm]
        spread = float((before**2).sum())
        persistence = float(np.clip((before * after).sum() / spread if spread else 0.0, 0.0, 0.99))
        innovations = after - persistence * before
        limits = (float(deviation[near].min()), float(deviation[near].max()))
        return cls(par, float(deviation[0]), persistence, innovations, limits)

    def draw(self, rng: np.random.Generator, days: int) -> Days:
        """(days + 1,) levels without depegs, from the market's first day on."""
        drawn = rng.choice(self.innovations, (days, 1))
        out = np.empty((days, 1))
        low, high = (np.array([limit]) for limit in self.limits)
        revert(
            drawn, np.array([self.first]), np.zeros(1), np.array([self.persistence]), low, high, out
        )
        return self.par * (1.0 + np.concatenate([[self.first], out[:, 0]]))
