"""`backtest collateral`: its tables, figures and page from one small study file."""

import re

import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.data.load import load_market
from backtest.market.calendars import is_session
from backtest.studies.collateral.page import collateral_exhibit
from backtest.studies.collateral.study import OWN_MIX, study_collateral

STUDY = """
name = "small"
as_of = "2026-06-30"
[data]
source = "sample"
factors = ["3M", "2Y", "10Y", "BTC", "ETH"]
end = "2018-12-31"
[models.var]
kind = "historical_var"
[models.siloed]
kind = "siloed"
base = { kind = "historical_var" }
[books.coin]
usd = { BTC = 1e7 }
[books.both]
usd = { BTC = 1e7, UST10Y = 1e8 }
[collateral]
mix = { cash = 0.75, BTC = 0.25 }
own = { BTC = 0.35 }
caps = { BTC = 0.3 }
"""


def quiet(what, share):
    pass


@pytest.fixture(scope="module")
def study_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(study_file):
    return study_collateral(study_file, data=None, seed=None, n_jobs=1, progress=quiet)


def test_every_mix_is_held_against_the_same_margins(found):
    mixes = list(found.mixes.index.unique("mix"))
    assert mixes == ["cash", "bills", "bill fund", "10Y", "cash and BTC", "BTC", "ETH", OWN_MIX]
    assert found.provenance.details["haircuts"]["BTC"] == {
        "BTC": 0.35
    }  # the study's own, in every mix
    assert found.mixes.groupby(["model", "portfolio"])["mean_required"].nunique().eq(1).all()
    assert found.mixes.groupby(["model", "portfolio"])["exceedances"].nunique().eq(1).all()
    assert found.stablecoin is None
    own = found.mixes.xs(OWN_MIX, level="mix")
    np.testing.assert_allclose(own["mean_posted"], own["mean_held"] * (0.75 + 0.25 / 0.65))


def test_the_page_shows_what_was_found(found):
    exhibit = collateral_exhibit(found)
    sections = {section.name: section for section in exhibit.sections}
    assert set(sections) == {
        "breach_by_mix", "together", "wrong_way", "crypto_haircuts", "treasury_haircuts",
        "stress_windows", "years", "moves_against_haircuts",
    }  # fmt: skip
    together = sections["together"].table
    counted = found.mixes.groupby(["mix", "model"])[["breaches", "observations"]].sum()
    pd.testing.assert_series_equal(
        together["breach_rate"].sort_index(),
        (counted["breaches"] / counted["observations"]).sort_index(),
        check_names=False,
    )
    (shown,) = sections["crypto_haircuts"].text_tables()
    by = shown.heads.index("by") - 1  # the first head is that of the groups
    assert all("capital charge" in row[by].text for _, rows in shown.groups for row in rows)

    assert "capital charges on proprietary positions" in sections["crypto_haircuts"].text
    for section in exhibit.sections:
        if section.figure is not None:
            footnote = section.figure.caption.footnote
            assert "capital charges" in footnote or section.name == "breach_by_mix"
            assert section.figure.draw().figure.axes


def test_tables_of_haircuts_state_their_own_days(found):
    sections = {section.name: section for section in collateral_exhibit(found).sections}
    spans = found.provenance.details["sources"]
    assert not sections["years"].table.empty
    for name in ("crypto_haircuts", "treasury_haircuts", "stress_windows", "years"):
        if sections[name].table.empty:  # the small history has no window of stress
            continue
        (shown,) = sections[name].text_tables()
        days = dict(re.findall(r"(UST10Y|BTC)[^;]*? ([\d,]+) margin days", shown.source_line))
        assert days, name
        for asset, stated in days.items():
            assert int(stated.replace(",", "")) == spans[f"{asset}, margin days"]["days"]
    assert all(table.source_line == "" for table in sections["breach_by_mix"].text_tables())


def test_the_command_writes_a_page(study_file, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["collateral", str(study_file), "--out", str(tmp_path)])
    assert ended.value.code == 0
    folder = next(tmp_path.iterdir())
    assert folder.name.split("_")[1] == "small-collateral"
    assert {"breach_by_mix.csv", "years.csv", "report.html", "manifest.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert {path.suffix for path in (folder / "figures").glob("moves*")} == {
        ".svg", ".pdf", ".png", ".csv",
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert "SIMULATED" in printed and "Wrong-way risk" in printed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cash = 0.75", "cash = 0.7", "sums to 0.95"),
        ("BTC = 0.35", "BTC = 1.0", "haircut of BTC is 1"),
        ("BTC = 0.3 }", "BTC = 0.2 }", "above its cap"),
        ("cash = 0.75, BTC = 0.25", "USDC = 0.75, BTC = 0.25", "USDC has no price"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_2(tmp_path, capsys, old, new, message):
    path = tmp_path / "wrong.toml"
    path.write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["collateral", str(path), "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert not (tmp_path / "out").exists()


def test_usdc_study_starts_after_the_hole(real_data, tmp_path):
    text = STUDY.replace('end = "2018-12-31"', 'start = "2019-06-01"').replace(
        '"sample"', f'"{real_data}"'
    )
    path = tmp_path / "real.toml"
    path.write_text(text.split("[collateral]")[0], encoding="utf-8")
    found = study_collateral(path, data=None, seed=None, n_jobs=1, progress=quiet)
    assert found.stablecoin_window.startswith("2022-05-02 ..")
    assert set(found.stablecoin.index.unique("mix")) == {"cash", "USDC", "USDC and BTC", "BTC"}
    spans = found.provenance.details["sources"]
    assert spans["USDC, calendar days"]["first"] == "2018-10-08"
    assert spans["UST10Y, margin days"]["first"] == "1990-01-02"


@pytest.mark.parametrize("settlement", ["cash", "stablecoin"])
def test_calls_settle_on_payment_days_in_every_mix(tmp_path, settlement):
    path = tmp_path / "paid.toml"
    account = f'[account]\nsettlement = "{settlement}"\nminimum_transfer = 1e5\n'
    path.write_text(STUDY.split("[collateral]")[0] + account, encoding="utf-8")
    found = study_collateral(path, data=None, seed=None, n_jobs=1, progress=quiet)
    cash, scores = found.mixes.xs("cash", level="mix"), found.cash_study.scores
    np.testing.assert_array_equal(cash["breaches"], scores["breaches"])
    for model, held in found.cash_study.held.items():
        np.testing.assert_allclose(
            cash.loc[model, "mean_held"], held.loc[found.cash_study.scored].mean(), rtol=1e-12
        )
    standing = collateral_exhibit(found).source_line
    assert standing.endswith(
        {"cash": "1 Fedwire days.", "stablecoin": "1 calendar days."}[settlement]
    )


def test_collateral_keeps_the_sessions_of_the_study(real_data, tmp_path):
    text = STUDY.replace('"2018-12-31"', '"2025-06-30"\nstart = "2020-01-02"')
    text = text.replace('"sample"', f'"{real_data}"').split("[collateral]")[0]
    path = tmp_path / "nyse.toml"
    path.write_text(text + '[clock]\ncalendar = "NYSE"\n', encoding="utf-8")
    found = study_collateral(path, data=None, seed=None, n_jobs=1, progress=quiet)
    closed = "2023-04-07"  # Good Friday: bonds traded until noon, the exchange was shut
    assert closed not in found.cash_study.loss.index.astype(str)
    assert found.stablecoin is not None
    quoted = load_market(real_data, factors=("3M", "2Y", "10Y")).dates
    bond = found.provenance.details["sources"]["UST10Y, margin days"]
    assert bond["days"] == is_session("NYSE", quoted).sum() < len(quoted)


def test_the_days_of_the_stablecoin_are_those_of_its_rows(real_data):
    found = study_collateral(None, data=str(real_data), seed=None, n_jobs=1, progress=quiet)
    sections = {section.name: section for section in collateral_exhibit(found).sections}
    (line,) = {table.source_line for table in sections["stablecoin"].text_tables()}
    (stated,) = re.findall(r"n = ([\d,]+) scored days", line)
    assert {int(stated.replace(",", ""))} == set(found.stablecoin["observations"])
    assert int(stated.replace(",", "")) < found.provenance.scored.observations / 2
    assert "usdc_usd.csv" in line and found.stablecoin_window in line
    (treasuries,) = sections["treasury_haircuts"].text_tables()
    assert "1990-01-02" in treasuries.source_line and "btc" not in treasuries.source_line
    (crypto,) = sections["crypto_haircuts"].text_tables()
    assert "(btc_usd.csv): BTC 5,879 calendar days 2010-07-18 .." in crypto.source_line
