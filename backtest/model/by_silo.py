"""Margins of silos alone, and a requirement of all of them divided in proportion."""

from collections.abc import Mapping

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts
from backtest.types import DaysByPortfolios, DaysByPortfoliosBySilos


def margins_by_silo(
    model: MarginModel, market: Market, book: Book, coverage: Coverage
) -> DaysByPortfoliosBySilos:
    """(days, portfolios, silos) USD that a model asks for the positions of each silo alone."""
    return np.stack(
        [required_margin(model, market, book.in_silo(silo), coverage) for silo in book.silos],
        axis=2,
    )


def parts_in_proportion(
    steps: Mapping[str, DaysByPortfolios], silo_margins: DaysByPortfoliosBySilos, book: Book
) -> Parts:
    """Parts of a requirement that is the sum of `steps`; silos share it by `proportional_shares`.

    silo_margins : of the silos of `book`, stand-alone.
    """
    required = np.sum(list(steps.values()), axis=0)
    by_silo = proportional_shares(silo_margins, required, gross=silo_margins.sum(axis=2))
    return Parts(silos=book.silos, by_silo=by_silo, steps=steps)


def proportional_shares(
    silo_margins: DaysByPortfoliosBySilos, required: DaysByPortfolios, *, gross: DaysByPortfolios
) -> DaysByPortfoliosBySilos:
    """`required` divided between silos in proportion to their stand-alone margins.

    silo_margins : stand-alone. gross : their sum over silos.

    Each silo's margin is reduced by the same share, the form of the CME-FICC programme. Where no
    silo has a margin of its own the requirement is divided equally.

    Examples
    --------
    >>> silo_margins, required = np.array([[[30.0, 10.0]]]), np.array([[20.0]])
    >>> proportional_shares(silo_margins, required, gross=silo_margins.sum(axis=2)).tolist()
    [[[15.0, 5.0]]]
    """
    share = np.divide(required, gross, out=np.where(np.isnan(gross), np.nan, 0.0), where=gross > 0)
    by_silo = silo_margins * share[:, :, None]
    no_silo_margin = (gross == 0.0) & (required > 0.0)
    by_silo[no_silo_margin] = required[no_silo_margin][:, None] / silo_margins.shape[2]
    return by_silo
