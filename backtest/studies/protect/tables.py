"""Sections on what pooling saves and who bears what it costs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.figure import Figure
from backtest.present.numbers import MISSING, interval, millions, percent
from backtest.present.table import Columns, TextTable, of_column, records
from backtest.studies.protect.figures.timeline import days_with_loss
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.sentences import counted

HEADS = ("model", "arrangement")
SELDOM = 0.001  # times a year
LONGEST = 40  # rows of the table of days
# The differences have ends named after their column; here they are as those of the summary.
MORE = {
    f"more_{name}_usd_{end}": f"more_{name}_{end}"
    for name in ("fellow", "fund", "uncovered")
    for end in ("low", "high")
}
Row = Mapping[Any, Any]


def by_model(caption: str, table: pd.DataFrame, columns: Columns, *, note: str = "") -> TextTable:
    """A table whose groups are models, with a row an arrangement."""
    groups = [
        (str(model), [(str(name), row) for name, row in records(rows.droplevel("model"))])
        for model, rows in table.groupby(level="model", sort=False)
    ]
    return TextTable.nest(caption, HEADS, groups, columns, note=note)


def rare(row: Row, name: str, *, sign: bool = False) -> str:
    """USD m a year with its interval, or with the events that are too few for one."""
    usd, low, high, events = (row[f"{name}_{part}"] for part in ("usd", "low", "high", "events"))
    ends = {"usd": usd, "usd_low": low, "usd_high": high}
    return few(ends, "usd", partial(millions, sign=sign), events)


def few(row: Row, name: str, show: Callable[[float], str], events: float) -> str:
    """A value with its interval, or with the events that are too few for one.

    Examples
    --------
    >>> few({"a": 0.4, "a_low": np.nan, "a_high": np.nan}, "a", percent, 3)
    '40.0 % (3 events)'
    >>> few({"a": 0.4, "a_low": 0.25, "a_high": 0.5}, "a", percent, 6)
    '40.0 % [25.0, 50.0]'
    """
    shown = interval(row, name, show)
    if np.isnan(row[name]) or np.isfinite(row[f"{name}_low"]):
        return shown
    return f"{shown} ({counted(events, 'event')})"


def times_words(times: float) -> str:
    """Times a year; what drawn defaults alone bring is seldom.

    Examples
    --------
    >>> times_words(0.1694), times_words(0.4), times_words(12.3), times_words(5.4e-05)
    ('0.17', '0.40', '12', 'under 0.001')
    """
    if 0.0 < times < SELDOM:
        return f"under {SELDOM:g}"
    return f"{times:#.2g}".rstrip(".") if times > 0.0 else "0"


def outcomes_section(study: ProtectStudy, figure: Figure) -> Section:
    """One row a (model, arrangement): margin, fellow-customer loss, mutual fund, uncovered."""
    found = study.answers
    more = found.differences.add_prefix("more_").rename(columns=MORE)
    table = found.summary.join(more) if len(more) else found.summary
    columns: dict[str, Callable[[Any], str]] = {
        "margin, USD m": lambda row: millions(row["margin"]),
        "saved against silos [95 %]": _saved,
        "fellow customers lose, USD m a year [95 %]": lambda row: rare(row, "fellow"),
        "more than silos, USD m a year [95 %]": lambda row: rare(row, "more_fellow", sign=True),
        "they lose, times a year": lambda row: times_words(row["fellow_times"]),
        "mutual fund pays, times a year": lambda row: times_words(row["fund_times"]),
        "uncovered, USD m a year [95 %]": lambda row: rare(row, "uncovered"),
        "firms fail, times a year": lambda row: times_words(row["firms_fail"]),
    }
    if not len(more):
        columns = {head: show for head, show in columns.items() if "silos" not in head}
    return Section(
        name="outcomes",
        heading="Who bears what margin does not cover",
        text=(
            "Margin is what accounts post. Fellow-customer loss: collateral taken of customers who "
            "paid all they owed. A loss of an account that cannot pay is seen by every close-out "
            "that spans it and is divided by their number; a default that comes whatever prices do "
            "counts on its day. Evidence are events, runs of days with losses at most 20 days "
            "apart: with fewer than five no interval is given, since none of those that were tried "
            "holds what it says. Those that are given held 92 to 99 % of true values in simulated "
            "worlds whose margins follow volatility, and 71 to 89 % under a constant margin where "
            "volatility persists for months (docs/intervals.md). A fellow customer can lose no "
            "more than it has: where others bear more, fellow customers may have had nothing left "
            "to take."
        ),
        table=table,
        tables=(by_model("Margin, losses and how often", table, columns),),
        figure=figure,
    )


def _saved(row: Row) -> str:
    if np.isnan(row["more_margin_saved"]):
        return MISSING
    return interval(row, "more_margin_saved", percent)


def frontier_section(study: ProtectStudy, figure: Figure) -> Section:
    """The frontier, and the multiplier at which pooling costs fellow customers nothing more."""
    found = study.answers
    points = found.curve.xs(1.0, level="factor")
    table = found.even.join(points[["saved", "extra"]].add_prefix("point_"))
    return Section(
        name="frontier",
        heading="What pooling saves, and what it costs fellow customers",
        text=(
            "Margin that accounts post against what fellow customers lose a year. A curve runs as "
            "firms ask their customers for 1 to "
            f"{max(found.curve.index.get_level_values('factor')):g} times what they ask as stated; "
            "what is over the house's margin stays at the firm. 'No more at a multiplier of': from "
            "there on fellow customers lose no more than under silos of the same model, along "
            "straight lines between the multipliers tried; 1 where none is needed. 'The record "
            "supports': the first multiplier tried from which on even the upper end of the 95 % "
            "interval of the difference is at or below zero."
        ),
        table=found.curve,
        tables=(by_model("Multiplier at which pooling costs no more", table, EVEN),),
        figure=figure,
    )


def factor_words(factor: float) -> str:
    """A multiplier in words; 1 where none is needed.

    Examples
    --------
    >>> factor_words(1.1045), factor_words(1.0003), factor_words(1.0)
    ('1.10', 'under 1.01', '1.00')
    >>> factor_words(float("inf")), factor_words(float("nan"))
    ('none tried', 'no loss')
    """
    if np.isnan(factor):
        return "no loss"
    if 1.0 < factor < 1.005:
        return "under 1.01"
    return "none tried" if np.isinf(factor) else f"{factor:.2f}"


EVEN: dict[str, Callable[[Any], str]] = {
    "saved against silos": lambda row: percent(row["point_saved"]),
    "fellow customers lose more, USD m a year": lambda row: millions(row["point_extra"], sign=True),
    "no more at a multiplier of": lambda row: factor_words(row["factor"]),
    "saved then": lambda row: percent(row["saved"]),
    "the record supports": lambda row: (
        "too few events" if np.isnan(row["supported"]) else factor_words(row["supported"])
    ),
}


def price_section(study: ProtectStudy) -> Section:
    """What a million of margin saved costs each bearer."""
    price = study.answers.price
    wide = price["per_million"].unstack("bearer")  # noqa: PD010
    order = [b for b in price.index.unique("bearer") if wide[b].abs().max() > 0.0]
    wide = wide.reindex(index=study.answers.differences.index, columns=order)
    wide = wide[wide.notna().any(axis=1)]
    columns = {bearer: of_column(bearer, _whole) for bearer in order}
    return Section(
        name="price_of_pooling",
        heading="What a million of margin saved costs, and whom",
        text=(
            "USD a year that each bearer pays more than under silos of the same model, for a "
            "million USD of margin that the arrangement saves; below zero it pays less. "
            "Arrangements that save nothing are left out, as is what accounts pay of their own. "
            "Intervals, where events are five or more, are in the table's file."
        ),
        table=price,
        tables=(by_model("USD a year for a million USD of margin saved", wide, columns),)
        if len(wide)
        else (),
    )


def _whole(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:+,.0f}" if round(value) else "0"


def days_section(study: ProtectStudy, figure: Figure | None) -> Section:
    """The days on which fellow customers lose, drawn defaults aside."""
    days = days_with_loss(study)
    if not len(days):
        return Section(
            name="fellow_days",
            heading="When fellow customers lose",
            text="On no scored day, unless a default is drawn.",
        )
    worst = days.loc[days.groupby(["model", "date"])["usd"].idxmax()]
    largest = worst.sort_values("usd", ascending=False, kind="stable").head(LONGEST)
    shown = days.merge(largest[["model", "date"]])
    wide = shown.pivot_table(index=["model", "date"], columns="arrangement", values="usd")
    wide = wide.reindex(columns=list(study.protection.settings))
    wide = wide.reindex(study.protection.models, level="model")
    groups = [
        (str(model), [(f"{day:%Y-%m-%d}", row) for day, row in records(rows.droplevel("model"))])
        for model, rows in wide.groupby(level="model", sort=False)
    ]
    columns = {str(name): of_column(str(name), _or_none) for name in wide}
    cut = f" The {LONGEST} largest of {len(worst)} are shown." if len(worst) > LONGEST else ""
    return Section(
        name="fellow_days",
        heading="When fellow customers lose",
        text=(
            "Days of margin whose close-out takes something of customers who paid all they owed, "
            f"though no default is drawn; USD m that it takes.{cut}"
        ),
        table=days.set_index(["model", "arrangement", "date"]),
        tables=(
            TextTable.nest("Days of loss, USD m", ("model", "day of margin"), groups, columns),
        ),
        figure=figure,
        on_screen=False,
    )


def _or_none(usd: float) -> str:
    return "" if np.isnan(usd) else millions(usd)
