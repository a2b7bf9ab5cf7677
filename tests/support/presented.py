"""Small real studies that the tests of figures and report share; computed once."""

import functools
from dataclasses import replace
from pathlib import Path

import pandas as pd

import backtest as bt
import strategies as st
from backtest.studies.run.study import Outcome, execute
from backtest.studies.run.sweep import treasury_share_sweep
from tests.support.markets import random_market

HOSTILE = "<script>alert(1)</script>"
BOOKS = {
    "long BTC, long 10Y, with a name that goes on for longer than any label": {
        "UST10Y": 5e7,
        "BTC": 5e6,
    },
    HOSTILE: {"UST10Y": -5e7, "BTC": 5e6},
    "$a$ & 'b' \"c\"": {"UST10Y": 8e7, "UST5Y@CME": -8e7},
    "Treasuries only": {"UST2Y": 5e7, "UST10Y": 5e7},
    "random 01": {"UST2Y": 5e7, "ETH": -5e6},
}
EXPLAINS = {name: f"why {name}" for name in BOOKS if not name.startswith("random")}
TITLE = "Do \"quotes\" & 'such' <em>survive</em>?"


@functools.cache
def study() -> bt.Study:
    """A simulated market of 420 days, five books, three models, as the command line leaves it."""
    market = random_market(420, seed=11, start="2019-06-03")
    frame = pd.DataFrame.from_dict(BOOKS, orient="index").fillna(0.0)
    models = {
        "siloed": st.Siloed(base=st.HistoricalVaR(lookback=100)),
        "_haircut": st.HaircutOnly(schedules=("cme_2014", "cftc_pilot_2025")),
        "var": st.HistoricalVaR(lookback=100),
    }
    made = bt.run(market, bt.Book.from_frame(frame, market), models, seed=5)
    table = {"treasury": "UST10Y", "crypto": "BTC", "steps": 4, "gross": 2e8}
    return replace(made, manifest={**made.manifest, "study": {"sweep": table}})


@functools.cache
def ladder() -> pd.DataFrame:
    """Offset ladder of the same books."""
    market = random_market(420, seed=11, start="2019-06-03")
    frame = pd.DataFrame.from_dict(BOOKS, orient="index").fillna(0.0)
    base = st.HistoricalVaR(lookback=100)
    return bt.supportable_offset(market, bt.Book.from_frame(frame, market), base=base).to_frame()


@functools.cache
def sweep() -> pd.DataFrame:
    """A sweep of five shares."""
    return treasury_share_sweep(
        random_market(420, seed=11, start="2019-06-03"),
        {
            "siloed": st.Siloed(base=st.HistoricalVaR(lookback=100)),
            "_haircut": st.HaircutOnly(schedules=("cme_2014", "cftc_pilot_2025")),
            "var": st.HistoricalVaR(lookback=100),
        },
        treasury="UST10Y",
        crypto="BTC",
        steps=4,
        gross=2e8,
        base=st.HistoricalVaR(lookback=100),
        coverage=bt.Coverage(),
        account=bt.AccountTerms(),
    )


@functools.cache
def real_outcome(folder: Path) -> Outcome:
    """The packaged study on the real prices in `folder`."""
    return execute(None, data=str(folder), progress=lambda what, share: None)


@functools.cache
def treasury_study() -> bt.Study:
    """Real Treasury yields, one silo, one model that is not siloed: no yardstick, no pool."""
    market = bt.load_market("treasury", end="1993-12-31")
    frame = pd.DataFrame({"UST10Y": [1e8, -1e8]}, index=["long", "short"])
    book = bt.Book.from_frame(frame, market)
    return bt.run(market, book, {"var": st.HistoricalVaR(lookback=250)})
