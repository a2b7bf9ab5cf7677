"""On which days an audit takes the future away, and which future it puts in its place."""

from dataclasses import replace

import numpy as np

from backtest.book.book import Book
from backtest.market.market import Market
from backtest.types import DaysByPortfolios, first_known

WORST = 5  # losses of each portfolio before which the future is taken away
DRAWN = 12  # days drawn by the seed
EIGHTH = 8  # parts of the history between which the future is cut off
MOST_LIFTED = 2  # days of each portfolio whose margin stands out
LIFTED = 1.02  # times the larger of the margins H days before and after
REPLACED = 3  # days after which the future is replaced
MONTH = 20  # days between two of those


def general_cuts(full: DaysByPortfolios, seed: int) -> list[int]:
    """Cuts about the warm-up, and on days that the seed draws."""
    days = len(full)
    warm = first_known(full)
    drawn = np.random.default_rng(seed).integers(min(warm, days - 1), days, DRAWN).tolist()
    wanted = {warm // 2, warm - 1, warm, *drawn}
    return sorted(c for c in wanted if 0 <= c < days - 1)


def early_cuts(losses: DaysByPortfolios, horizon: int) -> dict[int, list[int]]:
    """Cut -> portfolios, from losses alone: asked before the model sees the whole history.

    A model that remembers what it has seen knows no more at such a cut than one that does not, if
    cuts come in the order of their days.
    """
    days, everyone = len(losses), list(range(losses.shape[1]))
    plan = _days_before(losses, [(np.nan_to_num(losses), WORST, horizon)])
    spread = {share * days // EIGHTH for share in range(1, EIGHTH)} | {days - 2}
    plan |= {cut: everyone for cut in spread if 0 <= cut < days - 1}
    if plan:  # a model that breaks its contract does so for all portfolios, and is told so first
        plan[min(plan)] = everyone
    return plan


def days_before_losses(
    losses: DaysByPortfolios, required: DaysByPortfolios, horizon: int
) -> dict[int, list[int]]:
    """Cut -> portfolios, on each of the H days on which a worst loss is not yet known.

    The worst are the largest losses of a portfolio. Cut on their first day alone are losses that
    use most of a margin (one that is lifted where it would fall short has them just below one), and
    margins above those of H days before and after: one that is lifted far is not used.
    """
    loss = np.nan_to_num(losses)
    used = np.divide(loss, required, out=np.zeros_like(loss), where=required > 0)
    lifted = np.zeros_like(loss)
    if len(loss) > 2 * horizon:
        beside = np.fmax(required[: -2 * horizon], required[2 * horizon :])
        middle = required[horizon:-horizon]
        share = np.divide(middle, beside, out=np.zeros_like(middle), where=beside > 0)
        lifted[horizon:-horizon] = np.where(share > LIFTED, share, 0.0)
    return _days_before(
        losses,
        [
            (loss, WORST, horizon),
            (np.nan_to_num(used), WORST, 1),
            (np.nan_to_num(lifted), MOST_LIFTED, 1),
        ],
    )


def _days_before(
    losses: DaysByPortfolios, measures: list[tuple[DaysByPortfolios, int, int]]
) -> dict[int, list[int]]:
    """Cut -> portfolios, on the days on which measures are largest and on days after them.

    measures : each with the number of its days, and how many days from each are cut on.
    """
    plan: dict[int, set[int]] = {}
    for p in range(losses.shape[1]):
        for values, most, after in measures:
            measure = values[:, p]
            worst = np.argsort(-measure, kind="stable")[:most]
            for day in worst[measure[worst] > 0.0]:
                for later in range(after):
                    if day + later < len(losses) - 1:
                        plan.setdefault(int(day) + later, set()).add(p)
    return {cut: sorted(rows) for cut, rows in plan.items()}


def most_shared(plan: dict[int, list[int]], days: int, seed: int) -> list[int]:
    """Cuts that most portfolios share, apart from each other by a month, and one that is drawn."""
    chosen: list[int] = []
    for cut in sorted(plan, key=lambda c: (-len(plan[c]), c)):
        if len(chosen) == REPLACED - 1:
            break
        if all(abs(cut - other) > MONTH for other in chosen):
            chosen.append(cut)
    chosen.append(
        int(np.random.default_rng([seed, 1]).integers(days // 4, max(days // 4 + 1, days - 1)))
    )
    return sorted({c for c in chosen if c < days - 1})


def other_future(market: Market, day: int, seed: int) -> Market:
    """The market up to `day`, then shocks of days drawn from all of its history, turned round.

    Levels stay within those that the market has had, so that prices stay above zero and yields in
    their range; a factor moves on the days on which it trades.
    """
    days = len(market.dates)
    one, share = market.shocks(1), np.random.default_rng([seed, 2]).random(days)
    drawn = np.empty_like(one)
    for j in range(one.shape[1]):
        # A day without trading is no move of zero: it would look like a stale price.
        moves = one[~np.isnan(one[:, j]), j]
        drawn[:, j] = -moves[(share * len(moves)).astype(int)]
    levels = market.levels.copy()
    low, high = market.levels.min(axis=0), market.levels.max(axis=0)
    price = np.array([kind == "price" for kind in market.kinds])
    for t in range(day + 1, days):
        before = levels[t - 1]
        after = np.where(price, before * (1.0 + drawn[t]), before + drawn[t])
        # Turned back at the edge, since a level that stays at it would look like stale prices.
        after = np.where(after > high, 2.0 * high - after, after)
        after = np.where(after < low, 2.0 * low - after, after)
        after = np.clip(after, low, high)
        levels[t] = after if market.traded is None else np.where(market.traded[t], after, before)
    return replace(market, levels=levels)


def other_trades(book: Book, day: int) -> Book:
    """The book up to `day`, then its later positions in the other order and turned round."""
    if book.dates is None:
        return book
    exposure = book.exposure.copy()
    exposure[day + 1 :] = -exposure[day + 1 :][::-1]
    return replace(book, exposure=exposure)
