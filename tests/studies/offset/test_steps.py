"""The figure of steps by day: bands from 100 down to the requirement, and nothing is left over."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection

from backtest import charts
from backtest.present.labels import ranked_books
from tests.studies.offset.test_figures import found

WORDS = ["date", "portfolio", "model", "required"]


def test_steps_of_each_day_lead_from_gross_to_the_requirement() -> None:
    data = charts.steps_from_gross_data(found())
    assert list(dict.fromkeys(data["model"])) == ["offset"]
    assert np.allclose(1 + data.drop(columns=WORDS).sum(axis=1), data["required"])
    book = str(data["portfolio"].iloc[-1])
    steps = found().steps_by_day["offset", book]
    own = data[data["portfolio"] == book].set_index("date")
    assert np.allclose(own["required"], steps["required"] / steps["gross"])


def test_panels_are_the_books_and_their_lines_the_requirement() -> None:
    data = charts.steps_from_gross_data(found())
    panels = charts.steps_from_gross(found()).figure.axes
    books = ranked_books(found(), data["portfolio"])
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
    data = charts.steps_from_gross_data(replace(found(), steps_by_day={("m", "book"): steps}))
    assert data.columns.tolist() == ["date", "portfolio", "model", "offset", "required"]
    assert data["required"].tolist() == [0.8, 1.0] and data["offset"].tolist() == [-0.2, 0.0]
