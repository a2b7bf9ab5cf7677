"""The figure of many books draws a thousand points a model, from the worst to the best."""

import numpy as np
import pandas as pd

import backtest as bt
from backtest.studies.run.figures.coverage_cost import coverage_against_cost


def test_of_many_books_a_thousand_are_drawn_with_the_worst_and_the_best():
    rng, days = np.random.default_rng(0), pd.bdate_range("2024-01-02", periods=61, name="date")
    names = [f"account {n}" for n in range(1200)]
    heads = pd.MultiIndex.from_product([["loss", "required"], names])
    required = np.tile(np.linspace(1.0, 4.0, 1200), (61, 1))
    wide = pd.DataFrame(np.hstack([rng.normal(size=(61, 1200)), required]), days, heads)
    study = bt.validate(wide, coverage=bt.Coverage(mpor=1), signs_checked=True)
    figure = coverage_against_cost(study)
    drawn = figure.draw().collections[0].get_offsets()
    rates = 100 * study.scores["exceedance_rate"]
    assert len(drawn) == 1000 and len(figure.data) == 1201
    assert drawn[:, 1].max() == rates.max() and drawn[:, 1].min() == rates.min()
    assert "1,000 of 1,200 from worst to best" in figure.caption.footnote
