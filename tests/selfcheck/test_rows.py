"""The rows of the self-check: all right here, and wrong where a function is broken."""

import re
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest

import backtest.selfcheck
from backtest.selfcheck.check import KINDS, check, rows_of
from backtest.selfcheck.price_files import FILES
from backtest.selfcheck.row import Refused, Row

ROOM = Path(backtest.selfcheck.__file__).parent
ALL = [(module, row) for module in KINDS for row in rows_of(module)]
# A report, something published, or the word.
SOURCE = re.compile(
    r"[\w.-]+/[\w.-]+#\d+|\(\d{4}\)|definition|CFR|MathWorks|NEP|Federal|library|R\)|\d\.\d"
)


@pytest.mark.parametrize(("module", "row"), ALL, ids=lambda part: str(getattr(part, "given", part)))
def test_a_row_is_right_and_says_how_that_is_known(module: str, row: Row):
    answer = row.answer()
    assert answer.is_right, str(answer)
    assert SOURCE.search(row.source), row.source
    assert row.by and "\n" not in row.given + row.source + row.by


def test_every_file_with_rows_is_a_kind():
    with_rows = {path.stem for path in ROOM.glob("*.py") if "\nROWS = " in path.read_text()}
    assert with_rows == set(KINDS)
    assert len(ALL) == len({(module, row.given) for module, row in ALL}) >= 181
    assert sum(row.source != "definition" for _, row in ALL) >= 133


def _one_less(steady_tail):
    def broken(shocks, unit, exposure, lookback, count, *rest):
        return steady_tail(shocks, unit, exposure, lookback, max(1, count - 1), *rest)

    return broken


def _a_day_late(replay):
    def broken(required, loss, growth, closeout, arrival, *rest):
        return replay(required, loss, growth, closeout, arrival + 1, *rest)

    return broken


# Kind: what is broken, and how.
MUTANTS = {
    "fits": (
        "backtest.estimators.extreme.fit_excesses",
        lambda fit: lambda values: (1.001 * fit(values)[0], *fit(values)[1:]),
    ),
    "quantiles": ("backtest.kernels.tails.steady_tail", _one_less),
    "moments": (  # a Student law that is not rescaled to unit variance
        "backtest.estimators.innovations.stdtrit",
        lambda quantile: lambda nu, p: quantile(nu, p) * np.sqrt(nu / (nu - 2.0)),
    ),
    "exceedances": (  # 0 ln 0
        "backtest.scores.exceedances.counts.xlogy",
        lambda xlogy: lambda x, y: x * np.log(y),
    ),
    "forecasts": (
        "backtest.scores.forecasts.expected_shortfall.check_signs",
        lambda check_signs: lambda *forecasts: None,
    ),
    "families": (
        "backtest.scores.models.multiple._ranked",
        lambda ranked: lambda pvalues: np.arange(len(pvalues)),
    ),
    "prices": (
        "backtest.market.examination.repeats._is_no_habit",
        lambda is_no_habit: lambda others, run, days: False,
    ),
    "calendars": (
        "backtest.market.calendars.FIRST",
        lambda first: np.datetime64("2025-01-01", "D"),
    ),
    "rolls": (
        "backtest.data.contract_files.last_trading_days",
        lambda days: lambda *terms: days(*terms).shift(1, freq="B"),
    ),
    "account": ("backtest.account.account.replay", _a_day_late),
    "waterfall": (  # all that customers have posted is at the houses
        "backtest.kernels.closed_day.close_out",
        lambda close_out: (
            lambda day, *rest: close_out(day._replace(at_house=np.ones_like(day.at_house)), *rest)
        ),
    ),
    "bonds": ("backtest.instruments.constant_maturity.DAYS_PER_YEAR", lambda days: 360.0),
    "options": (
        "backtest.instruments.perpetual.Perpetual.funding_paid",
        lambda paid: lambda *given: -paid(*given),
    ),
    "simm": ("strategies.simm.crif.RISK_TYPES", lambda types: {}),
    "offset": (
        "backtest.offset.history.tail_scale",
        lambda scale: lambda loss, margin, tail: scale(loss, margin, tail[:-1]),
    ),
    "names": ("backtest.present.csv_table.NAMES", lambda names: ()),
    "draws": (
        "backtest.kernels.portable.exp",
        lambda exp: lambda x: (1.0 + 4e-16) * exp(x),
    ),
}


@pytest.mark.parametrize("module", KINDS)
def test_a_broken_function_turns_its_line(module: str, monkeypatch: pytest.MonkeyPatch):
    place, broken = MUTANTS[module]
    owner, name = place.rsplit(".", 1)
    monkeypatch.setattr(place, broken(getattr(resolve_name(owner), name)))
    checked = check(module)
    assert 0 < len(checked.wrong) < checked.rows, str(checked)
    assert (
        str(checked)
        == f"{KINDS[module]}: {checked.rows - len(checked.wrong)} of {checked.rows} right"
    )
    assert all("right is " in line and "came" in line for line in checked.wrong)


@pytest.mark.parametrize(
    ("right", "came"),
    [
        (1.0, 1.0 + 1e-8),
        (1.0, float("nan")),
        (float("nan"), 1.0),
        ([1.0, 2.0], [1.0]),
        ([1.0], [[1.0]]),
        (1.0, float("inf")),
        ("green", "red"),
        (["a"], ["a", "b"]),
        (Refused("price"), 1.0),
        (1.0, Refused("price")),
        (True, False),
    ],
)
def test_what_differs_is_wrong(right, came):
    assert not Row("given", "definition", lambda: came, right, by="eye").answer().is_right
    assert Row("given", "definition", lambda: right, right, by="eye").answer().is_right


def test_an_error_of_another_kind_is_wrong_whatever_it_says():
    def ask():
        raise KeyError("a price")

    answer = Row("given", "definition", ask, Refused("a price"), by="eye").answer()
    assert not answer.is_right and "KeyError" in str(answer)


def test_price_files_are_rows_too():
    assert {file.given for file in FILES} <= {row.given for row in rows_of("prices")}
