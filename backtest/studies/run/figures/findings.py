"""The titles of a run's figures: what each shows, from the numbers that it draws."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.present.lettering import points
from backtest.present.naming import brief, least_to_most, model_name, span
from backtest.present.numbers import MILLION, money, percent, percent_down
from backtest.studies.headline import CHOSEN, MIXED, Headline

if TYPE_CHECKING:
    from backtest.replay.study import Study

FEW_MONTHS = 6  # below this two months are no concentration
LONGEST = 168  # characters that two lines of a title hold
MOST_NAME = 16  # characters of a model's name


def ladder_finding(study: "Study", rows: pd.DataFrame) -> str:
    """How much pooling saves with its bounds, and the offset that the data support.

    rows : of the ladder, by portfolio. The sentence is about the books of the page's headline, and
    the others are counted behind.
    """
    known = rows.dropna(subset=["total"])
    known = known.reindex(columns=[*dict.fromkeys([*known, "total_bound", "dependence_bound"])])
    if not len(known):
        return "No saving from pooling can be estimated in these books"
    names = [str(name) for name in known.index]
    holdings: Any = study.exposure.loc[names].T.to_dict()
    headline = Headline.of(names, holdings, chosen=study.provenance.study.get("headline", ()))
    pools = known.loc[list(headline.books)] if headline.books else known
    subject = _subject(headline)
    total = span(pools["total"].min(), pools["total"].max(), percent)
    text = f"{subject} an estimated {total} less margin"
    if not known["dependence_bound"].notna().any():
        ends = (pools["dependence"].min(), pools["dependence"].max())
        offset = " to ".join(dict.fromkeys(points(x) for x in ends))
        return f"{text}; their offset is {offset} % of the silos' margins, without bounds"
    at_least = pools["total_bound"].dropna()
    if len(at_least):
        text += _least(at_least)
    here = pools["dependence_bound"].dropna()
    positive = here[here > 0]
    verb = "support" if len(positive) > 1 else "supports"
    if len(here) == 1:
        text += f"; it {'supports an' if len(positive) else 'supports no'} offset{_least(positive)}"
    else:
        text += f"; {_count(len(positive), len(here))} {verb} an offset"
        text += _least(positive)
    others = known.drop(index=pools.index)["dependence_bound"].dropna()
    return text + _others(others, room=LONGEST - len(text))


def _others(bounds: "pd.Series[float]", *, room: int) -> str:
    """What the other books support, with their bounds where `room` characters hold them."""
    if not len(bounds):
        return ""
    positive, count = bounds[bounds > 0], len(bounds)
    if count == 1:
        who = "; the other book does" if len(positive) else "; nor does the other book"
    else:
        verb = "do" if len(positive) > 1 else "does"
        some = "all" if len(positive) == count else len(positive) or "none"
        who = f"; of {count} others {some} {verb}"
    words = f"{who}{_least(positive)}"
    return words if len(words) <= room else who


def _subject(headline: Headline) -> str:
    """The books of the sentence, with their verb."""
    if len(headline.books) == 1:
        return f"'{brief(headline.books[0])}' needs"
    kinds = {
        MIXED: "Pools of Treasuries and other assets need",
        CHOSEN: "The books asked about need",
    }
    return kinds.get(headline.noun, "Pools of silos need")


def _count(some: int, count: int) -> str:
    """So many of a number of books."""
    return "none" if not some else f"all {count}" if some == count else f"{some} of {count}"


def _least(bounds: "pd.Series[float]") -> str:
    """Lowest and highest of lower bounds; empty where there are none."""
    if not len(bounds):
        return ""
    least = span(bounds.min(), bounds.max(), percent_down)
    if "<" in least:
        return f", lower bound{'s' * (len(bounds) > 1)} {least}"
    return f", at least {least}"


def cost_finding(pooled: pd.DataFrame, *, currency: str) -> str:
    """What models ask at equal coverage, whether intervals overlap, how the worst books fare.

    pooled : by model, equal_coverage with _low and _high in millions, worst_rate.
    """
    rows = pooled[np.isfinite(pooled["equal_coverage"])].rename(index=model_name)
    if not len(rows):
        return "No single scale over all books reaches the coverage, for any model"
    asked = least_to_most(rows["equal_coverage"], lambda x: money(MILLION * x), most=MOST_NAME)
    worst = least_to_most(rows["worst_rate"], percent, most=MOST_NAME)
    who, books = ("models ask", "worst books") if len(rows) > 1 else (
        f"{brief(str(rows.index[0]), most=MOST_NAME)} asks", "its worst book"
    )  # fmt: skip
    text = f"At equal coverage {who} {asked} {currency}"
    if len(rows) > 1 and rows["equal_coverage_low"].max() <= rows["equal_coverage_high"].min():
        text += ", intervals overlap"
    return f"{text}; {books} exceed{'s' * (len(rows) == 1)} on {worst} of days"


def exceedances_finding(data: pd.DataFrame, scored: pd.DatetimeIndex) -> str:
    """How many of the exceedances fall into the two months that have most of them.

    data : a row an exceedance. scored : the scored days.
    """
    months = scored.to_period("M").nunique()
    if not len(data):
        return f"No loss exceeded its requirement on {len(scored):,} scored days"
    counts = data["date"].dt.to_period("M").value_counts()
    total = f"{len(data):,} exceedance{'s' * (len(data) > 1)}"
    if months < FEW_MONTHS or len(counts) < 2:
        return f"{total} on {data['date'].nunique():,} of {len(scored):,} scored days"
    worst = counts.iloc[:2]
    names = " and ".join(f"{month:%B %Y}" for month in sorted(worst.index))
    share = percent(worst.sum() / len(data), digits=0)
    return f"{names}, 2 of the {months:,} months scored, hold {share} of the {total} drawn"


def sweep_finding(data: pd.DataFrame) -> str:
    """Where pooling saves most on each side, and the range of the offset over all shares."""
    known = data.drop_duplicates(["side", "share"]).dropna(subset=["total"])
    if not len(known):
        return "No saving from pooling can be estimated at any Treasury share"
    best = known.loc[known.groupby("side", sort=False)["total"].idxmax()].set_index("side")
    saved = least_to_most(best["total"], percent)
    where = span(best["share"].min(), best["share"].max(), lambda x: percent(x, digits=0))
    low, high = (points(x) for x in (known["dependence"].min(), known["dependence"].max()))
    return (
        f"Pooling saves at most an estimated {saved}, at a Treasury share of {where}; over all "
        f"shares offset is {low} to {high} %"
    )


def histories_finding(means: pd.DataFrame, *, paths: int, allowed: float) -> str:
    """In which share of simulated histories the models exceed more often than allowed.

    means : by model, over_allowed. allowed : rate.
    """
    shares: Any = means["over_allowed"].rename(index=model_name)
    worst = least_to_most(shares, lambda x: percent(x, digits=0), most=MOST_NAME)
    return (
        f"Of {paths:,} simulated histories {worst} exceed on more than the allowed "
        f"{100 * allowed:g} % of days"
    )
