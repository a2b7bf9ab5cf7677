"""Front months without their splices: planted jumps, known expiries, real prices."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as h

import backtest as bt
from backtest.data.rolls import adjust_rolls, last_trading_days
from backtest.instruments import CurveFuture, Future, basis, traded_price
from backtest.instruments.contracts import contract_terms
from backtest.replay.origin import Prices

TREASURY = ("3M", "2Y", "5Y", "7Y", "10Y", "20Y", "30Y", "ZT", "ZF", "ZN", "ZB")


def front_month(seed=0, splice=-0.01, early=0, noise=5e-4):
    """Year of a yield, of a future that follows it, and the same future spliced at its expiries."""
    generator = np.random.default_rng(seed)
    days = pd.bdate_range("2022-01-03", "2023-02-28")
    level = pd.Series(0.03 + np.cumsum(generator.normal(0, 5e-4, len(days))), index=days)
    moves = -6.0 * level.diff().fillna(0.0) + generator.normal(0, noise, len(days))
    clean = 120.0 * (1.0 + moves).cumprod()
    expiries = last_trading_days(contract_terms("ZN"), days[0], days[-1])
    rows = days.searchsorted(expiries, side="right") - early
    factor = np.ones(len(days))
    factor[rows] = 1.0 + splice
    return level, clean, clean * np.cumprod(factor), days[rows]


@pytest.mark.parametrize(
    ("code", "month", "day"),
    [  # as the exchange listed them
        ("ZN", "2024-03", "2024-03-19"),  # Good Friday on the 29th
        ("ZB", "2015-03", "2015-03-20"),
        ("ZN", "2023-06", "2023-06-21"),
        ("ZB", "2021-12", "2021-12-21"),  # Christmas kept on the 24th
        ("ZF", "2024-03", "2024-03-28"),
        ("ZT", "2023-12", "2023-12-29"),
        ("BTC_CME", "2023-02", "2023-02-24"),
    ],
)
def test_last_trading_days_follow_the_rules_of_the_contract(code, month, day):
    found = last_trading_days(contract_terms(code), pd.Timestamp(f"{month}-01"), pd.Timestamp(day))
    assert found.strftime("%Y-%m-%d").tolist() == [day]


@pytest.mark.parametrize("early", [0, 4, 9, 15])
def test_a_planted_splice_is_found_on_its_day_and_taken_out(early):
    level, clean, spliced, days = front_month(early=early)
    adjusted, made = adjust_rolls("ZN", spliced, level)
    assert [a.date for a in made] == days[-len(made) :].to_numpy().astype("M8[D]").tolist()
    assert all(a.jump == pytest.approx(-0.01, abs=3 * 5e-4) for a in made)
    when = f", {early} days early" if early else ""
    assert [a.reason for a in made] == [f"end of ZN{month}22{when}" for month in "HMUZ"]
    untouched = adjusted.index.difference(days)
    expected, found = clean.pct_change()[untouched][1:], adjusted.pct_change()[untouched][1:]
    pd.testing.assert_series_equal(found, expected, check_names=False, rtol=1e-9)
    rolled = adjusted.index.intersection(days)[1:]
    assert (adjusted.pct_change() - clean.pct_change())[rolled].abs().max() < 3 * 5e-4


def test_a_roll_before_anything_can_be_fitted_starts_the_history():
    level, _, spliced, days = front_month()
    adjusted, _ = adjust_rolls("ZN", spliced["2022-03-01":], level)
    assert adjusted.index[0] == days[0]  # the first expiry has 15 days behind it, 30 are needed
    with pytest.raises(bt.DataError, match="ZN and 7Y share 20 days"):
        adjust_rolls("ZN", spliced.iloc[:20], level)


@settings(max_examples=25)
@given(cut=h.integers(60, 290), seed=h.integers(0, 5))
def test_a_longer_file_rewrites_nothing(cut, seed):
    level, _, spliced, _ = front_month(seed=seed)
    whole, all_made = adjust_rolls("ZN", spliced, level)
    part, made = adjust_rolls("ZN", spliced.iloc[:cut], level)
    assert made == all_made[: len(made)]
    pd.testing.assert_series_equal(part, whole.loc[: part.index[-1]])


def test_a_crypto_roll_is_measured_against_spot():
    days = pd.bdate_range("2024-01-02", "2024-03-28")
    spot = pd.Series(np.linspace(40e3, 60e3, len(days)), index=days)
    rolled = days[days.searchsorted(pd.DatetimeIndex(["2024-01-26", "2024-02-23"]), side="right")]
    front = spot * np.where(days < rolled[0], 1.0, np.where(days < rolled[1], 1.01, 1.005))
    adjusted, made = adjust_rolls("BTC_CME", front, spot)
    assert [str(a.date) for a in made] == ["2024-01-29", "2024-02-26"]
    assert [a.jump for a in made] == pytest.approx([0.01, 1.005 / 1.01 - 1])
    np.testing.assert_allclose(adjusted, spot)


def test_on_a_crypto_roll_day_the_future_moves_as_spot_from_its_median_basis():
    """What docs/rolls.md says of the size of a jump: the new contract's own move is not kept."""
    days = pd.bdate_range("2024-01-02", "2024-02-16")
    rng = np.random.default_rng(0)
    spot = pd.Series(40e3 * np.exp(rng.normal(0, 0.03, len(days)).cumsum()), index=days)
    basis = pd.Series(rng.normal(1.0, 0.01, len(days)), index=days)
    row = int(days.searchsorted(pd.Timestamp("2024-01-26"), side="right"))
    for before in (float(basis.iloc[row - 5 : row - 1].median()), 1.05):
        basis.iloc[row - 1] = before  # the median itself, then a close far above it
        for new in (1.02, 0.95):
            basis.iloc[row] = new
            moves = adjust_rolls("BTC_CME", spot * basis, spot)[0].pct_change()
            median = basis.iloc[row - 5 : row].median()
            expected = spot.iloc[row] / spot.iloc[row - 1] * median / before - 1
            assert moves.iloc[row] == pytest.approx(expected)
            if median == before:
                assert moves.iloc[row] == pytest.approx(spot.pct_change().iloc[row])


def test_days_of_change_of_the_real_bitcoin_future_are_as_documented(real_data):
    read = {"index_col": "Date", "parse_dates": True}
    front = pd.read_csv(real_data / "bitcoin_futures_cme_front.csv", **read)["Close"]
    spot = pd.read_csv(real_data / "btc_usd.csv", **read)["Close"]
    adjusted, made = adjust_rolls("BTC_CME", front, spot)
    days = pd.DatetimeIndex([a.date for a in made])
    of_spot = spot.reindex(adjusted.index).pct_change()
    apart = (adjusted.pct_change() - of_spot).abs()
    unadjusted = (front.reindex(adjusted.index).pct_change() - of_spot).abs()
    found = (
        int((apart[days] < 1e-12).sum()),
        *(round(100 * x.median(), 2) for x in (apart[days], apart.drop(days), unadjusted[days])),
    )
    assert len(days) == 99 and found == (11, 0.70, 0.89, 1.46)


@pytest.fixture(scope="module")
def treasury_futures(real_data):
    """Curve and Treasury futures since the 30-year returned."""
    return bt.load_market(real_data, factors=TREASURY, start="2006-02-09")


def test_the_false_move_of_the_bond_future_is_removed_and_listed(treasury_futures):
    splices = {(a.factor, str(a.date)): a.jump for a in treasury_futures.adjusted}
    assert splices["ZB", "2015-03-23"] == pytest.approx(0.104, abs=0.001)
    row = list(treasury_futures.dates.astype(str)).index("2015-03-23")
    shocks = treasury_futures.shocks(1)
    assert abs(shocks[row, treasury_futures.column("ZB")]) < 0.002
    listed = Prices.of(treasury_futures).adjusted
    largest = max(listed, key=lambda splice: abs(splice.jump))
    assert (largest.factor, largest.date) == ("ZB", "2015-03-23")
    quarters = len(pd.period_range("2006-03", "2025-12", freq="Q"))
    for code in ("ZT", "ZF", "ZN", "ZB"):
        assert sum(splice.factor == code for splice in listed) == quarters


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN", "ZB"])
def test_only_roll_days_change_and_the_traded_price_comes_back(treasury_futures, real_data, code):
    file = pd.read_csv(
        real_data / "treasury_futures_front_unadjusted.csv", index_col="Date", parse_dates=True
    )
    raw = file[code].loc[pd.DatetimeIndex(treasury_futures.dates)].to_numpy()
    restored = traded_price(treasury_futures, code)
    np.testing.assert_allclose(restored / restored[0], raw / raw[0], rtol=1e-12)
    adjusted = treasury_futures.level(code)
    moved = np.abs(np.diff(np.log(adjusted)) - np.diff(np.log(raw))) > 1e-12
    days = np.array([a.date for a in treasury_futures.adjusted if a.factor == code])
    before, after = treasury_futures.dates[:-1][moved], treasury_futures.dates[1:][moved]
    spliced = (days > before[:, None]) & (days <= after[:, None])
    assert spliced.any(axis=1).all()


@pytest.mark.parametrize(
    ("code", "tenor", "correlation", "beta"),
    [  # two-day P&L; a fresh par bond lasts longer than the cheapest bond to deliver: beta < 1
        ("ZT", 2, (0.94, 0.96), (0.86, 0.91)),
        ("ZF", 5, (0.97, 0.98), (0.82, 0.86)),
        ("ZN", 7, (0.97, 0.98), (0.92, 0.96)),
        ("ZB", 20, (0.97, 0.98), (0.78, 0.83)),
    ],
)
def test_adjusted_futures_move_as_the_par_yield_replay(
    treasury_futures, code, tenor, correlation, beta
):
    future = Future(code).pnl(treasury_futures, 2)[:-2]
    bond = bt.Treasury(tenor).pnl(treasury_futures, 2)[:-2]
    assert correlation[0] < np.corrcoef(future, bond)[0, 1] < correlation[1]
    assert beta[0] < np.cov(future, bond)[0, 1] / bond.var(ddof=1) < beta[1]


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN", "ZB"])
def test_the_curve_implied_future_stands_in_for_the_traded_one(treasury_futures, code):
    future = Future(code).pnl(treasury_futures, 2)[:-2]
    implied = CurveFuture(code).pnl(treasury_futures, 2)[:-2]
    assert np.corrcoef(future, implied)[0, 1] > 0.94
    assert np.cov(future, implied)[0, 1] / implied.var(ddof=1) == pytest.approx(1.0, abs=0.1)
    # Twenty years of splices left in would cost ZN 1.7 % a year; the mean tells.
    assert 126 * (future - implied).mean() == pytest.approx(0.0, abs=0.0015)


def test_bitcoin_futures_track_spot_and_earn_less_than_it(real_data):
    market = bt.load_market(real_data, factors=("3M", "2Y", "BTC", "BTC_CME"))
    assert abs(np.median(basis(market, "BTC_CME"))) < 0.002
    assert np.quantile(basis(market, "BTC_CME"), [0.01, 0.99]) == pytest.approx(
        [-0.045, 0.043], abs=0.004
    )
    five_days = Future("BTC_CME").pnl(market, 5)[:-5], bt.Spot("BTC").pnl(market, 5)[:-5]
    assert np.corrcoef(*five_days)[0, 1] > 0.97
    jumps = [a.jump for a in market.adjusted]
    # The first contract was BTCF8: none ended in December 2017.
    assert market.adjusted[0].reason == "end of BTC_CMEF18"
    assert len(jumps) == 99 and 0.002 < np.mean(jumps) < 0.008  # contango, rolled monthly


def respliced(real_data, code, early):
    """2010-2025 without splices, then with -0.6 % some days before each last trading day."""
    read = {"index_col": "Date", "parse_dates": True}
    file = pd.read_csv(real_data / "treasury_futures_front_unadjusted.csv", **read)
    curve = pd.read_csv(real_data / "treasury_par_yields.csv", **read)
    known = curve[contract_terms(code).reference].dropna() / 100.0
    clean = adjust_rolls(code, file[code].dropna(), known)[0]["2010":"2025"]
    due = last_trading_days(contract_terms(code), clean.index[0], clean.index[-1])
    rows = clean.index.searchsorted(due, side="right")
    rows = rows[rows < len(clean)]
    rows = rows - np.array([early(n) if callable(early) else early for n in range(len(rows))])
    factor = np.ones(len(clean))
    factor[rows] = 0.994
    return clean, clean * np.cumprod(factor), known, set(clean.index[rows])


def irregular(contract_number):
    """Twelve to 23 days early, as a vendor that follows open interest is."""
    return int(np.random.default_rng(contract_number).integers(12, 24))


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN"])
@pytest.mark.parametrize("early", [0, 4, 8, 9, 15, 20, 30, irregular])
def test_splices_are_found_however_early_the_source_rolls(real_data, code, early):
    """From nine days on all 40 of ZN were missed once, and 40 innocent moves removed."""
    _, spliced, known, planted = respliced(real_data, code, early)
    adjusted, made = adjust_rolls(code, spliced, known)
    found = {pd.Timestamp(a.date) for a in made}
    assert len(found - planted) <= 1
    assert len({day for day in planted if day >= adjusted.index[0]} - found) <= 1


def test_the_bond_future_hides_some_and_says_how_many_stand_out(real_data):
    """Its market moves four times as much: a splice of .6 % drowns in one quarter out of ten."""
    _, spliced, known, planted = respliced(real_data, "ZB", 15)
    made = adjust_rolls("ZB", spliced, known)[1]
    assert len({pd.Timestamp(a.date) for a in made} - planted) <= 6
    hidden = sum(a.reason.endswith("hidden by the market") for a in made)
    assert 0 < hidden < 0.3 * len(made)


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN", "ZB"])
def test_a_source_that_keeps_to_its_day_loses_no_move_of_the_market(treasury_futures, code):
    """On 2020-03-13 ZN left its yield by .4 %: the market's move, not a change of contract."""
    made = [a for a in treasury_futures.adjusted if a.factor == code]
    crisis = [a for a in made if "2020-02-01" <= str(a.date) <= "2020-04-30"]
    assert [a.reason.partition(",")[0][-3:] for a in crisis] == ["H20"]
    early = [str(a.date) for a in made if "early" in a.reason and str(a.date) >= "2020-01-01"]
    # The one doubtful day there is; docs/rolls.md names it.
    assert early == (["2023-03-24"] if code == "ZF" else [])


@pytest.mark.parametrize("code", ["ZT", "ZF", "ZN", "ZB"])
def test_a_series_without_splices_is_refused_and_not_adjusted_once_more(real_data, code):
    clean, _, known, _ = respliced(real_data, code, 0)
    with pytest.raises(bt.DataError, match=r"of 6[34] changes of contract stand out"):
        adjust_rolls(code, clean, known)
