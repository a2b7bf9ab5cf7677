"""Figures of a run: the words and numbers that only they have."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest import charts
from backtest.market.episodes import stress_days
from backtest.studies.run.figures.coverage_cost import POOLED
from backtest.studies.run.figures.monte_carlo import HISTORY, MEAN, MOST_DOTS, outline
from backtest.studies.run.tables import histories_table
from tests.support import presented
from tests.support.presented import distribution, ladder, ladder_with, study, treasury_study


def test_timeline_shows_every_exceedance_of_named_books() -> None:
    figure = charts.exceedance_timeline(study())
    data = figure.data.groupby(["model", "portfolio"]).size()
    counted = study().summary()["exceedances"].drop(index="random 01", level="portfolio")
    assert data.reindex(counted.index, fill_value=0).equals(counted.astype(int).rename(None))
    assert data.sum() == len(figure.data) and (figure.data["loss"] > figure.data["required"]).all()
    assert sum(len(c.get_offsets()) for c in figure.draw().collections) == len(figure.data)


def test_timeline_names_the_stress_days_that_its_prices_hold() -> None:
    days = stress_days()
    assert 0 < ((days >= study().scored[0]) & (days <= study().scored[-1])).sum() < len(days) == 10

    def words(**data: object) -> set[str]:
        prices = replace(study().provenance.prices, **data)
        shown = replace(study(), provenance=replace(study().provenance, data=prices))
        return {t.get_text() for t in charts.exceedance_timeline(shown).draw().texts}

    assert words(simulated=False) == {"March 2020: pandemic"}
    assert words(simulated=True, source="SIMULATED: a path") == set()
    laid_over = "SIMULATED: a path, ten real stress days of 2020-2025 laid over"
    assert words(simulated=True, source=laid_over) == {"March 2020: pandemic"}


def test_pooled_points_are_means_of_books_and_lie_in_their_intervals() -> None:
    data = charts.coverage_against_cost(study()).data
    for model, rows in data.groupby("model"):
        pooled = rows[rows["portfolio"] == POOLED].iloc[0]
        books = rows[rows["portfolio"] != POOLED]
        assert len(books) == len(presented.BOOKS)
        assert np.isclose(pooled["exceedance_rate"], books["exceedance_rate"].mean())
        low, high = pooled["exceedance_rate_low"], pooled["exceedance_rate_high"]
        assert low <= pooled["exceedance_rate"] <= high or pooled["exceedance_rate"] == 0
        if model == "siloed":
            assert np.allclose(rows["cost"], 1)
        saving = study().summary().loc[model, "saving_vs_siloed"]
        assert np.allclose(books.set_index("portfolio")["cost"], 1 - saving)


def test_without_a_siloed_model_cost_is_in_usd() -> None:
    figure = charts.coverage_against_cost(treasury_study())
    margin = treasury_study().summary()["mean_margin"].iloc[0]
    assert np.isclose(figure.data.set_index("portfolio").loc["long", "cost"], margin / 1e6)
    assert "USD m" in figure.draw().get_xlabel()
    python = replace(study(), provenance=replace(study().provenance, siloed_model=None))
    figure = charts.monte_carlo_frontier(distribution(), python)
    assert figure.draw().get_xlabel() == "mean margin, USD m"
    cost = figure.data.set_index(["model", "what"]).loc[("var", "path 0"), "cost"]
    assert np.isclose(cost, distribution().score("mean_margin")[0, 2].mean() / 1e6)


def test_only_dependence_is_called_offset() -> None:
    figure = charts.offset_ladder(study(), ladder_with(total=0.1, dependence=-0.15))
    panel = figure.draw()
    lanes = {t.get_text() for t in panel.texts if "offset" in t.get_text()}
    said = {words.split(" [")[0] for words in lanes}
    numbers = {f"offset {100 * d:+.1f}".replace("-", "−") for d in figure.data["dependence"]}
    bounds = {float(words.split(" [")[1].rstrip("]").replace("−", "-")) for words in lanes}
    assert bounds == {np.floor(100 * d) for d in figure.data["dependence_bound"]}
    assert said == numbers and "offset −15.0" in said
    legend = {t.get_text() for t in panel.figure.legends[0].get_texts()}
    assert {label for label in legend if "offset" in label} == {"offset (dependence) [bound]"}


def test_each_lane_of_the_ladder_ends_in_its_own_number() -> None:
    figure = charts.offset_ladder(study(), ladder())
    at = {round(t.xy[1], 6): t.get_text() for t in figure.draw().texts if "[" in t.get_text()}
    said = [words.split(" [")[0] for _, words in sorted(at.items())]
    wanted = [
        (f"{100 * row['total']:.1f} %", f"offset {100 * row['dependence']:+.1f}")
        for _, row in figure.data.iterrows()
    ]
    assert said == [words.replace("-", "−") for pair in wanted for words in pair]


def test_ladder_groups_long_books_apart_and_leaves_out_drawn_ones() -> None:
    rows = charts.offset_ladder(study(), ladder()).data
    assert rows["group"].tolist() == ["All legs on one side"] + 2 * ["Some legs long, others short"]
    assert "random 01" not in rows.index


def test_a_book_without_an_estimate_says_why() -> None:
    nan = float("nan")
    holed = ladder_with(total=nan, diversification=nan, dependence=nan, reason="CME lost nothing")
    figure = charts.offset_ladder(study(), holed)
    panel = figure.draw()
    assert any("CME lost nothing" in t.get_text() for t in panel.texts)
    assert len(panel.patches) == 2 * (len(figure.data) - 1)


def test_ladder_speaks_of_bounds_where_there_are_any() -> None:
    both = charts.offset_ladder(study(), ladder()).caption.footnote
    assert "with a bound above 0 in" in both and "whiskers reach down" in both
    named = ladder().copy()
    named.loc["random 01", ["total_bound", "dependence_bound"]] = np.nan
    words = charts.offset_ladder(study(), named).caption.footnote
    assert "1 random books" in words and "with a bound above 0" not in words
    bare = charts.offset_ladder(study(), named.assign(total_bound=np.nan, dependence_bound=np.nan))
    assert "whiskers" not in bare.caption.footnote
    assert not any(line.get_marker() == "|" for line in bare.draw().lines)


def test_sweep_is_in_percent_of_the_gross_where_it_is_known() -> None:
    sweep = presented.sweep()
    known = charts.treasury_share_sweep(study(), sweep).data["margin"]
    assert np.allclose(known, 100 * sweep["equal_coverage_margin"] / 2e8)
    python = replace(study(), provenance=replace(study().provenance, study={}))
    unknown = charts.treasury_share_sweep(python, sweep)
    assert np.allclose(unknown.data["margin"], sweep["equal_coverage_margin"] / 1e6)
    assert "USD m" in unknown.draw().get_ylabel()


def test_figures_that_a_study_lacks_are_left_out() -> None:
    names = [f.name for f in charts.run_figures(study(), ladder(), presented.sweep())]
    shown = [f.name for f in charts.run_figures(treasury_study(), pd.DataFrame(), None)]
    assert names[::2] == shown == ["coverage_against_cost", "exceedance_timeline"]
    assert names[1::2] == ["offset_ladder", "treasury_share_sweep"]


def test_cost_is_paired_by_path_and_history_is_the_study() -> None:
    mc = distribution()
    data = charts.monte_carlo_frontier(mc, study()).data.set_index(["model", "what"])
    margin, rate = mc.score("mean_margin"), mc.score("exceedance_rate")
    history = study().scores.loc[(slice(None), list(mc.portfolios)), :].groupby("model")
    for m, model in enumerate(mc.models):
        rows = data.loc[model]
        paths = rows.loc[[f"path {path}" for path in range(len(mc.scores))]]
        assert np.allclose(paths["cost"], margin[:, m].sum(axis=1) / margin[:, 0].sum(axis=1))
        assert np.allclose(paths["exceedance_rate"], rate[:, m].mean(axis=1))
        means = history["mean_margin"].sum()
        assert np.isclose(rows.loc[HISTORY, "cost"], means[model] / means["siloed"])
        observed = history["exceedance_rate"].mean()[model]
        assert np.isclose(rows.loc[HISTORY, "exceedance_rate"], observed)
        above = (rate[:, m].mean(axis=1) > 0.01).mean()
        assert np.isclose(rows.loc[MEAN, "over_allowed"], above)
    assert data.loc[("siloed", MEAN), "axis_1_cost"] == 0


def test_outline_holds_95_percent_of_correlated_points() -> None:
    rng = np.random.default_rng(3)
    points = rng.standard_t(3, (2000, 2)) @ np.array([[2.0, 0.0], [1e-3, 5e-4]]).T
    center, axes = outline(points)
    inside = np.hypot(*np.linalg.solve(axes, (points - center).T)) <= 1 + 1e-12
    assert inside.mean() == pytest.approx(0.95, abs=1e-3)


def test_the_table_of_simulated_histories_does_not_claim_the_days_of_history() -> None:
    mc = distribution()
    line = histories_table(mc, list(mc.portfolios)).source_line
    days = mc.score("observations")
    (stated,) = re.findall(r"([\d,]+)(?: to [\d,]+)? scored days a history", line)
    assert int(stated.replace(",", "")) == days.min()
    assert mc.provenance.prices.source in line and "99 % coverage" in line


def test_monte_carlo_draws_the_first_paths_and_says_so() -> None:
    mc = presented.many_paths()
    assert len(mc.scores) > MOST_DOTS
    figure = charts.monte_carlo_frontier(mc, study())
    assert (figure.data["model"] == "var").sum() == MOST_DOTS + 2
    assert f"the first {MOST_DOTS}" in figure.caption.footnote
    assert "240 simulated histories" in figure.caption.footnote
    cost = mc.score("mean_margin").sum(axis=2)
    mean = figure.data.set_index(["model", "what"]).loc[("_haircut", MEAN), "cost"]
    assert np.isclose(mean, (cost[:, 1] / cost[:, 0]).mean())


def test_monte_carlo_says_what_paths_cannot_add() -> None:
    words = charts.monte_carlo_frontier(distribution(), study(), ladder()).caption.footnote
    named = ladder().dropna(subset=["total"]).drop(index="random 01")
    for said in (
        "no information beyond the exceedances observed",
        f"{named['exceedances'].max()} for each pooled book",
        f"worth {named['effective'].min():.0f} to {named['effective'].max():.0f} independent",
        "simulated histories fitted to SIMULATED: random walks",
        "seed 7",
        "StationaryBootstrap(block_size=20)",
    ):
        assert said in words, said
    bare = charts.monte_carlo_frontier(distribution(), study()).caption.footnote
    assert "exceedances observed in it. Source" in bare


def test_of_many_books_the_worst_are_shown_and_said(small_market):
    """Of 300 accounts the first twenty in the file were drawn, without a word."""
    names = [f"calm {n}" for n in range(20)] + [f"coin {n}" for n in range(4)]
    frame = pd.DataFrame({"UST2Y": 1e6, "BTC": 0.0}, index=names)
    frame.loc[names[20:], "BTC"] = [1e6, 2e6, 3e6, 4e6]
    book = bt.Book.from_frame(frame, small_market)
    models = {"rates": st.HaircutOnly(haircuts={"UST2Y": 0.02, "BTC": 0.02})}
    many = bt.run(small_market, book, models, audit=False)
    figure = charts.exceedance_timeline(many)
    assert set(figure.data["portfolio"]) == set(names[20:])
    labels = [label.get_text() for label in figure.draw().get_yticklabels()]
    assert labels == names[:16] + names[20:]
    said = "20 worst of 24 books, by evidence against the coverage."
    assert said in figure.caption.footnote
    offsets = pd.DataFrame(
        {"total": 0.3, "diversification": 0.2, "dependence": np.linspace(0.24, 0.01, 24)},
        index=names,
    )
    figure = charts.offset_ladder(many, offsets)
    assert list(figure.data.index) == labels  # the books of the timeline, and of the tables
    assert said in figure.caption.footnote
