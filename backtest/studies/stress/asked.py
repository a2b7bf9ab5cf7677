"""The stress test that a study file asks for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backtest.book.book import Book
from backtest.config.schema import StudyFile
from backtest.config.sections import LimitsTable
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.stress import (
    Backing,
    Scenario,
    StressPlan,
    StressResult,
    checked_days,
    chosen,
    historic_name,
    one_usd,
    packaged_scenarios,
    row_of,
    stress_test,
)
from backtest.types import DaysByPortfolios, FloatArray, Progress, StudyError, unheard


def study_stress(
    config: StudyFile,
    market: Market,
    book: Book,
    required: Mapping[str, DaysByPortfolios],
    *,
    base: MarginModel,
    backing: Backing | None = None,
    progress: Progress = unheard,
) -> StressResult | None:
    """The stress test of a study's [stress] and [limits]; None where it has neither.

    Parameters
    ----------
    required : by model, margins (days, portfolios) on the days of the market.
    base : model of the stand-alone margins by which concentration is measured.
    backing : firms of the accounts and what stands behind their margins; None for no firms.

    Raises
    ------
    StudyError : a day or a scenario that these prices do not have, limits of firms without firms.
    """
    plan = stress_plan(config, market, backing)
    if plan is None:
        return None
    alone = None
    if config.limits is not None:
        alone = stand_alone(base, market, book, config)
    return stress_test(
        market,
        book,
        required,
        plan,
        coverage=config.standard(),
        backing=backing,
        alone=alone,
        progress=progress,
    )


def stress_plan(
    config: StudyFile, market: Market, backing: Backing | None = None
) -> StressPlan | None:
    """Scenarios, directions and limits of a study on the factors of a market; None without any.

    Raises
    ------
    StudyError : as `study_stress`, before anything is priced.
    """
    terms = config.stress_terms()
    if terms is None:
        return None
    limits = config.limits or LimitsTable()
    if limits.firm.build().stated and not (backing is not None and backing.firms):
        raise StudyError("[limits.firm] limits firms, and the study has none; remove it.")
    row = row_of(market, terms.day)
    own = [Scenario(name, moves) for name, moves in terms.own.items()]
    for scenario in own:
        scenario.vector(market)
    packaged = packaged_scenarios(market, row, rule=terms.parameters)
    listed = [scenario for scenario in packaged if scenario.name not in terms.own] + own
    historic = [
        Scenario(historic_name(str(day)), start=day) for day in checked_days(market, terms.days)
    ]
    return StressPlan(
        row,
        (*chosen(listed, terms.scenarios), *historic),
        worst_days=terms.worst_days,
        directions=terms.directions,
        account=limits.account.build(),
        firm=limits.firm.build(),
    )


def stand_alone(base: Any, market: Market, book: Book, config: StudyFile) -> FloatArray:
    """(days, 2, instruments) margin of one USD long and short of each instrument alone."""
    margins = required_margin(base, market, one_usd(book), config.standard())
    return np.asarray(margins).reshape(len(market.dates), 2, len(book.instruments))
