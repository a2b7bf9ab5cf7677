"""Capital of firms for their own positions: the rules that no arrangement of pooling changes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.clearing.structure import Structure
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.studies.protect.dollars import DollarTerms
from backtest.types import StudyError
from strategies.crypto_capital import CRYPTO, CryptoCapital
from strategies.liquid_capital import LiquidCapital
from strategies.net_capital import NetCapital

SCHEDULES = ("haircuts/cme_futures", "haircuts/cftc_pilot")
# A broker-dealer takes the first; a dealer in government securities alone the second, which nets
# bonds and their futures; a bank's holdings of crypto the third.
RULES: Mapping[str, MarginModel] = {
    "17 CFR 240.15c3-1": NetCapital(schedules=SCHEDULES),
    "17 CFR 402.2": LiquidCapital(schedules=SCHEDULES),
    "Basel SCO60, crypto alone": CryptoCapital(),
}
NOT_COVERED = "a position that the rule's table does not list"


def own_capital(
    market: Market,
    book: Book,
    structure: Structure,
    coverage: Coverage,
    terms: DollarTerms,
    *,
    scored: slice = slice(None),
) -> pd.DataFrame:
    """Capital of each firm's own account by rule: a row a (account, rule).

    Columns: `capital`, mean over the scored days, USD; `cost` USD a year, with `cost_low` and
    `cost_high` at the ends of what capital costs; `reason` where the rule has no number. No rule
    knows the cross-margining of houses: the capital is the same under every arrangement. A rule on
    crypto is left out of accounts without.

    Examples
    --------
    >>> import backtest as bt
    >>> from backtest.clearing import Member
    >>> market = bt.load_market("sample", end="2017-12-31")
    >>> legs = pd.DataFrame({"UST10Y": [1e8]}, index=["own"])
    >>> firm = Structure((Member("own", "A", "house"),))
    >>> table = own_capital(market, bt.Book.from_frame(legs), firm, Coverage(), DollarTerms.read())
    >>> table.loc[("own", "17 CFR 240.15c3-1"), ["capital", "cost"]].round(2).tolist()
    [4000000.0, 400000.0]
    """
    own = [k for k, m in enumerate(structure.of(book).members) if m.kind == "house"]
    rows = {}
    for place in own:
        alone = book.select([place])
        held = alone.holding(np.flatnonzero(alone.exposure.any(axis=0)).tolist())
        for rule, model in RULES.items():
            if isinstance(model, CryptoCapital) and not any(
                i.asset_class in CRYPTO for i in held.instruments
            ):
                continue
            rows[book.portfolios[place], rule] = _row(model, market, held, coverage, terms, scored)
    index = pd.MultiIndex.from_tuples(list(rows), names=["account", "rule"]) if rows else None
    return pd.DataFrame(list(rows.values()), index=index)


def _row(
    model: MarginModel,
    market: Market,
    held: Book,
    coverage: Coverage,
    terms: DollarTerms,
    scored: slice,
) -> dict[str, float | str]:
    """Capital of one account by one rule."""
    cost = terms.capital_cost
    try:
        capital = float(required_margin(model, market, held, coverage)[scored].mean())
        reason = ""
    except StudyError as error:
        capital, reason = float("nan"), f"{NOT_COVERED}: {error}"
    return {
        "capital": capital,
        "cost": cost.value * capital,
        "cost_low": cost.low * capital,
        "cost_high": cost.high * capital,
        "reason": reason,
    }
