"""The register names every parameter, and each line it proposes runs as part of a grid."""

import tomllib

import pytest

import strategies as st
from backtest.config.cells import cells_of
from backtest.config.load import read_study
from backtest.config.models import model_table
from backtest.studies.dossier.docstrings import parameter_words
from backtest.studies.dossier.fields import TO_BE_COMPLETED, Fields
from backtest.studies.dossier.register import assumptions, grid_line, leaves, written_keys

STUDY = """
name = "one"
[data]
source = "sample"
[books."both"]
usd = { BTC = 1e6, UST10Y = 1e6 }
[models."my model"]
"""
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
    assert all(line for key, line in lines.items() if not key.endswith("kind"))
    (values,) = tomllib.loads(lines["base.lookback"])["models"]["offset"]["base"].values()
    assert 500 in values and values == sorted(values)


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
    from backtest.parameters.files import parameter_sources

    model = st.HaircutOnly(schedules=("cme_2014", "cme_futures_2026"))
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
