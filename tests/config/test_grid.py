"""[grid] of a study file: what its cells are, and what is refused before any of them runs."""

import re

import pytest

from backtest.config.cells import cells_of
from backtest.config.load import default_study, read_study
from backtest.types import StudyError
from tests.support.rulebooks import toy_rule

FHS = '[models.fhs]\nkind = "buffer"\nbase = { kind = "filtered_historical" }\n'


def study(grid: str, more: str = ""):
    return read_study(f"{default_study()}\n{more}\n[grid]\n{grid}\n", where="mine.toml")


def test_the_last_axis_is_the_fastest_and_other_keys_stay():
    base = study("")
    cells = cells_of(study("confidence = [0.98, 0.99]\nmpor = [1, { FICC = 1, CME = 2 }]"))
    assert [cell.row["confidence"] for cell in cells] == [0.98, 0.98, 0.99, 0.99]
    assert [cell.row["mpor"] for cell in cells[:2]] == ["1", '{"FICC": 1, "CME": 2}']
    assert cells[3].study.coverage.mpor == {"FICC": 1, "CME": 2}
    same = {"coverage": base.coverage}
    assert (
        cells[2].study.model_copy(update=same).resolved()
        == base.model_copy(update={"gates": ()} | same).resolved()
    )


def test_a_lookback_reaches_every_model_that_has_one_and_no_other_key():
    cell = cells_of(study("lookback = [250]", FHS))[0].study
    models = cell.margin_models()
    assert models["siloed"].base.lookback == models["offset"].lookback == 250
    assert models["offset"].base.lookback == models["fhs"].base.lookback == 250
    assert cell.models["haircut"] == study("").models["haircut"]
    assert cell.sizing == study("").sizing


def test_a_version_that_there_is_not_is_refused_before_any_price_is_read():
    text = '[models.margin]\nkind = "siloed"\nbase = { kind = "simm" }\n'
    words = r"base.parameters simm/9: \[models.margin\] unknown version 'simm/9' of simm; known"
    with pytest.raises(StudyError, match=words):
        cells_of(study('models.margin.base.parameters = ["simm/2.1", "simm/9"]', text))


def test_a_lookback_reaches_models_whose_published_one_is_left_out():
    text = '[models.ficc]\nkind = "ficc_var"\n[models.pool]\nkind = "siloed"\n'
    text += 'base = { kind = "span2" }\n'
    models = cells_of(study("lookback = [750]", text))[0].study.margin_models()
    assert models["ficc"].terms.lookback == models["pool"].base.terms.lookback == 750


def test_parameters_dotted_keys_books_and_start():
    grid = """
    start = ["2016-01-04"]
    books = ["Bitcoin only"]
    account.call_lag = [0, 2]
    models.fhs.base.decay = [0.9, 0.99]
    """
    cells = cells_of(study(grid, FHS))
    assert [cell.study.account.call_lag for cell in cells] == [0, 0, 2, 2]
    assert [cell.study.margin_models()["fhs"].base.decay for cell in cells[:2]] == [0.9, 0.99]
    assert list(cells[0].study.books) == ["Bitcoin only"] and not cells[0].study.random.portfolios
    assert cells[0].study.score_from == "2016-01-04"
    assert cells[1].words == "start 2016-01-04, account.call_lag 0, models.fhs.base.decay 0.99"


def test_an_axis_of_days_takes_the_rules_of_each(tmp_path):
    with toy_rule(tmp_path) as rule:
        more = f'[models.toy]\nkind = "haircut_only"\nschedules = ["{rule}"]\n'
        cells = cells_of(study('as_of = ["2020-04-01", "2020-10-01"]', more))
        models = [cell.study.margin_models()["toy"] for cell in cells]
        assert [model.schedules for model in models] == [(f"{rule}/1",), (f"{rule}/3",)]
        days = [cell.model_label("toy") for cell in cells]
        assert days == ["toy, as_of 2020-04-01", "toy, as_of 2020-10-01"]
        assert cells[0].model_label("var") == cells[0].audit_label("var") == "var"
        sized = study('as_of = ["2020-04-01"]', more)
        sized = sized.model_copy(update={"sizing": {"kind": "haircut_only", "schedules": [rule]}})
        cell = cells_of(sized)[0]
        assert cell.audit_label("var") == "var, as_of 2020-04-01"
        assert cell.model_label("var") == "var"
        for more_axes in (
            "lookback = [60]",
            "models.toy.scale = [2.0]",
            "models.fhs.base.decay = [0.9]",
        ):
            cells = cells_of(
                study(f'as_of = ["2020-04-01", "2020-10-01"]\n{more_axes}', more + FHS)
            )
            models = [cell.study.margin_models()["toy"] for cell in cells]
            assert [model.schedules for model in models] == [(f"{rule}/1",), (f"{rule}/3",)]
    with pytest.raises(StudyError, match="grid.as_of is '2020'; give a day"):
        cells_of(study('as_of = ["2020"]'))


@pytest.mark.parametrize(
    ("books", "kept"), [("['a']", ("a",)), ("['c']", ()), ("'all'", ("a", "b"))]
)
def test_a_grid_of_some_books_asks_of_those_headline_books_alone(books, kept):
    text = "[books.a]\nusd = { BTC = 1e6 }\n[books.b]\nusd = { BTC = -1e6 }\n[books.c]\n"
    text = default_study().split("[books", 1)[0] + text + "usd = { ETH = 1e6 }\n"
    text = f"headline = ['a', 'b']\n{text}[grid]\nconfidence = [0.98]\nbooks = {books}\n"
    cell = cells_of(read_study(text, where="mine.toml"))[0].study
    assert cell.headline == kept


def test_an_audit_is_of_a_model_its_positions_and_its_mpor():
    grid = "confidence = [0.98, 0.99]\nmpor = [1, 2]\nlookback = [250, 500]"
    cell = cells_of(study(grid))[0]
    assert cell.audit_label("var") == "var, mpor 1, lookback 250"
    assert cell.audit_label("haircut") == cell.audit_label("sizing").replace("sizing", "haircut")
    assert cell.audit_label("haircut") == "haircut, mpor 1"
    assert cell.model_label("var") == "var, lookback 250"


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("confidnce = [0.98]", "mine.toml: [grid] has no axis 'confidnce'. Did you mean 'confid"),
        ("data.source = ['x']", "has no axis 'data'. Known: confidence, mpor, start, lookback"),
        ("confidence = []", "grid.confidence is []; give a list of values."),
        ("confidence = 0.99", "grid.confidence is 0.99; give a list of values."),
        ("confidence = [0.9, 0.9]", "grid.confidence has 0.9 twice; give each value once."),
        ("confidence.low = [0.9]", "grid.confidence is a table; give a list of values."),
        ("models.no.decay = [1]", "[grid.models.no] names no model of the study; known: siloed"),
        ("models = [1]", "grid.models is no table"),
        ("books = []", "grid.books is []; give a list of books, or 'all'."),
        ("books = ['no']", "grid.books names 'no', which is none of [books]; known: long BTC"),
        ("books = [{}]", "grid.books names {}, which is none of [books]"),
        ("books = 'all'", "[grid] has no axis; give one"),
        ("start = [2016-01-04]", 'has 2016-01-04 bare; put it in quotation marks: "2016-01-04".'),
        ("start = ['2016']", "grid.start is '2016'; give a day as YYYY-MM-DD."),
        ("start = ['2016-01-04']\nscore_from = ['2016-01-05']", "set the same key; remove one."),
        ("mpor = [1]\ncoverage.mpor = [2]", "grid.mpor and grid.coverage.mpor set the same key"),
        ("lookback = [60]\nmodels.var.lookback = [70]", "set the same key; remove one."),
        (f"confidence = {[n / 1000 for n in range(900, 950)]}\nmpor = {[*range(1, 22)]}",
         "[grid] has 1,050 cells (50 of confidence x 21 of mpor); give at most 1,000."),
        (f"confidence = {[0.5] * 1001}", "has 1,001 values; give at most 1,000."),
        ("\n".join(f"account.k{n} = [1]" for n in range(9)), "[grid] has 9 axes; give at most 8."),
    ],
)  # fmt: skip
def test_what_is_no_grid_is_refused_as_the_file_is_read(grid, words):
    with pytest.raises(StudyError, match=re.escape(words)) as refused:
        study(grid)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("", "the study has no [grid]; add one"),
        ("confidence = [0.99, 1.5]", "grid with confidence 1.5: confidence is 1.5"),
        ("confidence = ['x']", "grid with confidence x: coverage.confidence is 'x'"),
        ("account = [2020-01-02]", 'grid with account "2020-01-02": account'),
        ("mpor = [2, 0]", "grid with mpor 0:"),
        ("mpor = [true]", "coverage.mpor"),
        ("account.cal_lag = [1]", "unknown key 'account.cal_lag'. Did you mean 'call_lag'?"),
        ("account.call_lag.x = [1]", "grid.account.call_lag.x: call_lag is 1 and no table"),
        ("lookback = [500, 5]", "grid with lookback 5: [models.siloed] historical_var.lookback"),
        ("models.var.lokback = [500]", "historical_var has no parameter 'lokback'"),
        ("models.var.on_error = ['perhaps']", "models.var.on_error is 'perhaps'"),
        ("rebalance = ['daily', 'weekly']", "grid with rebalance weekly: rebalance is 'weekly'"),
        ("sizing.lookback = [5]", "grid with sizing.lookback 5: historical_var.lookback is 5"),
    ],
)
def test_every_cell_is_checked_before_any_is_computed(grid, words):
    with pytest.raises(StudyError, match=re.escape(words)) as refused:
        cells_of(study(grid))
    assert "\n" not in str(refused.value)


def test_a_lookback_that_no_model_has_is_refused():
    text = default_study().split("[models.siloed]")[0]
    text += '[models.haircut]\nkind = "haircut_only"\n[books.coin]\nusd = { BTC = 1e6 }\n'
    with pytest.raises(StudyError, match="no model of the study has a look-back"):
        cells_of(read_study(f"{text}\n[grid]\nlookback = [60]\n", where="mine.toml"))


def test_a_grid_changes_no_hash_of_a_study_without_one_and_no_number_of_a_run():
    from backtest.studies.run.study import _numbers_only

    with_grid, without = (study(grid).resolved() for grid in ("confidence = [0.9]", ""))
    assert "grid" not in without and with_grid.pop("grid") == {"confidence": [0.9]}
    assert with_grid == without
    assert "grid" not in _numbers_only(study("confidence = [0.9]").resolved())


def test_a_parameter_of_an_inner_model_that_the_file_leaves_out_is_an_axis():
    """Beside an axis of the outer model, whose value it must not undo."""
    grid = """
[grid.models.plain]
cap = [0.5, 0.8]
base.lookback = [250, 500]
"""
    inner = '[models.plain]\nkind = "correlation_offset"\ngranted = 0.9\n'
    models = [cell.study.margin_models()["plain"] for cell in cells_of(study(inner + grid))]
    assert [(m.cap, m.base.lookback, m.granted) for m in models] == [
        (0.5, 250, 0.9), (0.5, 500, 0.9), (0.8, 250, 0.9), (0.8, 500, 0.9),
    ]  # fmt: skip
