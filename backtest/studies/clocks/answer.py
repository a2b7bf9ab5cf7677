"""The sentences that the page of `backtest clocks` opens with, from its counts and intervals."""

import numpy as np
import pandas as pd

from backtest.instruments import parse_instrument
from backtest.present.numbers import percent
from backtest.studies.clocks.study import ClockStudy
from backtest.studies.sentences import counted, holding_words, not_shown, sentence, span_words
from backtest.studies.unshown import spot_clauses

BUSINESS, AROUND, UNSETTLED = (
    "business clock",
    "24/7, cash",
    "24/7 margin, weekends not settled",
)


def clocks_answer(study: ClockStudy) -> tuple[str, ...]:
    """Three sentences: margin and exceedances by clock, the evidence against, what is not shown."""
    exposure = study.around.book.largest(study.around.market)
    return (
        _clocks(study),
        _against(study, exposure),
        not_shown(
            [
                "whether a default is closed out on a Saturday",
                "how much of a lower margin comes from an MPOR that is shorter in hours",
                "an interval of these counts, whose days overlap",
                *spot_clauses(parse_instrument(str(name)) for name in exposure.columns),
            ],
            simulated=study.around.market.simulated,
        ),
    )


def _clocks(study: ClockStudy) -> str:
    """Margin and exceedance rate of the books together, around the clock beside business days."""
    business, around, unsettled = (
        study.settings.loc[study.settings.index.get_level_values("setting") == name].droplevel(
            "setting"
        )
        for name in (BUSINESS, AROUND, UNSETTLED)
    )
    # A schedule asks the same on both clocks, but for the last digits of a mean.
    change = (around["mean_margin"] / business["mean_margin"] - 1.0).round(6)
    allowed = percent(1.0 - study.coverage.confidence, digits=2)
    books = counted(len(study.around.book.portfolios), "book")
    return sentence(
        f"margined around the clock, the {books} holding crypto have a mean margin "
        f"{_change(change)}, by model, and exceed on {_rates(around)} of strikes, for "
        f"{_rates(business)} on the business clock and {allowed} allowed; the same margins, were "
        f"weekends not settled, would be exceeded on {_rates(unsettled)}"
    )


def _change(change: "pd.Series[float]") -> str:
    """By how much margins differ from those of the business clock, lowest and highest."""
    if change.max() <= 0.0:
        return f"lower by {span_words(-change)}"
    if change.min() >= 0.0:
        return f"higher by {span_words(change)}"
    return f"that differs by {span_words(change, sign=True)}"


def _rates(settings: pd.DataFrame) -> str:
    low, high = (
        f"{100 * end:.2f}" for end in settings["exceedance_rate"].agg(["min", "max"]).to_list()
    )
    return f"{low} %" if low == high else f"{low} to {high} %"


def _against(study: ClockStudy, exposure: pd.DataFrame) -> str:
    """The book that exceeds most around the clock, weekends, and correlations with Treasuries."""
    rows = study.weekends.reset_index()
    rows = rows[(rows["clock"] == "24/7") & (rows["portfolio"] != "all")]
    worst = rows.iloc[int(rows["exceedances"].argmax())]
    days = len(study.around.market.dates[study.around.rows])
    together = study.weekends.xs("all", level="portfolio").xs("business", level="clock")
    share = float(together["strikes"].iloc[0])
    found = study.correlation
    away = found[(found["low"] > 0.0) | (found["high"] < 0.0)]
    held = holding_words(exposure.loc[worst["portfolio"]].to_dict())
    words = (
        f"the worst book around the clock is {worst['portfolio']} ({held}) under {worst['model']}, "
        f"which exceeds on {percent(worst['exceedances'] / days, digits=2)} of {days:,} days"
    )
    known = together["excess_share"].dropna()
    if len(known):
        words += (
            f"; on the business clock weekends are in {percent(share)} of MPORs and in "
            f"{span_words(known)} of the excess, by model"
        )
    if len(found):
        largest = float(np.abs(found["correlation"]).max())
        words += (
            f"; of {counted(len(found), 'correlation')} of crypto with Treasuries over 1 to "
            f"{found.index.get_level_values('horizon').max()} days {len(away) or 'none'} "
            f"{'has' if len(away) == 1 else 'have'} a 95 % interval without zero, each by itself "
            f"(largest in size {largest:.2f})"
        )
    return sentence(words)
