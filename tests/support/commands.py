"""The command line in a folder of its own: prices, a study file, what a refusal looks like."""

import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backtest.cli import main
from backtest.interrupts import REQUESTS
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.store import write_results
from backtest.studies.run.study import execute

STUDY = """
name = "small"
title = "A small study"
{extra}

[data]
source = "{source}"
factors = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]

[sizing]
kind = "historical_var"
lookback = 60

[models.siloed]
kind = "siloed"
base = {{ kind = "historical_var", lookback = 60 }}

[models.var]
kind = "historical_var"
lookback = {lookback}

[books."long both"]
explain = "Both legs long."
risk = {{ BTC = 1, UST10Y = 1 }}

[books."coin"]
usd = {{ {instrument} = 1e6 }}
"""


def backtest(*arguments, cwd, timeout=240):
    return subprocess.run(
        [sys.executable, "-m", "backtest", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def typed(*arguments, cwd):
    """`backtest` in this process, which has loaded everything already."""
    out, err = StringIO(), StringIO()
    before = {number: signal.getsignal(number) for number in REQUESTS}
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(list(map(str, arguments)))
    for number, handler in before.items():  # a command that ends ignores them
        signal.signal(number, handler)
    return SimpleNamespace(
        returncode=left.value.code or 0, stdout=out.getvalue(), stderr=err.getvalue()
    )


def quiet(what: str, share: float) -> None:
    """Progress that nobody watches."""


def run_and_store(study: Path, out: Path, *, command: str) -> Path:
    """The results folder of a study file, as `backtest run` leaves it."""
    run = execute(study, progress=quiet)
    return write_results(run, run_exhibit(run), out, command=command)


def write_prices(folder: Path, days: int = 420, **edits) -> Path:
    """Random par yields in percent and crypto closes, in the shape of a data folder."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    dates = pd.bdate_range("2022-01-03", periods=days)
    walk = np.cumsum(generator.normal(0, 0.05, (days, 5)), axis=0)
    yields = pd.DataFrame(np.clip(3 + walk, 0.1, 15), columns=["3M", "2Y", "5Y", "10Y", "30Y"])
    yields.insert(0, "Date", dates.strftime("%Y-%m-%d"))
    crypto = {}
    for name in ("btc", "eth"):
        calendar = pd.date_range(dates[0], dates[-1])
        price = 100 * np.exp(np.cumsum(generator.normal(0, 0.03, len(calendar))))
        crypto[name] = pd.DataFrame({"Date": calendar.strftime("%Y-%m-%d"), "Close": price})
    for edit in edits.values():
        yields, crypto["btc"] = edit(yields, crypto["btc"])
    yields.to_csv(folder / "treasury_par_yields.csv", index=False)
    for name, table in crypto.items():
        table.to_csv(folder / f"{name}_usd.csv", index=False)
    return folder


def write_study(folder: Path, *, source="prices", lookback=60, instrument="BTC", extra=""):
    path = folder / "study.toml"
    path.write_text(
        STUDY.format(source=source, lookback=lookback, instrument=instrument, extra=extra)
    )
    return path


def refused(done, folder):
    """The one line of a command that was refused and left no result behind."""
    results = folder / "results"
    assert not results.exists() or not list(results.iterdir())
    return one_line(done)


def one_line(done) -> str:
    """What a refused command says: exit code 2, and one line on stderr that names the program."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("backtest: "), done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    return done.stderr
