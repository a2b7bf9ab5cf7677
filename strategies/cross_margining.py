"""Cross-margining of two clearing houses: the smaller of the savings their own models see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.mismatch import mismatch_step, over_same_days
from backtest.model.protocol import MarginModel, Parts, model
from backtest.types import DaysByPortfolios, DaysByPortfoliosBySilos, FloatArray
from strategies.agreement import Account, Agreement, Share
from strategies.historical import HistoricalVaR

MOST_NAMED = 3  # pools that one sentence names


@model(kind="cross_margining")
class CrossMargining:
    r"""Each silo's margin less one share: the smallest saving by the models of the houses.

    .. math:: s_c = 1 - \frac{M_c(A \cup B)}{M_c(A) + M_c(B)}, \qquad s = \min_c s_c, \qquad
              \text{required}_i = (1 - g(s)) M_i(E_i) + M_i(I_i)

    A and B are the eligible positions E_i of the silos, margined by the model M_c of each house c
    in which a portfolio has positions; g(s) = min(s, cap), or 0 below `threshold`. Eligible
    positions are in a separate cross-margining account; the other positions, I_i, are margined by
    their silo alone, as are all positions where only one silo has eligible ones. Each instrument
    has the same MPOR in every house. Margin at day t uses closes up to and including t. USD.

    Parameters
    ----------
    houses : model by silo, such as ``houses = { FICC = { kind = "ficc_var" } }``.
    base : model of the silos that `houses` does not name.
    parameters : rule or version of `strategies/parameters/` with the terms of the arrangement:
        'cme_ficc' takes Treasuries; 'emir_27' limits what houses may agree (for the conditions of
        that article see `Article27`).
    account : whose positions they are. Where the arrangement does not admit them, as customers'
        before 30 April 2026, nothing is eligible. A portfolio is one customer: customers never net.
    eligible, excluded : asset classes and instrument names, less some instruments. over_years :
        bonds, bills and swaps are eligible only with a longer maturity. None takes those of the
        arrangement, here and below.
    limit : 'margin': s is capped, as by CME and FICC. 'reduction': the share `cap` of s is
        granted, as by EMIR.
    cap : 0.80 in both forms.
    threshold : no reduction is granted below this saving; from memory, not verified.

    References
    ----------
    FICC (2023). SR-FICC-2023-010, Amended and Restated Cross-Margining Agreement with CME,
    88 FR 48926. FICC (2025). SR-FICC-2025-025, Third Amended and Restated Agreement, release
    34-104485. Commission Delegated Regulation (EU) 153/2013, Article 27.

    Examples
    --------
    >>> CrossMargining(eligible=("treasury", "crypto")).terms.cap
    0.8
    >>> CrossMargining(parameters="cme_ficc/2024").terms.accounts
    ('house',)
    """

    houses: dict[str, MarginModel] = Field(default_factory=dict)
    base: MarginModel = Field(default_factory=HistoricalVaR)
    parameters: str = "cme_ficc"
    account: Account = "house"
    eligible: tuple[str, ...] | None = None
    excluded: tuple[str, ...] | None = None
    over_years: Annotated[float, Ge(0)] | None = None
    limit: Literal["margin", "reduction"] | None = None
    cap: Share | None = None
    threshold: Share | None = None

    # `backtest rules` shows what a change of the agreement does to a customer too.
    also_asked: ClassVar[dict[str, dict[str, Any]]] = {"a customer": {"account": "customer"}}

    @property
    def terms(self) -> Agreement:
        """The terms in use: those of the arrangement, under those that this model states."""
        return Agreement.of(self)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return self._accounts(market, book, coverage).required(self).sum(axis=2)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, diversification, dependence, cap and floor, MPOR mismatch.

        'gross' is the silos' requirement without any arrangement. 'separate accounts' is the
        increase where a silo must margin its eligible and its other positions separately.
        'diversification' is the saving of uncorrelated silos, sqrt(m' m) - sum m; 'dependence' the
        difference to the smallest saving, positive where dependence reduces it. 'cap and floor' is
        the saving withheld by the limit, or refused because it is below the threshold or negative.
        Where MPORs differ, these steps are those of legs closed out over the same days (each
        scaled to its own MPOR by the square root of time), and 'MPOR mismatch' is the part of the
        saving that is lost because legs close out over different days.
        """
        accounts = self._accounts(market, book, coverage)
        pooled_margin, rest_margin = accounts.pooled.sum(axis=2), accounts.rest.sum(axis=2)

        def saved_over(rows: list[int], days: int) -> DaysByPortfolios:
            portfolios_book = accounts.book.select(rows)
            return _smallest(
                self._views(market, portfolios_book, coverage, same_days=days), portfolios_book
            )

        saving = over_same_days(accounts.book, coverage, accounts.saving, netted_over=saved_over)
        same_days_margin, same_days_required = (
            (1.0 - saving) * pooled_margin,
            (1.0 - self.granted_share(saving)) * pooled_margin,
        )
        independent = np.sqrt((accounts.pooled**2).sum(axis=2))
        by_silo = accounts.required(self)
        gross = self._gross(market, book, coverage, accounts)
        steps = {"gross": gross}
        if accounts.mixed.any():
            steps["separate accounts"] = pooled_margin + rest_margin - gross
        steps |= {
            "diversification": independent - pooled_margin,
            "dependence": same_days_margin - independent,
            "cap and floor": same_days_required - same_days_margin,
            **mismatch_step(book, coverage, by_silo.sum(axis=2), same_days_required + rest_margin),
        }
        return Parts(silos=book.silos, by_silo=by_silo, steps=steps)

    def granted_share(self, saving: FloatArray) -> FloatArray:
        """Share of the silos' margins that is waived for a saving s; NaN where s is NaN.

        Examples
        --------
        >>> CrossMargining().granted_share(np.array([0.95, 0.5, 0.005, -0.1])).tolist()
        [0.8, 0.5, 0.0, 0.0]
        >>> emir = CrossMargining(parameters="emir_27")
        >>> emir.granted_share(np.array([0.95, 0.5])).round(2).tolist()
        [0.76, 0.4]
        """
        return self.terms.granted_share(saving)

    def nets_nothing(self, book: Book) -> str:
        """Which pools cannot save anything, since too few of their positions are eligible.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"UST10Y": [1.0, 1.0], "BTC": [1.0, 0.0]}, index=["pool", "bond"])
        >>> CrossMargining().nets_nothing(Book.from_frame(frame))
        "cross_margining nets nothing in 'pool': BTC is not eligible (treasury over 1 year)."
        """
        terms = self.terms
        is_eligible = terms.may_join(book, self.account)
        kept = replace(book, exposure=np.where(is_eligible, book.exposure, 0.0))
        held, netted = (
            np.sum([part.in_silo(s).is_held.any(axis=1) for s in book.silos], axis=0)
            for part in (book, kept)
        )
        pools = np.flatnonzero((held >= 2) & (netted < 2))
        if not len(pools):
            return ""
        nothing = f"cross_margining nets nothing in {_named([book.portfolios[p] for p in pools])}"
        if self.account not in terms.accounts:
            admitted = ", ".join(terms.accounts)
            return f"{nothing}: {self.account} accounts are not admitted ({admitted})."
        positions = book.select(pools.tolist()).is_held.any(axis=0) & ~is_eligible
        names = [i.name for i, out in zip(book.instruments, positions, strict=True) if out]
        verb = "is" if len(names) == 1 else "are"
        return f"{nothing}: {', '.join(names)} {verb} not eligible ({terms.in_words})."

    def house(self, silo: str) -> MarginModel:
        """The model of a clearing house."""
        return self.houses.get(silo, self.base)

    def _accounts(self, market: Market, book: Book, coverage: Coverage) -> "_Accounts":
        is_eligible = self.terms.may_join(book, self.account)
        eligible_book = replace(book, exposure=np.where(is_eligible, book.exposure, 0.0))
        # One house alone has nothing to share, and opens no second account for it.
        houses = [eligible_book.in_silo(silo).exposure.any(axis=1) for silo in book.silos]
        is_joint = is_eligible & (np.sum(houses, axis=0) > 1)[:, None]
        eligible_book = replace(book, exposure=np.where(is_joint, book.exposure, 0.0))
        other_book = replace(book, exposure=np.where(is_joint, 0.0, book.exposure))
        views = self._views(market, eligible_book, coverage)
        pooled = np.stack([view.alone[:, :, s] for s, view in enumerate(views.values())], axis=2)
        rest, mixed = np.zeros_like(pooled), np.zeros(pooled.shape[1:], dtype=bool)
        for s, silo in enumerate(book.silos):
            rest_book = other_book.in_silo(silo)
            if rest_book.exposure.any():
                rest[:, :, s] = required_margin(self.house(silo), market, rest_book, coverage)
                holds_eligible = eligible_book.in_silo(silo).exposure.any(axis=1)
                mixed[:, s] = holds_eligible & rest_book.exposure.any(axis=1)
        return _Accounts(eligible_book, pooled, rest, mixed, _smallest(views, eligible_book))

    def _views(
        self, market: Market, book: Book, coverage: Coverage, same_days: int | None = None
    ) -> "dict[str, _View]":
        """Margins of the eligible positions by the house of each silo; equal models run once.

        same_days : closes all legs out over these days, each scaled to its own MPOR.
        """
        # Savings are compared, not margins: each house is asked for the joint account and for every
        # silo alone, so that its own level cancels. Over the same days, positions are enlarged by
        # the root of time instead, and every leg keeps the size of its own MPOR.
        views: dict[str, _View] = {}
        for house in (self.house(silo) for silo in book.silos):
            if repr(house) in views:
                continue
            arguments = (book, coverage)
            # A house with one MPOR for all positions already closes them out over the same days.
            if same_days is not None and getattr(house, "mpor", None) is None:
                scale = np.sqrt(np.array(Closeout(book, coverage).by_instrument) / same_days)
                scaled = replace(book, exposure=book.exposure * scale)
                arguments = (scaled, replace(coverage, mpor=same_days))
            views[repr(house)] = _View.of(house, market, *arguments)
        return {silo: views[repr(self.house(silo))] for silo in book.silos}

    def _gross(
        self, market: Market, book: Book, coverage: Coverage, accounts: "_Accounts"
    ) -> DaysByPortfolios:
        """Sum of the silos' margins where each silo has one account for all its positions."""
        silo_margins = accounts.pooled + accounts.rest
        for s in np.flatnonzero(accounts.mixed.any(axis=0)):
            silo = book.silos[s]
            silo_margins[:, :, s] = required_margin(
                self.house(silo), market, book.in_silo(silo), coverage
            )
        return silo_margins.sum(axis=2)


def _named(pools: list[str]) -> str:
    """Names of pools, at most three of them."""
    names = ", ".join(f"'{name}'" for name in pools[:MOST_NAMED])
    more = len(pools) - MOST_NAMED
    return f"{names} and {more:,} more pools" if more > 0 else names


@dataclass(frozen=True, eq=False)
class _View:
    """Margins of the eligible positions by one house's model: joint, and silo by silo."""

    joint: DaysByPortfolios
    alone: DaysByPortfoliosBySilos

    @classmethod
    def of(cls, house: MarginModel, market: Market, book: Book, coverage: Coverage) -> "_View":
        silo_margins = [
            required_margin(house, market, book.in_silo(s), coverage) for s in book.silos
        ]
        return cls(required_margin(house, market, book, coverage), np.stack(silo_margins, axis=2))

    @property
    def saving(self) -> DaysByPortfolios:
        """1 - M(A u B) / [M(A) + M(B)]; 0 where the margin is zero."""
        separate = self.alone.sum(axis=2)
        unknown = np.isnan(separate) | np.isnan(self.joint)
        share_left = np.where(unknown, np.nan, 1.0)
        np.divide(self.joint, separate, out=share_left, where=~unknown & (separate > 0))
        return 1.0 - share_left


@dataclass(frozen=True, eq=False)
class _Accounts:
    """The cross-margining account of every silo, and the account of its other positions.

    book : the eligible positions. pooled, rest : (days, portfolios, silos) margins of eligible and
    of other positions. mixed : (portfolios, silos), whether a silo holds both. saving : (days,
    portfolios) the smallest saving of the houses.
    """

    book: Book
    pooled: DaysByPortfoliosBySilos
    rest: DaysByPortfoliosBySilos
    mixed: np.ndarray
    saving: DaysByPortfolios

    def required(self, terms: CrossMargining) -> DaysByPortfoliosBySilos:
        """(days, portfolios, silos) margin of both accounts."""
        return (1.0 - terms.granted_share(self.saving))[:, :, None] * self.pooled + self.rest


def _smallest(views: Mapping[str, _View], book: Book) -> DaysByPortfolios:
    """Smallest saving among houses with positions of a portfolio; 0 where there are none."""
    # A house without positions of a portfolio grants nothing and limits nothing: its saving
    # counts as infinite in the minimum.
    first = next(iter(views.values()))
    smallest = np.where(np.isnan(first.joint), np.nan, np.inf)
    for silo, view in views.items():
        holds_positions = book.in_silo(silo).exposure.any(axis=1)
        saving_of_holders = np.where(holds_positions | np.isnan(view.saving), view.saving, np.inf)
        smallest = np.minimum(smallest, saving_of_holders)
    return np.where(np.isinf(smallest), 0.0, smallest)
