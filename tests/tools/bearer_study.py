"""Coverage of intervals beside who bears a loss: `python -m tests.tools.bearer_study`.

The worst day of payments and the day in a hundred, the share of the account that loses most, a loss
given that there is one, and what fire sales add. Worlds are those of `interval_study`, and three on
which nothing was chosen: calm and crisis that all books share, volatility with its own news, and
days without clusters but with jumps. docs/intervals.md holds the tables, and
tests/scores/money/test_bearer_coverage.py repeats some cells with another seed. Two minutes.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np  # noqa: E402
from scipy.signal import lfilter  # noqa: E402

from backtest.scores.money.cost import equal_coverage_margin  # noqa: E402
from backtest.scores.money.rare import (  # noqa: E402
    LARGER,
    RareMean,
    rare_difference,
    rare_mean,
)
from backtest.scores.money.rare_share import rare_share  # noqa: E402
from backtest.scores.money.seldom import seldom  # noqa: E402
from backtest.scores.money.worst import worse_days  # noqa: E402
from backtest.types import FloatArray  # noqa: E402
from tests.tools.interval_study import (  # noqa: E402
    SHARED,
    WARM,
    WORLDS,
    burn_in,
    losses,
    margin_of,
    news,
)

FRESH = ("regimes", "log volatility", "jumps")
EVERY = (*WORLDS, *FRESH)
MARGINS = ("constant", "EWMA .97", "500 days")
LENGTHS = (750, 2196)
HORIZON = 2
FIRMS = 3  # whose payments of a day are added up
SIZES = 1.0 / np.arange(1, 6)  # of accounts; the last gains where the others sell
FACTORS = (1.0, 1.25, 1.6)  # of the 99 % point of losses over the MPOR
RESOURCES = 0.5  # beyond margin, multiple of it; who lacks more sells
IMPACT = 0.3  # of the margin, times the square root of what sellers lack over it
LONG, LONG_PATHS = 12_000, 120  # of the histories that the truth comes from


def books_of(world: str, days: int, paths: int, count: int, seed: int) -> list[FloatArray]:
    """P&L of books that share half of their news, (days, paths) each."""
    rng = np.random.default_rng(seed)
    if world in WORLDS:
        common = rng.standard_normal((days + burn_in(world), paths))
        return [news(world, rng, days, paths, common) for _ in range(count)]
    scale, common = _volatility(world, rng, days, paths), rng.standard_normal((days, paths))
    books = []
    for _ in range(count):
        own = rng.standard_normal((days, paths))
        books.append(scale * (np.sqrt(SHARED) * common + np.sqrt(1.0 - SHARED) * own))
    return books


def _volatility(world: str, rng: np.random.Generator, days: int, paths: int) -> FloatArray:
    """(days, paths) volatility that all books share."""
    if world == "jumps":  # one day in two hundred, of six times the volatility
        return np.where(rng.random((days, paths)) < 0.005, 6.0, 1.0)
    if world == "log volatility":  # halves in 70 days, and is twice as high one day in six
        shocks = rng.standard_normal((days + 700, paths)) * 0.7 * np.sqrt(1.0 - 0.99**2)
        return np.exp(lfilter([1.0], [1.0, -0.99], shocks, axis=0)[700:])
    # A crisis comes every two years, lasts three months and has three times the volatility.
    crisis, out = np.zeros(paths, dtype=np.bool_), np.empty((days, paths))
    for day in range(-700, days):
        turn = rng.random(paths)
        crisis = np.where(crisis, turn > 1.0 / 60.0, turn < 1.0 / 500.0)
        if day >= 0:
            out[day] = np.where(crisis, 3.0, 1.0)
    return out


@dataclass(frozen=True)
class Worst:
    """How often it held what is said of payments of a day; shares in [0, 1] of records.

    wilks : of the worst day as if days were independent; said : as printed; least : of the lower
    end of the day in a hundred, where 97.5 % are asked; upper : of an upper end, where a record has
    one, that `equal_coverage_margin` would give it.
    """

    world: str
    margin: str
    days: int
    wilks: float
    said: float
    least: float
    upper: float


def worst_days(world: str, margin: str, records: int, seed: int) -> Iterator[Worst]:
    """Payments of three firms: what their books lose in a day and what their margin rises by."""
    long, scale = _needs(world, margin, LONG, LONG_PATHS, seed + 1, None)
    ours, _ = _needs(world, margin, max(LENGTHS), records, seed, scale)
    ordered = np.sort(long.ravel())
    point = float(np.quantile(ordered, 0.99))
    for days in LENGTHS:
        paid = ours[:days]
        worse = 1.0 - np.searchsorted(ordered, paid.max(axis=0), side="right") / len(ordered)
        _, _, high = equal_coverage_margin(paid, np.ones_like(paid))
        low = np.array([seldom(p[None], np.ones(1), confidence=0.99).low for p in paid.T])
        yield Worst(
            world,
            margin,
            days,
            float(np.mean(worse <= 1.0 - 0.05 ** (1.0 / days))),
            float(np.mean(worse <= worse_days(paid))),
            float(np.mean(low <= point)),
            float(np.mean(high[np.isfinite(high)] >= point)),
        )


def _needs(
    world: str, margin: str, days: int, paths: int, seed: int, scale: list[float] | None
) -> tuple[FloatArray, list[float]]:
    """(days, paths) paid by all firms, and the scale of their margins, as found unless given."""
    total, found = np.zeros((days, paths)), []
    for firm, pnl in enumerate(books_of(world, WARM + days + HORIZON + 1, paths, FIRMS, seed)):
        asked, factor = _margin(margin, pnl, None if scale is None else scale[firm])
        rise, lost = np.diff(asked, axis=0), -pnl[1 : len(asked)]
        total += np.maximum(lost + rise, 0.0)[WARM : WARM + days]
        found.append(factor)
    return total, found


def _margin(margin: str, pnl: FloatArray, scale: float | None) -> tuple[FloatArray, float]:
    """Margin of every day, and its scale; one exceeded on 1 % of days unless given."""
    asked = margin_of(margin, pnl, HORIZON, 0.99)
    if scale is None:
        scale = float(np.quantile(losses(pnl, HORIZON)[WARM:] / asked[WARM:], 0.99))
    return scale * asked, scale


@dataclass(frozen=True)
class Borne:
    """How often intervals held the truth where a record has five events, in [0, 1].

    share : of the account that lost most; given : of a loss on a day that has one; added : by fire
    sales. `_low` the part whose upper end is below the truth; for a share the part whose lower end
    is above it, as the account is chosen by the record. wide : median width of a share; times :
    median upper end of a loss over its estimate.
    """

    world: str
    margin: str
    records: int
    share: float
    share_high: float
    given: float
    given_low: float
    added: float
    added_low: float
    wide: float
    times: float


def borne(world: str, margin: str, records: int, seed: int) -> Borne:
    """Five accounts of different size that share half of their news."""
    long, scale = _accounts(world, margin, LONG, LONG_PATHS, seed + 1, None)
    ours, _ = _accounts(world, margin, max(LENGTHS), records, seed, scale)
    shares, given, added = [], [], []
    for factor in FACTORS:
        lost, more = _beyond(long, factor)
        by_account, total = lost.mean(axis=(0, 1)), lost.sum(axis=2)
        mean_given, mean_more = total.mean() / (total > 0.0).mean(), more.mean() - total.mean()
        lost, more = _beyond(ours, factor)
        for days in LENGTHS:
            for one, after in zip(lost[:days].transpose(1, 0, 2), more[:days].T, strict=True):
                paid = one.sum(axis=1)
                largest = int(one.sum(axis=0).argmax())
                found = rare_mean(paid)
                if np.isfinite(found.low):
                    share = rare_share(one[:, largest].sum() / paid.sum(), paid)
                    shares.append((share, by_account[largest] / by_account.sum()))
                    given.append((found.times(1.0 / (paid > 0.0).mean()), mean_given))
                difference = rare_difference(after, paid, larger=LARGER)
                if np.isfinite(difference.low):
                    added.append((difference, mean_more))
    return Borne(
        world,
        margin,
        len(shares),
        _held(shares),
        float(np.mean([found.low > truth for found, truth in shares])),
        _held(given),
        float(np.mean([found.high < truth for found, truth in given])),
        _held(added),
        float(np.mean([found.high < truth for found, truth in added])),
        float(np.median([found.high - found.low for found, _ in shares])),
        float(np.median([found.high / found.mean for found, _ in given])),
    )


def _held(cells: list[tuple[RareMean, float]]) -> float:
    return float(np.mean([found.low <= truth <= found.high for found, truth in cells]))


def _accounts(
    world: str, margin: str, days: int, paths: int, seed: int, scale: list[float] | None
) -> tuple[tuple[FloatArray, FloatArray], list[float]]:
    """Losses and margins of accounts, (days, paths, accounts), and the scale of their margins."""
    lost, asked, found = [], [], []
    books = books_of(world, WARM + days + HORIZON, paths, len(SIZES), seed)
    for account, (size, pnl) in enumerate(zip(SIZES, books, strict=True)):
        required, factor = _margin(margin, pnl, None if scale is None else scale[account])
        lost.append(size * losses(pnl, HORIZON)[WARM:])
        asked.append(size * required[WARM:])
        found.append(factor)
    return (np.stack(lost, axis=2), np.stack(asked, axis=2)), found


def _beyond(
    accounts: tuple[FloatArray, FloatArray], factor: float
) -> tuple[FloatArray, FloatArray]:
    """Losses beyond margin, (days, paths, accounts), and their sum where sales add to losses.

    Who lacks more than its resources sells; the last account is on the other side, and gains.
    """
    lost, asked = accounts[0], factor * accounts[1]
    without = np.maximum(lost - asked, 0.0)
    lacking = (np.maximum(without - RESOURCES * asked, 0.0) / asked).sum(axis=2, keepdims=True)
    moved = IMPACT * asked * np.sqrt(lacking) * np.where(np.arange(len(SIZES)) < 4, 1.0, -1.0)
    return without, np.maximum(lost + moved - asked, 0.0).sum(axis=2)


def main(records: int = 300, seed: int = 23) -> None:
    """Print the tables of docs/intervals.md."""
    print(f"{'':26}" + "".join(f"{f'{days:,} days':>33}" for days in LENGTHS))
    print(f"{'world':16}{'margin':10}" + f"{'Wilks':>10}{'said':>7}{'least':>8}{'upper':>8}" * 2)
    for world in EVERY:
        for margin in MARGINS:
            cells = "".join(
                f"{100 * c.wilks:10.0f}{100 * c.said:7.0f}{100 * c.least:8.0f}{100 * c.upper:8.0f}"
                for c in worst_days(world, margin, records, seed)
            )
            print(f"{world:16}{margin:10}{cells}", flush=True)
    print(f"\n{'world':16}{'margin':10}records    share width   at once times   fire sale")
    for world in EVERY:
        for margin in MARGINS:
            c = borne(world, margin, records, seed)
            print(
                f"{world:16}{margin:10}{c.records:7,}{_with(c.share, c.share_high)}{c.wide:6.2f}"
                f"  {_with(c.given, c.given_low)}{c.times:6.1f}    {_with(c.added, c.added_low)}",
                flush=True,
            )


def _with(held: float, unsafe: float) -> str:
    """% held, and in brackets % missed on the side that is named."""
    return f"{f'{100 * held:.0f} ({100 * unsafe:.0f})':>9}"


if __name__ == "__main__":
    main()
