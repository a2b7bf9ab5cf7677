"""All tests of exceedances of a study, against one row after another."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest.scores.battery import battery
from backtest.scores.exceedances import exact, ranks, right_model, squared_spells
from tests.bench.timing import Seconds, Table, timed

BOOKS, FEW = 375, 6  # books of the study, and those whose rows are also tested one by one
INSTRUMENTS = ("UST2Y", "UST5Y", "UST10Y", "UST30Y", "BTC", "ETH")
# Laws under a right model that are kept between calls: the first call of a process reckons them.
LAWS = (
    exact._law_of_records,
    exact._classes_of_records,
    ranks._rank_among,
    right_model._drawn,
    right_model._null,
    right_model._null_quantiles,
    squared_spells._drawn_sums,
    squared_spells._shuffled_days,
)


def rows(models: int, seed: int) -> Table:
    """`Study.tests` of random books under some models, over two days of MPOR."""
    market = bt.load_market("sample")
    coverage = bt.Coverage(confidence=0.99, mpor=2)
    book = bt.Book.random(
        INSTRUMENTS,
        market,
        base=st.HistoricalVaR(),
        coverage=coverage,
        gross=100e6,
        portfolios=BOOKS,
        seed=seed,
    )
    candidates = {f"var {n}": st.HistoricalVaR(lookback=n) for n in range(350, 350 + models)}
    study = bt.run(market, book, candidates, coverage=coverage)
    days = study.scored

    def alone() -> pd.DataFrame:
        parts = []
        for frame in study.required.values():
            for name in study.loss.columns[:FEW]:
                required, loss = frame.loc[days, [name]], study.loss.loc[days, [name]]
                parts.append(battery(loss > required, required, horizon=study.overlap))
        return pd.concat(parts, ignore_index=True)

    def first() -> pd.DataFrame:
        for law in LAWS:
            law.cache_clear()
        return study.tests()

    together, few = study.tests(), alone()
    same = [(model, name) for model in candidates for name in study.loss.columns[:FEW]]
    pd.testing.assert_frame_equal(
        together.loc[same, few.columns].reset_index(drop=True), few, check_exact=True
    )
    return timed(
        f"Study.tests, {len(together):,} rows of {len(days):,} days, 11 tests, per study",
        {
            "first call of a process": (first, 1),
            "laws known already": (study.tests, 1),
            f"one by one ({len(few)} rows)": (alone, len(few) / len(together)),
        },
        Seconds(5.0, 1.0),
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield rows(4, int(rng.integers(1000)))
