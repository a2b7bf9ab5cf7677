"""The page of `backtest grid` from rows by hand: its panels, its days, its worst rows."""

from itertools import product

import pandas as pd

from backtest.config.grid import Axis
from backtest.studies.grid.figures import exceedance_rates
from backtest.studies.grid.page import SHOWN, merged_rows, own_days
from backtest.studies.grid.panels import panels_of


def test_a_figure_shows_six_panels_the_worst_first_and_says_of_how_many():
    axes = [Axis(("mpor",), (1, 2)), Axis(("account", "call_lag"), (0, 1, 2, 3, 4, 5, 6))]
    rows = [
        {"mpor": mpor, "account.call_lag": lag, "model": "var", "portfolio": book, "failed": ""}
        | {"coverage_p": abs(lag - 2.1) / 10 + mpor / 100}
        | dict.fromkeys(("exceedance_rate", "exceedance_rate_low"), 0.01)
        | {"exceedance_rate_high": 0.02, "allowed_rate": 0.01, "max_shortfall": 0.0}
        for mpor in (1, 2)
        for lag in range(7)
        for book in ("coin", "random 01")
    ]
    panels = panels_of(pd.DataFrame(rows), axes)
    lags = [int(title.removeprefix("coin, call lag ")) for title in panels.titles]
    assert lags == [2, 3, 1, 4, 0, 5]  # by distance from 2.1; random books have no panels
    figure = exceedance_rates(panels, footnote="", simulated=False)
    assert figure.caption.footnote.startswith("6 worst of 7 panels are shown")
    first = figure.draw()
    assert first.get_title(loc="left") == "coin\ncall lag 2"
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2"]
    assert first.get_ylim()[1] > 2.0  # the whole interval is seen


def test_a_page_says_why_cells_have_days_of_their_own():
    """Of cells that all began on one day it said that a longer look-back warms up for longer."""
    lookback, mpor, start = (Axis((name,), (1, 5)) for name in ("lookback", "mpor", "start"))

    def words(axes, *windows):
        names = ("first_scored", "last_scored", "observations")
        cells = [{"failed": ""} | dict(zip(names, w, strict=True)) for w in windows]
        return own_days([*cells, {"failed": "no days"}], axes)

    one, late, short = (
        *(("2016-01-04", "2016-12-28", 250), ("2016-03-01", "2016-12-28", 210)),
        ("2016-01-04", "2016-12-22", 246),
    )
    assert words([lookback], one, one) == ""
    assert words([lookback], one, late) == (
        "Cells are scored on days of their own, 210 to 250 of them. They begin from 2016-01-04 to "
        "2016-03-01, as models warm up for longer or less long; with score_from at the last of "
        "these days all begin on one."
    )
    assert words([mpor], one, short) == (
        "Cells are scored on days of their own, 246 to 250 of them. They end from 2016-12-22 to "
        "2016-12-28, as losses over a longer MPOR are known later."
    )
    assert "They begin from 2016-01-04 to 2016-03-01, as the axis start has it." in words(
        [start], one, late
    )


def test_rows_that_no_number_tells_apart_are_one():
    """Of five axes the worst rows stood there twice, once a call lag."""
    rows = pd.DataFrame([
        {"mpor": mpor, "lag": lag} | dict.fromkeys(SHOWN, float(mpor * (1 + (lag == 2))))
        for mpor, lag in product((1, 3), (0, 1, 2))
    ]).assign(coverage_p=float("nan"))  # fmt: skip
    merged = merged_rows(rows, ["mpor", "lag"])
    assert merged[["mpor", "lag"]].to_numpy().tolist() == [
        ["1", "0, 1"], ["1", "2"], ["3", "0, 1"], ["3", "2"],
    ]  # fmt: skip
    assert merged["mean_margin"].tolist() == [1.0, 2.0, 3.0, 6.0]
