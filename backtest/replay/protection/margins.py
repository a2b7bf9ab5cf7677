"""Margins of accounts and of firms' net positions, by house: each house alone, and pooled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.estimators.fits import Certificates, counting_fits, total_fits
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo
from backtest.model.protocol import MarginModel
from backtest.model.sharing import sharing
from backtest.replay.scorecard import BLOCK, blocks
from backtest.types import BoolArray, DaysByPortfoliosBySilos, FloatArray, Progress, counted
from strategies.agreement import Account
from strategies.parts import parts_of


@dataclass(frozen=True, eq=False)
class ByHouse:
    """Margins of one model, (days, portfolios, houses) USD.

    alone : what each house asks for its own positions. pooled : its part of the joint margin.
    fits : how the fits of the model ended, by law.
    """

    alone: DaysByPortfoliosBySilos
    pooled: DaysByPortfoliosBySilos
    fits: Certificates = field(default_factory=dict)

    def asked(self, pools: BoolArray) -> DaysByPortfoliosBySilos:
        """What houses ask; pools : (portfolios,) whether the legs of each are margined together."""
        return np.where(pools[None, :, None], self.pooled, self.alone)

    @property
    def known(self) -> FloatArray:
        """(days, 1), NaN where some margin is not known yet."""
        unknown = np.isnan(self.alone).any(axis=(1, 2)) | np.isnan(self.pooled).any(axis=(1, 2))
        return np.where(unknown, np.nan, 0.0)[:, None]


def margins_by_house(
    models: Mapping[str, MarginModel],
    market: Market,
    book: Book,
    coverage: Coverage,
    *,
    kind: str | Sequence[str],
    progress: Progress,
) -> dict[str, ByHouse]:
    """Margins by model of accounts that are 'customer' or 'house': all of them, or each.

    Computed in blocks of portfolios, which bounds the memory and changes no number. A house asks
    nothing of an account that holds nothing there, and has no history to wait for.
    """
    shape = len(market.dates), len(book.portfolios), len(book.silos)
    margins = {name: ByHouse(np.empty(shape), np.empty(shape)) for name in models}
    kinds = np.array([kind] * len(book.portfolios) if isinstance(kind, str) else kind)
    across = any(getattr(model, "across_books", False) for model in models.values())
    fits: list[dict[str, Certificates]] = []
    for one in dict.fromkeys(kinds.tolist()):
        places = np.flatnonzero(kinds == one)
        asked = {name: of_kind(model, one) for name, model in models.items()}
        each = list(blocks(len(places), len(places) if across else BLOCK))
        for block in counted(progress, f"margins of {one} accounts", each, len(each)):
            columns = places[block]
            part = book.select(columns.tolist())
            with sharing(market):
                for name, model in asked.items():
                    try:
                        with counting_fits() as counted_fits:
                            alone = margins_by_silo(model, market, part, coverage)
                            pooled = parts_of(model, market, part, coverage).by_silo
                    except Exception as error:
                        error.add_note(f"model {name!r}, accounts {part.portfolios[0]!r} and after")
                        raise
                    margins[name].alone[:, columns] = np.where(_is_held(part), alone, 0.0)
                    margins[name].pooled[:, columns] = pooled
                    fits.append({name: counted_fits})
    total = total_fits(fits)
    return {name: replace(margin, fits=total.get(name, {})) for name, margin in margins.items()}


def _is_held(book: Book) -> BoolArray:
    """(portfolios, houses) whether an account ever holds something at a house."""
    return np.stack([book.in_silo(silo).is_held.any(axis=1) for silo in book.silos], axis=1)


def of_kind(model: MarginModel, kind: str) -> MarginModel:
    """The model for accounts of a kind: an arrangement that asks whose they are is told so.

    Examples
    --------
    >>> from strategies import CrossMargining
    >>> of_kind(CrossMargining(), "customer").account
    'customer'
    """
    if getattr(model, "account", None) in get_args(Account):
        told: Any = replace(cast(Any, model), account=kind)
        return told
    return model


def net_book(book: Book, groups: Mapping[str, list[int]]) -> Book:
    """A portfolio a group: the sum of the positions of its members.

    groups : rows of portfolios, by the group's name.
    """
    exposure = np.stack(
        [book.exposure[..., rows, :].sum(axis=-2) for rows in groups.values()], axis=-2
    )
    return replace(book, portfolios=tuple(groups), exposure=exposure)
