"""The packaged scenarios, on whatever factors a market has."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.parameters.files import load_parameters, moved
from backtest.parameters.ranges import with_term
from backtest.stress import chosen, packaged_scenarios
from backtest.stress.packaged import ScenarioTerms

DAY = [pd.Timestamp("2024-01-02")]


def market_of(**levels):
    return bt.Market.from_frame(pd.DataFrame(levels, index=DAY), simulated=True)


def moves_of(market, name):
    (found,) = chosen(packaged_scenarios(market, 0), [name])
    return dict(found.moves)


def test_yields_between_two_maturities_move_by_what_lies_between():
    market = market_of(**{"3M": 0.05, "5Y": 0.04, "10Y": 0.04, "30Y": 0.04})
    moves = moves_of(market, "curve steeper by 100 bp")
    # From -50 bp at two years to +50 bp at thirty: 100 bp over 28 years.
    assert moves["3M"] == -0.005 and moves["30Y"] == 0.005
    assert moves["5Y"] == pytest.approx(-0.005 + 0.01 * 3 / 28)
    assert moves["10Y"] == pytest.approx(-0.005 + 0.01 * 8 / 28)


def test_a_bond_future_falls_with_its_shortest_bond():
    """ZN delivers from 6.5 years: the par bond of that maturity, whose yield rises by 1 %."""
    market = market_of(**{"5Y": 0.03, "10Y": 0.04, "ZN": 110.0})
    par = 0.03 + 0.01 * 1.5 / 5
    price = sum(par / 2 * (1 + (par + 0.01) / 2) ** -i for i in range(1, 14))
    price += (1 + (par + 0.01) / 2) ** -13
    assert moves_of(market, "yields up 100 bp")["ZN"] == pytest.approx(price - 1.0, rel=1e-12)


def test_futures_follow_their_price_and_volatilities_have_a_move_of_their_own():
    market = market_of(BTC=4e4, BTC_CME=4e4, ETH=2e3, SOL=90.0, USDC=1.0, **{"BTC-VOL": 0.5})
    moves = moves_of(market, "crypto halves")
    assert moves == {"BTC": -0.5, "BTC_CME": -0.5, "ETH": -0.5, "BTC-VOL": 1.0}
    index = market_of(SP500=5e3, VIX=0.2, SPY=500.0)
    assert "crypto halves" not in {scenario.name for scenario in packaged_scenarios(index, 0)}
    flight = moves_of(index, "flight: yields down 100 bp, crypto halves, equities fall a tenth")
    assert flight == {"SP500": -0.1, "SPY": -0.1, "VIX": 0.5}
    dash = moves_of(market, "dash for cash, 9 to 18 March 2020 at once")
    assert dash["BTC_CME"] == dash["BTC"] == -0.34 and dash["ETH"] == -0.43
    assert "USDC" not in dash  # it is no crypto asset of this file, and SOL is of no class at all


def test_a_scenario_that_moves_nothing_here_is_left_out():
    names = [s.name for s in packaged_scenarios(market_of(**{"10Y": 0.04}), 0)]
    assert "yields up 100 bp" in names and "crypto halves" not in names
    with pytest.raises(bt.StudyError, match="stress.scenarios names 'crypto halves'; known for"):
        chosen(packaged_scenarios(market_of(**{"10Y": 0.04}), 0), ["crypto halves"])


def test_the_weeks_that_were_are_those_of_the_record(real_data):
    """Both are facts: moves of par yields and closes between two days, from the files."""
    yields = pd.read_csv(real_data / "treasury_par_yields.csv", index_col="Date") / 100
    closes = {
        name: pd.read_csv(real_data / f"{file}.csv", index_col=0).iloc[:, 0]
        for name, file in (("BTC", "btc_usd"), ("ETH", "eth_usd"), ("equity", "sp500"))
    }
    vix = pd.read_csv(real_data / "vix.csv", index_col=0).iloc[:, 0]
    columns = ["3M", "2Y", "5Y", "10Y", "30Y"]
    terms = load_parameters("stress_scenarios")["scenario"]
    for name, (first, last) in {
        "dash_for_cash": ("2020-03-09", "2020-03-18"),
        "bank_run": ("2023-03-08", "2023-03-13"),
    }.items():
        change = (yields.loc[last] - yields.loc[first])[columns].to_numpy()
        assert terms[name]["yields"] == pytest.approx(change, abs=1e-9)
        for price, series in closes.items():
            move = series[last] / series[first] - 1.0
            assert terms[name]["prices"][price] == pytest.approx(move, abs=0.006), (name, price)
        assert terms[name]["volatility"]["equity"] == pytest.approx(
            vix[last] / vix[first] - 1.0, abs=0.006
        )


def test_a_term_that_is_moved_moves_the_scenario():
    market = market_of(**{"10Y": 0.04})
    tables = with_term(load_parameters("stress_scenarios"), "scenario.yields_up.yields", [0.02])
    with moved("stress_scenarios", tables):
        assert moves_of(market, "yields up 100 bp") == {"10Y": 0.02}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"up_to": [1.0, 2.0], "yields": [0.01]}, "differ in length"),
        ({"up_to": [2.0, 1.0], "yields": [0.01, 0.02]}, "does not ascend"),
        ({"prices": {"BTC": -1.0}}, "greater than -1"),
    ],
)
def test_terms_that_are_none_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ScenarioTerms(title="x", **fields)


def test_without_a_maturity_no_yield_moves():
    assert ScenarioTerms(title="x", prices={"BTC": -0.1}).yield_change(10.0) == 0.0
    assert np.isclose(
        ScenarioTerms(title="x", up_to=(2.0, 10.0), yields=(0.0, 0.008)).yield_change(6.0), 0.004
    )
