"""One firm at one house, with ample resources, gives the numbers of `run`."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing import ARRANGEMENTS, Firm, Member, Structure
from backtest.kernels.parties import ACCOUNT
from backtest.replay.protection import protect
from tests.support.protected import drawn_market

BOOK = {"UST10Y": [4e7, -2e7, 0.0, 1e7], "UST2Y": [-5e7, 0.0, 3e7, 2e7]}
NAMES = ["hedged", "short", "long", "own"]
MODELS = {
    "var": st.HistoricalVaR(lookback=60),
    "offset": st.CorrelationOffset(base=st.HistoricalVaR(lookback=60), lookback=60),
}
MEMBERS = (*(Member(n, "A", resources=1e12) for n in NAMES[:3]), Member("own", "A", "house"))
MIX = bt.Mix({"cash": 0.4, "BTC": 0.6}, own={"BTC": 0.3})
TERMS = {
    "as run": bt.AccountTerms(),
    "at once": bt.AccountTerms(call_lag=0),
    "on payment days": bt.AccountTerms(call_lag=2, settlement="cash"),
    "a mix": bt.AccountTerms(collateral=MIX),
    "a mix at market": bt.AccountTerms(
        collateral=bt.Mix({"BTC": 1.0}, own={"BTC": 0.3}, at_closeout="market")
    ),
    "small calls are not made": bt.AccountTerms(minimum_transfer=1e5),
    "excess is kept": bt.AccountTerms(excess="kept", collateral=MIX),
}


def book_of(market: bt.Market, *, by_day: bool) -> bt.Book:
    frame = pd.DataFrame(BOOK, index=NAMES)
    if not by_day:
        return bt.Book.from_frame(frame, market)
    # Positions grow and shrink, and one of them changes its side.
    wave = 1.0 + 0.5 * np.sin(np.arange(len(market.dates)) / 9.0)
    exposure = frame.to_numpy()[None] * wave[:, None, None]
    exposure[150:, 0, 0] *= -1.0
    constant = bt.Book.from_frame(frame, market)
    return bt.Book(constant.portfolios, constant.instruments, exposure, dates=market.dates)


def assert_same(terms: bt.AccountTerms, *, by_day: bool = False, mpor: int = 2) -> None:
    market, coverage = drawn_market(), bt.Coverage(mpor=mpor)
    book = book_of(market, by_day=by_day)
    study = bt.run(market, book, MODELS, coverage=coverage, account=terms)
    done = protect(
        market, book, MODELS, Structure(MEMBERS, {"A": Firm(capital=1e12)}), coverage=coverage,
        account=terms, stated=True, draws=2,
    )  # fmt: skip
    assert {arrangement for _, arrangement in done.outcomes} == set(ARRANGEMENTS)
    days, seen = done.days, 0
    for (model, _), outcome in done.outcomes.items():
        accounts = outcome.accounts
        short = np.maximum(done.loss - outcome.collateral, 0.0)
        found = {
            "required": accounts.required(),
            "held": accounts.held(),
            "call": accounts.call(),
            "shortfall": short,
        }
        for name, values in found.items():
            of_run = getattr(study, name)[model].loc[days].to_numpy()
            np.testing.assert_allclose(values[:, :, 0], of_run, rtol=1e-9, atol=1e-9, err_msg=name)
        rows = study.scores.loc[model]
        exceeded = (done.loss > accounts.required()).sum(axis=(0, 2))
        assert exceeded.tolist() == rows["exceedances"].tolist()
        assert (short > 0.0).sum(axis=(0, 2)).tolist() == rows["breaches"].tolist()
        seen += int(rows["breaches"].sum())
        # Nothing is left to anybody beyond the firm: accounts, and the firm for its own.
        own_short = short[:, 3, 0]
        assert outcome.base[:, 0, ACCOUNT + 2 :].sum() == 0.0
        np.testing.assert_allclose(
            outcome.base[:, 0, ACCOUNT], done.loss.sum(axis=(1, 2)) - own_short, atol=1e-6
        )
        assert outcome.base_touched.sum() == 0.0
    assert seen > 0


@pytest.mark.parametrize("terms", TERMS)
def test_margins_calls_and_breaches_are_those_of_run(terms):
    assert_same(TERMS[terms])


def test_positions_by_day_are_those_of_run():
    assert_same(TERMS["a mix"], by_day=True)


def test_a_longer_close_out_is_that_of_run():
    assert_same(TERMS["a mix"], mpor=5)
