"""Cross-margining of two clearing houses: the smaller of the savings their own models see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.closeout import Closeout
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, parse_instrument
from backtest.market.market import Market
from backtest.model.mismatch import mismatch_step, over_same_days
from backtest.model.protocol import MarginModel, Parts, model, required_margin
from backtest.parameters.files import load_parameters
from backtest.types import DaysByPortfolios, DaysByPortfoliosBySilos, FloatArray, StudyError
from strategies.historical import HistoricalVaR

TERMS = load_parameters("clearing/cme_ficc_2024")
ASSET_CLASSES = ("treasury", "rates", "crypto", "equity", "stablecoin", "other")


@model
class CrossMargining:
    r"""Each silo's own margin less one share: the smallest saving that any house's model sees.

    .. math:: s_c = 1 - \frac{M_c(A \cup B)}{M_c(A) + M_c(B)}, \qquad s = \min_c s_c, \qquad
              \text{required}_i = (1 - g(s)) M_i(E_i) + M_i(I_i)

    A and B are the eligible positions E_i of the silos, margined by the model M_c of each house c
    in which a portfolio has some; g(s) = min(s, cap), or 0 below `threshold`. Eligible positions
    stand in a cross-margining account of their own: the others, I_i, are margined by their silo
    alone. Each instrument keeps its MPOR in whichever house margins it. Margin at day t uses
    closes up to and including t. USD.

    Parameters
    ----------
    houses : model by silo, such as ``houses = { FICC = { kind = "ficc_var" } }``.
    base : model of the silos that `houses` does not name.
    eligible : asset classes and instrument names; the arrangement in force takes Treasuries.
    over_years : of bonds, bills and swaps only those of a longer maturity are eligible.
    limit : 'margin': s is capped, as CME and FICC do. 'reduction': the share `cap` of s is
        granted, as EMIR has it (set `threshold` to 0 with it, for that article names none).
    cap : 0.80 in both forms.
    threshold : no reduction is granted below this saving; remembered, not verified.

    References
    ----------
    FICC (2023). SR-FICC-2023-010, Amended and Restated Cross-Margining Agreement with CME,
    88 FR 48926. Commission Delegated Regulation (EU) 153/2013, Article 27.

    Examples
    --------
    >>> CrossMargining(eligible=("treasury", "crypto")).cap
    0.8
    """

    houses: dict[str, MarginModel] = Field(default_factory=dict)
    base: MarginModel = Field(default_factory=HistoricalVaR)
    eligible: tuple[str, ...] = tuple(TERMS["eligible"]["value"])
    over_years: Annotated[float, Ge(0)] = TERMS["over_years"]["value"]
    limit: Literal["margin", "reduction"] = TERMS["limit"]["value"]
    cap: Annotated[float, Ge(0), Le(1)] = TERMS["cap"]["value"]
    threshold: Annotated[float, Ge(0), Le(1)] = TERMS["threshold"]["value"]

    parameter_files = ("clearing/cme_ficc_2024", "clearing/emir_153_2013")

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        return self._accounts(market, book, coverage).required(self).sum(axis=2)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, diversification, dependence, cap and floor, MPOR mismatch.

        'gross' is what the silos ask with no arrangement at all. 'separate accounts', where a silo
        holds eligible positions and others, is what it asks for margining them apart.
        'diversification' is the saving of silos that are uncorrelated, sqrt(m' m) - sum m;
        'dependence' the rest of the smallest saving, positive where it takes back. 'cap and floor'
        is what the limit withholds, and the saving that is none: below the threshold, or negative.
        Where MPORs differ these are of legs closed out over the same days (each scaled to its own
        MPOR by the square root of time), and 'MPOR mismatch' is what closing them out over their
        own takes back of what was left.
        """
        accounts = self._accounts(market, book, coverage)
        pooled, alone = accounts.pooled.sum(axis=2), accounts.rest.sum(axis=2)

        def saved_over(rows: list[int], days: int) -> DaysByPortfolios:
            some = accounts.book.select(rows)
            return _smallest(self._views(market, some, coverage, same_days=days), some)

        saving = over_same_days(accounts.book, coverage, accounts.saving, netted_over=saved_over)
        together, charged = (1.0 - saving) * pooled, (1.0 - self.granted(saving)) * pooled
        independent = np.sqrt((accounts.pooled**2).sum(axis=2))
        by_silo = accounts.required(self)
        gross = self._gross(market, book, coverage, accounts)
        steps = {"gross": gross}
        if accounts.mixed.any():
            steps["separate accounts"] = pooled + alone - gross
        steps |= {
            "diversification": independent - pooled,
            "dependence": together - independent,
            "cap and floor": charged - together,
            **mismatch_step(book, coverage, by_silo.sum(axis=2), charged + alone),
        }
        return Parts(silos=book.silos, by_silo=by_silo, steps=steps)

    def granted(self, saving: FloatArray) -> FloatArray:
        """Share of the silos' margins that is given up for a saving s; NaN stays NaN.

        Examples
        --------
        >>> CrossMargining().granted(np.array([0.95, 0.5, 0.005, -0.1])).tolist()
        [0.8, 0.5, 0.0, 0.0]
        >>> CrossMargining(limit="reduction").granted(np.array([0.95, 0.5])).round(2).tolist()
        [0.76, 0.4]
        """
        limited = np.minimum(saving, self.cap) if self.limit == "margin" else self.cap * saving
        return np.where((saving < self.threshold) | (saving < 0.0), 0.0, limited)

    def house(self, silo: str) -> MarginModel:
        """The model of a clearing house."""
        return self.houses.get(silo, self.base)

    def _accounts(self, market: Market, book: Book, coverage: Coverage) -> "_Accounts":
        chosen = np.array([self._is_eligible(i, book) for i in book.instruments])
        inside = replace(book, exposure=np.where(chosen, book.exposure, 0.0))
        outside = replace(book, exposure=np.where(chosen, 0.0, book.exposure))
        views = self._views(market, inside, coverage)
        pooled = np.stack([view.alone[:, :, s] for s, view in enumerate(views.values())], axis=2)
        rest, mixed = np.zeros_like(pooled), np.zeros(pooled.shape[1:], dtype=bool)
        for s, silo in enumerate(book.silos):
            others = outside.in_silo(silo)
            if others.exposure.any():
                rest[:, :, s] = required_margin(self.house(silo), market, others, coverage)
                held = inside.in_silo(silo).exposure.any(axis=1)
                mixed[:, s] = held & others.exposure.any(axis=1)
        return _Accounts(inside, pooled, rest, mixed, _smallest(views, inside))

    def _views(
        self, market: Market, book: Book, coverage: Coverage, same_days: int | None = None
    ) -> "dict[str, _View]":
        """What the house of each silo sees; houses of one model are asked once.

        same_days : as if all legs closed out over these days, each scaled up to its own MPOR.
        """
        # Savings are compared, not margins: each house is asked for the joint account and for every
        # silo alone, so that its own level cancels. Over the same days, positions are enlarged by
        # the root of time instead, and every leg keeps the size of its own MPOR.
        views: dict[str, _View] = {}
        for house in (self.house(silo) for silo in book.silos):
            if repr(house) in views:
                continue
            asked = (book, coverage)
            # A house with an MPOR of its own closes all legs out over the same days as it is.
            if same_days is not None and getattr(house, "mpor", None) is None:
                scale = np.sqrt(np.array(Closeout(book, coverage).by_instrument) / same_days)
                scaled = replace(book, exposure=book.exposure * scale)
                asked = (scaled, replace(coverage, mpor=same_days))
            views[repr(house)] = _View.of(house, market, *asked)
        return {silo: views[repr(self.house(silo))] for silo in book.silos}

    def _gross(
        self, market: Market, book: Book, coverage: Coverage, accounts: "_Accounts"
    ) -> DaysByPortfolios:
        """Sum of the silos' margins of all they hold, one account each."""
        alone = accounts.pooled + accounts.rest
        for s in np.flatnonzero(accounts.mixed.any(axis=0)):
            silo = book.silos[s]
            alone[:, :, s] = required_margin(self.house(silo), market, book.in_silo(silo), coverage)
        return alone.sum(axis=2)

    def _is_eligible(self, instrument: Instrument, book: Book) -> bool:
        names = {i.name for i in book.instruments}
        for entry in self.eligible:
            known = entry in ASSET_CLASSES or entry in names
            if not known and parse_instrument(entry).asset_class == "other":
                raise StudyError(
                    f"cross_margining.eligible names {entry!r}, neither an asset class "
                    f"({', '.join(ASSET_CLASSES)}) nor an instrument; mend its spelling."
                )
        named = {instrument.name, instrument.asset_class} & set(self.eligible)
        if instrument.maturity is None or instrument.contract == "future":
            return bool(named)
        return bool(named) and instrument.maturity > self.over_years


@dataclass(frozen=True, eq=False)
class _View:
    """One house's margins of the eligible positions: of all together, and silo by silo."""

    joint: DaysByPortfolios
    alone: DaysByPortfoliosBySilos

    @classmethod
    def of(cls, house: MarginModel, market: Market, book: Book, coverage: Coverage) -> "_View":
        alone = [required_margin(house, market, book.in_silo(s), coverage) for s in book.silos]
        return cls(required_margin(house, market, book, coverage), np.stack(alone, axis=2))

    @property
    def saving(self) -> DaysByPortfolios:
        """1 - M(A u B) / [M(A) + M(B)]; 0 where there is no margin to save."""
        apart = self.alone.sum(axis=2)
        unknown = np.isnan(apart) | np.isnan(self.joint)
        kept = np.where(unknown, np.nan, 1.0)
        np.divide(self.joint, apart, out=kept, where=~unknown & (apart > 0))
        return 1.0 - kept


@dataclass(frozen=True, eq=False)
class _Accounts:
    """The cross-margining account of every silo, and what stays outside it.

    book : the eligible positions. pooled, rest : (days, portfolios, silos) margins of eligible and
    other positions. mixed : (portfolios, silos), whether a silo holds some of both. saving :
    (days, portfolios) the smallest of the houses.
    """

    book: Book
    pooled: DaysByPortfoliosBySilos
    rest: DaysByPortfoliosBySilos
    mixed: np.ndarray
    saving: DaysByPortfolios

    def required(self, terms: CrossMargining) -> DaysByPortfoliosBySilos:
        """(days, portfolios, silos) margin of both accounts."""
        return (1.0 - terms.granted(self.saving))[:, :, None] * self.pooled + self.rest


def _smallest(views: Mapping[str, _View], book: Book) -> DaysByPortfolios:
    """Smallest saving of the houses that hold a portfolio's positions; 0 where none does."""
    first = next(iter(views.values()))
    smallest = np.where(np.isnan(first.joint), np.nan, np.inf)
    for silo, view in views.items():
        held = book.in_silo(silo).exposure.any(axis=1)
        seen = np.where(held | np.isnan(view.saving), view.saving, np.inf)
        smallest = np.minimum(smallest, seen)
    return np.where(np.isinf(smallest), 0.0, smallest)
