"""Figures of the offset study: the words and numbers that only they have."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from backtest import charts
from backtest.present.lettering import drawable
from backtest.studies.offset.steps_by_day import steps_by_regime
from tests.support.presented import HOSTILE, LONG, OFFSET_BOOKS, book_of, market
from tests.support.presented import offset_study as study

WORDS = ["date", "portfolio", "model", "required"]


def test_risk_matched_books_come_first_and_four_fit() -> None:
    shown = study().ranked.panels(study().provenance.books, OFFSET_BOOKS)
    assert shown == [HOSTILE, *[name for name in OFFSET_BOOKS if name != HOSTILE][:3]]
    for figure in (charts.granted_against_supported(study()), charts.steps_from_gross(study())):
        assert study().ranked.panels(study().provenance.books, figure.data["portfolio"]) == shown
        assert len(figure.draw().figure.axes) == 4
    said = "4 of 5 books are drawn, risk-matched ones first."
    assert charts.stressed_ladder(study()).caption.footnote.startswith(said)


def test_stresses_are_marked_where_their_bound_is_above_zero_and_only_dependence_is_offset() -> (
    None
):
    figure = charts.stressed_ladder(study())
    sheet = figure.draw().figure
    assert figure.data["stress"].iloc[0] == "as observed"
    for value, marker in (("dependence", "s"), ("total", "D")):
        points = [x for panel in sheet.axes for x in panel.lines if x.get_marker() == marker]
        full = [to_hex(point.get_markerfacecolor()) != "#ffffff" for point in points]
        assert full == (figure.data[f"{value}_bound"] > 0).tolist()
    said = [text.get_text() for text in sheet.texts[1:] if "offset" in text.get_text()]
    others = (drawable(figure.caption.footnote), figure.caption.measure)
    said = [words for words in said if words.replace("\n", " ") not in others]
    assert said == ["offset (dependence), % of the silos' margins"]


def test_a_stress_without_estimates_says_so() -> None:
    table = study().stresses.copy()
    table.loc[("MPOR 5", LONG)] = np.nan
    holed = charts.stressed_ladder(replace(study(), stresses=table))
    said = [t.get_text() for panel in holed.draw().figure.axes for t in panel.texts]
    assert said == ["not estimable"] * 2
    dropped = replace(study(), stresses=study().stresses.drop(index=("MPOR 5", LONG)))
    assert charts.stressed_ladder(dropped).data.equals(holed.data)


def test_specifications_that_are_the_same_days_count_once() -> None:
    table = study().specifications
    twice = pd.concat([table, table.assign(window="first half of all")], ignore_index=True)
    data = charts.specification_curve(replace(study(), specifications=twice)).data
    keys = ["portfolio", "lookback", "mpor", "start", "observations"]
    assert not data.duplicated(keys).any()
    assert len(data) == len(table[keys].drop_duplicates())
    # The second start comes before the first day that could be scored: it is no other choice.
    assert set(data["first_day"]) == {"earliest possible", "2020-03-02"}
    for book, rows in data.groupby("portfolio"):
        assert rows["dependence"].is_monotonic_increasing and rows["own"].sum() == 1
        settings = rows[rows["own"]].iloc[0]
        assert np.isclose(settings["dependence"], study().ladder.loc[book, "dependence"])


def test_share_of_bounds_above_zero_is_counted() -> None:
    table = study().specifications
    lowest = charts.specification_curve(study()).data.groupby("portfolio", sort=False).head(1)
    keys = ["portfolio", "lookback", "mpor", "start", "observations"]
    chosen = table[keys].apply(tuple, axis=1).isin(lowest[keys].apply(tuple, axis=1))
    table = table.assign(dependence_bound=np.where(chosen, 0.01, -0.1))
    figure = charts.specification_curve(replace(study(), specifications=table))
    n = int((figure.data["portfolio"] == lowest["portfolio"].iloc[0]).sum())
    assert figure.draw().get_title().endswith(f"bound above 0 in 1 of {n} ({100 / n:.0f} %)")


def test_a_footnote_names_the_days_of_stress_that_are_marked() -> None:
    words = charts.granted_against_supported(study()).caption.footnote
    assert "March 2020" in words and "May 2021" not in words and "as they happened" in words
    assert "from the 150 scored days whose losses were known" in words


def test_steps_of_each_day_lead_from_gross_to_the_requirement() -> None:
    data = charts.steps_from_gross(study()).data
    assert list(dict.fromkeys(data["model"])) == ["offset"]
    assert np.allclose(1 + data.drop(columns=WORDS).sum(axis=1), data["required"])
    for book, rows in data.groupby("portfolio"):
        steps = study().steps_by_day["offset", str(book)]
        assert np.allclose(rows.set_index("date")["required"], steps["required"] / steps["gross"])


def test_titles_are_of_all_books_where_four_are_drawn() -> None:
    """As in the tables beside them: a book that is not drawn counts, and means are the table's."""
    result = study()
    drawn = set(charts.stressed_ladder(result).data["portfolio"])
    (absent,) = set(OFFSET_BOOKS) - drawn
    stresses = result.stresses.copy()
    stresses["dependence_bound"] = -0.1
    stresses.loc[pd.IndexSlice[:, absent], "dependence_bound"] = 0.1
    stresses.loc[(stresses.index[-1][0], absent), "dependence"] = -0.777
    caption = charts.stressed_ladder(replace(result, stresses=stresses)).caption
    assert "an offset in 1 of 5 books as observed" in caption.title
    assert caption.measure.endswith("(4 of 5 books drawn; title: all)")
    assert f"−77.7 % (lower bound +10.0 %), is that of a book not drawn, {absent}" in (
        caption.footnote
    )
    granted = charts.granted_against_supported(result).caption
    assert granted.title.endswith("over 5 books") and "4 of 5 books drawn" in granted.measure
    steps = charts.steps_from_gross(result).caption
    table = steps_by_regime(result.steps_by_day, market(), book_of(OFFSET_BOOKS))
    table = table[(table["model"] == "offset") & (table["regime"] == "all days")]
    shares = table.pivot_table(index="portfolio", columns="step", values="share_of_gross")
    assert len(shares) == 5
    ends = [f"{100 * end:.1f}" for end in shares["required"].agg(["min", "max"])]
    assert f"offset model: {ends[0]} to {ends[1]} % of the silos' own margins" in steps.title


def test_days_without_gross_margin_and_steps_never_taken_are_left_out() -> None:
    dates = pd.date_range("2024-01-02", periods=3, name="date")
    table = {"gross": [0.0, 10, 10], "offset": [0.0, -2, 0], "cap": 0.0, "required": [0, 8, 10]}
    steps = {("offset", "book"): pd.DataFrame(table, index=dates)}
    data = charts.steps_from_gross(replace(study(), steps_by_day=steps)).data
    assert data.columns.tolist() == ["date", "portfolio", "model", "offset", "required"]
    assert data["required"].tolist() == [0.8, 1.0] and data["offset"].tolist() == [-0.2, 0.0]


def test_offset_figures_without_rows_are_left_out() -> None:
    none = pd.DataFrame()
    empty = replace(study(), stresses=none, specifications=none, credit=none, steps_by_day={})
    assert charts.offset_figures(empty) == () and len(charts.offset_figures(study())) == 4
