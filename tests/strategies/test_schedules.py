"""Net capital haircuts and the uncleared schedule: the rules' own examples, and plain loops."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.account.haircuts import load_schedule
from backtest.parameters.files import load_parameters
from strategies.standard_schedule import load_margin_table, net_margin
from tests.support.places import PEER_DATA, needs_peer_data

COVERAGE = bt.Coverage()
CONTRACT = {
    "net_capital_15c3_1": [{}, {"haircuts": {"BTC": 0.35}}],
    "uncleared_schedule": [{}, {"age": 3}],
}


def net_capital(small_market, **usd):
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    return float(st.NetCapital().margin(small_market, book, COVERAGE)[0, 0])


@pytest.mark.parametrize(
    ("usd", "charge"),
    [
        ({"UST4Y": 100.0, "UST7Y": -100.0}, 2.5),  # one category: 4 - 3 + 3 / 2
        ({"UST4Y": 100.0, "UST7Y": 100.0}, 7.0),
        ({"UST2Y": 100.0, "UST7Y": -100.0}, 5.5),  # two categories: 1.5 + 4
        ({"UST30Y": 100.0, "UST30Y@CME": -100.0}, 0.0),  # one row, whatever the house
        ({"BILL3M": 100.0, "BILL6M": -100.0}, 0.5),
        ({"UST10Y": -100.0}, 4.0),  # a 10-year note is just short of 10 years
        ({"BTC": 100.0, "ETH": -100.0}, 40.0),
    ],
)
def test_net_capital_by_hand(small_market, usd, charge):
    assert net_capital(small_market, **usd) == pytest.approx(charge, rel=1e-12, abs=1e-12)


def test_net_capital_is_its_slow_twin(small_market):
    tenors = {"BILL6M": 0.5, "UST1Y": 1, "UST2Y": 2, "UST3Y": 3, "UST4Y": 4, "UST7Y": 7}
    tenors |= {"UST10Y": 10, "UST12Y": 12, "UST20Y": 20, "UST30Y": 30, "UST30Y@CME": 30}
    drawn = np.random.default_rng(1).normal(0.0, 1e6, (20, len(tenors)))
    book = bt.Book.from_frame(pd.DataFrame(drawn, columns=list(tenors)))
    columns = load_parameters("sec_15c3_1/2013")["government"]
    rows = pd.DataFrame(columns).assign(over=[0.0, *columns["up_to"][:-1]]).to_dict("records")
    for exposure, required in zip(
        drawn, st.NetCapital().margin(small_market, book, COVERAGE)[7], strict=True
    ):
        charge = 0.0
        for category in (1, 2, 3, 4):
            longs = shorts = 0.0
            for row in rows:
                if row["category"] != category:
                    continue
                net = sum(
                    usd
                    for usd, years in zip(exposure, tenors.values(), strict=True)
                    if row["over"] < years <= row["up_to"]
                )
                longs += max(net, 0.0) * row["rate"]
                shorts += max(-net, 0.0) * row["rate"]
            charge += abs(longs - shorts) + 0.5 * min(longs, shorts)
        assert required == pytest.approx(charge, rel=1e-12)


def test_net_capital_needs_a_haircut_for_the_rest(option_market):
    book = bt.Book.from_frame(pd.DataFrame({"SPY": [1.0]}, index=["equity"]))
    with pytest.raises(bt.StudyError, match="no haircut for SPY"):
        st.NetCapital().margin(option_market, book, COVERAGE)
    model = st.NetCapital(haircuts={"SPY": 0.15})
    assert model.margin(option_market, book, COVERAGE)[0, 0] == 0.15


@needs_peer_data
@pytest.mark.parametrize(("tree", "side"), [("TreePledgor", -1.0), ("TreeSecured", 1.0)])
def test_public_example_of_the_schedule(tree, side):
    """Its lines by product net the notionals of a trade; its total nets none, under one ratio."""
    folder = PEER_DATA / "simm"
    printed = (folder / f"{tree}.txt").read_text(encoding="utf-8")
    data = schedule_rows(folder)
    for product, rows in data.groupby("ProductClass"):
        netted = rows.groupby(["RiskType", "TradeID", "rate"])["usd"].sum().reset_index()
        assert f"Product {product} = {example_margin(netted, side):,.2f}" in printed
    assert f"Model Schedule = {example_margin(data, side):,.2f}" in printed
    if side < 0:
        assert round(example_margin(data, side), 2) == 1_379_495.94


def schedule_rows(folder):
    """Rows of the example's schedule in USD, with the rate of each."""
    rates = pd.read_csv(folder / "FxRates.csv", header=None, index_col=1)[2]
    data = pd.read_csv(folder / "Crif.csv", sep="\t", thousands=",", parse_dates=["EndDate"])
    data = data[data["IMModel"] == "Schedule"]
    own = data["Amount"] / data["AmountCurrency"].map(rates)
    # Any day of the year before the first maturity puts every trade in the same row.
    years = (data["EndDate"] - pd.Timestamp("2019-07-04")).dt.days / 365.25
    table = load_margin_table("uncleared_schedule/2020")
    each = [table.rate(p.lower(), y) for p, y in zip(data["ProductClass"], years, strict=True)]
    return data.assign(usd=data["AmountUSD"].fillna(own), rate=each)


def example_margin(rows, side):
    """Net margin of rows of notionals and values, seen from one side."""
    notional, value = rows[rows["RiskType"] == "Notional"], rows[rows["RiskType"] == "PV"]
    gained = side * value["usd"]
    amounts = (
        (notional["usd"].abs() * notional["rate"]).sum(),
        max(0.0, gained.sum()),
        gained.clip(lower=0.0).sum(),
    )
    table = load_margin_table("uncleared_schedule/2020")
    return float(net_margin(*(np.array([a]) for a in amounts), table)[0])


def test_schedule_rates_agree_with_the_haircut_schedule():
    table, listed = (
        load_margin_table("uncleared_schedule/2020"),
        load_schedule("haircuts/uncleared_schedule/2020"),
    )
    for years in (1, 2, 3, 5, 7, 30):
        assert table.rate("rates", years) == listed.haircut(bt.Swap(years))
    assert table.rate("equity") == listed.haircut(bt.Spot("SPY"))


def test_schedule_is_its_slow_twin(small_market):
    usd = {
        "BTC": 4e6,
        "ETH": -3e6,
        "BTC@NODAL": -2e6,
        "UST5Y@CME": 3e7,
        "UST2Y": 5e7,
        "UST10Y": -2e7,
    }
    rates = {
        "BTC": 0.15,
        "ETH": 0.15,
        "BTC@NODAL": 0.15,
        "UST5Y@CME": 0.02,
        "UST2Y": 0.01,
        "UST10Y": 0.04,
    }
    sets = [("BTC", "ETH", "UST5Y@CME"), ("BTC@NODAL",), ("UST2Y", "UST10Y")]  # CME, NODAL, FICC
    book = bt.Book.from_frame(pd.DataFrame([usd], index=["book"]))
    model = st.StandardSchedule(age=5)
    required = model.margin(small_market, book, COVERAGE)[:, 0]
    assert np.isnan(required[:5]).all() and not np.isnan(required[5:]).any()
    contracts = {i.name: i for i in book.instruments}
    between = set()
    for day in range(5, 260):
        margin = 0.0
        for members in sets:
            gained = [
                usd[m] * contracts[m].pnl(small_market.until(day), 5)[day - 5] for m in members
            ]
            winners = sum(max(0.0, g) for g in gained)
            ratio = max(0.0, sum(gained)) / winners if winners > 0 else 1.0
            between.add(0.0 < ratio < 1.0)
            margin += sum(abs(usd[m]) * rates[m] for m in members) * (0.4 + 0.6 * ratio)
        assert required[day] == pytest.approx(margin, rel=1e-12)
    assert between == {True, False}


def test_schedule_bounds_and_silos(small_market, small_book):
    parts = st.StandardSchedule().parts(small_market, small_book, COVERAGE)
    gross = parts.steps["gross"][10:]
    required = parts.by_silo.sum(axis=2)[10:]
    assert (required <= gross * (1 + 1e-12)).all() and (required >= 0.4 * gross).all()
    bonds = small_book.portfolios.index("bond only")
    np.testing.assert_allclose(required[:, bonds], 0.04 * 1e8)  # one position: the ratio is 1
