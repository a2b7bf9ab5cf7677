"""Finished folders of a small study, written once: a run, a grid, a validation, a power study."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.support.commands import run_and_store, typed, write_prices, write_study

OFFSET = """
[models.offset]
kind = "correlation_offset"
lookback = 60
base = { kind = "historical_var", lookback = 60 }
"""
GRID = """
[grid.models.offset]
lookback = [40, 60]
granted = [0.5, 1.0]
"""


def newest(out):
    """The results folder that was written last."""
    return max(out.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("evidence")
    write_prices(place / "prices", days=420)
    study = write_study(place, source=place / "prices")
    study.write_text(study.read_text() + OFFSET)
    run = run_and_store(study, place / "run", command="backtest run study.toml")
    grid_file = place / "grid.toml"
    grid_file.write_text(study.read_text() + GRID)
    for arguments in (
        ("grid", grid_file, "--out", place / "grid"),
        ("power", "--days", 250, "--histories", 100, "--out", place / "power"),
        ("validate", given_table(place), "--out", place / "given"),
    ):
        done = typed(*arguments, cwd=place)
        assert done.returncode == 0, done.stderr
    return SimpleNamespace(
        place=place,
        study=study,
        run=run,
        grid=newest(place / "grid"),
        power=newest(place / "power"),
        given=newest(place / "given"),
    )


def given_table(place):
    """A table of margins that a house computed, of two accounts."""
    generator = np.random.default_rng(3)
    days = pd.bdate_range("2022-01-03", periods=300).strftime("%Y-%m-%d")
    rows = [
        {"date": day, "account": account, "pnl": pnl, "margin": 25.0}
        for account in ("one", "a book in USD")
        for day, pnl in zip(days, generator.normal(0, 10, len(days)).round(3), strict=True)
    ]
    path = place / "house.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def dossier(folders):
    """What the command writes of run, grid and power, and what it prints."""
    out = folders.place / "dossier"
    done = typed(
        "dossier", folders.run, folders.grid, folders.power, "--model", "offset", "--out", out,
        cwd=folders.place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(folder=newest(out), screen=done.stdout)
