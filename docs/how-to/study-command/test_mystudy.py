"""The template of a command: its numbers by hand, and the command itself on small prices."""

import numpy as np
import pandas as pd
import pytest

from backtest.studies.mystudy.study import worst_losses
from tests.support.commands import backtest, one_line, quiet, write_prices, write_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random prices and a small study file."""
    folder = tmp_path_factory.mktemp("mystudy")
    write_prices(folder / "prices")
    write_study(folder, source=str(folder / "prices"))
    return folder


# GAP 10: a number of the result, got in another way
def test_the_largest_loss_of_a_coin_by_hand(folder):
    result = worst_losses(folder / "study.toml", data=None, seed=None, progress=quiet)
    days = pd.read_csv(folder / "prices" / "treasury_par_yields.csv")["Date"]
    price = pd.read_csv(folder / "prices" / "btc_usd.csv", index_col="Date")["Close"][days]
    loss = -1e6 * (price.to_numpy()[2:] / price.to_numpy()[:-2] - 1.0)
    assert result.losses.loc["coin", "loss"] == pytest.approx(loss.max())
    assert result.losses.loc["coin", "began"] == days[int(np.argmax(loss))]


def test_the_command_writes_its_table_and_its_page(folder):
    done = backtest("mystudy", "study.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    (results,) = (folder / "results").iterdir()
    written = {file.name for file in results.iterdir()}
    assert written >= {"worst_losses.csv", "report.html", "manifest.json"}
    assert "The largest loss of each book" in (results / "report.html").read_text(encoding="utf-8")


def test_what_a_user_can_mend_is_one_line(folder):
    assert "nowhere" in one_line(backtest("mystudy", "study.toml", "--data", "nowhere", cwd=folder))
