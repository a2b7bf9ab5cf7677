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
OPENING = 75  # accounts that open one after another
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


def random_study(models: int, seed: int) -> bt.Study:
    """Random books under some models, over two days of MPOR."""
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
    return bt.run(market, book, candidates, coverage=coverage)


def first_call(study: bt.Study) -> pd.DataFrame:
    """All tests, with no law known from an earlier call."""
    for law in LAWS:
        law.cache_clear()
    return study.tests()


def rows(study: bt.Study) -> Table:
    """`Study.tests` where all books have the same days."""
    days = study.scored

    def alone() -> pd.DataFrame:
        parts = []
        for frame in study.required.values():
            for name in study.loss.columns[:FEW]:
                required, loss = frame.loc[days, [name]], study.loss.loc[days, [name]]
                parts.append(battery(loss > required, required, horizon=study.overlap))
        return pd.concat(parts, ignore_index=True)

    together, few = study.tests(), alone()
    same = [(model, name) for model in study.required for name in study.loss.columns[:FEW]]
    pd.testing.assert_frame_equal(
        together.loc[same, few.columns].reset_index(drop=True), few, check_exact=True
    )
    return timed(
        f"Study.tests, {len(together):,} rows of {len(days):,} days, 11 tests, per study",
        {
            "first call of a process": (lambda: first_call(study), 1),
            "laws known already": (study.tests, 1),
            f"one by one ({len(few)} rows)": (alone, len(few) / len(together)),
        },
        Seconds(5.0, 1.0),
    )


def own_days(study: bt.Study) -> Table:
    """The same where each account opens a day after the one before, so that all laws differ."""
    days, accounts = study.scored, study.loss.columns[:OPENING]
    loss = study.loss.loc[days]
    frame = pd.concat(
        pd.DataFrame({"loss": loss[name], "required": required.loc[days, name]})
        .iloc[i:]
        .rename_axis("date")
        .reset_index()
        .assign(account=name, model=model)
        for i, name in enumerate(accounts)
        for model, required in study.required.items()
    )
    opened = bt.validate(frame, coverage=bt.Coverage(mpor=2))
    found, last = first_call(opened), accounts[-1]
    for model in study.required:
        expected = battery(
            (loss[[last]] > study.required[model].loc[days, [last]]).iloc[OPENING - 1 :],
            study.required[model].loc[days, [last]].iloc[OPENING - 1 :],
            horizon=2,
        )
        pd.testing.assert_frame_equal(
            found.loc[[(model, last)], expected.columns].reset_index(drop=True), expected
        )
    return timed(
        f"Study.tests, {len(found)} rows, accounts of {len(accounts)} lengths, per 1,500 rows",
        {"first call of a process": (lambda: first_call(opened), len(found) / 1500)},
    )


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    study = random_study(4, int(rng.integers(1000)))
    yield rows(study)
    yield own_days(study)
