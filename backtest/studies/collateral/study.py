"""`backtest collateral`: collateral that moves, and whether its haircuts are enough."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from backtest.account.account import AccountTerms
from backtest.account.assets import parse_asset
from backtest.account.mix import Mix
from backtest.book.closeout import Closeout
from backtest.config.schema import StudyFile
from backtest.data.csv_folder import read_column
from backtest.data.load import load_market
from backtest.market.market import Market
from backtest.parameters.in_force import in_force
from backtest.replay.provenance import Provenance
from backtest.replay.run import run
from backtest.replay.study import Study
from backtest.replay.worst import RULE, worst_books
from backtest.studies.collateral.adequacy import (
    adequacy_by_schedule,
    adequacy_sources,
    after_last_gap,
    read_from,
    span_of,
    worst_by_month,
)
from backtest.studies.collateral.mixes import Posted, compare_mixes, wrong_way
from backtest.studies.inputs import Inputs, read_inputs, result_of
from backtest.studies.prices import said_of_files
from backtest.studies.ranked import Ranked
from backtest.types import Progress, RowNumbers

MIXES: Mapping[str, Mapping[str, float]] = {
    "cash": {"cash": 1.0},
    "bills": {"BILL3M": 1.0},
    "bill fund": {"BILL-FUND": 1.0},
    "10Y": {"UST10Y": 1.0},
    "cash and BTC": {"cash": 0.5, "BTC": 0.5},
    "BTC": {"BTC": 1.0},
    "ETH": {"ETH": 1.0},
}
STABLECOIN_MIXES: Mapping[str, Mapping[str, float]] = {
    "cash": {"cash": 1.0},
    "USDC": {"USDC": 1.0},
    "USDC and BTC": {"USDC": 0.5, "BTC": 0.5},
    "BTC": {"BTC": 1.0},
}
OWN_MIX = "the study's mix"


@dataclass(frozen=True, eq=False)
class CollateralStudy:
    """Breaches by mix, wrong-way risk, and the adequacy of haircuts.

    Parameters
    ----------
    cash_study : the study with cash as collateral, whose margins and losses every mix meets.
    mixes, wrong_way : one row a (mix, model, portfolio), and a (mix, portfolio).
    stablecoin : as `mixes`, on the days since the last gap of the USDC prices; None without them.
    stablecoin_window : those days' first and last, in words. stablecoin_source : their prices.
    adequacy : one row a (asset, schedule, horizon, period).
    worst : one row a (asset, month): the worst move of `horizon` days that began in it.
    """

    cash_study: Study
    mixes: pd.DataFrame
    wrong_way: pd.DataFrame
    stablecoin: pd.DataFrame | None
    stablecoin_window: str
    stablecoin_source: str
    adequacy: pd.DataFrame
    worst: pd.DataFrame
    horizon: int
    text: str
    provenance: Provenance

    @property
    def ranked(self) -> Ranked:
        """The books with most evidence against their coverage come first."""
        return Ranked(tuple(worst_books(self.cash_study.scores)), RULE)


def study_collateral(
    study_file: Path | None,
    *,
    data: str | None,
    seed: int | None,
    n_jobs: int,
    isolate: bool = False,
    progress: Progress,
) -> CollateralStudy:
    """Replay a study's named books in one collateral after another, and test the haircuts.

    Raises
    ------
    StudyError, DataError : see `read_inputs`, `compare_mixes`, `haircut_adequacy`.
    """
    inputs = read_inputs(study_file, data=data, seed=seed, isolate=isolate, progress=progress)
    return result_of(inputs, lambda inputs: _collateral(inputs, n_jobs, progress))


def _collateral(inputs: Inputs, n_jobs: int, progress: Progress) -> CollateralStudy:
    """Every table of the study of `inputs`."""
    config, market, coverage = inputs.config, inputs.market, inputs.config.standard()
    book, terms = inputs.named_book, config.terms()
    closeout = Closeout(book, coverage)
    # Margins are computed once, against cash: a mix changes what is held, not what is required.
    cash_study = run(
        market,
        book,
        inputs.models,
        coverage=coverage,
        account=replace(terms, collateral="cash"),
        score_from=config.score_from,
        seed=config.seed,
        n_jobs=n_jobs,
        audit=list(config.books) or True,
        progress=progress,
    )
    audits = cash_study.provenance.causality | inputs.audits(
        progress, only_sizing=True, stage="causality audit, sizing"
    )
    mixes = mixes_of(config, MIXES, market)
    if terms.collateral != "cash":
        mixes[OWN_MIX] = terms.collateral
    horizon = closeout.by_portfolio
    breaches = compare_mixes(
        cash_study, market, mixes, horizon=horizon, account=terms, progress=progress
    )
    assets = {name: mix for name, mix in mixes.items() if name != "cash"}
    correlations = wrong_way(cash_study, market, assets, horizon=horizon, progress=progress)
    stablecoin, window, its_source = _stablecoin(inputs, cash_study, horizon, terms)
    progress("prices of collateral", 0.0)
    sources = adequacy_sources(inputs)
    progress("prices of collateral", 1.0)
    day = date.fromisoformat(config.as_of)
    adequacy = adequacy_by_schedule(sources, day, progress=progress)
    worst = worst_by_month(sources, closeout.longest, since=market.dates[0])
    spans = {f"{asset}, {days} days": span_of(s) for (asset, days), s in sources.items()}
    rates = {name: dict(m.rates) for name, m in mixes.items() if isinstance(m, Mix)}
    # Where prices were read from is told, and not hashed: the hash is of numbers alone.
    told = {
        f"{asset}, {days} days": {"source": read_from(asset, source, inputs)}
        for (asset, days), source in sources.items()
    }
    details = {
        "haircuts": rates,
        "sources": {name: told[name] | span for name, span in spans.items()},
    }
    origin = replace(cash_study.provenance, causality=audits, details=details)
    return CollateralStudy(
        cash_study, breaches, correlations, stablecoin, window, its_source, adequacy, worst,
        closeout.longest, inputs.text, inputs.described(origin, spans),
    )  # fmt: skip


def mixes_of(
    config: StudyFile, shares: Mapping[str, Mapping[str, float]], market: Market
) -> dict[str, Posted]:
    """The mixes that a market can price, at the haircuts of the study's day, without its caps.

    Caps limit the mix that a study posts; here single assets are posted to see their risk.
    """
    mixes: dict[str, Posted] = {}
    for name, mix in shares.items():
        if any(factor not in market.factors for a in mix for factor in parse_asset(a).factors):
            continue
        if name == "cash":
            mixes[name] = "cash"
        elif config.collateral is None:
            mixes[name] = Mix(mix)
        else:
            table = config.collateral
            rates = {asset: rate for asset, rate in table.own.items() if asset in mix}
            mixes[name] = Mix(mix, haircuts=table.haircuts, rule=table.rule, own=rates)
    day = config.rule_day
    return mixes if day is None else {name: in_force(mix, day) for name, mix in mixes.items()}


def _stablecoin(
    inputs: Inputs, study: Study, horizon: RowNumbers, terms: AccountTerms
) -> tuple[pd.DataFrame | None, str, str]:
    """The mixes with USDC on the study's days since the last gap in its prices; days, source."""
    folder, market = Path(inputs.config.data.source), inputs.market
    if not (folder / "usdc_usd.csv").is_file():
        return None, "", ""
    hows = said_of_files(inputs.config)
    usdc = read_column(folder, "USDC", files=hows)
    since = max(after_last_gap(usdc), pd.Timestamp(market.dates[0]))
    factors = tuple(dict.fromkeys((*market.factors, "USDC")))
    usdc_market = load_market(
        folder,
        files=hows,
        factors=factors,
        start=str(since.date()),
        end=str(market.dates[-1]),
        calendar=inputs.config.clock.calendar,
        contracts=inputs.config.data.contracts,
    )
    mixes = mixes_of(inputs.config, STABLECOIN_MIXES, usdc_market)
    table = compare_mixes(study, usdc_market, mixes, horizon=horizon, account=terms)
    days = f"{usdc_market.dates[0]} .. {usdc_market.dates[-1]}"
    return table, days, usdc_market.source
