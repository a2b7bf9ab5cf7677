"""A study in dollars a year: what pooling saves, whom, what it costs others, how sure that is."""

from collections.abc import Container
from dataclasses import dataclass
from functools import partial

import pandas as pd

from backtest.account.assets import parse_asset
from backtest.account.mix import Mix
from backtest.book.book import Book
from backtest.clearing.arrangement import SILOS
from backtest.config.schema import StudyFile
from backtest.offset import supportable_offset
from backtest.parameters.in_force import in_force
from backtest.replay.protection.protect import Protection
from backtest.studies.inputs import Inputs
from backtest.studies.protect.by_collateral import dollars_by_collateral
from backtest.studies.protect.capital import own_capital
from backtest.studies.protect.dollars import DollarTerms, account_dollars, dollars
from backtest.studies.protect.dollars_swept import dollars_swept
from backtest.studies.protect.mandate import (
    MandateTerms,
    check_silo,
    mandate_margins,
    mandate_table,
)
from backtest.types import Progress, StudyError
from strategies.cross_margining import CrossMargining

# Assumptions are swept for the first of these that the study has: customers of the order first.
HEADLINE = ("customers gross, commingled", "customers gross, segregated", "house pooled")
MOST_SWEPT = 200  # accounts: more would take minutes
OWN_MIX = "the study's mix"


@dataclass(frozen=True, eq=False)
class Cases:
    """Tables in dollars; each as its function describes it, None where the study has no such.

    Parameters
    ----------
    model, arrangement : that sentences and sweeps are about.
    table : `dollars`. accounts : `account_dollars` of the headline's accounts.
    supported : what data support of a pool of the headline's accounts, `supported_savings`.
    capital : `own_capital`. swept : `dollars_swept`. posted : `dollars_by_collateral`.
    mandate : `mandate_table`.
    """

    model: str
    arrangement: str
    terms: DollarTerms
    a_year: float
    table: pd.DataFrame
    accounts: pd.DataFrame
    supported: pd.DataFrame | None
    capital: pd.DataFrame
    swept: pd.DataFrame | None
    posted: pd.DataFrame | None
    mandate: pd.DataFrame | None
    mandate_terms: MandateTerms | None


def check_mandate(config: StudyFile, book: Book, models: Container[str]) -> None:
    """Raise StudyError where a study asks about the clearing mandate what it cannot be told."""
    asked = config.mandate
    if asked is None:
        return
    check_silo(book, asked.silo)
    if asked.model not in models:
        raise StudyError(f"mandate.model is {asked.model!r}, which failed; name another.")
    names = [one.name for one in config.structure.compared()] if config.structure else []
    if SILOS not in names or not set(HEADLINE) & set(names):
        raise StudyError(
            f"mandate stands beside dollars a year, which compare {SILOS!r} with a pool, and "
            f"structure.arrangements has {', '.join(names)}; name {SILOS!r} and {HEADLINE[0]!r}."
        )


def study_cases(inputs: Inputs, protection: Protection, progress: Progress) -> Cases | None:
    """Every table of a study in dollars; None where it does not compare pooling with silos."""
    arrangement = next((name for name in HEADLINE if name in protection.settings), "")
    if SILOS not in protection.settings or not arrangement:
        return None
    terms, model = DollarTerms.read(), headline_model(protection)
    headline = tuple(n for n in inputs.config.headline if n in protection.book.portfolios)
    few = len(protection.book.portfolios) <= MOST_SWEPT
    report = partial(progress, "dollars a year")
    report(0.0)
    table, accounts = dollars(protection, terms), account_dollars(protection, headline, terms)
    report(0.1)
    supported = supported_savings(inputs, protection, headline, terms)
    report(0.3)
    swept = dollars_swept(protection, terms, model=model, arrangement=arrangement) if few else None
    report(0.7)
    posted = _posted(inputs, protection, terms, model) if few else None
    report(0.9)
    mandate = _mandate(inputs, protection, terms)
    report(1.0)
    margined = protection.margined
    capital = own_capital(
        margined.market, margined.book, protection.structure, margined.coverage, terms,
        scored=protection.window.rows,
    )  # fmt: skip
    return Cases(
        model, arrangement, terms, protection.settings[SILOS].rules.assumptions.margin_days,
        table, accounts, supported, capital, swept, posted, mandate,
        None if mandate is None else MandateTerms.read(),
    )  # fmt: skip


def headline_model(protection: Protection) -> str:
    """The model that sentences are about: of an arrangement between houses, else the last."""
    models = protection.margined.models
    return next((n for n, m in models.items() if isinstance(m, CrossMargining)), [*models][-1])


def supported_savings(
    inputs: Inputs, protection: Protection, accounts: tuple[str, ...], terms: DollarTerms
) -> pd.DataFrame | None:
    """What data support of the saving of each account, at equal coverage: a row an account.

    `alone`, what its silos ask together at equal coverage by the study's sizing model, USD;
    `total`, `total_bound`, `dependence`, `dependence_bound` of `supportable_offset`, shares;
    `saved` and `saved_bound`, USD a year of funding of the total reduction. Accounts in a single
    silo are left out.
    """
    places = [protection.book.portfolios.index(name) for name in accounts]
    if not places:
        return None
    config = inputs.config
    ladder = supportable_offset(
        inputs.market,
        protection.book.select(places),
        base=inputs.base,
        coverage=config.standard(),
        score_from=str(protection.window.dates[0]),
    ).to_frame()
    if ladder.empty:
        return None
    shares = ladder[["total", "total_bound", "dependence", "dependence_bound"]]
    alone, spread = ladder["silo_margin"], terms.spread.value
    return pd.DataFrame(
        {
            "alone": alone,
            **shares,
            "saved": spread * alone * shares["total"],
            "saved_bound": spread * alone * shares["total_bound"].clip(lower=0.0),
        }
    ).rename_axis("account")


def _posted(
    inputs: Inputs, protection: Protection, terms: DollarTerms, model: str
) -> pd.DataFrame | None:
    """By collateral, where the study posts something else than cash."""
    mix = protection.margined.account.collateral
    if mix == "cash":
        return None
    mixes: dict[str, Mix] = {OWN_MIX: mix}
    for asset in mix.shares:
        if asset != "cash" and set(parse_asset(asset).factors) <= set(inputs.market.factors):
            single = Mix({asset: 1.0}, haircuts=mix.haircuts, rule=mix.rule)
            day = inputs.config.rule_day
            mixes[asset] = single if day is None else in_force(single, day)
    return dollars_by_collateral(protection, mixes, terms, model=model)


def _mandate(inputs: Inputs, protection: Protection, terms: DollarTerms) -> pd.DataFrame | None:
    """The clearing mandate, where the study asks about it."""
    asked = inputs.config.mandate
    if asked is None:
        return None
    model = protection.margined.models[asked.model]
    margins = mandate_margins(
        model, inputs.market, protection.book, inputs.config.standard(), silo=asked.silo
    )
    spread = terms.spread
    return mandate_table(
        margins,
        MandateTerms.read(),
        scored=protection.window.rows,
        spread=(spread.low, spread.value, spread.high),
    )
