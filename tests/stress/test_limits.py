"""Limits, worked out by hand on a market of a few days."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.book.liquidation import load_costs
from backtest.stress import Backing, Limits, Scenario, StressPlan, one_usd, stress_test
from backtest.stress.limits import over
from backtest.stress.measures import account_measures
from tests.support.markets import random_market

HALF = Scenario("half", {"BTC": -0.5})
DAYS, ROW = 60, 50
NONE = Limits()


def checked(positions, margins, *, account=NONE, firm=NONE, backing=None, days=None):
    """Limits by (name, limit), of margins that are constant, or change from a day on."""
    market = random_market(DAYS, seed=6)
    book = bt.Book.from_frame(pd.DataFrame(positions).T.fillna(0.0), market)
    required = np.tile(np.array(margins, dtype=float), (DAYS, 1))
    if days is not None:
        required[:days] = np.nan
    alone = np.full((DAYS, 2, len(book.instruments)), 0.1)
    alone[:, 1] = 0.2  # a short position needs twice as much
    plan = StressPlan(ROW, (HALF,), worst_days=1, directions=(), account=account, firm=firm)
    result = stress_test(
        market, book, {"m": required}, plan, coverage=bt.Coverage(), backing=backing, alone=alone
    )
    return result.limits.set_index(["name", "limit"])


EVERY = Limits(stress_loss=1.0, concentration=0.7, volume=0.01, leverage=10.0)
POSITIONS = {"a": {"BTC": 3e6, "ETH": -1e6}, "b": {"BTC": -2e6, "ETH": 1e6}}


def test_an_account_by_hand():
    table = checked(POSITIONS, [1e6, 0.25e6], account=EVERY)
    a, b = table.loc["a"], table.loc["b"]
    assert a.loc["leverage", "value"] == pytest.approx(4.0)
    assert b.loc["leverage", "value"] == pytest.approx(12.0)
    assert [row["leverage"] for row in (a["over"], b["over"])] == [False, True]
    # Stand-alone margins of a: 0.3m for BTC, 0.2m for the short ETH. Of b: 0.4m and 0.1m.
    assert a.loc["concentration", "value"] == pytest.approx(0.6)
    assert b.loc["concentration", "value"] == pytest.approx(0.8)
    assert b.loc["concentration", "because"] == "BTC"
    costs = load_costs("liquidation")
    btc, eth = (costs.of(bt.Spot(name)).adv_usd for name in ("BTC", "ETH"))
    assert a.loc["volume", "value"] == pytest.approx(max(3e6 / btc, 1e6 / eth))
    assert a.loc["stress_loss", "value"] == pytest.approx(1.5)  # 1.5m of 1m, and no day was worse
    assert a.loc["stress_loss", "because"] == "half" and a.loc["stress_loss", "over"]


def test_own_resources_stand_beside_the_margin():
    backing = Backing(resources={"a": 1e6})
    table = checked(POSITIONS, [1e6, 1e6], account=EVERY, backing=backing)
    assert table.loc[("a", "stress_loss"), "value"] == pytest.approx(0.75)
    assert table.loc[("a", "leverage"), "value"] == pytest.approx(2.0)
    assert not table.loc[("a", "stress_loss"), "over"]


def test_days_are_counted_where_a_margin_is_known_and_none_after_the_day():
    table = checked(POSITIONS, [1e6, 0.25e6], account=EVERY, days=20)
    row = table.loc[("b", "leverage")]
    assert (row["days"], row["days_over"]) == (ROW + 1 - 20, ROW + 1 - 20)
    assert table.loc[("a", "leverage"), "days_over"] == 0
    # Half of Bitcoin lost is the same share on every day: what is counted is the stated move.
    assert table.loc[("a", "stress_loss"), "days_over"] == ROW + 1 - 20
    assert table.loc[("a", "concentration"), "days"] == ROW + 1


def test_a_firm_by_hand():
    """In 'half' account a loses 1.5m and lacks 0.5m; b gains, which pays for nothing.

    Capital and contributions are 0.4m: 1.25. Gross is 7m over 2m of margins and 0.4m; net BTC 1m,
    net ETH none.
    """
    backing = Backing({"a": "F", "b": "F"}, capital={"F": 0.3e6}, contributions={"F": 0.1e6})
    table = checked(POSITIONS, [1e6, 1e6], firm=EVERY, backing=backing).loc["F"]
    assert table.loc["stress_loss", "value"] == pytest.approx(1.25)
    assert table.loc["stress_loss", "because"] == "half"
    assert table.loc["leverage", "value"] == pytest.approx(7 / 2.4)
    # Stand-alone margins: BTC 0.3m + 0.4m, ETH 0.2m + 0.1m.
    assert table.loc["concentration", "value"] == pytest.approx(0.7)
    adv = load_costs("liquidation").of(bt.Spot("BTC")).adv_usd
    assert table.loc["volume", "value"] == pytest.approx(1e6 / adv)
    assert (table["level"] == "firm").all()


def test_a_firm_of_which_nothing_is_stated_has_no_stress_loss():
    table = checked(POSITIONS, [1e6, 1e6], firm=EVERY, backing=Backing({"a": "F"})).loc["F"]
    assert np.isnan(table.loc["stress_loss", "value"]) and not table.loc["stress_loss", "over"]
    assert table.loc["stress_loss", "days"] == 0
    assert table.loc["leverage", "value"] == pytest.approx(4.0)


def test_a_position_whose_volume_nobody_published_has_no_days_of_it():
    """One account holds gold alone, the other Bitcoin beside it: its days are Bitcoin's."""
    days = pd.bdate_range("2024-01-02", periods=3)
    prices = pd.DataFrame({"GOLD": [2000.0] * 3, "BTC": [100.0] * 3}, index=days)
    market = bt.Market.from_frame(prices, simulated=True)
    positions = pd.DataFrame({"GOLD": [1e6, 1e6], "BTC": [0.0, 2e6]}, index=["gold", "both"])
    book = bt.Book.from_frame(positions, market)
    measures = account_measures(market, book, np.ones((3, 2, 2)))
    adv = load_costs("liquidation").of(bt.Spot("BTC")).adv_usd
    assert np.isnan(measures.volume[:, 0]).all()
    assert measures.volume[:, 1] == pytest.approx(2e6 / adv)


def test_many_accounts_have_the_numbers_of_each_alone():
    """More accounts than a block holds, beside a firm that carries some of every block."""
    names = [f"a{i}" for i in range(300)]
    draws = np.random.default_rng(3).normal(size=(300, 2)) * 1e6
    positions = {n: {"BTC": b, "ETH": e} for n, (b, e) in zip(names, draws, strict=True)}
    backing = Backing({n: "F" for n in names[::7]}, capital={"F": 1e6})
    margins = [2e5] * 300
    whole = checked(positions, margins, account=EVERY, firm=EVERY, backing=backing)
    for name in (names[3], names[299]):
        alone = checked({name: positions[name]}, [2e5], account=EVERY)
        pd.testing.assert_frame_equal(whole.loc[[name]], alone, rtol=1e-12)
    lacks = [max(0.0, 0.5 * positions[n]["BTC"] - 2e5) for n in names[::7]]
    half = float(np.sum(lacks)) / 1e6
    assert whole.loc[("F", "stress_loss"), "value"] >= half * (1 - 1e-12)


def test_one_usd_is_margined_alone(small_market, small_book):
    units = one_usd(small_book)
    assert units.portfolios[0] == "long UST2Y" and units.portfolios[-1] == "short ETH"
    assert units.loss(small_market, bt.Coverage())[5].sum() == pytest.approx(0.0, abs=1e-15)


def test_what_stands_against_nothing():
    ratios = over(np.array([1.0, 0.0, -1.0]), np.zeros(3))
    assert ratios[0] == np.inf and ratios[1] == 0.0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"leverage": 0.0}, "a limit on leverage is 0.0; give a number above zero"),
        ({"concentration": 1.5}, "a limit on concentration is 1.5; .*, at most 1"),
    ],
)
def test_a_limit_that_is_none_is_one_line(limits, message):
    with pytest.raises(bt.StudyError, match=message):
        Limits(**limits)


def test_limits_need_stand_alone_margins(small_market, small_book):
    margins = np.full((len(small_market.dates), 4), 1e6)
    plan = StressPlan(200, account=Limits(leverage=1.0), directions=())
    with pytest.raises(bt.StudyError, match="limits need the stand-alone margins"):
        stress_test(small_market, small_book, {"m": margins}, plan, coverage=bt.Coverage())
