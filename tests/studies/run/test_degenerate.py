"""Studies in which nothing moves or half of all days exceed: written whole, without a warning."""

from pathlib import Path

import pandas as pd
import pytest

from tests.support.commands import run_and_store, write_prices, write_study


def still(yields: pd.DataFrame, btc: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return yields, btc.assign(Close=100.0)


def written(folder: Path, *edits: tuple[str, str], **prices) -> tuple[Path, pd.DataFrame]:
    source = write_prices(folder / "prices", days=300, **prices)
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
