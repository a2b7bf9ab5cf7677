"""The register names every parameter, and each line it proposes runs as part of a grid."""

import tomllib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.config.cells import cells_of
from backtest.config.load import read_study
from backtest.config.models import model_table
from backtest.studies.dossier.docstrings import parameter_words
from backtest.studies.dossier.fields import TO_BE_COMPLETED, Fields
from backtest.studies.dossier.proposed_axis import grid_line
from backtest.studies.dossier.register import assumptions, leaves, written_keys
from backtest.studies.dossier.sensitivity import moves_nothing

STUDY = """
name = "one"
[data]
source = "sample"
[books."both"]
usd = { BTC = 1e6, UST10Y = 1e6 }
[models."my model"]
"""
HISTORY = st.HistoricalVaR(lookback=60)
KINDS = sorted(st.MODELS)


def table_of(kind):
    return model_table(st.MODELS[kind]())


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_of_every_model_is_named_and_told(kind):
    table = table_of(kind)
    rows = assumptions(table, model="m", sources=(), grids=(), fields=Fields())
    assert [row.key for row in rows] == [key for key, _ in leaves(table)]
    assert len({row.key for row in rows}) == len(rows)
    told = parameter_words(st.MODELS[kind])
    assert set(told) >= {key for key in table if key != "kind"}, f"{kind} leaves some untold"


@pytest.mark.parametrize("kind", KINDS)
def test_every_proposed_line_is_an_axis_that_the_model_takes(kind):
    table = table_of(kind)
    for key, value in leaves(table):
        line = grid_line(table, model="my model", key=key, value=value)
        if line:
            text = f'{STUDY}kind = "{kind}"\n[grid]\n{line}\n'
            cells = cells_of(read_study(text, where="study.toml"))
            assert len(cells) >= 2, line


def test_numbers_and_choices_have_lines_and_a_class_has_none():
    table = table_of("correlation_offset")
    lines = {k: grid_line(table, model="offset", key=k, value=v) for k, v in leaves(table)}
    assert lines["kind"] == lines["base.kind"] == ""
    idle = lines.pop("min_correlation")  # not read while credit is full, as it is by default
    assert idle == "" and all(line for key, line in lines.items() if not key.endswith("kind"))
    assert 0.8 in tomllib.loads(lines["granted"])["models"]["offset"]["granted"]
    (values,) = tomllib.loads(lines["base.lookback"])["models"]["offset"]["base"].values()
    assert 500 in values and values == sorted(values)


def test_what_is_said_to_move_nothing_moves_nothing(small_market, small_book):
    rows = assumptions(
        table_of("correlation_offset"), model="m", sources=(), grids=(), fields=Fields()
    )
    (row,) = (row for row in rows if row.key == "min_correlation")
    assert row.sensitivity == 'moves nothing while credit = "full", as it is here' and row.measured
    for credit, same in {"full": True, "reliable": False}.items():
        one, other = (
            st.CorrelationOffset(
                base=st.HistoricalVaR(lookback=60),
                lookback=60,
                credit=credit,
                min_correlation=least,
            ).margin(small_market, small_book, bt.Coverage())
            for least in (0.0, 1.0)
        )
        assert np.array_equal(one, other, equal_nan=True) == same
    table = table_of("correlation_offset") | {"credit": "reliable"}
    assert grid_line(table, model="m", key="min_correlation", value=0.3)


def test_an_axis_moves_nothing_only_where_every_book_has_the_same_scores():
    axes = [SimpleNamespace(name="cap"), SimpleNamespace(name="lookback")]
    scores = {"observations": 9, "exceedances": 1, "mean_margin": 2.0, "coverage_p": 0.5}
    rows = [
        {"cap": cap, "lookback": days, "portfolio": book} | scores
        for cap in ("0.5", "0.8")
        for days in ("40", "60")
        for book in ("a", "b")
    ]
    grid = SimpleNamespace(axes=axes, rows=pd.DataFrame(rows))
    assert all(moves_nothing(grid, axis) for axis in axes)
    grid.rows.loc[0, "mean_margin"] = 2.5
    assert not any(moves_nothing(grid, axis) for axis in axes)
    grid.rows = grid.rows[grid.rows["cap"] == "0.8"]
    assert not moves_nothing(grid, axes[0])  # one value shows nothing


def test_a_default_is_told_from_what_was_set():
    table = table_of("correlation_offset") | {"cap": 0.5}
    rows = {
        row.key: row for row in assumptions(table, model="m", sources=(), grids=(), fields=Fields())
    }
    assert rows["cap"].standing == "set"
    assert rows["granted"].standing == "default"
    assert rows["cap"].source == rows["cap"].mark == TO_BE_COMPLETED


def test_what_the_study_file_has_was_set_though_it_is_the_default():
    table = table_of("correlation_offset")
    own = {"kind": table["kind"], "base": {"kind": "historical_var"}, "lookback": table["lookback"]}
    rows = {
        row.key: row
        for row in assumptions(
            table, model="m", sources=(), grids=(), fields=Fields(), written=set(written_keys(own))
        )
    }
    for key in ("kind", "base.kind", "lookback"):
        assert rows[key].standing == "set"
    for key in ("base.lookback", "granted", "cap"):
        assert rows[key].standing == "default"


def test_published_numbers_carry_source_date_and_mark():
    from backtest.parameters.sources import parameter_sources

    model = st.HaircutOnly(schedules=("haircuts/cme/2014", "haircuts/cme_futures/2026"))
    sources = parameter_sources(model)
    fields = Fields.model_validate({"parameters": {"schedules": {"verified_by": "A. Person"}}})
    rows = {
        row.key: row
        for row in assumptions(
            model_table(model), model="m", sources=sources, grids=(), fields=fields
        )
    }
    schedules = rows["schedules"]
    assert schedules.standing == "published"
    assert all(source.source in schedules.source for source in sources)
    assert "NOT VERIFIED" in schedules.mark and "A. Person" in schedules.mark
    assert rows["scale"].mark == TO_BE_COMPLETED


def test_no_code_of_a_user_runs_for_a_register():
    table = {"kind": "no_such_module:Mine", "base": {"kind": "historical_var", "lookback": 60}}
    rows = assumptions(table, model="m", sources=(), grids=(), fields=Fields())
    assert [row.key for row in rows] == ["kind", "base.kind", "base.lookback"]
    assert not any(row.measured for row in rows) and rows[2].what
