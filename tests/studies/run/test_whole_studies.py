"""Studies from end to end: nothing moves, half of all days exceed, the packaged control."""

from pathlib import Path

import pandas as pd
import pytest

import backtest as bt
from backtest.config.load import build_book, load_study, packaged_studies
from backtest.config.models import build_model
from backtest.studies.run.reopen import rewrite_report
from tests.support.commands import run_and_store, write_prices, write_study


def still(yields: pd.DataFrame, btc: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return yields, btc.assign(Close=100.0)


def written(
    folder: Path, *edits: tuple[str, str], days: int = 300, **prices
) -> tuple[Path, pd.DataFrame]:
    source = write_prices(folder / "prices", days=days, **prices)
    study = write_study(folder, source=str(source))
    text = study.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    study.write_text(text)
    result = run_and_store(study, folder / "results", command="backtest run")
    return result, pd.read_csv(result / "ladder.csv", index_col="portfolio")


def test_no_margin_at_all_is_drawn_and_said(tmp_path):
    only_coin = ("risk = { BTC = 1, UST10Y = 1 }", "usd = { BTC = 1 }")
    result, _ = written(tmp_path, only_coin, edit=still)
    table = pd.read_csv(result / "figures" / "coverage_against_cost.csv")
    assert table["cost"].isna().all() and (table["exceedance_rate"] == 0).all()


def test_half_of_all_days_may_exceed(tmp_path):
    half = ("[data]", "[coverage]\nconfidence = 0.5\n[data]")
    result, _ = written(tmp_path, half, ("risk = { BTC = 1, UST10Y = 1 }", "usd = { BTC = 1e6 }"))
    summary = pd.read_csv(result / "summary.csv")
    assert (summary["allowed"] == summary["observations"] // 2).all()


@pytest.mark.parametrize("sizing", ['kind = "historical_var"\nlookback = 200', None])
def test_a_ladder_with_too_few_days_costs_no_study(tmp_path, sizing):
    """The models look back 60 days; the ladder's base leaves too few days, or none, to shift."""
    text = '[sizing]\nkind = "historical_var"\nlookback = 60\n'
    edits = [(text, f"[sizing]\n{sizing}\n" if sizing else "")]
    edits.append(("risk = { BTC = 1, UST10Y = 1 }", "usd = { BTC = 1e6, UST10Y = 1e7 }"))
    result, ladder = written(tmp_path, *edits)
    assert ladder["total"].isna().all()
    assert "too few; shorten the [sizing] lookback" in ladder.loc["long both", "reason"]
    assert "shorten the [sizing] lookback" in (result / "report.html").read_text()
    assert len(pd.read_csv(result / "summary.csv")) == 4


@pytest.mark.parametrize("scored", [1, pytest.param(29, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("error")
def test_a_short_record_has_no_number_where_there_is_none(tmp_path, scored):
    positions = ("risk = { BTC = 1, UST10Y = 1 }", "usd = { BTC = 1e6, UST10Y = 1e7 }")
    result, _ = written(tmp_path, positions, days=63 + scored)
    swings = pd.read_csv(result / "procyclicality.csv")
    summary = pd.read_csv(result / "summary.csv")
    assert set(summary["observations"]) == {scored}
    assert swings["rise_30"].isna().all() and swings["rise_5"].isna().all() == (scored <= 5)
    page = rewrite_report(result).read_text()
    assert "too few for a change over so many" in page
    assert ("there is no table of pairs" in page) == (scored < 5)


def test_packaged_studies_are_run_by_name_and_files_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "positive-control" in packaged_studies()
    for name in packaged_studies():
        study, text = load_study(Path(name))
        assert study.name == name and text.startswith("#")
        study.margin_models()
    Path("positive-control").write_text("name = 'mine'\nmodels = {}\nbooks.coin.usd.BTC = 1\n")
    assert load_study(Path("positive-control"))[0].name == "mine"
    with pytest.raises(bt.StudyError, match="Packaged studies: .*positive-control"):
        load_study(Path("negative-control"))


@pytest.fixture(scope="module")
def control(real_data):
    """Ladder of the packaged control on the real prices, without bounds."""
    study, _ = load_study(Path("positive-control"))
    data = study.data
    market = bt.load_market(real_data, factors=data.factors, start=data.start)
    ladder = bt.supportable_offset(
        market,
        build_book(study, market),
        base=build_model(study.sizing),
        coverage=study.standard(),
        bounds=[],
    )
    return ladder.to_frame()


def test_cash_against_its_future_is_an_offset_and_bitcoin_is_none(control):
    dependence = control["dependence"]
    assert dependence["long 10Y, short ZN"] == pytest.approx(0.501, abs=0.01)
    assert dependence["long 7Y, short ZN"] > dependence["long 10Y, short ZN"]
    for book in ("long BTC, long 10Y, risk-matched", "long BTC, short 10Y, risk-matched"):
        assert abs(dependence[book]) < 0.03


def test_both_legs_long_cost_more_than_independent_ones(control):
    both_long = control.loc["long 10Y, long ZN"]
    assert both_long["total"] < 0.0 < both_long["diversification"]
    assert both_long["dependence"] < -0.25
