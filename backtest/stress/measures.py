"""What limits are about, measured on every day of a history: accounts and firms, all at once.

Accounts come in blocks, so that ten thousand of them fit into memory: nothing of size days x
accounts x instruments is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.book.book import Book
from backtest.book.liquidation import load_costs
from backtest.market.market import Market
from backtest.stress.backing import Backing
from backtest.stress.repricing import repriced_pnl
from backtest.stress.scenario import Scenario, moved_levels
from backtest.types import DaysByPortfolios, FloatArray, StudyError

BLOCK = 256  # accounts
COSTS = "liquidation"  # the rule whose file holds volumes


@dataclass(frozen=True, eq=False)
class Measures:
    """Values by day, (days, names); NaN where a measure is not known.

    Parameters
    ----------
    gross : USD, sum of absolute positions. concentration : share of the largest instrument in the
        sum of stand-alone margins. volume : days of average volume that the largest position is.
    largest : place of the instrument behind `concentration`.
    most_traded : place of the instrument behind `volume`.
    """

    gross: DaysByPortfolios
    concentration: DaysByPortfolios
    volume: DaysByPortfolios
    largest: FloatArray
    most_traded: FloatArray


def one_usd(book: Book) -> Book:
    """A book of one USD long, then of one USD short, of each instrument: whose margins are alone.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [5e6], "ETH": [0.0]}, index=["coin"]))
    >>> one_usd(book).exposure.tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, -0.0], [-0.0, -1.0]]
    """
    count = len(book.instruments)
    names = (f"{side} {i.name}" for side in ("long", "short") for i in book.instruments)
    return Book(tuple(names), book.instruments, np.vstack([np.eye(count), -np.eye(count)]))


def average_volumes(book: Book) -> FloatArray:
    """(instruments,) USD traded on an average day; NaN where the table of costs has none."""
    costs, volumes = load_costs(COSTS), []
    for instrument in book.instruments:
        try:
            volumes.append(costs.of(instrument).adv_usd)
        except StudyError:
            volumes.append(float("nan"))
    return np.array(volumes)


def blocks(count: int) -> Iterator[slice]:
    """So many accounts in blocks.

    Examples
    --------
    >>> list(blocks(300))
    [slice(0, 256, None), slice(256, 512, None)]
    """
    return (slice(first, first + BLOCK) for first in range(0, count, BLOCK))


def blocks_of(book: Book, market: Market) -> Iterator[tuple[slice, FloatArray]]:
    """Blocks of accounts, and their positions (days, accounts, instruments) in USD."""
    for rows in blocks(len(book.portfolios)):
        yield rows, book.select(rows).usd(market)


def account_measures(market: Market, book: Book, alone: FloatArray) -> Measures:
    """Measures of each account.

    alone : (days, 2, instruments) stand-alone margin of one USD long and short; see `one_usd`.
    """
    shape = (len(market.dates), len(book.portfolios))
    out = Measures(*(np.full(shape, np.nan) for _ in range(5)))
    volumes = average_volumes(book)
    for rows, usd in blocks_of(book, market):
        _measure(out, rows, usd, np.abs(usd), _stand_alone(usd, alone), volumes)
    return out


def firm_measures(market: Market, book: Book, alone: FloatArray, backing: Backing) -> Measures:
    """Measures of each firm: gross and stand-alone margins of its accounts added up.

    `volume` is about the net position of all its accounts, which is what has to be traded.
    """
    firms, count = backing.firms, len(book.instruments)
    shape = (len(market.dates), len(firms))
    net, gross, standing = (np.zeros((*shape, count)) for _ in range(3))
    for rows, usd in blocks_of(book, market):
        names, margins = book.portfolios[rows], _stand_alone(usd, alone)
        for f, firm in enumerate(firms):
            members = backing.members(firm, names)
            net[:, f] += usd[:, members].sum(axis=1)
            gross[:, f] += np.abs(usd[:, members]).sum(axis=1)
            standing[:, f] += margins[:, members].sum(axis=1)
    out = Measures(*(np.full(shape, np.nan) for _ in range(5)))
    _measure(out, slice(None), net, gross, standing, average_volumes(book))
    return out


def _stand_alone(usd: FloatArray, alone: FloatArray) -> FloatArray:
    """(days, accounts, instruments) margin of each position by itself."""
    long, short = alone[:, 0, None, :], alone[:, 1, None, :]
    return np.where(usd >= 0.0, usd * long, -usd * short)


def _measure(
    out: Measures,
    rows: slice,
    net: FloatArray,
    gross: FloatArray,
    standing: FloatArray,
    volumes: FloatArray,
) -> None:
    """Fill in the measures of some names from arrays (days, names, instruments)."""
    out.gross[:, rows] = gross.sum(axis=2)
    total = standing.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        out.concentration[:, rows] = np.where(total > 0.0, standing.max(axis=2) / total, np.nan)
    out.largest[:, rows] = np.nan_to_num(standing).argmax(axis=2)
    # What is not held, or of which no volume is known, has no days: it is not traded in none.
    unknown = np.isnan(volumes) | (gross == 0.0)
    days = np.where(unknown, -np.inf, np.abs(net) / volumes)
    most = days.max(axis=2)
    out.volume[:, rows] = np.where(np.isfinite(most), most, np.nan)
    out.most_traded[:, rows] = days.argmax(axis=2)


def stress_by_day(
    market: Market, book: Book, scenarios: Sequence[Scenario], spans: Sequence[int]
) -> FloatArray:
    """(scenarios, days, instruments) P&L per 1 USD of stated moves, from the levels of each day.

    spans : (instruments,) calendar days of each close-out.
    """
    days = np.arange(len(market.dates))
    out = np.empty((len(scenarios), len(days), len(book.instruments)))
    for s, scenario in enumerate(scenarios):
        later = moved_levels(market, days, scenario.vector(market)[None])
        for span in set(spans):
            columns = [i for i, own in enumerate(spans) if own == span]
            out[s][:, columns] = repriced_pnl(
                [book.instruments[i] for i in columns],
                market,
                days,
                later=later,
                elapsed=np.full(len(days), float(span)),
            )
    return out


def cost_in_losses(market: Market, book: Book) -> DaysByPortfolios | float:
    """(days, accounts) USD of closing out; 0 where the book's losses leave it out."""
    if book.liquidation is None:
        return 0.0
    return book.liquidation.cost(
        market,
        book.instruments,
        exposure=book.on(market.dates).exposure,
        index=book.unit_index(market),
    )


def worst_stress_by_day(market: Market, book: Book, pnl: FloatArray) -> DaysByPortfolios:
    """(days, accounts) largest loss of any scenario, the cost of closing out in it; >= 0."""
    out = np.zeros((len(market.dates), len(book.portfolios)))
    for rows, usd in blocks_of(book, market):
        cost = cost_in_losses(market, book.select(rows))
        for scenario in pnl:
            losses = cost - np.matmul(usd, scenario[:, :, None])[:, :, 0]
            np.maximum(out[:, rows], losses, out=out[:, rows])
    return out


def firm_stress_by_day(
    market: Market,
    book: Book,
    pnl: FloatArray,
    required: Mapping[str, DaysByPortfolios],
    backing: Backing,
) -> dict[str, DaysByPortfolios]:
    """By model, (days, firms) largest sum in any scenario of what a firm's accounts lack; >= 0.

    An account lacks its loss beyond its margin and its own resources. NaN before margins are known.
    """
    firms, own = backing.firms, backing.own(book.portfolios)
    shape = (len(pnl), len(market.dates), len(firms))
    lacked = {model: np.zeros(shape) for model in required}
    for rows, usd in blocks_of(book, market):
        cost = cost_in_losses(market, book.select(rows))
        members = [backing.members(firm, book.portfolios[rows]) for firm in firms]
        for s, scenario in enumerate(pnl):
            losses = cost - np.matmul(usd, scenario[:, :, None])[:, :, 0] - own[rows]
            for model, margins in required.items():
                lacks = np.maximum(losses - margins[:, rows], 0.0)
                for f, places in enumerate(members):
                    lacked[model][s, :, f] += lacks[:, places].sum(axis=1)
    return {model: sums.max(axis=0) for model, sums in lacked.items()}
