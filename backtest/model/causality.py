"""Causality is a law that is tested: what comes after a day must not change the margin of that day.

A margin that knows its future gains by it where losses are largest, so that is where the future is
taken away: on the days of each portfolio's worst losses, on each of the H days until those are
known, and on days drawn by a seed. The future is cut off, and on some days replaced by another one,
for a model that only looks ahead in markets of full length.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import asked, required_margin
from backtest.model.audit_days import (
    days_before_losses,
    early_cuts,
    general_cuts,
    most_shared,
    other_future,
    other_trades,
)
from backtest.model.certificate import CausalityAudit
from backtest.model.isolation import is_isolated
from backtest.model.protocol import MarginModel, in_words
from backtest.types import (
    BacktestError,
    DaysByPortfolios,
    FloatArray,
    Progress,
    counted,
    unheard,
    within,
)

ALONE = 3  # portfolios margined alone
LATER = 37  # rows that the history begins later, once
CUTS = "cuts"
RTOL = 1e-9  # of a margin; slices of one matrix differ by 1e-16 in BLAS


class CausalityError(BacktestError):
    """A margin that changes with the days after it, or with the portfolios beside it."""


def check_causal(
    model: MarginModel,
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    rtol: float = RTOL,
) -> CausalityAudit:
    """Take the future away; the margins up to there must stay what they were.

    Beside the days of the worst losses the cuts are one inside the warm-up (or a back-filled
    warm-up would pass), its last day, the first known day, the eighths of the history, its last day
    but one, and days drawn by a seed. After some of the worst losses the future is replaced by
    another. A portfolio alone must be margined as among all, unless its model says
    `across_books = True`.

    Parameters
    ----------
    cuts : rows of the market after which the future is cut off, in place of all of the above.
    seed : of the days drawn, and of the futures that replace the one that came.

    Raises
    ------
    CausalityError
        naming the first day on which the margin knew its future, or the portfolio whose margin
        depends on the others.

    Examples
    --------
    >>> import pandas as pd
    >>> from backtest.model import model
    >>> days = pd.bdate_range("2024-01-02", periods=9)
    >>> market = Market.from_frame(pd.DataFrame({"BTC": range(10, 19)}, index=days))
    >>> book = Book.from_frame(pd.DataFrame({"BTC": [1.0]}, index=["long BTC"]))
    >>> @model
    ... class Seer:
    ...     def margin(self, market, book, coverage):
    ...         return np.full((len(market.dates), 1), market.levels[:, 0].max())
    >>> check_causal(Seer(), market, book, coverage=Coverage())
    Traceback (most recent call last):
    ...
    backtest.model.causality.CausalityError: Seer() is not causal: its margin at 2024-01-02 for \
'long BTC' is 18 with the days after 2024-01-03 and 11 without them.
    """
    audit, _ = audited_margins(
        model, market, book, coverage=coverage, cuts=cuts, seed=seed, rtol=rtol
    )
    return audit


def audited_margins(
    model: MarginModel,
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    rtol: float = RTOL,
    progress: Progress = unheard,
) -> tuple[CausalityAudit, DaysByPortfolios | None]:
    """`check_causal`, and the margins that it audited; None of a model in its own process.

    progress : told of the cuts that are done.
    """
    with asked(model):
        if is_isolated(model):
            audit = CausalityAudit((), 0, (), book.portfolios, (), 0.0, None, isolated=True)
            return audit, None
        if cuts is not None:
            return _cut_at(_Audit(model, market, book, coverage, rtol), cuts)
        return _whole_audit(_Audit(model, market, book, coverage, rtol), seed, progress)


def _cut_at(audit: "_Audit", cuts: Sequence[int]) -> tuple[CausalityAudit, DaysByPortfolios]:
    """Cut on given days, and nothing else."""
    everyone = list(range(len(audit.book.portfolios)))
    full = audit.see_all()
    for cut in sorted(cuts):
        audit.cut(cut, everyone)
    return audit.result(dict.fromkeys(cuts, everyone), 0, [], None), full


def _whole_audit(
    audit: "_Audit", seed: int, progress: Progress
) -> tuple[CausalityAudit, DaysByPortfolios]:
    """Early cuts, all history, portfolios alone, other cuts, other futures, a later start."""
    market, book = audit.market, audit.book
    losses = book.loss(market, audit.coverage).sum(axis=2)
    horizon = Closeout(book, audit.coverage).rows(market)
    everyone = list(range(len(book.portfolios)))
    early = early_cuts(losses, horizon)
    # How many cuts follow depends on the margins: shares are of the usual work of each part.
    first = counted(within(progress, CUTS, 0.0, 0.1), CUTS, sorted(early), len(early))
    answers = {cut: audit.past(cut, early[cut]) for cut in first}
    full = audit.see_all()
    # First, or a model that looks across books would be called a seer.
    audit.alone([int(p) for p in np.unique(np.linspace(0, len(everyone) - 1, ALONE))])
    for cut, margins in answers.items():
        audit.hold(margins, early[cut], cut, "without them")
    worst = days_before_losses(losses, full, horizon)
    plan = worst | dict.fromkeys(general_cuts(full, seed), everyone)
    for cut in counted(within(progress, CUTS, 0.2, 0.8), CUTS, sorted(plan), len(plan)):
        missing = sorted(set(plan[cut]) - set(early.get(cut, [])))
        if missing:
            audit.cut(cut, missing)
    replaced = most_shared(worst, len(market.dates), seed)
    others = within(progress, CUTS, 0.8, 1.0)
    for day in counted(others, CUTS, replaced, len(replaced) + 1):
        audit.replace(day, seed)
    return audit.result(early | plan, len(worst), replaced, audit.later_start()), full


class _Audit:
    """One model on one book: the margins on the whole history, and what they are held against."""

    def __init__(
        self,
        model: MarginModel,
        market: Market,
        book: Book,
        coverage: Coverage,
        rtol: float,
    ) -> None:
        self.model, self.market, self.book, self.coverage = model, market, book, coverage
        self.rtol, self.largest = rtol, 0.0
        self.full: DaysByPortfolios = np.empty((0, 0))
        self.margined_alone: list[str] = []
        self.failures: dict[int, Exception] = {}  # of the model on a past, by its last day

    def see_all(self) -> DaysByPortfolios:
        """Margins on the whole history."""
        self.full = required_margin(self.model, self.market, self.book, self.coverage)
        return self.full

    def past(self, day: int, portfolios: Iterable[int]) -> DaysByPortfolios:
        """Margins of some portfolios on the days up to `day`, with nothing after it.

        Unknown where the model fails: a model of 250 days need not stand a past of one. `hold`
        raises its error if the whole history gave a margin on any of these days.
        """
        rows = self._rows(portfolios)
        try:
            return self._margin(self.market.until(day), rows, f"cut off: {day + 1} days stay", day)
        except Exception as error:
            self.failures[day] = error
            return np.full((day + 1, len(rows)), np.nan)

    def cut(self, day: int, portfolios: Iterable[int]) -> None:
        """Hold the margins of the past against those of the whole history."""
        self.hold(self.past(day, portfolios), portfolios, day, "without them")

    def result(
        self,
        plan: Mapping[int, list[int]],
        before_losses: int,
        replaced: list[int],
        later_start: float | None,
    ) -> CausalityAudit:
        """What was checked."""
        return CausalityAudit(
            cut_days=tuple(str(self.market.dates[c]) for c in sorted(plan)),
            before_losses=before_losses,
            replaced_days=tuple(str(self.market.dates[d]) for d in replaced),
            portfolios=self.book.portfolios,
            alone=tuple(self.margined_alone),
            largest_change=self.largest,
            later_start=later_start,
        )

    def replace(self, day: int, seed: int) -> None:
        """Margins of all portfolios up to `day`, with another future after it."""
        rows = self._rows(range(len(self.book.portfolios)))
        other = other_future(self.market, day, seed)
        known = self._margin(other, rows, "replaced by others", day, other_trades(self.book, day))
        self.hold(known[: day + 1], rows, day, "with others in their place")

    def alone(self, portfolios: Iterable[int]) -> None:
        """Margins of single portfolios, against the same among all."""
        if self._across_books or len(self.book.portfolios) == 1:
            return
        for p in portfolios:
            one = required_margin(self.model, self.market, self.book.select([p]), self.coverage)
            self.margined_alone.append(self.book.portfolios[p])
            wrong = self._changed(self.full[:, [p]], one)
            if wrong.any():
                day = int(np.argmax(wrong))
                raise CausalityError(
                    f"{in_words(self.model)} looks across books: on {self.market.dates[day]} it "
                    f"asks {one[day, 0]:.10g} of {self.book.portfolios[p]!r} alone and "
                    f"{self.full[day, p]:.10g} among {len(self.book.portfolios)}. Say "
                    "`across_books = True` in its class, or margin each book on its own."
                )

    def later_start(self) -> float | None:
        """Largest relative change of the last third of margins where the history begins later."""
        days = len(self.market.dates)
        start = LATER
        if self.market.traded is not None:  # a market begins on a day on which everything trades
            together = np.flatnonzero(self.market.traded.all(axis=1))
            start = int(together[np.searchsorted(together, LATER)])
        since = start + 2 * (days - start) // 3
        if np.isnan(self.full[since - LATER :]).any():
            return None
        # A later start is one without the days before it, those of the earlier history too.
        market, full = replace(self.market, before=None), self.full
        try:
            if self.market.before is not None:
                full = required_margin(self.model, market, self.book, self.coverage)
            later = required_margin(
                self.model, market.rows(slice(start, None)), self.book, self.coverage
            )
        except BacktestError:  # too short for it: that is said where it is run
            return None
        before, after = full[since:], later[since - start :]
        if np.isnan(after).any():
            return None
        scale = np.maximum(before, after)
        return float((np.abs(after - before)[scale > 0] / scale[scale > 0]).max(initial=0.0))

    @property
    def _across_books(self) -> bool:
        return bool(getattr(self.model, "across_books", False))

    def _rows(self, portfolios: Iterable[int]) -> list[int]:
        """Portfolios to margin: those asked for, or all where a model looks across them."""
        return list(range(len(self.book.portfolios))) if self._across_books else list(portfolios)

    def _margin(
        self, market: Market, rows: list[int], what: str, day: int, book: Book | None = None
    ) -> DaysByPortfolios:
        book = book or self.book
        book = book if len(rows) == len(book.portfolios) else book.select(rows)
        try:
            return required_margin(self.model, market, book, self.coverage)
        except Exception as error:
            error.add_note(f"with the days after {self.market.dates[day]} {what}")
            raise

    def _changed(self, before: FloatArray, after: FloatArray) -> np.ndarray:
        """Where two requirements differ; the largest relative difference is kept."""
        scale = np.maximum(np.abs(before), np.abs(after))
        change = np.abs(before - after)
        wrong = (np.isnan(before) != np.isnan(after)) | (change > self.rtol * scale)
        moved = change[scale > 0] / scale[scale > 0]
        self.largest = max(self.largest, float(moved.max(initial=0.0)))
        return wrong

    def hold(self, known: DaysByPortfolios, portfolios: Iterable[int], day: int, how: str) -> None:
        """Margins up to `day` without its future must be those with it; CausalityError if not."""
        rows = self._rows(portfolios)
        before = self.full[: day + 1, rows]
        wrong = self._changed(before, known)
        if wrong.any():
            if day in self.failures:
                raise self.failures[day]
            row, p = np.argwhere(wrong)[0]
            raise CausalityError(
                f"{in_words(self.model)} is not causal: its margin at {self.market.dates[row]} for "
                f"{self.book.portfolios[rows[p]]!r} is {before[row, p]:.10g} with the days after "
                f"{self.market.dates[day]} and {known[row, p]:.10g} {how}."
            )
