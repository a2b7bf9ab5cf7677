"""The audit against models written by someone who knows it (docs/causality.md)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.model.isolation import isolated
from tests.support.attacks import CAUGHT, DAYS, NOT_CAUGHT
from tests.support.cheats import honest
from tests.support.markets import random_market


@pytest.fixture
def market():
    market = random_market(1000, seed=5, start="2018-01-01")
    moves = (bt.market.Adjustment("BTC", market.dates[d], 0.1, "roll") for d in (200, 500, 800))
    return replace(market, simulated=False, dropped=market.dates[[300, 700]], adjusted=tuple(moves))


@pytest.fixture
def book(market):
    rows = {f"b{i:02d}": {"BTC": 1e6 * (1 + i), "UST10Y": 3e7 * (-1) ** i} for i in range(40)}
    return bt.Book.from_frame(pd.DataFrame(rows).T, market)


@pytest.mark.parametrize("name", CAUGHT)
def test_an_attack_ends_the_run(name, market, book):
    with pytest.raises(bt.BacktestError, match="is not causal|to the audit|changed the prices"):
        bt.run(market, book, {"attack": CAUGHT[name]()}, audit=["b00", "b01"])


def test_answers_in_one_buffer_are_told_apart_in_a_study_of_one_book(market, book):
    with pytest.raises(bt.BacktestError, match="is not causal"):
        bt.run(market, book.select([0]), {"attack": CAUGHT["AnswersInOneBuffer"]()})


@pytest.mark.parametrize("name", NOT_CAUGHT)
def test_what_the_page_says_is_not_caught_is_not(name, market, book):
    cheat = NOT_CAUGHT[name]()
    study = bt.run(market, book, {"attack": cheat}, audit=["b00", "b01"])
    certificate = study.provenance.causality["attack"]
    assert certificate.before_losses > 0 and certificate.largest_change < 1e-9
    # It has a certificate and looks ahead all the same: in the study, or where prices are drawn.
    used, prices = study.required["attack"].to_numpy(), market
    if name == "OnlySimulatedPaths":
        prices = replace(market, simulated=True)
        used = cheat.margin(prices, book, bt.Coverage())
    assert (used > 1.01 * honest(prices, book, bt.Coverage(), DAYS)).any()


@pytest.mark.slow
def test_a_process_of_its_own_disarms_the_one_that_remembers(market, book):
    first, one = market.rows(slice(0, 200)), book.select([1])
    cheat = NOT_CAUGHT["RemembersWhereItWasAsked"]()
    margin = isolated(cheat).margin(first, one, bt.Coverage())
    honest = NOT_CAUGHT["OnlySimulatedPaths"]().margin(first, one, bt.Coverage())
    np.testing.assert_array_equal(margin, honest)
