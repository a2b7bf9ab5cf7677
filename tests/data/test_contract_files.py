"""Front months from single contracts: the moves of what was held, and nothing of the splices."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.data.contract_files import front_months, read_contracts
from backtest.studies.inputs import read_inputs
from tests.support.commands import quiet

DAYS = pd.bdate_range("2024-01-02", "2024-12-31")
# Last trading days of ZN are the seventh business day before the last of the delivery month.
CONTRACTS = {"ZNH24": "2024-03-19", "ZNM24": "2024-06-18", "ZNU24": "2024-09-19", "ZNZ24": None}


@pytest.fixture
def moves():
    return np.random.default_rng(2).normal(0.0, 0.004, len(DAYS))


def settlements(moves):
    """Contracts that move alike, each 1.5 % below the one before it; each trades to its end."""
    price = 110.0 * np.cumprod(1.0 + moves)
    table = pd.DataFrame(
        {name: price * 0.985**i for i, name in enumerate(CONTRACTS)}, index=DAYS.rename("Date")
    )
    for name, end in CONTRACTS.items():
        if end is not None:
            table.loc[table.index > end, name] = np.nan
    return table


def long_rows(table):
    rows = table.melt(ignore_index=False, var_name="Contract", value_name="Settle").dropna()
    rows = rows.reset_index()
    return rows.assign(Date=rows["Date"].dt.strftime("%Y-%m-%d"))


def folder_of(path, table):
    """A folder of prices with par yields, and contracts in one file and in a folder of files."""
    path.mkdir()
    yields = pd.DataFrame({"Date": DAYS.strftime("%Y-%m-%d"), "10Y": 4.0})
    yields["10Y"] += 0.01 * np.arange(len(DAYS)) / 100
    yields.to_csv(path / "treasury_par_yields.csv", index=False)
    long_rows(table).to_csv(path / "zn.csv", index=False)
    (path / "zn").mkdir()
    for name, rows in long_rows(table).groupby("Contract"):
        rows[["Date", "Settle"]].to_csv(path / "zn" / f"{name}.csv", index=False)
    return path


def test_every_move_is_that_of_the_contract_held(moves):
    price, changes = front_months("ZN", settlements(moves))
    np.testing.assert_allclose(price.pct_change().to_numpy()[1:], moves[1:], atol=1e-12)
    assert price.iloc[0] == settlements(moves)["ZNH24"].iloc[0]
    assert [str(c.date) for c in changes] == ["2024-03-20", "2024-06-19", "2024-09-20"]
    assert [round(c.jump, 9) for c in changes] == [-0.015] * 3


def test_one_file_or_a_folder_is_one_market_and_a_study_file_names_it(moves, tmp_path):
    folder = folder_of(tmp_path / "prices", settlements(moves))
    markets = [
        bt.load_market(folder, factors=("10Y", "ZN"), contracts={"ZN": place})
        for place in ("zn.csv", "zn", str(folder / "zn.csv"))
    ]
    for market in markets:
        np.testing.assert_array_equal(market.levels, markets[0].levels)
        np.testing.assert_allclose(market.shocks(1)[1:, 1], moves[1:], atol=1e-12)
    assert [a.reason for a in markets[0].adjusted][0] == "end of ZNH24, from its settlements"
    study = tmp_path / "study.toml"
    study.write_text(
        f'name = "zn"\n[data]\nsource = "{folder}"\nfactors = ["10Y", "ZN"]\n'
        'contracts = { ZN = "zn" }\n[models.var]\nkind = "historical_var"\nlookback = 60\n'
        '[sizing]\nkind = "historical_var"\nlookback = 60\n[books.zn]\nusd = { ZN = 1e6 }\n'
    )
    inputs = read_inputs(study, data=None, seed=None, progress=quiet)
    np.testing.assert_array_equal(inputs.market.levels, markets[0].levels)
    assert {"ZNH24.csv", "treasury_par_yields.csv"} <= {f.name for f in inputs.hashes}


def test_what_cannot_be_chained_is_one_line(moves, tmp_path):
    table = settlements(moves)
    with pytest.raises(bt.DataError, match="ZNM24 is missing between ZNH24 and ZNZ24; add it"):
        front_months("ZN", table.drop(columns="ZNM24"))
    table.loc["2024-06-18", "ZNU24"] = np.nan
    with pytest.raises(bt.DataError, match="ZNU24 has no settlement on 2024-06-18, the day on wh"):
        front_months("ZN", table)
    folder = folder_of(tmp_path / "prices", settlements(moves))
    with pytest.raises(bt.DataError, match="contracts name 'BTC', which is no future"):
        bt.load_market(folder, factors=("10Y",), contracts={"BTC": "zn.csv"})
    with pytest.raises(bt.DataError, match="contracts of ZN: no CSV at 'zx.csv'; mend its path"):
        bt.load_market(folder, factors=("10Y", "ZN"), contracts={"ZN": "zx.csv"})
    with pytest.raises(bt.DataError, match="source 'sample' has no contracts"):
        bt.load_market("sample", contracts={"ZN": "zn.csv"})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2024-01-03,ZNH24,0", "line 3: Settle is '0'; give a price above zero"),
        ("2024-01-03,ZNH24,", "line 3: Settle is ''; give a price above zero"),
        ("2024-01-03,ZNG24,110", "line 3: Contract is 'ZNG24'; give a contract such as ZNH24"),
        ("2024-01-03,ZFH24,110", "line 3: Contract is 'ZFH24'"),
        ("3.1.2024,ZNH24,110", "line 3: Date is '3.1.2024'; give a day YYYY-MM-DD"),
        ("2024-01-02,ZNH24,110", "ZNH24 has two settlements on 2024-01-02; leave one"),
    ],
)
def test_a_row_that_cannot_be_read_is_one_line(row, words, tmp_path):
    path = tmp_path / "zn.csv"
    path.write_text(f"Date,Contract,Settle\n2024-01-02,ZNH24,110\n{row}\n")
    with pytest.raises(bt.DataError, match=words):
        read_contracts("ZN", path)
