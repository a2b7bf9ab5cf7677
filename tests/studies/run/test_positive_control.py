"""The control on traded prices: where there is an offset, the ladder finds it."""

from pathlib import Path

import pytest

import backtest as bt
from backtest.config.load import build_book, load_study, packaged_studies
from backtest.config.models import build_model


def test_packaged_studies_are_run_by_name_and_files_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "positive-control" in packaged_studies()
    for name in packaged_studies():
        study, text = load_study(Path(name))
        assert study.name == name and text.startswith("#")
        study.margin_models()
    Path("positive-control").write_text("name = 'mine'\nmodels = {}\nbooks.coin.usd.BTC = 1\n")
    assert load_study(Path("positive-control"))[0].name == "mine"
    with pytest.raises(bt.StudyError, match="Packaged studies: positive-control"):
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
        seed=study.seed,
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
