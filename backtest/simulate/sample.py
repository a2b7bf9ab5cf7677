"""The generator of the sample: SIMULATED yields, crypto, equity, funding, implied volatility.

No price history that may be redistributed covers Treasuries and crypto through the stress years,
so the package has a generator instead of a file. Without the ten real stress days its true
conditional law is known (`sample_law`).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from backtest.kernels.paths import factor_path, innovations
from backtest.kernels.portable import exponentials
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.paths import Sampler
from backtest.simulate.sample_law import BASIS_POINT, PERCENT, SampleLaw, sample_parameters
from backtest.types import BoolArray, Dates, DaysByFactors, StudyError

START, END = np.datetime64("2015-08-10"), np.datetime64("2026-06-30")
JUNETEENTH_SINCE = 2022  # first year in which the Treasury market closed for it
LONGEST_SAMPLE = 50_000  # days; some 200 years, before prices outgrow floats
DEFAULT_SEED = 3  # for the reason see sample_market
STRESS_DAYS = Path(__file__).with_name("stress_days.csv")


def holidays(year: int) -> list[np.datetime64]:
    """Federal holidays of a year on which the Treasury publishes no yields.

    A holiday on a Sunday moves to Monday; one on a Saturday is not made up for (Federal Reserve).

    Examples
    --------
    >>> [str(d) for d in holidays(2023)[:3]]
    ['2023-01-02', '2023-07-04', '2023-11-11']
    """
    fixed = ["01-01", "07-04", "11-11", "12-25"]
    if year >= JUNETEENTH_SINCE:
        fixed.append("06-19")
    days = [np.datetime64(f"{year}-{d}") for d in fixed]
    observed = [d + 1 if np.is_busday(d, weekmask="Sun") else d for d in days]
    floating = [
        np.busday_offset(f"{year}-{month:02d}", nth, roll="forward", weekmask=weekday)
        for month, nth, weekday in (
            (1, 2, "Mon"),
            (2, 2, "Mon"),
            (9, 0, "Mon"),
            (10, 1, "Mon"),
            (11, 3, "Thu"),
        )
    ]
    memorial = np.busday_offset(f"{year}-06", 0, roll="forward", weekmask="Mon") - 7
    return [*observed, *floating, memorial]


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def margin_days(days: int | None = None) -> Dates:
    """Weekdays from 2015-08-10 that are not federal holidays: `days` of them, or to 2026-06-30.

    Examples
    --------
    >>> len(margin_days()), str(margin_days(20)[-1])
    (2733, '2015-09-04')
    """
    if days is not None and (not _is_whole(days) or not 2 <= days <= LONGEST_SAMPLE):
        raise StudyError(f"days is {days}; give 2 to {LONGEST_SAMPLE:,}, or None for 2015-2026.")
    # 240 is fewer than the margin days of any year
    last = 2026 if days is None else 2016 + days // 240
    holiday_dates = [d for year in range(2015, last + 1) for d in holidays(year)]
    every = np.arange(START, np.datetime64(f"{last + 1}-01-01"))
    open_days = every[np.is_busday(every, holidays=holiday_dates)]
    return open_days[open_days <= END] if days is None else open_days[:days]


def step_variance(dates: Dates) -> DaysByFactors:
    """(days, factors) variance of the step that starts on each day, 1 for one weekday.

    BTC and ETH trade every calendar day: a step contains all weekdays and, at a lower variance,
    all Saturdays and Sundays after its first day; other factors move on margin days only. The last
    step is assumed to end on the next weekday.
    """
    next_weekday = np.busday_offset(dates[-1], 1)
    ends = np.append(dates[1:], next_weekday)
    weekdays = np.busday_count(dates + 1, ends + 1).astype(np.float64)
    weekend = (ends - dates).astype(np.int64) - weekdays
    share = sample_parameters().weekend
    around_the_clock = weekdays[:, None] + weekend[:, None] * share
    return np.where(share > 0.0, around_the_clock, 1.0)


@cache
def stress_shocks() -> tuple[Dates, DaysByFactors]:
    """Read the ten stress days and their real shocks; NaN for a factor that remains simulated.

    Log returns of prices, (stress days, factors), and changes of yields in decimals.

    Examples
    --------
    >>> days, shocks = stress_shocks()
    >>> str(days[1]), shocks[1, 5].round(3)     # BTC on 12 March 2020
    ('2020-03-12', np.float64(-0.465))
    """
    lines = STRESS_DAYS.read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split(",") for line in lines if not line.startswith("#")]
    parameters = sample_parameters()
    shocks = np.full((len(rows), len(parameters.factors)), np.nan)
    for name, *values in zip(header[1:], *(row[1:] for row in rows), strict=True):
        k = parameters.factors.index(name)
        unit = BASIS_POINT if parameters.kinds[k] == "yield" else PERCENT
        shocks[:, k] = np.array(values, dtype=np.float64) * unit
    return np.array([row[0] for row in rows], dtype="datetime64[D]"), shocks


@dataclass(frozen=True, eq=False)
class SamplePath:
    """One path: levels (days, factors), the law they were drawn from, the yields reflected."""

    levels: DaysByFactors
    law: SampleLaw


def sample_path(
    seed: int, path: int = 0, *, days: int | None = None, stress: bool = True
) -> SamplePath:
    """Path number `path` of a seed, with the conditional law of each step.

    GARCH(1,1) with Student t innovations in groups (one chi-square and one jump indicator a group),
    correlation and volatility by a two-state Markov regime. Yields revert slowly to a mean and are
    reflected at zero: a yield that would be -y becomes y (`law.reflected` marks the days).

    Parameters
    ----------
    seed, path : whole numbers from 0; the same pair gives the same levels to the bit, whatever
        the number of other paths and the length of this one.
    days : margin days from 2015-08-10; None runs to 2026-06-30.
    stress : put the shocks of the ten real stress days into the path. They are not draws of `law`;
        the volatility after them follows it.

    Raises
    ------
    StudyError : a seed or path below 0 or beyond 64 bits, or days out of range.

    References
    ----------
    Bollerslev, T. (1987). A conditionally heteroskedastic time series model for speculative prices
    and rates of return. Review of Economics and Statistics, 69(3), 542-547.

    Examples
    --------
    >>> a, b = (sample_path(7, 3, days=n).levels for n in (30, 60))
    >>> bool((a == b[:30]).all())
    True
    """
    for name, value in (("seed", seed), ("path", path)):
        if not _is_whole(value) or not 0 <= value < 2**64:
            raise StudyError(f"{name} is {value}; give a whole number from 0 to 2^64 - 1.")
    dates = margin_days(days)
    parameters = sample_parameters()
    shape = (len(dates), len(parameters.factors))
    z, stress_shock = np.empty(shape), np.full(shape, np.nan)
    regimes = np.empty(len(dates), dtype=np.int64)
    innovations(np.uint64(seed), np.uint64(path), parameters.law, regimes, z)
    if stress:
        stress_dates, shocks = stress_shocks()
        inside = stress_dates <= dates[-1]
        stress_shock[np.searchsorted(dates, stress_dates[inside])] = shocks[inside]
    weights = step_variance(dates)
    state, mean, variance = np.empty(shape), np.empty(shape), np.empty(shape)
    reflected: BoolArray = np.empty(shape, dtype=np.bool_)
    factor_path(
        z, regimes, weights, stress_shock, parameters.dynamics, state, mean, variance, reflected
    )
    price = np.array([kind == "price" for kind in parameters.kinds])
    prices = np.empty(shape)
    exponentials(state, prices)
    law = SampleLaw(
        dates=dates,
        factors=parameters.factors,
        kinds=parameters.kinds,
        mean=mean,
        scale=np.sqrt(variance * weights),
        regimes=regimes,
        stress_probability=parameters.law.transition[regimes, 1],
        reflected=reflected,
    )
    return SamplePath(levels=np.where(price, prices, state), law=law)


def sample_levels(
    seed: int, path: int = 0, *, days: int | None = None, stress: bool = True
) -> DaysByFactors:
    """(days, factors) levels of one path; the arguments of `sample_path`.

    Examples
    --------
    >>> sample_levels(7, days=30).shape
    (30, 11)
    """
    return sample_path(seed, path, days=days, stress=stress).levels


def sample_law(*, seed: int = DEFAULT_SEED, path: int = 0, days: int | None = None) -> SampleLaw:
    """True conditional law along a path without the real stress days.

    Examples
    --------
    >>> law = sample_law(seed=7, days=250)
    >>> margin = -law.shock_quantile("BTC", 0.01)     # oracle, USD per USD held long
    >>> margin.shape, bool((margin > 0).all())
    ((250,), True)
    """
    return sample_path(seed, path, days=days, stress=False).law


@model
class SampleGenerator:
    """The generator of the sample market, for any of its factors.

    Factors and length are those of the market; laws and calendar those of the generator.

    Parameters
    ----------
    stress : put the shocks of the ten real stress days into every path.

    Examples
    --------
    >>> SampleGenerator(stress=False)
    SampleGenerator(stress=False)
    """

    keeps: ClassVar[str] = (
        "the names, the kinds and the number of days of the data; its law is that of the "
        "sample market"
    )
    loses: ClassVar[str] = "everything else: it is not fitted to the data"

    stress: bool = False

    def sampler(self, market: Market) -> Sampler:
        """Draw paths as long as the market; the random stream draws their seeds."""
        sample_factors, kinds = sample_parameters().factors, sample_parameters().kinds
        unknown = [f for f in market.factors if f not in sample_factors]
        if unknown:
            raise StudyError(
                f"the sample generator has no factor {unknown[0]!r}; it has "
                f"{', '.join(sample_factors)}."
            )
        columns = [sample_factors.index(f) for f in market.factors]
        for factor, kind, column in zip(market.factors, market.kinds, columns, strict=True):
            if kind != kinds[column]:
                raise StudyError(
                    f"{factor} is a {kind} in the market and a {kinds[column]} in the sample "
                    "generator; rename it or leave it out."
                )
        price = np.array([kind == "price" for kind in market.kinds])

        def draw(rng: np.random.Generator) -> DaysByFactors:
            seed = int(rng.integers(2**63))
            levels = sample_levels(seed, days=len(market.dates), stress=self.stress)[:, columns]
            # The generator draws levels, a simulator must return shocks: yields by differences,
            # prices relative to the level before.
            steps = np.diff(levels, axis=0)
            steps[:, price] /= levels[:-1, price]
            return steps

        return draw
