"""Tools against procyclicality: which models they are, and what their two figures say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest import charts
from backtest.config.load import load_study
from backtest.present.lettering import MINUS
from backtest.replay.findings.disclosures import swing_table
from backtest.studies.run.figures.mitigation import MEDIAN, mitigation_finding
from backtest.studies.run.figures.through_stress import rise_through, stress_finding
from backtest.studies.run.tools import Tools, book_of_largest_rise
from tests.studies.test_findings import numbers_of
from tests.support.markets import random_market
from tests.support.presented import BASE, BOOKS, LONG, TOOLS, tools_study


def test_the_base_is_the_model_with_most_tools_over_it() -> None:
    var, fast = {"kind": "historical_var"}, {"kind": "ewma_var"}
    models = {
        "var": var,
        "fast": fast,
        "by default": {"kind": "buffer"},
        "one": {"kind": "speed_limit", "base": fast},
        "two": {"kind": "stress_blend", "base": fast, "weight": 0.3},
        "other": {"kind": "correlation_offset", "base": fast},
    }
    assert Tools.of(models) == Tools("fast", ("one", "two"))
    assert Tools.of({k: models[k] for k in ("var", "by default")}) == Tools("var", ("by default",))
    assert Tools.of({"one": models["one"]}) is None and Tools.of({}) is None


def test_the_packaged_study_has_four_tools_over_its_base() -> None:
    study, _ = load_study(Path("procyclicality"))
    tools = Tools.of(study.models)
    assert tools is not None and tools.base == "base"
    assert set(tools.names) == set(TOOLS) and len(study.models) == 5
    bases = {name: model.base for name, model in study.margin_models().items() if name != "base"}
    assert set(bases.values()) == {study.margin_models()["base"]}


def test_tools_that_failed_are_left_out() -> None:
    tools = Tools("base", (*TOOLS, "failed"))
    assert tools.present(tools_study()) == Tools("base", TOOLS)
    assert Tools("failed", TOOLS).present(tools_study()) is None


def test_the_book_drawn_is_the_one_whose_margin_rises_most() -> None:
    books = [book for book in BOOKS if book != "random 01"]
    required = tools_study().required["base"]
    window = required.loc[tools_study().scored].loc["2020-02-28":"2020-05-30"]
    rises = {book: window[book].iloc[1:].max() / window[book].iloc[0] - 1 for book in books}
    assert book_of_largest_rise(tools_study(), "base", books) == max(rises, key=rises.get)
    before = random_market(250, seed=11, start="2018-06-04")
    coin = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["coin"]), before)
    early = bt.run(before, coin, {"base": BASE}, audit=False)
    assert book_of_largest_rise(early, "base", list(early.loss.columns)) is None
    with pytest.raises(bt.StudyError, match="no day of March 2020 is scored"):
        charts.margin_through_stress(early, early.loss.columns[0], "base", [])


def test_a_rise_is_from_before_the_month_to_the_highest_after_it_began() -> None:
    days = pd.to_datetime(["2020-01-31", "2020-02-28", "2020-03-02", "2020-03-12", "2020-04-01"])
    assert rise_through(pd.Series([9.0, 2.0, 1.0, 3.0, 5.0], days), "March 2020") == 1.5
    assert rise_through(pd.Series([2.0, 1.0, 3.0], days[2:]), "March 2020") == 0.5
    assert np.isnan(rise_through(pd.Series([2.0, 1.0], days[:2]), "March 2020"))
    assert np.isnan(rise_through(pd.Series([0.0, 1.0], days[1:3]), "March 2020"))


def test_the_stress_figure_says_how_margins_rise_and_fail() -> None:
    figure = charts.margin_through_stress(tools_study(), LONG, "base", TOOLS)
    assert figure.data["date"].min() >= pd.Timestamp("2020-01-31")
    assert figure.data["date"].max() <= pd.Timestamp("2020-05-30")
    rises = {
        model: round(100 * rise_through(rows.set_index("date")["required"], "March 2020"))
        for model, rows in figure.data.groupby("model", sort=False)
    }
    counts = figure.data.groupby("model", sort=False)["exceeded"].sum()
    assert (figure.data["exceeded"] == (figure.data["loss"] > figure.data["required"])).all()
    of_tools = [rises[tool] for tool in TOOLS]
    wanted = [2020, rises["base"], *sorted({min(of_tools), max(of_tools)}), counts["base"],
              *sorted({counts[[*TOOLS]].min(), counts[[*TOOLS]].max()})]  # fmt: skip
    assert numbers_of(figure.caption.title) == wanted
    alone = figure.data[figure.data["model"] == "base"]
    assert "tool" not in stress_finding(alone, "base", "March 2020")


def test_multiples_of_the_base_are_those_of_the_scores() -> None:
    swings = swing_table(tools_study())
    data = charts.mitigation_against_cost(tools_study(), "base", TOOLS, swings).data
    again = charts.mitigation_against_cost(tools_study(), "base", TOOLS).data
    pd.testing.assert_frame_equal(data, again)
    assert set(data["portfolio"]) == {*BOOKS, MEDIAN} - {"random 01"}
    table = data.set_index(["model", "portfolio"])
    scores = tools_study().scores
    for tool in TOOLS:
        cost = scores.loc[(tool, LONG), "equal_coverage_margin"]
        own = scores.loc[("base", LONG), "equal_coverage_margin"]
        assert np.isclose(table.loc[(tool, LONG), "cost"], cost / own)
        for name in ("peak_to_trough", "rise_5"):
            multiple = swings.loc[(tool, LONG), name] / swings.loc[("base", LONG), name]
            assert np.isclose(table.loc[(tool, LONG), name], multiple)
        books = table.loc[tool].drop(index=MEDIAN)
        assert np.allclose(table.loc[(tool, MEDIAN)], books.median())


def test_the_mitigation_figure_says_what_tools_cost_and_calm() -> None:
    rows = {"model": ["a", "b", "a"], "portfolio": [MEDIAN, MEDIAN, "x"], "cost": [0.9, 1.2, 5.0],
            "rise_5": [0.6, 0.95, 5.0]}  # fmt: skip
    words = mitigation_finding(pd.DataFrame(rows), "base")
    assert numbers_of(words)[:2] == [-10.0, 20.0] and numbers_of(words)[-2:] == [-40.0, -5.0]
    assert f"{MINUS}10 % (a) to +20 % (b)" in words
    nothing = pd.DataFrame(rows).assign(cost=np.nan)
    assert mitigation_finding(nothing, "base").startswith("No tool can be compared with base")
