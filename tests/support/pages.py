"""One exhibit of every command, small and computed once, for tests of screens and pages."""

import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.market.calendars import is_session
from backtest.present.exhibit import Exhibit
from backtest.present.page import render_exhibit
from backtest.present.rendering import svg_of
from backtest.studies.annex.page import annex_exhibit
from backtest.studies.annex.study import annex_of
from backtest.studies.clocks.page import clock_exhibit
from backtest.studies.clocks.study import compare_clocks
from backtest.studies.closeout.page import closeout_exhibit
from backtest.studies.collateral.page import collateral_exhibit
from backtest.studies.compare.page import comparison_exhibit
from backtest.studies.compare.study import compare_folders
from backtest.studies.dossier.page import dossier_exhibit
from backtest.studies.dossier.study import study_dossier
from backtest.studies.grid.page import grid_exhibit
from backtest.studies.grid.study import study_grid
from backtest.studies.offset.page import offset_exhibit
from backtest.studies.power.page import power_exhibit
from backtest.studies.power.study import study_power
from backtest.studies.protect.page import protection_exhibit
from backtest.studies.protect.study import study_protection
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.store import write_numbers
from backtest.studies.run.study import execute
from backtest.studies.simulate.page import simulate_exhibit
from backtest.studies.simulate.study import study_simulators
from backtest.studies.validate.page import validation_exhibit
from backtest.studies.validate.study import execute as validate
from tests.support import presented
from tests.support.commands import quiet, run_and_store, write_study
from tests.support.structures import STRESS, STRUCTURE, write_structured

KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed once nothing refers to them
GRID = "\n[grid]\nconfidence = [0.95, 0.99]\nlookback = [60, 90]\n"


@functools.cache
def folder() -> Path:
    """A scratch folder, gone when the process ends."""
    KEPT.append(tempfile.TemporaryDirectory(prefix="pages-"))
    return Path(KEPT[-1].name)


@functools.cache
def prices() -> Path:
    """Real-looking prices of every calendar day of a year and a half, random."""
    place = folder() / "prices"
    place.mkdir()
    rng = np.random.default_rng(3)
    days = pd.date_range("2021-12-01", periods=520, name="Date")
    walk = 3 + np.cumsum(rng.standard_t(4, (len(days), 5)) * 0.04, axis=0)
    yields = pd.DataFrame(np.clip(walk, 0.1, 20), days, ["3M", "2Y", "5Y", "10Y", "30Y"])
    sessions = is_session("SIFMA", days.to_numpy().astype("M8[D]"))
    yields[sessions].round(12).to_csv(place / "treasury_par_yields.csv")
    for name in ("btc", "eth"):
        close = 100 * np.exp(np.cumsum(rng.standard_t(4, len(days)) * 0.03))
        pd.DataFrame({"Close": close}, days).to_csv(place / f"{name}_usd.csv")
    return place


@functools.cache
def _study(lookback: int) -> Path:
    place = folder() / f"lookback {lookback}"
    place.mkdir()
    return write_study(place, source=prices(), lookback=lookback)


@functools.cache
def _stored(lookback: int) -> Path:
    """The sealed numbers of a run."""
    place = folder() / f"result {lookback}"
    place.mkdir()
    write_numbers(execute(_study(lookback), progress=quiet), place)
    return place


def _compared(*lookbacks: int) -> Exhibit:
    return comparison_exhibit(compare_folders([_stored(n) for n in lookbacks], progress=quiet))


def _equal() -> Exhibit:
    twin = shutil.copytree(_stored(60), folder() / "twin", dirs_exist_ok=True)
    return comparison_exhibit(compare_folders([_stored(60), twin], progress=quiet))


def _run() -> Exhibit:
    run = presented.finished(presented.study(), presented.ladder(), presented.sweep())
    return run_exhibit(run)


def _real_prices() -> Exhibit:
    run = presented.finished(
        presented.treasury_study(), pd.DataFrame(), title="Treasuries", explains={}
    )
    return run_exhibit(run)


def _clocks() -> Exhibit:
    return clock_exhibit(compare_clocks(_study(60), data=None, seed=None, progress=quiet))


def _grid() -> Exhibit:
    file = folder() / "grid.toml"
    file.write_text(_study(60).read_text() + GRID)
    return grid_exhibit(study_grid(file, out=folder() / "grids", progress=quiet))


def _validate() -> Exhibit:
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2022-01-03", periods=260)
    parts = [
        pd.DataFrame(
            {"date": days, "account": f"account {n:02d}", "group": "odd even".split()[n % 2]}
        )
        .assign(loss=rng.normal(size=len(days)), required=1.6 + 0.04 * n)
        .assign(value_at_risk=1.5, expected_shortfall=2.0)
        for n in range(24)
    ]
    file = folder() / "house.csv"
    pd.concat(parts).to_csv(file, index=False)
    return validation_exhibit(validate(str(file), mpor=1, progress=quiet))


def _power() -> Exhibit:
    options = {"confidence": 0.99, "alternative": ["x2"], "histories": 40}
    return power_exhibit(study_power([100, 250], **options))


def _protect() -> Exhibit:
    place = folder() / "protect"
    place.mkdir()
    options = {"data": None, "seed": None, "progress": quiet}
    structure = STRUCTURE + STRESS
    return protection_exhibit(
        study_protection(write_structured(place, structure=structure), **options)
    )


def _simulate() -> Exhibit:
    options = {"simulator": "multivariate_t", "paths": 19, "histories": 2}
    return simulate_exhibit(study_simulators(_study(60), data=None, **options))


@functools.cache
def _finished() -> Path:
    """A results folder as `backtest run` leaves it, figures and page included."""
    return run_and_store(_study(60), folder() / "results", command="backtest run study.toml")


def _annex() -> Exhibit:
    options = {"texts": None, "citations": None, "funding_rate": None, "funding_source": ""}
    out = folder() / "annexes"
    return annex_exhibit(annex_of([_finished()], **options, out=out, progress=quiet))


def _dossier() -> Exhibit:
    return dossier_exhibit(study_dossier([_finished()], model="var"))


# The page of each command, by its name; further ones are named 'command, what is special'.
PAGES: dict[str, Callable[[], Exhibit]] = {
    "run": _run,
    "run, real prices": _real_prices,
    "offset": lambda: offset_exhibit(presented.offset_study()),
    "closeout": lambda: closeout_exhibit(presented.closeout_study()),
    "collateral": lambda: collateral_exhibit(presented.collateral_study()),
    "clocks": _clocks,
    "grid": _grid,
    "power": _power,
    "simulate": _simulate,
    "simulate, all": lambda: simulate_exhibit(presented.simulators("all")),
    "protect": _protect,
    "compare": lambda: _compared(60, 40),
    "compare, three": lambda: _compared(60, 50, 40),
    "compare, equal": _equal,
    "validate": _validate,
    "annex": _annex,
    "dossier": _dossier,
}


@functools.cache
def exhibit_of(page: str) -> Exhibit:
    """The exhibit of a page of `PAGES`."""
    return PAGES[page]()


@functools.cache
def page_of(page: str) -> str:
    """The page itself, with its figures."""
    shown, place = exhibit_of(page), folder() / "pages" / page
    place.mkdir(parents=True, exist_ok=True)
    for figure in (section.figure for section in shown.sections):
        if figure is not None:
            svg = svg_of(figure.draw().figure, figure.name, figure.caption)
            (place / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
    return render_exhibit(shown, place, command=f"backtest {page}")
