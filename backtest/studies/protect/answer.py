"""The sentences that the page of `backtest protect` opens with, from intervals and counts."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.clearing.arrangement import SILOS
from backtest.present.numbers import money, percent
from backtest.present.table import records
from backtest.replay.protection.cover import EVERYWHERE
from backtest.scores.money.rare import FEWEST_EVENTS
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.protect.tables import factor_words, times_words
from backtest.studies.sentences import counted, low_to_high, not_shown, sentence, span_words

SAVES = 0.005  # share of margin below which an arrangement saves nothing worth a word


def protection_answer(study: ProtectStudy) -> tuple[str, ...]:
    """Three sentences: what pooling saves and costs, the worst of it, what is not shown."""
    assumed = "what firms and customers have, and how often they fail, beyond what is assumed"
    return (
        _pooling(study),
        _worst(study),
        not_shown(
            [
                "what happens after the first round of losses",
                assumed,
                "what a court would decide",
            ],
            simulated=study.provenance.prices.simulated,
        ),
    )


def pooled(study: ProtectStudy) -> pd.DataFrame:
    """Differences to silos of the arrangements that save margin; empty where none is compared."""
    table = study.answers.differences
    return table[table["margin_saved"] > SAVES] if len(table) else table


def _pooling(study: ProtectStudy) -> str:
    """What pooling saves, and whether fellow customers lose more by it."""
    summary, rows = study.answers.summary, pooled(study)
    if not len(rows):
        amounts = summary["fellow_usd"]
        return sentence(
            "nothing here pools margin and can be compared with silos; fellow customers lose "
            f"{_span(amounts)} USD a year, by model and arrangement"
        )
    silos = summary.xs(SILOS, level="arrangement")["fellow_usd"]
    lost = summary.loc[rows.index, "fellow_usd"]
    before = _span(silos) if silos.any() else "nothing"  # 0.00m beside amounts of a few dollars
    words = (
        f"pooling saves {span_words(rows['margin_saved'])} of the margin that accounts post, by "
        f"model and arrangement, and fellow customers then lose {_span(lost)} USD a year where "
        f"they lose {before} in silos"
    )
    return sentence(f"{words}: {_evidence(rows)}")


def _evidence(rows: pd.DataFrame) -> str:
    """How many differences the record shows."""
    known = rows[rows["fellow_usd_low"].notna()]
    few = len(rows) - len(known)
    if not len(known):
        most = int(rows["fellow_events"].max())
        if most == 0:
            return "no day of the record shows a difference, only drawn defaults may make one"
        return (
            f"in none of {counted(len(rows), 'comparison')} does the record tell which is more, as "
            f"all differ in fewer than {FEWEST_EVENTS} events"
        )
    more = int((known["fellow_usd_low"] > 0.0).sum())
    less = int((known["fellow_usd_high"] < 0.0).sum())
    text = (
        f"beyond the 95 % interval they lose more in {more or 'none'} of "
        f"{counted(len(rows), 'comparison')} and less in {less or 'none'}"
    )
    return f"{text}, and {few} differ in too few events to tell" if few else text


def _worst(study: ProtectStudy) -> str:
    """Where pooling costs fellow customers most, what would undo it, what others pay and need."""
    rows = pooled(study)
    if not len(rows):
        return sentence(_fund(study))
    rest = f"{_firms(study, rows)}; {_fund(study)}"
    place = int(rows["fellow_usd"].argmax())
    key: tuple[str, str] = rows.index[place]
    more = float(rows["fellow_usd"].iloc[place])
    if not more > 0.0:
        return sentence(
            f"in no arrangement that saves margin is their loss above that in silos; {rest}"
        )
    row = dict(records(study.answers.summary))[key]
    known = counted(row["fellow_events"], "event")
    if np.isfinite(row["fellow_low"]):
        known += f"; 95 % interval {_interval(row)}"
    return sentence(
        f"their loss rises most in '{key[1]}' under {key[0]}, by {money(more)}, to "
        f"{money(row['fellow_usd'])} USD a year ({known})"
        f"{_remedy(dict(records(study.answers.even))[key])}; {rest}"
    )


def _interval(row: Mapping[Any, float]) -> str:
    low, high = (money(row[f"fellow_{end}"], like=row["fellow_usd"]) for end in ("low", "high"))
    return f"{low} to {high}"


def _remedy(even: Mapping[Any, float]) -> str:
    """The multiplier of customers that brings it down to silos."""
    factor = even["factor"]
    if np.isinf(factor):
        return ", and no multiplier that was tried brings it down to that of silos"
    bound = "" if np.isfinite(even["supported"]) else " (estimates without a bound)"
    saved = float(even["saved"])
    kept = f"still saves {percent(saved)}"
    if saved <= 0.0:
        kept = f"asks {percent(-saved)} more than silos"
    times = f"{factor_words(factor)} times as much"
    return f", and is that of silos once customers post {times}, which {kept}{bound}"


def _firms(study: ProtectStudy, rows: pd.DataFrame) -> str:
    """What firms pay more for each million saved, by arrangements that save."""
    price = study.answers.price.xs("firms", level="bearer").loc[rows.index]
    known = price[price["per_million_low"].notna()]
    bounds = "without bounds" if known.empty else (
        f"95 % intervals from {_usd(known['per_million_low'].min())} to "
        f"{_usd(known['per_million_high'].max())}"
    )  # fmt: skip
    if 0 < len(known) < len(price):
        bounds += ", not of all"
    ends = [_usd(end) for end in (price["per_million"].min(), price["per_million"].max())]
    span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return f"a million saved costs firms {span} USD a year ({bounds})"


def _usd(amount: float) -> str:
    """USD with three figures and a sign."""
    return f"{float(f'{amount:.3g}'):+,.0f}" if round(amount) else "0"


def _fund(study: ProtectStudy) -> str:
    """How often the mutual fund pays, and the largest cover-2."""
    times = study.answers.summary["fund_times"]
    cover = study.answers.cover
    house = EVERYWHERE if EVERYWHERE in cover.index.unique("house") else cover.index[0][2]
    sizes = cover.xs(house, level="house").xs(2, level="cover")["size"]
    fund = "the mutual fund is never touched" if not times.any() else (
        f"the mutual fund pays {low_to_high(times, times_words)} times a year"
    )  # fmt: skip
    return f"{fund}, and cover-2 at 99.9 % of the record's days is {_span(sizes)} USD"


def _span(values: "pd.Series[float]") -> str:
    return low_to_high(values, partial(money, like=float(values.max())), "m")
