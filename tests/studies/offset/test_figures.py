"""Figures of the offset study and of Monte Carlo: what they show, and that nothing is cut off."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import backtest as bt
import strategies as st
from backtest import charts
from backtest.offset import granted_and_supported, specification_curve, stressed_ladder
from backtest.present.labels import fitted_label, ranked_books
from backtest.present.sheet import OFFSET
from backtest.replay.distribution import COLUMNS, Distribution
from backtest.studies.offset.steps_by_day import steps_by_day
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.run.figures.monte_carlo import HISTORY, MEAN, MOST_DOTS, outline
from backtest.types import ResultsError
from tests.studies.run.test_figures import (
    test_no_text_is_cut_off_or_covered_or_small as assert_text_fits,
)
from tests.support import presented
from tests.support.markets import random_market

LONG = "long BTC, long 10Y, with a name that goes on for longer than any label"
BOOKS = {
    LONG: {"UST10Y": 5e7, "BTC": 5e6},
    "WWWWWWWWWWWWWWWWWWWWWWWWWWW WWWWWWWW": {"UST10Y": -5e7, "BTC": 5e6},
    presented.HOSTILE: {"UST5Y": 5e7, "BTC": -5e6},
    "_$a$ & 'b'": {"UST10Y": 8e7, "UST5Y@CME": -8e7},
    "crowded out": {"UST2Y": 5e7, "ETH": 5e6},
}
RISK_MATCHED = presented.HOSTILE
LOOKBACK = 100


@functools.cache
def found() -> OffsetStudy:
    """A small offset study of a simulated market, as the command line makes it."""
    market, coverage = random_market(420, seed=11, start="2019-06-03"), bt.Coverage()
    frame = pd.DataFrame.from_dict(BOOKS, orient="index").fillna(0.0)
    book, base = bt.Book.from_frame(frame, market), st.HistoricalVaR(lookback=LOOKBACK)
    models = {
        "siloed": st.Siloed(base=base),
        "offset": st.CorrelationOffset(base=base, lookback=LOOKBACK),
        "_var": base,
    }
    study = {
        "books": {name: {"risk": {"BTC": 1.0} if name == RISK_MATCHED else None} for name in BOOKS},
        "coverage": {"confidence": 0.99, "mpor": 2},
        "rebalance": "daily",
        "models": {
            "siloed": {"kind": "siloed"},
            "offset": {"kind": "correlation_offset"},
            "_var": {"kind": "historical_var"},
        },
        "sizing": {"kind": "historical_var", "lookback": LOOKBACK},
    }
    return OffsetStudy(
        market=market,
        ladder=bt.supportable_offset(market, book, base=base, resamples=20).to_frame(),
        stressed=stressed_ladder(
            market, book, base=base, coverage=coverage, resamples=20, longer_mpor=(5,)
        ),
        specifications=specification_curve(
            market,
            book.select([0, 1]),
            base=lambda lookback: st.HistoricalVaR(lookback=lookback),
            coverage=coverage,
            lookbacks=(50, LOOKBACK),
            mpors=(1, 2),
            windows=(None, 150, 1000),
            starts=(None, "2019-07-01", "2020-03-01"),
            resamples=20,
        ),
        granted=granted_and_supported(
            market,
            book,
            {name: models[name] for name in ("offset", "_var")},
            base=base,
            coverage=coverage,
            window=150,
        ),
        just_covering=pd.DataFrame(),
        steps_by_day=steps_by_day(
            market, book, {name: models[name] for name in ("offset", "_var")}, coverage=coverage
        ),
        text="",
        manifest={
            "data": {
                "source": market.source,
                "simulated": True,
                "first": str(market.dates[0]),
                "last": str(market.dates[-1]),
            },
            "study": study,
            "base": repr(base),
            "seed": 5,
            "software": {"margin-backtest": "0.1.0", "commit": "c" * 40, "dirty": True},
        },
    )


def real(study: OffsetStudy) -> OffsetStudy:
    """The same tables as if the prices were real."""
    manifest = study.manifest | {
        "data": study.manifest["data"] | {"source": "x", "simulated": False}
    }
    return replace(study, market=replace(study.market, simulated=False), manifest=manifest)


@functools.cache
def distribution(paths: int = 4) -> Distribution:
    study = presented.study()
    market = random_market(420, seed=11, start="2019-06-03")
    frame = pd.DataFrame.from_dict(presented.BOOKS, orient="index").fillna(0.0)
    models = {
        "siloed": st.Siloed(base=st.HistoricalVaR(lookback=100)),
        "_haircut": st.HaircutOnly(schedules=("cme_2014", "cftc_pilot_2025")),
        "var": st.HistoricalVaR(lookback=100),
    }
    assert tuple(models) == tuple(study.models)
    book = bt.Book.from_frame(frame, market)
    simulator = bt.StationaryBootstrap(block_size=20)
    return bt.monte_carlo(simulator, market, book.select([0, 1, 2]), models, paths=paths, seed=7)


def many_paths() -> Distribution:
    """The four paths over and over, the cost of one model moved a little each time."""
    few = distribution()
    scores = np.tile(few.scores, (60, 1, 1, 1))
    rng = np.random.default_rng(0)
    scores[:, 1, :, COLUMNS.index("mean_margin")] *= rng.uniform(0.8, 1.2, (len(scores), 1))
    return replace(few, scores=scores)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    one = found()
    single = replace(
        one,
        stressed=one.stressed.loc[(slice(None), [LONG]), :],
        specifications=one.specifications[one.specifications["portfolio"] == LONG],
        granted=one.granted[one.granted["portfolio"] == LONG],
    )
    study, ladder = presented.study(), presented.ladder()
    axes = {
        f"{draw.__name__} of {words}": draw(which)
        for draw in (
            charts.stressed_ladder,
            charts.specification_curve,
            charts.granted_against_supported,
            charts.steps_from_gross,
        )
        for words, which in (("many", one), ("one book", single), ("real prices", real(one)))
    }
    axes["monte carlo"] = charts.monte_carlo_frontier(distribution(), study, ladder=ladder)
    axes["monte carlo, many paths"] = charts.monte_carlo_frontier(many_paths(), study)
    return {name: panel.figure for name, panel in axes.items()}


def write_offsets(folder: Path, made: OffsetStudy) -> list[charts.FigureFiles]:
    return charts.write_drawings(
        folder, charts.offset_drawings(made), simulated=made.market.simulated
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[charts.FigureFiles]:
    folder = tmp_path_factory.mktemp("offset")
    return [
        *write_offsets(folder, found()),
        charts.write_monte_carlo_figure(
            folder, distribution(), presented.study(), presented.ladder()
        ),
    ]


def test_text_of_offset_figures_fits(figures: dict[str, Figure]) -> None:
    assert_text_fits(figures)
    assert {figure.get_figwidth() for figure in figures.values()} == {6.5}


def test_simulated_prices_are_marked_and_monte_carlo_always_is(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        marks = [t.get_text() for t in figure.texts if t.get_gid() == "watermark"]
        assert marks == ([] if "real prices" in name else ["SIMULATED"]), name
        assert figure.texts[0].get_text().startswith("SIMULATED") == bool(marks), name


def test_risk_matched_books_come_first_and_four_fit() -> None:
    shown = ranked_books(found(), BOOKS)
    assert shown[0] == RISK_MATCHED and len(shown) == 4
    assert shown[1:] == [name for name in BOOKS if name != RISK_MATCHED][:3]
    assert (
        "not drawn but in the study's table: 1" in charts.stressed_ladder_caption(found()).footnote
    )


def test_stressed_points_whiskers_and_fill_are_the_table() -> None:
    data = charts.stressed_ladder_data(found())
    panels = charts.stressed_ladder(found()).figure.axes
    assert data["stress"].iloc[0] == "as observed"
    books = list(dict.fromkeys(data["portfolio"]))
    assert len(panels) == 2 * len(books)
    for i, book in enumerate(books):
        own = data[data["portfolio"] == book]
        for panel, value in zip(panels[2 * i : 2 * i + 2], ("dependence", "total"), strict=True):
            marker = "s" if value == "dependence" else "D"
            points = [line for line in panel.lines if line.get_marker() == marker]
            ends = [line for line in panel.lines if line.get_marker() == "|"]
            drawn = [line.get_xdata()[0] for line in points]
            assert np.allclose(drawn, 100 * own[value])
            assert np.allclose([e.get_xdata()[0] for e in ends], 100 * own[f"{value}_bound"])
            filled = [to_hex(line.get_markerfacecolor()) != "#ffffff" for line in points]
            assert filled == (own[f"{value}_bound"] > 0).tolist()
            low, high = panel.get_xlim()
            assert low < min(0.0, *(100 * own[f"{value}_bound"])) and high > max(drawn)


def test_only_the_dependence_panels_say_offset() -> None:
    figure = charts.stressed_ladder(found()).figure
    footnote = charts.stressed_ladder_caption(found()).footnote
    said = [
        t.get_text()
        for t in figure.texts[1:]
        if "offset" in t.get_text() and t.get_text().replace("\n", " ") != footnote
    ]
    assert said == ["offset (dependence), percentage points"]


def test_a_stress_without_estimates_says_so() -> None:
    table = found().stressed.copy()
    table.loc[("MPOR 5", LONG)] = np.nan
    holed = replace(found(), stressed=table)
    panels = charts.stressed_ladder(holed).figure.axes
    missing = [t.get_text() for panel in panels for t in panel.texts]
    assert missing == ["not estimable"] * 2
    dropped = replace(found(), stressed=found().stressed.drop(index=("MPOR 5", LONG)))
    assert charts.stressed_ladder_data(dropped).equals(charts.stressed_ladder_data(holed))


def test_specifications_that_are_the_same_days_count_once() -> None:
    table = found().specifications
    twice = pd.concat([table, table.assign(window="first half of all")], ignore_index=True)
    data = charts.specification_curve_data(replace(found(), specifications=twice))
    keys = ["portfolio", "lookback", "mpor", "start", "observations"]
    assert not data.duplicated(keys).any()
    assert len(data) == len(table[keys].drop_duplicates())
    # The second start comes before the first day that could be scored: it is no other choice.
    assert set(data["first_day"]) == {"earliest possible", "2020-03-02"}
    for _, own in data.groupby("portfolio"):
        assert own["dependence"].is_monotonic_increasing
        assert own["own"].sum() == 1
        settings = own[own["own"]].iloc[0]
        ladder = found().ladder.loc[settings["portfolio"]]
        assert np.isclose(settings["dependence"], ladder["dependence"])


def test_share_of_bounds_above_zero_is_counted() -> None:
    table = found().specifications.assign(dependence_bound=-0.1)
    first = table["portfolio"].iloc[0]
    distinct = charts.specification_curve_data(replace(found(), specifications=table))
    n = int((distinct["portfolio"] == first).sum())
    row = distinct[distinct["portfolio"] == first].index[-1]
    chosen = distinct.loc[row, ["portfolio", "lookback", "mpor", "start", "observations"]]
    table.loc[(table[chosen.index] == chosen).all(axis=1), "dependence_bound"] = 0.01
    panel = charts.specification_curve(replace(found(), specifications=table))
    assert panel.get_title().endswith(f"bound above 0 in 1 of {n} ({100 / n:.0f} %)")


def test_each_specification_has_a_dot_at_each_of_its_choices() -> None:
    data = charts.specification_curve_data(found())
    curve, grid = charts.specification_curve(found()).figure.axes[:2]
    own = data[data["portfolio"] == data["portfolio"].iloc[0]]
    estimates = [line for line in curve.lines if to_hex(line.get_color()) == OFFSET.lower()]
    assert np.allclose(estimates[0].get_ydata(), 100 * own["dependence"])
    dots = [line for line in grid.lines if line.get_marker() == "o"]
    placed = np.concatenate([line.get_xdata() for line in dots])
    assert np.array_equal(np.bincount(placed.astype(int)), np.full(len(own), 4))


def test_granted_lines_are_the_table() -> None:
    data = charts.granted_against_supported_data(found())
    panels = charts.granted_against_supported(found()).figure.axes
    books = ranked_books(found(), data["portfolio"])
    assert len(panels) == len(books) == 4
    for panel, book in zip(panels, books, strict=True):
        drawn = {tuple(np.round(line.get_ydata(), 9)) for line in panel.lines}
        for _, series in data[data["portfolio"] == book].groupby("series"):
            assert tuple(np.round(100 * series["share"].to_numpy(), 9)) in drawn
    words = charts.granted_against_supported_caption(found()).footnote
    assert "March 2020" in words and "May 2021" not in words and "as they happened" in words
    known = replace(found(), manifest=found().manifest | {"rolling": {"window": 150}})
    said = charts.granted_against_supported_caption(known).footnote
    assert "from the 150 scored days whose losses were known" in said


def test_cost_is_paired_by_path_and_history_is_the_study() -> None:
    study, mc = presented.study(), distribution()
    data = charts.monte_carlo_frontier_data(mc, study).set_index(["model", "what"])
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
    mc = many_paths()
    assert len(mc.scores) > MOST_DOTS
    data = charts.monte_carlo_frontier_data(mc, presented.study())
    assert (data["model"] == "var").sum() == MOST_DOTS + 2
    words = charts.monte_carlo_frontier_caption(mc, presented.study()).footnote
    assert f"the first {MOST_DOTS}" in words and "240 simulated histories" in words
    own = data[(data["model"] == "_haircut") & (data["what"] == MEAN)].iloc[0]
    cost = mc.score("mean_margin").sum(axis=2)
    assert np.isclose(own["cost"], (cost[:, 1] / cost[:, 0]).mean())


def test_monte_carlo_says_what_paths_cannot_add() -> None:
    study, ladder = presented.study(), presented.ladder()
    words = charts.monte_carlo_frontier_caption(distribution(), study, ladder=ladder).footnote
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
    bare = charts.monte_carlo_frontier_caption(distribution(), study).footnote
    assert "exceedances observed in it. Source" in bare


def test_without_a_siloed_model_monte_carlo_cost_is_in_usd() -> None:
    study = presented.study()
    python = replace(study, manifest=study.manifest | {"siloed_model": None})
    panel = charts.monte_carlo_frontier(distribution(), python)
    assert panel.get_xlabel() == "mean margin, USD m"
    data = charts.monte_carlo_frontier_data(distribution(), python)
    cost = data[(data["model"] == "var") & (data["what"] == "path 0")]["cost"].iloc[0]
    assert np.isclose(cost, distribution().score("mean_margin")[0, 2].mean() / 1e6)


def test_footnotes_of_offset_figures_say_what_they_rest_on() -> None:
    n = int(found().ladder["observations"].max())
    for caption in (
        charts.stressed_ladder_caption(found()),
        charts.specification_curve_caption(found()),
        charts.granted_against_supported_caption(found()),
        charts.steps_from_gross_caption(found()),
    ):
        for words in (
            "SIMULATED: random walks",
            "2019-06-03",
            f"n = {n} days",
            "99 %",
            "MPOR of 2 margin days",
            "HistoricalVaR(lookback=100",
            "seed 5",
            "commit cccccccc+",
        ):
            assert words in caption.footnote, words
        assert len(caption.alt) > 200


def test_offset_files_are_the_same_bytes_and_hold_what_is_drawn(
    written: list[charts.FigureFiles], tmp_path: Path
) -> None:
    again = [
        *write_offsets(tmp_path, found()),
        charts.write_monte_carlo_figure(
            tmp_path, distribution(), presented.study(), presented.ladder()
        ),
    ]
    tables = {
        "stressed_ladder": charts.stressed_ladder_data(found()),
        "specification_curve": charts.specification_curve_data(found()),
        "granted_against_supported": charts.granted_against_supported_data(found()),
        "steps_from_gross": charts.steps_from_gross_data(found()),
        "monte_carlo_frontier": charts.monte_carlo_frontier_data(distribution(), presented.study()),
    }
    assert [files.name for files in written] == list(tables)
    for first, second in zip(written, again, strict=True):
        for end in ("svg", "pdf", "png", "csv"):
            assert getattr(first, end).read_bytes() == getattr(second, end).read_bytes(), end
        assert first.caption.alt[:20] in first.svg.read_text()
        content = first.pdf.read_bytes()
        assert b"/FontFile2" in content and b"/Subtype /Type3" not in content
        table, expected = pd.read_csv(first.csv), tables[first.name]
        assert table["simulated"].all() and len(table) == len(expected)
        for column in expected.select_dtypes("float"):
            assert np.allclose(table[column], expected[column], rtol=1e-9, equal_nan=True)


def test_offset_tables_of_real_prices_are_not_marked_simulated(tmp_path: Path) -> None:
    none = pd.DataFrame()
    some = replace(real(found()), granted=none, specifications=none)
    for files in write_offsets(tmp_path, some):
        assert not pd.read_csv(files.csv)["simulated"].any()
        assert "SIMULATED" not in files.caption.footnote


def test_offset_figures_without_rows_are_left_out(tmp_path: Path) -> None:
    none = pd.DataFrame()
    empty = replace(found(), stressed=none, specifications=none, granted=none, steps_by_day={})
    assert write_offsets(tmp_path, empty) == []


def test_a_folder_that_cannot_be_made_is_one_line_for_offsets(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ResultsError, match="cannot write figures to .*taken"):
        write_offsets(tmp_path / "taken", found())


def test_ladder_counts_bounds_of_random_books_only_where_there_are_any() -> None:
    study, ladder = presented.study(), presented.ladder()
    said = charts.offset_ladder_caption(study, ladder).footnote
    assert "with a bound above 0 in" in said
    named = ladder.copy()
    named.loc["random 01", ["total_bound", "dependence_bound"]] = np.nan
    words = charts.offset_ladder_caption(study, named).footnote
    assert "1 random books" in words and "with a bound above 0" not in words
    assert "whiskers reach down" in words


def test_a_book_without_a_bound_has_no_whisker() -> None:
    study, ladder = presented.study(), presented.ladder().copy()

    def ends(table: pd.DataFrame) -> int:
        return sum(line.get_marker() == "|" for line in charts.offset_ladder(study, table).lines)

    before = ends(ladder)
    ladder.loc[presented.HOSTILE, "dependence_bound"] = np.nan
    assert ends(ladder) == before - 1
    ladder[["total_bound", "dependence_bound"]] = np.nan
    assert ends(ladder) == 0
    assert "whiskers" not in charts.offset_ladder_caption(study, ladder).footnote


def test_labels_are_broken_to_fit_their_room() -> None:
    assert fitted_label("short", room=2.0, lines=2) == "short"
    narrow = fitted_label("WWWW WWWW WWWW", room=0.7, lines=3)
    assert narrow.splitlines() == ["WWWW"] * 3


@pytest.mark.slow
def test_real_offset_study_fits_its_figures(real_data: Path) -> None:
    from backtest.studies.offset.study import estimate_offsets

    made = estimate_offsets(
        None, data=str(real_data), seed=None, n_jobs=1, progress=lambda what, share: None
    )
    assert_text_fits(
        {
            "stressed": charts.stressed_ladder(made).figure,
            "specification": charts.specification_curve(made).figure,
            "granted": charts.granted_against_supported(made).figure,
            "steps": charts.steps_from_gross(made).figure,
        }
    )
