"""In which order a study lists accounts, firms and houses is no matter of who loses."""

import functools

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing import Firm, Member, Structure
from backtest.clearing.rules import Rules
from backtest.replay.protection import Protection, protect
from tests.support.protected import drawn_market

# Two accounts have positions at three houses, so that one house may pay for two others.
BOOK = {
    "UST10Y": {"own": 4e7, "spread": -3e7, "rates": 2e7, "late": 9e7},
    "BTC": {"own": -3e6, "spread": 2e6, "coin": 4e6, "late": -3e6},
    "BTC@OCC": {"own": 6e6, "spread": -5e6, "coin": -2e6, "other": 3e6},
}
MEMBERS = {
    "own": Member("own", "A", "house"),
    "spread": Member("spread", "A", resources=0.0, default_rate=0.6),
    "rates": Member("rates", "A", resources=0.0, default_rate=0.4),
    "coin": Member("coin", "A", resources=0.0, default_rate=0.5),
    "late": Member("late", "B", resources=0.0, default_rate=0.3),
    "other": Member("other", "B", resources=0.0, default_rate=0.7),
}
FIRMS = {"A": Firm(capital=0.0, default_rate=0.2), "B": Firm(capital=0.0)}
RULES = {"porting": 1.0}


@functools.cache
def protected(accounts: tuple[str, ...], instruments: tuple[str, ...]) -> Protection:
    frame = pd.DataFrame(BOOK).fillna(0.0)
    return protect(
        drawn_market(140),
        bt.Book.from_frame(frame.reindex(accounts, fill_value=0.0)[list(instruments)]),
        {"var": st.HistoricalVaR(lookback=60)},
        Structure(tuple(MEMBERS.get(a, Member(a, "A", default_rate=0.5)) for a in accounts), FIRMS),
        coverage=bt.Coverage(confidence=0.9),
        coordination=0.5,
        rules=Rules.of(stated=RULES),
    )


ACCOUNTS, INSTRUMENTS = tuple(MEMBERS), tuple(BOOK)
OTHERS = {
    "accounts": (ACCOUNTS[::-1], INSTRUMENTS),  # and firms, which are in the order of theirs
    "houses": (ACCOUNTS, INSTRUMENTS[::-1]),
    "an account without positions": (("nothing", *ACCOUNTS), INSTRUMENTS),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_order_moves_no_cent(what):
    done, again = protected(ACCOUNTS, INSTRUMENTS), protected(*OTHERS[what])
    places = [again.book.silos.index(house) for house in done.book.silos]
    names = [again.book.portfolios.index(account) for account in ACCOUNTS]
    elsewhere = 0.0
    for key, outcome in done.outcomes.items():
        other = again.outcomes[key]
        np.testing.assert_allclose(other.paid[:, places], outcome.paid, atol=1e-6)
        np.testing.assert_allclose(other.base[:, places], outcome.base, atol=1e-6)
        np.testing.assert_allclose(other.touched, outcome.touched, atol=1e-12)
        np.testing.assert_allclose(other.fellow[names], outcome.fellow, atol=1e-6)
        assert (outcome.paid != outcome.base).any()  # defaults are drawn
        elsewhere += outcome.base[:, :, 3].sum()
    assert elsewhere > 0.0  # what one house hands over to the others
