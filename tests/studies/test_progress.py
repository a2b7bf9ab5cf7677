"""Bars move: of every stage the shares grow and end at 1, whatever the command and the workers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.present.store import write_exhibit
from backtest.studies import COMMANDS
from backtest.studies.command import DASK
from tests.support.commands import write_prices, write_study
from tests.support.structures import write_structured

Told = dict[str, list[float]]


class Heard:
    """What a command tells of its stages."""

    def __init__(self) -> None:
        self.stages: Told = {}

    def __call__(self, what: str, share: float) -> None:
        self.stages.setdefault(what, []).append(share)

    def check(self) -> None:
        for what, shares in self.stages.items():
            assert shares == sorted(shares) and shares[-1] == 1.0, (what, shares)
            assert shares[0] >= 0.0, (what, shares)


def hear(name: str, out: Path | None = None, **options: object) -> Heard:
    """A command computed, drawn and stored as the command line does it; without `out` computed."""
    (command,) = (c for c in COMMANDS if c.name == name)
    heard = Heard()
    values = {o.name: o.default for o in command.options if o is not DASK} | options
    result = command.load(command.compute)(**values, progress=heard)
    if out is None:
        return heard
    exhibit = replace(command.load(command.exhibit)(result), progress=heard)
    if command.store:
        command.load(command.store)(result, exhibit, out, command=name)
    else:
        write_exhibit(exhibit, out, command=name)
    return heard


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("progress")
    write_prices(place / "prices", days=260)
    return write_study(place, source=place / "prices", extra="")


def test_stages_of_a_run(study: Path) -> None:
    heard = hear("run", study_file=study)
    heard.check()
    expected = "causality audit, margins, account and scores, offset ladder, forecasts, tests"
    assert set(expected.split(", ")) <= set(heard.stages)
    assert len(set(heard.stages["causality audit"])) > 20  # each cut of each model


def test_stages_of_a_protection(tmp_path: Path) -> None:
    heard = hear("protect", tmp_path, study_file=write_structured(tmp_path, days=160))
    heard.check()
    expected = "margins of customer accounts, margins of house accounts, close-outs"
    assert set(expected.split(", ")) <= set(heard.stages)
    assert len(set(heard.stages["close-outs"])) > 10  # each of two models, six arrangements


@pytest.mark.slow
@pytest.mark.parametrize("name", ["closeout", "collateral", "clocks", "offset", "run"])
def test_stages_of_a_command(name: str, study: Path, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(study.read_text() + "\n[sweep]\nsteps = 2\n[monte_carlo]\npaths = 12\n")
    heard = hear(name, tmp_path, study_file=file)
    heard.check()
    # The bar of the drawing moves with each figure, of which the smallest page has two.
    assert len(heard.stages) > 4 and len(set(heard.stages["drawing"])) > 2


def test_stages_of_a_validation(tmp_path: Path) -> None:
    rng, days = np.random.default_rng(1), pd.bdate_range("2022-01-03", periods=120)
    parts = [
        pd.DataFrame({"date": days, "account": f"a{n}", "loss": rng.normal(size=120)})
        for n in range(3)
    ]
    pd.concat(parts).assign(required=2.0).to_csv(tmp_path / "house.csv", index=False)
    heard = hear("validate", file=str(tmp_path / "house.csv"), mpor=1)
    heard.check()
    assert len(set(heard.stages["tests"])) > 10  # each of the twelve


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_ladder_and_the_margins_of_many_books_move(
    small_market: bt.Market, n_jobs: int
) -> None:
    """The ladder of 300 books stood at 0 % for 72 s, and was then done."""
    rng = np.random.default_rng(2)
    usd = {"UST10Y": 1e8 * rng.normal(size=60), "BTC": 1e6 * rng.normal(size=60)}
    book, heard = bt.Book.from_frame(pd.DataFrame(usd), small_market), Heard()
    base = st.HistoricalVaR(lookback=60)
    bt.supportable_offset(
        small_market, book, base=base, bounds=False, n_jobs=n_jobs, progress=heard
    )
    models = {f"m{n}": st.HistoricalVaR(lookback=50 + n) for n in range(6)}
    bt.run(small_market, book, models, audit=False, n_jobs=n_jobs, progress=heard)
    heard.check()
    assert len(set(heard.stages["offset ladder"])) > 60
    assert len(set(heard.stages["margins"])) > 5
