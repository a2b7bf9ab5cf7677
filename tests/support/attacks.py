"""Models written against the audit: each knows how it works, and tries to look ahead unseen.

An attack is a class whose `margin` is the honest one, lifted to the loss where it thinks that
nobody looks. `CAUGHT` must be found by a run; `NOT_CAUGHT` are kinds that an audit inside the same
process does not find, each with what does.
"""

import sys

import numpy as np

from backtest.model.audit_days import general_cuts
from tests.support.cheats import honest, losses

DAYS = 100
CAUGHT, NOT_CAUGHT = {}, {}


def attack(registry):
    def registered(cls):
        registry[cls.__name__] = cls
        return cls

    return registered


def lifted(margin, loss, where=True, by=1.03):
    lift = np.where(np.isnan(margin), margin, np.fmax(margin, by * loss))
    return np.where(where, lift, margin)


def callers():
    """Names of the functions on the stack."""
    frame, names = sys._getframe(), set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    return names


class Attack:
    def margin(self, market, book, coverage):
        margin, loss = (f(market, book, coverage, *a) for f, a in ((honest, (DAYS,)), (losses, ())))
        return np.ascontiguousarray(self.lift(market, book, margin, loss))

    def __repr__(self):
        return type(self).__name__


@attack(CAUGHT)
class AwayFromDrawnDays(Attack):
    """Lifts on no day near a cut that the seed of the audit gives."""

    def lift(self, market, book, margin, loss):
        near = np.zeros(len(margin), dtype=bool)
        for cut in general_cuts(margin, 0):
            near[max(0, cut - 2) : cut + 3] = True
        return lifted(margin, loss, ~near[:, None])


@attack(CAUGHT)
class SixthToThirtiethWorst(Attack):
    """Doubles margin on bad days, but on none of the worst."""

    def lift(self, market, book, margin, loss):
        rank = np.argsort(np.argsort(-loss, axis=0), axis=0)
        return np.where((rank >= 5) & (rank < 30), 2.0 * margin, margin)


@attack(CAUGHT)
class RemembersTheFuture(Attack):
    """Answers a shorter market from what it saw of the longer one."""

    seen: dict = {}

    def lift(self, market, book, margin, loss):
        key = (market.dates[0], book.portfolios)
        best = self.seen.get(key)
        if best is None or len(best) < len(margin):
            self.seen[key] = best = lifted(margin, loss)
        return best[: len(margin)]


@attack(CAUGHT)
class AnswersInOneBuffer(Attack):
    """Gives parts of one array each time: with each answer it changes those before."""

    buffers: dict = {}

    def lift(self, market, book, margin, loss):
        buffer = self.buffers.setdefault(margin.shape[1], np.empty((5000, margin.shape[1])))
        answer = buffer[: len(margin)]
        answer[...] = lifted(margin, loss)
        return answer


@attack(CAUGHT)
class CountsItsCalls(Attack):
    """Honest for as long as an audit takes."""

    calls, patience = [0], 50

    def lift(self, market, book, margin, loss):
        self.calls[0] += 1
        return lifted(margin, loss) if self.calls[0] > self.patience else margin


@attack(CAUGHT)
class OnlyManyPortfolios(Attack):
    """Honest on as few portfolios as an audit has."""

    def lift(self, market, book, margin, loss):
        return lifted(margin, loss) if len(book.portfolios) > 20 else margin


@attack(CAUGHT)
class ByTheLastWeekday(Attack):
    """Looks ahead where the last day is the weekday that the whole history ends on."""

    def lift(self, market, book, margin, loss):
        weekday = int(np.datetime64(market.dates[-1], "D").astype(int)) % 7
        return lifted(margin, loss) if weekday == 1 else margin


@attack(CAUGHT)
class ByTheNumberOfRows(Attack):
    """Looks ahead where the number of rows is even."""

    def lift(self, market, book, margin, loss):
        return lifted(margin, loss) if len(margin) % 2 == 0 else margin


@attack(CAUGHT)
class OnlyTheFullLength(Attack):
    """Looks ahead only in a market that ends on the last day of the data."""

    def lift(self, market, book, margin, loss):
        return lifted(margin, loss) if market.dates[-1] >= self.last else margin

    last = np.datetime64("2021-10-29")


@attack(CAUGHT)
class ChangesThePrices(Attack):
    """Writes smaller losses into the market that everyone shares."""

    def lift(self, market, book, margin, loss):
        market.levels.flags.writeable = True
        market.levels[:] = market.levels.mean(axis=0)
        return margin


@attack(CAUGHT)
class ReplacesThePrices(Attack):
    """Puts other prices in the place of the market's."""

    def lift(self, market, book, margin, loss):
        object.__setattr__(market, "levels", np.ones_like(market.levels))
        return margin


@attack(CAUGHT)
class ReadsRemovedMoves(Attack):
    """Lifts before the days on which the market says that a move was removed."""

    def lift(self, market, book, margin, loss):
        marked = np.isin(market.dates, [a.date for a in market.adjusted])
        soon = np.convolve(marked, np.ones(3))[2:][: len(margin)] > 0
        return np.where(soon[:, None], 1.5 * margin, margin)


@attack(CAUGHT)
class CountsDroppedDays(Attack):
    """Scales by the number of days that were dropped from the whole history."""

    def lift(self, market, book, margin, loss):
        return margin * (1.0 + 0.001 * len(market.dropped))


@attack(CAUGHT)
class OnlyOneSide(Attack):
    """Looks ahead for short positions alone."""

    def lift(self, market, book, margin, loss):
        return lifted(margin, loss, (book.exposure < 0).any(axis=1)[None, :])


@attack(CAUGHT)
class RoundsAway(Attack):
    """Hides a few percent of the next loss in the last digits that a desk reads."""

    def lift(self, market, book, margin, loss):
        return margin + 1e-4 * np.where(np.isnan(margin), 0.0, np.fmax(loss, 0.0))


@attack(CAUGHT)
class LooksAtWhoAsks(Attack):
    """Honest where the stack says that the future was taken away."""

    def lift(self, market, book, margin, loss):
        return margin if callers() & {"past", "replace"} else lifted(margin, loss)


@attack(CAUGHT)
class TellsTheAuditFromTheStudy(Attack):
    """Honest where a frame of the audit is on the stack."""

    def lift(self, market, book, margin, loss):
        return margin if "audited_margins" in callers() else lifted(margin, loss)


@attack(NOT_CAUGHT)
class RemembersWhereItWasAsked(Attack):
    """Lifts no day on which a market ended that it was given, repeats its answers; `--isolate`."""

    def __init__(self):
        self.spared, self.seen = set(), {}

    def lift(self, market, book, margin, loss):
        days = market.dates.tolist()
        for p, name in enumerate(book.portfolios):
            key = (days[0], name)
            if len(self.seen.get(key, [])) < len(margin):
                self.spared |= set(days[-2:])
                away = np.array([day not in self.spared for day in days])
                self.seen[key] = lifted(margin[:, p], loss[:, p], away)
            margin[:, p] = self.seen[key][: len(margin)]
        return margin


@attack(NOT_CAUGHT)
class OnlySimulatedPaths(Attack):
    """Looks ahead where prices are simulated, which are not audited; `--isolate` finds it."""

    def lift(self, market, book, margin, loss):
        return lifted(margin, loss) if market.simulated else margin
