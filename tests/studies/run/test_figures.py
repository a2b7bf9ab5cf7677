"""Figures of a run: what they show is what was scored."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtest import charts
from backtest.market.episodes import stress_days
from backtest.studies.run.figures.coverage_cost import POOLED
from backtest.studies.run.figures.monte_carlo import HISTORY, MEAN, MOST_DOTS, outline
from tests.support import presented


def test_timeline_shows_every_exceedance_of_named_books() -> None:
    study = presented.study()
    data = charts.exceedance_timeline(study).data
    summary = study.summary()
    assert "random 01" not in set(data["portfolio"])
    for (model, portfolio), row in summary.iterrows():
        own = data[(data["model"] == model) & (data["portfolio"] == portfolio)]
        assert len(own) == (0 if portfolio == "random 01" else row["exceedances"])
    assert (data["loss"] > data["required"]).all()
    panel = charts.exceedance_timeline(study).draw()
    marks = sum(len(c.get_offsets()) for c in panel.collections)
    assert marks == len(data)


def test_timeline_names_the_stress_days_that_its_prices_hold() -> None:
    study = presented.study()
    inside = stress_days()[(stress_days() >= study.scored[0]) & (stress_days() <= study.scored[-1])]
    assert 0 < len(inside) < len(stress_days()) == 10

    def words(**data: object) -> set[str]:
        prices = replace(study.provenance.prices, **data)
        shown = replace(study, provenance=replace(study.provenance, data=prices))
        return {t.get_text() for t in charts.exceedance_timeline(shown).draw().texts}

    assert words(simulated=False) == {"2020-03-09 to 16"}
    assert words(simulated=True, source="SIMULATED: a path") == set()
    laid_over = "SIMULATED: a path, ten real stress days of 2020-2025 laid over"
    assert words(simulated=True, source=laid_over) == {"2020-03-09 to 16"}


def test_pooled_points_are_means_of_books_and_lie_in_their_intervals() -> None:
    study = presented.study()
    data = charts.coverage_against_cost(study).data
    for model, rows in data.groupby("model"):
        pooled = rows[rows["portfolio"] == POOLED].iloc[0]
        books = rows[rows["portfolio"] != POOLED]
        assert len(books) == len(presented.BOOKS)
        assert np.isclose(pooled["exceedance_rate"], books["exceedance_rate"].mean())
        low, high = pooled["exceedance_rate_low"], pooled["exceedance_rate_high"]
        assert low <= pooled["exceedance_rate"] <= high or pooled["exceedance_rate"] == 0
        if model == "siloed":
            assert np.allclose(rows["cost"], 1) and np.allclose(rows["equal_coverage"], 1)
        saving = study.summary().loc[model, "saving_vs_siloed"]
        assert np.allclose(books.set_index("portfolio")["cost"], 1 - saving)


def test_without_a_siloed_model_cost_is_in_usd() -> None:
    study = presented.treasury_study()
    data = charts.coverage_against_cost(study).data.set_index("portfolio")
    assert np.isclose(data.loc["long", "cost"], study.summary()["mean_margin"].iloc[0] / 1e6)
    assert "USD m" in charts.coverage_against_cost(study).draw().get_xlabel()


def ladder_with(**values: object) -> pd.DataFrame:
    ladder = presented.ladder().copy()
    for column, value in values.items():
        ladder.loc[presented.HOSTILE, column] = value
    return ladder


def test_negative_dependence_is_drawn_left_of_zero_and_bars_begin_at_zero() -> None:
    ladder = ladder_with(total=0.10, diversification=0.25, dependence=-0.15, dependence_bound=-0.31)
    panel = charts.offset_ladder(presented.study(), ladder).draw()
    assert all(bar.get_x() == 0 for bar in panel.patches)
    assert min(bar.get_width() for bar in panel.patches) == pytest.approx(-15)
    assert panel.get_xlim()[0] < -31
    ends = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "|"]
    assert min(ends) == pytest.approx(-31)
    assert "offset −15.0" in {t.get_text() for t in panel.texts}


def test_only_dependence_is_called_offset() -> None:
    ladder = ladder_with(total=0.40, diversification=0.25, dependence=0.15)
    panel = charts.offset_ladder(presented.study(), ladder).draw()
    said = {t.get_text() for t in panel.texts if "offset" in t.get_text()}
    rows = charts.offset_ladder(presented.study(), ladder).data
    numbers = {f"offset {100 * d:+.1f}".replace("-", "−") for d in rows["dependence"]}
    assert said == numbers
    legend = {t.get_text() for t in panel.figure.legends[0].get_texts()}
    assert {label for label in legend if "offset" in label} == {"offset (dependence)"}


def test_ladder_groups_long_books_apart_and_leaves_out_drawn_ones() -> None:
    rows = charts.offset_ladder(presented.study(), presented.ladder()).data
    assert rows["group"].tolist() == ["All legs on one side"] + 2 * ["Some legs long, others short"]
    assert "random 01" not in rows.index


def test_a_book_without_an_estimate_says_why() -> None:
    nan = float("nan")
    ladder = ladder_with(total=nan, diversification=nan, dependence=nan, reason="CME lost nothing")
    panel = charts.offset_ladder(presented.study(), ladder).draw()
    assert any("CME lost nothing" in t.get_text() for t in panel.texts)
    assert len(panel.patches) == 2 * (len(charts.offset_ladder(presented.study(), ladder).data) - 1)


def test_ladder_counts_bounds_of_random_books_only_where_there_are_any() -> None:
    study, ladder = presented.study(), presented.ladder()
    said = charts.offset_ladder(study, ladder).caption.footnote
    assert "with a bound above 0 in" in said
    named = ladder.copy()
    named.loc["random 01", ["total_bound", "dependence_bound"]] = np.nan
    words = charts.offset_ladder(study, named).caption.footnote
    assert "1 random books" in words and "with a bound above 0" not in words
    assert "whiskers reach down" in words


def test_a_book_without_a_bound_has_no_whisker() -> None:
    study, ladder = presented.study(), presented.ladder().copy()

    def ends(table: pd.DataFrame) -> int:
        return sum(
            line.get_marker() == "|" for line in charts.offset_ladder(study, table).draw().lines
        )

    before = ends(ladder)
    ladder.loc[presented.HOSTILE, "dependence_bound"] = np.nan
    assert ends(ladder) == before - 1
    ladder[["total_bound", "dependence_bound"]] = np.nan
    assert ends(ladder) == 0
    assert "whiskers" not in charts.offset_ladder(study, ladder).caption.footnote


def test_sweep_is_in_percent_of_the_gross_where_it_is_known() -> None:
    study, sweep = presented.study(), presented.sweep()
    known = charts.treasury_share_sweep(study, sweep).data["margin"]
    assert np.allclose(known, 100 * sweep["equal_coverage_margin"] / 2e8)
    python = replace(study, provenance=replace(study.provenance, study={}))
    unknown = charts.treasury_share_sweep(python, sweep).data["margin"]
    assert np.allclose(unknown, sweep["equal_coverage_margin"] / 1e6)
    assert "USD m" in charts.treasury_share_sweep(python, sweep).draw().get_ylabel()


def test_footnotes_say_source_window_n_standard_and_models() -> None:
    study = presented.study()
    for figure in charts.run_figures(study, presented.ladder(), presented.sweep()):
        window = study.provenance.scored
        for words in (
            "SIMULATED: random walks",
            window.first_scored,
            window.last_scored,
            f"n = {window.observations}",
            "99 %",
            "MPOR of 2 margin days",
            "rebalanced daily",
            "siloed (Siloed)",
            "var (HistoricalVaR)",
        ):
            assert words in figure.caption.footnote


def test_figures_that_a_study_lacks_are_left_out() -> None:
    study = presented.study()
    names = [f.name for f in charts.run_figures(study, presented.ladder(), presented.sweep())]
    shown = [f.name for f in charts.run_figures(presented.treasury_study(), pd.DataFrame(), None)]
    assert names[::2] == shown == ["coverage_against_cost", "exceedance_timeline"]
    assert names[1::2] == ["offset_ladder", "treasury_share_sweep"]


def test_cost_is_paired_by_path_and_history_is_the_study() -> None:
    study, mc = presented.study(), presented.distribution()
    data = charts.monte_carlo_frontier(mc, study).data.set_index(["model", "what"])
    books = list(mc.portfolios)
    margin, rate = mc.score("mean_margin"), mc.score("exceedance_rate")
    for m, model in enumerate(mc.models):
        for path in range(len(mc.scores)):
            row = data.loc[(model, f"path {path}")]
            assert np.isclose(row["cost"], margin[path, m].sum() / margin[path, 0].sum())
            assert np.isclose(row["exceedance_rate"], rate[path, m].mean())
        past = study.scores.loc[model].loc[books]
        siloed = study.scores.loc["siloed"].loc[books]
        row = data.loc[(model, HISTORY)]
        assert np.isclose(row["cost"], past["mean_margin"].sum() / siloed["mean_margin"].sum())
        assert np.isclose(row["exceedance_rate"], past["exceedance_rate"].mean())
        above = (rate[:, m].mean(axis=1) > 0.01).mean()
        assert np.isclose(data.loc[(model, MEAN), "over_allowed"], above)
    assert data.loc[("siloed", MEAN), "axis_1_cost"] == 0


def test_outline_holds_95_percent_of_correlated_points() -> None:
    rng = np.random.default_rng(3)
    points = rng.standard_t(3, (2000, 2)) @ np.array([[2.0, 0.0], [1e-3, 5e-4]]).T
    center, axes = outline(points)
    inside = np.hypot(*np.linalg.solve(axes, (points - center).T)) <= 1 + 1e-12
    assert inside.mean() == pytest.approx(0.95, abs=1e-3)


def test_monte_carlo_draws_the_first_paths_and_says_so() -> None:
    mc = presented.many_paths()
    assert len(mc.scores) > MOST_DOTS
    data = charts.monte_carlo_frontier(mc, presented.study()).data
    assert (data["model"] == "var").sum() == MOST_DOTS + 2
    words = charts.monte_carlo_frontier(mc, presented.study()).caption.footnote
    assert f"the first {MOST_DOTS}" in words and "240 simulated histories" in words
    own = data[(data["model"] == "_haircut") & (data["what"] == MEAN)].iloc[0]
    cost = mc.score("mean_margin").sum(axis=2)
    assert np.isclose(own["cost"], (cost[:, 1] / cost[:, 0]).mean())


def test_monte_carlo_says_what_paths_cannot_add() -> None:
    study, ladder = presented.study(), presented.ladder()
    words = charts.monte_carlo_frontier(presented.distribution(), study, ladder).caption.footnote
    named = ladder.dropna(subset=["total"]).drop(index="random 01")
    for said in (
        "no information beyond the exceedances observed",
        f"{named['exceedances'].max()} for each pooled book",
        f"worth {named['effective'].min():.0f} to {named['effective'].max():.0f} independent",
        "simulated histories fitted to SIMULATED: random walks",
        "seed 7",
        "99 %",
        "MPOR of 2 margin days",
        "StationaryBootstrap(block_size=20)",
    ):
        assert said in words, said
    bare = charts.monte_carlo_frontier(presented.distribution(), study).caption.footnote
    assert "exceedances observed in it. Source" in bare


def test_without_a_siloed_model_monte_carlo_cost_is_in_usd() -> None:
    study = presented.study()
    python = replace(study, provenance=replace(study.provenance, siloed_model=None))
    panel = charts.monte_carlo_frontier(presented.distribution(), python).draw()
    assert panel.get_xlabel() == "mean margin, USD m"
    data = charts.monte_carlo_frontier(presented.distribution(), python).data
    cost = data[(data["model"] == "var") & (data["what"] == "path 0")]["cost"].iloc[0]
    assert np.isclose(cost, presented.distribution().score("mean_margin")[0, 2].mean() / 1e6)
