"""Each kind of fault in prices: what the examination finds of it, and what it leaves in peace."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.market.calendars import sessions
from backtest.market.examination import KINDS, Accepted, Column, examine, judged
from backtest.model import model
from backtest.model.causality import CausalityError
from tests.support.places import PRICES, needs_prices

DAYS = pd.bdate_range("2019-01-02", "2022-12-30")
OPEN = pd.DatetimeIndex(sessions("SIFMA", "2019-01-02", "2022-12-30"))
EVERY_DAY = pd.date_range("2019-01-01", "2022-12-31")


def column(factor, series, role="price"):
    return Column(factor, series.index.to_numpy().astype("M8[D]"), series.to_numpy(), role)


def coin(seed=1):
    moves = 0.04 * np.random.default_rng(seed).standard_t(5, len(EVERY_DAY)) / np.sqrt(5 / 3)
    return pd.Series(20_000 * np.exp(np.cumsum(moves)), EVERY_DAY)


def curve(*tenors, seed=2):
    """Par yields, published in hundredths of a percent, that move together but for noise."""
    rng = np.random.default_rng(seed)
    shared = 0.0005 * rng.standard_normal(len(OPEN))
    levels = {}
    for place, tenor in enumerate(tenors):
        walk = np.cumsum(0.85 * shared + 0.00025 * rng.standard_normal(len(OPEN)))
        trend = np.linspace(0.0, 1.0, len(walk)) * (walk[-1] - walk[0])
        levels[tenor] = pd.Series((0.03 + 0.002 * place + walk - trend).round(4), OPEN)
    return levels


def kinds(*columns):
    return [(finding.factor, finding.kind) for finding in examine(columns)]


def yields(levels):
    return [column(tenor, series, "yield") for tenor, series in levels.items()]


def test_sound_prices_are_left_in_peace():
    assert kinds(column("BTC", coin()), *yields(curve("2Y", "5Y", "10Y"))) == []


def test_what_is_filled_forward_is_found_whatever_the_days():
    ten = curve("10Y")["10Y"]
    for days in (pd.date_range(OPEN[0], OPEN[-1]), DAYS):
        filled = ten.reindex(days).ffill()
        assert kinds(column("10Y", filled, "yield"))[0][1] in ("weekends", "holidays")
    btc = coin()
    weekend = btc.where(btc.index.day_of_week < 5).ffill().dropna()
    found = examine([column("BTC", weekend)])
    assert {f.kind for f in found} == {"weekends"} and all(f.impossible for f in found)
    assert "repeats Friday's value on 104 of 104 days of weekends in 2019" in found[0].what


def test_steps_that_are_no_days():
    btc = coin()
    assert kinds(column("BTC", btc[::7]))[0] == ("BTC", "step")
    part = btc[
        (btc.index < "2020-03-01") | (btc.index > "2020-09-01") | (btc.index.day_of_week == 4)
    ]
    [finding] = examine([column("BTC", part)])
    assert (finding.kind, finding.impossible) == ("step", False)
    assert finding.days[0] > "2020-02-25" and finding.days[-1] < "2020-09-10"


@pytest.mark.parametrize("by", [0.01, 100.0, 1.6])
def test_a_close_that_the_next_day_takes_back(by):
    btc = coin()
    btc["2021-01-06"] *= by
    [finding] = examine([column("BTC", btc)])
    assert (finding.kind, finding.days) == ("reversal", ("2021-01-06",))
    assert finding.impossible == (by != 1.6)


def test_a_crash_that_siblings_share_is_true():
    btc, eth = coin(), coin()
    for series in (btc, eth):
        series["2020-03-12"] *= 0.45
    eth *= np.exp(0.01 * np.random.default_rng(7).standard_normal(len(eth)))
    assert kinds(column("BTC", btc), column("ETH", eth)) == []
    assert kinds(column("BTC", btc))  # alone, nobody can tell


def test_splits_and_redenominations():
    moves = 0.01 * np.random.default_rng(3).standard_normal(len(OPEN))
    spy = pd.Series(300 * np.exp(np.cumsum(moves)), OPEN)
    for by, impossible in ((0.5, False), (1 / 3, False), (0.001, True)):
        split = spy.copy()
        split["2021-06-01":] *= by
        [finding] = [f for f in examine([column("SPY", split)]) if f.kind == "break"]
        assert (finding.days, finding.impossible) == (("2021-06-01",), impossible)


def test_frozen_interpolated_and_stale():
    btc = coin()
    btc.iloc[860:866] = btc.iloc[860]
    [finding] = examine([column("BTC", btc)])
    assert (finding.kind, len(finding.days), finding.impossible) == ("frozen", 6, False)
    lines = coin()[::7].reindex(EVERY_DAY).interpolate(limit_area="inside").dropna()
    assert {f.kind for f in examine([column("BTC", lines)])} == {"interpolated"}
    fund = pd.Series(1.0 + 1.4e-4 * np.arange(len(OPEN)), OPEN)
    assert kinds(column("FUND", fund)) == []  # accrues one size a day
    weekdays = coin()
    weekdays[weekdays.index.day_of_week >= 5] = np.nan
    found = examine([column("BTC", weekdays.interpolate().dropna())])
    assert [f.kind for f in found] == ["interpolated"] and "on 2" in found[0].what
    levels = curve("2Y", "5Y", "10Y")
    for series in levels.values():
        series.iloc[300:304] = series.iloc[300]
    [finding] = [f for f in examine(yields(levels)) if f.kind == "stale curve"]
    assert len(finding.days) == 3
    levels = curve("2Y", "5Y", "10Y", seed=5)
    levels["5Y"].iloc[300:312] = levels["5Y"].iloc[300]
    assert ("5Y", "stale curve") in kinds(*yields(levels))


def test_units_of_one_column_and_of_a_part_of_it():
    levels = curve("2Y", "5Y", "10Y")
    for by in (100.0, 0.01):
        [finding, *_] = examine([column("10Y", levels["10Y"] * by, "yield")])
        assert (finding.kind, finding.impossible) == ("unit", True)
    part = curve("2Y", "5Y", "10Y")
    part["2Y"].iloc[200:260] /= 100
    assert ("2Y", "unit") in kinds(*yields(part))
    bills = pd.Series(np.round(0.0002 + 0.0001 * np.sin(np.arange(len(OPEN))), 4), OPEN)
    assert kinds(column("3M", bills, "yield")) == []  # as from 2009 to 2015
    index = pd.Series(0.18 + 0.02 * np.random.default_rng(4).standard_normal(len(OPEN)), OPEN)
    assert kinds(column("VIX", index, "volatility")) == []
    assert kinds(column("VIX", 100 * index, "volatility")) == [("VIX", "unit")]
    assert kinds(column("VIX", index / 100, "volatility")) == [("VIX", "unit")]


def test_an_overnight_rate_rests_but_keeps_its_unit():
    rate = pd.Series(0.02, OPEN)  # set, and unchanged for years
    rate["2020-03-16":] = 0.005
    assert kinds(column("SOFR", rate, "rate")) == []
    assert kinds(column("SOFR", rate / 100, "rate")) == [("SOFR", "unit")]
    rate["2021-01-04":] *= 10
    assert kinds(column("SOFR", rate, "rate")) == [("SOFR", "break")]


@pytest.mark.parametrize("days", [1, -1, 2])
def test_dates_that_are_shifted_for_a_year_are_found(days):
    shared = 0.03 * np.random.default_rng(3).standard_normal(len(EVERY_DAY))
    own = 0.015 * np.random.default_rng(4).standard_normal((2, len(EVERY_DAY)))
    one, two = (pd.Series(np.exp(np.cumsum(shared + x)), EVERY_DAY) for x in own)
    assert kinds(column("BTC", one), column("ETH", two)) == []
    late = two.shift(days)
    late["2020-06-01":] = two["2020-06-01":]
    [finding] = examine([column("BTC", one), column("ETH", late.dropna())])
    assert finding.kind == "dates" and finding.impossible
    assert finding.days[-1] < "2020-12-31"
    words = {1: "ETH is dated a day late, or BTC early", 2: "ETH is dated 2 days late"}
    assert words.get(days, "BTC is dated a day late, or ETH early") in finding.what


def test_one_series_under_two_names():
    assert kinds(column("BTC", coin()), column("ETH", coin())) == [("ETH", "twins")]


def test_what_cannot_be_true_is_refused_unless_a_reason_is_given():
    btc = coin()
    btc["2021-01-06"] /= 100
    found = examine([column("BTC", btc)])
    with pytest.raises(bt.DataError, match="on 2021-01-06 and back the next day"):
        judged(found)
    [kept] = judged(found, [Accepted("BTC", "reversal", "a flash crash, by the venue's own word")])
    assert kept.accepted.startswith("a flash crash")
    with pytest.raises(bt.DataError, match="data.accept names 'spike'; known: step, "):
        judged(found, [Accepted("BTC", "spike", "x")])
    assert {f.kind for f in found} <= set(KINDS)


def test_a_frame_is_examined_as_a_folder_is():
    frame = pd.DataFrame({"BTC": coin()})
    frame.loc["2021-01-06", "BTC"] *= 1.6
    market = bt.Market.from_frame(frame)
    assert [(f.kind, f.days) for f in market.findings] == [("reversal", ("2021-01-06",))]
    assert market.until("2021-06-30").findings == ()  # they were found in all of the history
    assert bt.Market.from_frame(frame, simulated=True).findings == ()
    frame.loc["2021-01-06", "BTC"] *= 100
    with pytest.raises(bt.DataError, match="and back the next day"):
        bt.Market.from_frame(frame)
    accepted = bt.Market.from_frame(frame, accept=[Accepted("BTC", "reversal", "seen")])
    assert accepted.findings[0].accepted == "seen"


def test_a_coin_that_falls_by_a_third_is_not_split():
    for share, kinds in ((0.63, []), (0.5, ["break"])):
        prices = coin()
        prices.iloc[800:] *= share
        assert [f.kind for f in examine([column("BTC", prices, "price")])] == kinds


@needs_prices
@pytest.mark.slow
def test_rates_on_years_that_set_no_limit():
    """The tables of docs/data.md: windows and days of even years, none of which was tuned on."""
    from tests.tools.examination_rates import catch_rates, false_alarms

    alarms = false_alarms(0)
    assert (alarms["in a study"] <= np.maximum(1, alarms["years"] / 10)).all()
    assert alarms["alone"].max() <= 1
    rates = catch_rates(0)
    at_report = rates[rates["at report's size"]]
    assert set(at_report["missed"]) <= {"", "BTC 2014"}  # before it has another coin beside it
    assert rates["found"].sum() > 0.96 * rates["planted"].sum()


@needs_prices
def test_the_clean_files_have_a_finding_in_ten_years_at_most():
    market = bt.load_market(PRICES, factors=("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"))
    assert market.findings == () or {f.factor for f in market.findings} == {"BTC"}


def test_a_model_that_reads_findings_is_found_by_the_audit():
    frame = pd.DataFrame({"BTC": coin()})
    frame.loc["2021-01-06", "BTC"] *= 1.6
    market = bt.Market.from_frame(frame)
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["long"]))

    @model
    class Peeks:
        """Asks more from the day on which something was found, which nobody knew."""

        def margin(self, market, book, coverage):
            margin = np.full((len(market.dates), 1), 1e5)
            for finding in market.findings:
                margin[market.dates >= finding.dates[0] - 30] *= 2.0
            return margin

    with pytest.raises(CausalityError):
        bt.check_causal(Peeks(), market, book, coverage=bt.Coverage())


@needs_prices
def test_maturities_of_any_choice_are_left_in_peace():
    """Siblings accuse: of three maturities that lie apart, none is a hundredth of another."""
    table = pd.read_csv(PRICES / "treasury_par_yields.csv", index_col=0, parse_dates=True) / 100
    for names in (
        ("1Y", "20Y", "30Y"),
        ("3M", "2Y", "10Y"),
        ("1Y", "2Y", "3Y"),
        ("2Y", "5Y", "30Y"),
    ):
        chosen = [column(name, table[name].dropna(), "yield") for name in names]
        assert [f for f in examine(chosen) if f.kind in ("unit", "stale curve")] == []
