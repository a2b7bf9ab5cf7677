"""A study of positions by day from a file: run, reproduced, and refused where it cannot be read."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.studies.run.study import execute
from tests.support.commands import quiet, refused, typed, write_prices

STUDY = """
name = "traded"
[data]
source = "prices"
factors = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
[sizing]
kind = "historical_var"
lookback = 60
[positions]
file = "{file}"
gaps = "unchanged"
[models.siloed]
kind = "siloed"
base = {{ kind = "historical_var", lookback = 60 }}
[models.ewma]
kind = "ewma_var"
lookback = 60
"""


@pytest.fixture
def folder(tmp_path):
    write_prices(tmp_path / "prices")
    return tmp_path


def positions(folder):
    market = bt.load_market(str(folder / "prices"), factors=["10Y", "BTC", "ETH"])
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            (str(day), account, name, round(rng.normal(0, usd)))
            for day in market.dates[::30]
            for account in ("001", "NA", "carry")
            for name, usd in (("UST10Y", 1e8), ("BTC", 5e6), ("ETH@NODAL", 2e6))
        ],
        columns=["date", "account", "instrument", "usd"],
    )


def written(folder, table, file="positions.csv"):
    study = folder / "study.toml"
    study.write_text(STUDY.format(file=file))
    if file.endswith(".csv"):
        table.to_csv(folder / file, index=False)
    else:
        table.to_parquet(folder / file, index=False)
    return study


def test_a_file_of_constant_positions_is_the_study_of_constant_books(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = ["UST10Y", "BTC"]
    first = bt.load_market("prices", factors=["10Y", "BTC"]).dates[0]
    table = pd.DataFrame(
        [(str(first), "both", name, usd) for name, usd in zip(names, (1e8, -5e6), strict=True)],
        columns=["date", "account", "instrument", "usd"],
    )
    by_day = execute(written(folder, table), progress=quiet)
    constant = written(folder, table).read_text().split("[positions]")
    (folder / "constant.toml").write_text(
        constant[0]
        + "[models"
        + constant[1].split("[models", 1)[1]
        + "[books.both]\nusd = { UST10Y = 1e8, BTC = -5e6 }\n"
    )
    same = execute(folder / "constant.toml", progress=quiet)
    pd.testing.assert_frame_equal(by_day.study.summary(), same.study.summary(), rtol=1e-9)
    pd.testing.assert_frame_equal(by_day.ladder, same.ladder, check_dtype=False, check_exact=False)
    assert "positions by day" in by_day.study.provenance.held_to.sentence()


def test_runs_and_is_reproduced_from_its_folder(folder):
    study = written(folder, positions(folder), file="positions.parquet")
    done = typed("run", study, cwd=folder)
    assert done.returncode == 0, done.stderr
    result = next((folder / "results").iterdir())
    summary = pd.read_csv(result / "summary.csv", dtype={"portfolio": str}, keep_default_na=False)
    assert set(summary["portfolio"]) == {"001", "NA", "carry"}
    (folder / "positions.parquet").unlink()
    again = typed("reproduce", result, cwd=folder)
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(instrument="BCT"), "positions.csv: "),
        (lambda t: pd.concat([t, t.iloc[:1]]), "is twice in the positions"),
        (lambda t: t.assign(date="2031-01-01"), "after the last day with prices"),
        (lambda t: t.assign(coins=1.0), "has two units, usd and coins"),
        (lambda t: t.assign(usd="x"), "usd is 'x'"),
    ],
)
def test_a_file_that_cannot_be_read_ends_by_one_line(folder, change, message):
    study = written(folder, change(positions(folder)))
    assert message in refused(typed("run", study, cwd=folder), folder)


def test_one_kind_of_positions_a_study(folder):
    study = written(folder, positions(folder))
    study.write_text(study.read_text() + "[books.b]\nusd = { BTC = 1.0 }\n")
    with pytest.raises(bt.BacktestError, match="give one kind a study"):
        execute(study, progress=quiet)


def test_every_command_takes_positions_by_day(folder):
    study = written(folder, positions(folder))
    for command in ("offset", "closeout", "clocks"):
        done = typed(command, study, cwd=folder)
        assert done.returncode == 0, done.stderr
