"""EMIR Article 27: netting where dependence is shown and losses are allocated before."""

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.reliable import reliably_correlated
from backtest.instruments import Instrument, parse_instrument
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.by_silo import proportional_shares
from backtest.model.protocol import MarginModel, Parts, model
from backtest.parameters.terms import Terms
from backtest.types import BoolArray, DaysByPortfolios, FloatArray, StudyError
from strategies.historical import HistoricalVaR

SHOW_NOTHING = 3  # observations from which no correlation is significant
Columns = tuple[int, ...]  # instruments of a book, by number


class Article27Terms(Terms):
    """Shares of the difference that may be waived, and how dependence is shown."""

    model_config = ConfigDict(extra="ignore")  # the file also holds the terms of an `Agreement`
    cap: Annotated[float, Ge(0), Le(1)]
    no_risk_cap: Annotated[float, Ge(0), Le(1)]
    correlation_days: Annotated[int, Ge(20)]
    windows: Annotated[int, Ge(1)]
    confidence: Annotated[float, Gt(0.5), Lt(1)]
    large_moves: Annotated[float, Gt(0), Le(0.5)]


@model(kind="emir_27")
class Article27:
    r"""Margins of products, less 80 % of what netting saves within each group of dependent ones.

    .. math:: M = \sum_g \left(S_g - c \, (S_g - J_g)^+\right), \qquad S_g = \sum_{k \in g} P_k

    P_k is the base margin of product k, J_g that of all products of group g together, c = `cap`. A
    product is one instrument, or a set of `no_risk`: within a set the difference that netting makes
    is waived at `no_risk_cap`, 100 %. Products are in one group on day t where a chain of held
    instruments leads from one to the other, each pair of it significantly and reliably correlated
    (see `backtest.estimators.reliable`; moves over one margin day). The article defines neither
    word: the test and its settings are this package's. Until the look-back period is full nothing
    is shown, and nothing is netted. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the house's model of a product, and of a group.
    parameters : rule or version of `strategies/parameters/`.
    losses : how losses are borne where products have several default funds, one a silo. 'separate':
        nothing is netted between silos. 'one default fund', 'allocation agreed': what paragraph 3
        asks for has been agreed before; a condition that is stated, not tested.
    no_risk : sets of instruments whose netting exposes the house to no risk, stated by the user.
    dependence : 'measured', or 'stated': shown to the authority by other means, for all pairs.
    cap, no_risk_cap : shares of the difference that are waived; None takes those of the article.
    correlation_days, windows, confidence, large_moves : of the test; None takes those of the file.

    References
    ----------
    Commission Delegated Regulation (EU) 153/2013, Article 27. ESMA (2017). Opinion on portfolio
    margining requirements under Article 27 of EMIR Delegated Regulation No 153/2013.

    Examples
    --------
    >>> Article27().terms.cap, Article27(losses="one default fund").terms.no_risk_cap
    (0.8, 1.0)
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "emir_27"
    losses: Literal["separate", "one default fund", "allocation agreed"] = "separate"
    no_risk: tuple[tuple[str, ...], ...] = ()
    dependence: Literal["measured", "stated"] = "measured"
    cap: Annotated[float, Ge(0), Le(1)] | None = None
    no_risk_cap: Annotated[float, Ge(0), Le(1)] | None = None
    correlation_days: Annotated[int, Ge(20)] | None = None
    windows: Annotated[int, Ge(1)] | None = None
    confidence: Annotated[float, Gt(0.5), Lt(1)] | None = None
    large_moves: Annotated[float, Gt(0), Le(0.5)] | None = None

    # `backtest rules` shows what moves where the condition on losses is met, too.
    also_asked: ClassVar[dict[str, dict[str, Any]]] = {
        "one default fund": {"losses": "one default fund"}
    }

    @property
    def terms(self) -> Article27Terms:
        """The terms in use: those of the file, under those that this model states."""
        return Article27Terms.of(self)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        alone = self._alone(market, book, coverage)
        products = self._products(market, book, coverage, alone)
        gross = np.add.reduce(list(products.values()))
        return gross - self.terms.cap * self._saved(market, book, coverage, products)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, netting without risk, netting of the groups, share withheld.

        'gross' is the sum of the margins of all instruments; 'netting of the groups' the whole
        difference that the groups make, over the days that legs with unequal MPORs share; 'share
        withheld' the part of it that the article does not waive. Silos share the requirement in
        proportion to the margins of their instruments.
        """
        alone = self._alone(market, book, coverage)
        products = self._products(market, book, coverage, alone)
        saved = self._saved(market, book, coverage, products)
        gross, after_sets = alone.sum(axis=2), np.add.reduce(list(products.values()))
        required = after_sets - self.terms.cap * saved
        silo_margins = np.stack(
            [alone[:, :, [i.silo == s for i in book.instruments]].sum(axis=2) for s in book.silos],
            axis=2,
        )
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps={
                "gross": gross,
                "netting without risk": after_sets - gross,
                "netting of the groups": -saved,
                "share withheld": (1.0 - self.terms.cap) * saved,
            },
        )

    def nets_nothing(self, book: Book) -> str:
        """Which pools net nothing between their houses, since losses are borne separately.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"UST10Y": [1.0], "BTC": [1.0]}, index=["pool"])
        >>> Article27().nets_nothing(Book.from_frame(frame))
        "emir_27 nets nothing between the houses of 'pool': losses are 'separate'."
        """
        if self.losses != "separate":
            return ""
        held = np.sum([book.in_silo(s).is_held.any(axis=1) for s in book.silos], axis=0)
        pools = [f"'{book.portfolios[p]}'" for p in np.flatnonzero(held >= 2)]
        more = f" and {len(pools) - 1:,} more pools" if len(pools) > 1 else ""
        return (
            f"emir_27 nets nothing between the houses of {pools[0]}{more}: losses are 'separate'."
            if pools
            else ""
        )

    def _alone(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """(days, portfolios, instruments) margin of each instrument by itself."""
        margins = [required_margin(self.base, market, b, coverage) for b in book.by_instrument()]
        return np.stack(margins, axis=2)

    def _products(
        self, market: Market, book: Book, coverage: Coverage, alone: FloatArray
    ) -> dict[Columns, DaysByPortfolios]:
        """(days, portfolios) margin of each product, by its columns of the book."""
        margins: dict[Columns, DaysByPortfolios] = {}
        for columns in self._sets(book):
            margins[columns] = alone[:, :, list(columns)].sum(axis=2)
            if len(columns) > 1:
                joint = required_margin(self.base, market, book.holding(columns), coverage)
                margins[columns] -= self.terms.no_risk_cap * np.maximum(
                    margins[columns] - joint, 0.0
                )
        return margins

    def _sets(self, book: Book) -> list[Columns]:
        """Columns of every product: an instrument, or those of a set that share a default fund."""
        check_names(self.no_risk, book)
        sets: dict[object, list[int]] = {}
        for column, instrument in enumerate(book.instruments):
            number = next((n for n, s in enumerate(self.no_risk) if instrument.name in s), None)
            key = instrument.name if number is None else (number, self._fund(instrument))
            sets.setdefault(key, []).append(column)
        return [tuple(columns) for columns in sets.values()]

    def _fund(self, instrument: Instrument) -> str:
        """The default fund of an instrument: its silo's, unless losses are borne together."""
        return instrument.silo if self.losses == "separate" else ""

    def _saved(
        self,
        market: Market,
        book: Book,
        coverage: Coverage,
        products: dict[Columns, DaysByPortfolios],
    ) -> DaysByPortfolios:
        """(days, portfolios) sum over groups of products of what netting saves, S_g - J_g >= 0."""
        saved = np.zeros((len(market.dates), len(book.portfolios)))
        linked = self.linked(market, book)
        patterns, pattern_of = np.unique(
            linked.reshape(len(linked), -1), axis=0, return_inverse=True
        )
        holdings, holding_of = np.unique(book.is_held, axis=0, return_inverse=True)
        joint: dict[Columns, DaysByPortfolios] = {}
        for n, pattern in enumerate(patterns):
            days = np.flatnonzero(pattern_of.ravel() == n)
            for m, held in enumerate(holdings):
                portfolios = np.flatnonzero(holding_of.ravel() == m)
                cell = np.ix_(days, portfolios)
                for group in chains(
                    pattern.reshape(linked.shape[1:]), np.flatnonzero(held).tolist()
                ):
                    within = [margin for c, margin in products.items() if set(c) & set(group)]
                    if len(within) < 2:
                        continue
                    if group not in joint:
                        group_book = book.holding(group)
                        joint[group] = required_margin(self.base, market, group_book, coverage)
                    alone = np.add.reduce([margin[cell] for margin in within])
                    saved[cell] += np.maximum(alone - joint[group][cell], 0.0)
        return saved

    def linked(self, market: Market, book: Book) -> BoolArray:
        """(days, instruments, instruments) pairs that may be netted on each day."""
        count = len(book.instruments)
        if self.dependence == "stated":
            linked = np.ones((len(market.dates), count, count), dtype=np.bool_)
        else:
            linked = self._measured(market, book)
        for columns in self._sets(book):
            linked[np.ix_(range(len(linked)), columns, columns)] = True
        funds = np.array([self._fund(i) for i in book.instruments])
        return linked & (funds[:, None] == funds)

    def _measured(self, market: Market, book: Book) -> BoolArray:
        """(days, instruments, instruments) pairs whose dependence the history shows."""
        count, terms = len(book.instruments), self.terms
        fewest = min(
            terms.correlation_days // terms.windows, terms.large_moves * terms.correlation_days
        )
        if fewest <= SHOW_NOTHING:
            raise StudyError(
                f"emir_27 tests {terms.windows} windows of {terms.correlation_days} days, and the "
                f"largest {terms.large_moves:.0%} of their moves: a test on {fewest:.0f} of them "
                f"can show nothing; it needs more than {SHOW_NOTHING}."
            )
        linked = np.zeros((len(market.dates), count, count), dtype=np.bool_)
        # On two clocks a pair is compared over the days that both trade, whatever else is held.
        one_clock = market.traded is None
        together = [tuple(range(count))] if one_clock else combinations(range(count), 2)
        for columns in together:
            instruments = [book.instruments[i] for i in columns]
            shared, last = market.own_days({f for i in instruments for f in i.factors})
            moves = np.full((len(shared.dates), len(instruments)), np.nan)
            # The P&L of a position bought at a close is known at the next one.
            moves[1:] = np.column_stack([i.pnl(shared, 1) for i in instruments])[:-1]
            linked[np.ix_(range(len(linked)), columns, columns)] = reliably_correlated(
                moves,
                days=terms.correlation_days,
                windows=terms.windows,
                confidence=terms.confidence,
                large_moves=terms.large_moves,
            )[last]
        return linked


def chains(linked: BoolArray, held: Sequence[int]) -> list[Columns]:
    """Groups of the held instruments that a chain of linked pairs joins; each sorted.

    Examples
    --------
    >>> linked = np.eye(4, dtype=bool)
    >>> linked[0, 2] = linked[2, 0] = linked[2, 3] = linked[3, 2] = True
    >>> chains(linked, [0, 1, 2, 3]), chains(linked, [0, 1, 3])
    ([(0, 2, 3), (1,)], [(0,), (1,), (3,)])
    """
    groups, left = [], [int(i) for i in held]
    while left:
        group, reached = [], [left[0]]
        while reached:
            here = reached.pop()
            left.remove(here)
            group.append(here)
            reached += [i for i in left if linked[here, i] and i not in reached]
        groups.append(tuple(sorted(group)))
    return groups


def check_names(sets: Sequence[Sequence[str]], book: Book) -> None:
    """Raise StudyError where a set names no instrument, or two sets name the same."""
    known = {i.name for i in book.instruments}
    names = [name for members in sets for name in members]
    for name in names:
        if name not in known and parse_instrument(name).asset_class == "other":
            raise StudyError(
                f"emir_27.no_risk names {name!r}, which is no instrument; mend its spelling."
            )
        if names.count(name) > 1:
            raise StudyError(f"emir_27.no_risk names {name!r} twice; an instrument has one set.")
