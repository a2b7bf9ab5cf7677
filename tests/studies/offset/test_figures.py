"""Figures of the offset study: what they show is what was estimated."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from backtest import charts
from backtest.present.style import OFFSET
from backtest.studies.ranked import ranked_books
from tests.support.presented import HOSTILE, LONG, OFFSET_BOOKS
from tests.support.presented import offset_study as study

WORDS = ["date", "portfolio", "model", "required"]


def test_risk_matched_books_come_first_and_four_fit() -> None:
    shown = ranked_books(study().provenance.books, OFFSET_BOOKS)
    assert shown[0] == HOSTILE and len(shown) == 4
    assert shown[1:] == [name for name in OFFSET_BOOKS if name != HOSTILE][:3]
    assert (
        "not drawn but in the study's table: 1" in charts.stressed_ladder(study()).caption.footnote
    )


def test_stressed_points_whiskers_and_fill_are_the_table() -> None:
    data = charts.stressed_ladder(study()).data
    panels = charts.stressed_ladder(study()).draw().figure.axes
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
    figure = charts.stressed_ladder(study()).draw().figure
    footnote = charts.stressed_ladder(study()).caption.footnote
    said = [
        t.get_text()
        for t in figure.texts[1:]
        if "offset" in t.get_text() and t.get_text().replace("\n", " ") != footnote
    ]
    assert said == ["offset (dependence), percentage points"]


def test_a_stress_without_estimates_says_so() -> None:
    table = study().stresses.copy()
    table.loc[("MPOR 5", LONG)] = np.nan
    holed = replace(study(), stresses=table)
    panels = charts.stressed_ladder(holed).draw().figure.axes
    missing = [t.get_text() for panel in panels for t in panel.texts]
    assert missing == ["not estimable"] * 2
    dropped = replace(study(), stresses=study().stresses.drop(index=("MPOR 5", LONG)))
    assert charts.stressed_ladder(dropped).data.equals(charts.stressed_ladder(holed).data)


def test_specifications_that_are_the_same_days_count_once() -> None:
    table = study().specifications
    twice = pd.concat([table, table.assign(window="first half of all")], ignore_index=True)
    data = charts.specification_curve(replace(study(), specifications=twice)).data
    keys = ["portfolio", "lookback", "mpor", "start", "observations"]
    assert not data.duplicated(keys).any()
    assert len(data) == len(table[keys].drop_duplicates())
    # The second start comes before the first day that could be scored: it is no other choice.
    assert set(data["first_day"]) == {"earliest possible", "2020-03-02"}
    for _, own in data.groupby("portfolio"):
        assert own["dependence"].is_monotonic_increasing
        assert own["own"].sum() == 1
        settings = own[own["own"]].iloc[0]
        ladder = study().ladder.loc[settings["portfolio"]]
        assert np.isclose(settings["dependence"], ladder["dependence"])


def test_share_of_bounds_above_zero_is_counted() -> None:
    table = study().specifications.assign(dependence_bound=-0.1)
    first = table["portfolio"].iloc[0]
    distinct = charts.specification_curve(replace(study(), specifications=table)).data
    n = int((distinct["portfolio"] == first).sum())
    row = distinct[distinct["portfolio"] == first].index[-1]
    chosen = distinct.loc[row, ["portfolio", "lookback", "mpor", "start", "observations"]]
    table.loc[(table[chosen.index] == chosen).all(axis=1), "dependence_bound"] = 0.01
    panel = charts.specification_curve(replace(study(), specifications=table)).draw()
    assert panel.get_title().endswith(f"bound above 0 in 1 of {n} ({100 / n:.0f} %)")


def test_each_specification_has_a_dot_at_each_of_its_choices() -> None:
    data = charts.specification_curve(study()).data
    curve, grid = charts.specification_curve(study()).draw().figure.axes[:2]
    own = data[data["portfolio"] == data["portfolio"].iloc[0]]
    estimates = [line for line in curve.lines if to_hex(line.get_color()) == OFFSET.lower()]
    assert np.allclose(estimates[0].get_ydata(), 100 * own["dependence"])
    dots = [line for line in grid.lines if line.get_marker() == "o"]
    placed = np.concatenate([line.get_xdata() for line in dots])
    assert np.array_equal(np.bincount(placed.astype(int)), np.full(len(own), 4))


def test_granted_lines_are_the_table() -> None:
    data = charts.granted_against_supported(study()).data
    panels = charts.granted_against_supported(study()).draw().figure.axes
    books = ranked_books(study().provenance.books, data["portfolio"])
    assert len(panels) == len(books) == 4
    for panel, book in zip(panels, books, strict=True):
        drawn = {tuple(np.round(line.get_ydata(), 9)) for line in panel.lines}
        for _, series in data[data["portfolio"] == book].groupby("series"):
            assert tuple(np.round(100 * series["share"].to_numpy(), 9)) in drawn
    words = charts.granted_against_supported(study()).caption.footnote
    assert "March 2020" in words and "May 2021" not in words and "as they happened" in words
    assert "from the 150 scored days whose losses were known" in words


def test_steps_of_each_day_lead_from_gross_to_the_requirement() -> None:
    data = charts.steps_from_gross(study()).data
    assert list(dict.fromkeys(data["model"])) == ["offset"]
    assert np.allclose(1 + data.drop(columns=WORDS).sum(axis=1), data["required"])
    book = str(data["portfolio"].iloc[-1])
    steps = study().steps_by_day["offset", book]
    own = data[data["portfolio"] == book].set_index("date")
    assert np.allclose(own["required"], steps["required"] / steps["gross"])


def test_panels_are_the_books_and_their_lines_the_requirement() -> None:
    data = charts.steps_from_gross(study()).data
    panels = charts.steps_from_gross(study()).draw().figure.axes
    books = ranked_books(study().provenance.books, data["portfolio"])
    assert len(panels) == len(books) == 4
    for panel, book in zip(panels, books, strict=True):
        own = data[data["portfolio"] == book]
        lines = [line.get_ydata() for line in panel.lines if len(line.get_xdata()) == len(own)]
        assert np.allclose(lines[0], 100 * own["required"])
        ends = np.concatenate(
            [path.vertices[:, 1] for band in panel.collections for path in band.get_paths()]
        )
        assert all(isinstance(band, PolyCollection) for band in panel.collections)
        lowest = 100 * (1 + own.drop(columns=WORDS).cumsum(axis=1)).to_numpy()
        assert np.isclose(ends.max(), max(100.0, lowest.max())) and np.isclose(
            ends.min(), lowest.min()
        )


def test_days_without_gross_margin_and_steps_never_taken_are_left_out() -> None:
    dates = pd.date_range("2024-01-02", periods=3, name="date")
    steps = pd.DataFrame(
        {
            "gross": [0.0, 10.0, 10.0],
            "offset": [0.0, -2.0, 0.0],
            "cap": 0.0,
            "required": [0, 8, 10],
        },
        index=dates,
    )
    data = charts.steps_from_gross(replace(study(), steps_by_day={("offset", "book"): steps})).data
    assert data.columns.tolist() == ["date", "portfolio", "model", "offset", "required"]
    assert data["required"].tolist() == [0.8, 1.0] and data["offset"].tolist() == [-0.2, 0.0]


def test_footnotes_of_offset_figures_say_what_they_rest_on() -> None:
    n = int(study().ladder["observations"].max())
    for figure in charts.offset_figures(study()):
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
            assert words in figure.caption.footnote, words
        assert len(figure.caption.alt) > 200


def test_offset_figures_without_rows_are_left_out() -> None:
    none = pd.DataFrame()
    empty = replace(study(), stresses=none, specifications=none, credit=none, steps_by_day={})
    assert charts.offset_figures(empty) == () and len(charts.offset_figures(study())) == 4
