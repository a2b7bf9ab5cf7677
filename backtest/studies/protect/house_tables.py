"""Sections on houses and firms: cover, liquidity, where margin is, concentration."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from backtest.market.episodes import EPISODES
from backtest.present.exhibit import Section
from backtest.present.figure import Figure
from backtest.present.numbers import MISSING, millions, percent
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.protection.cover import CONFIDENCE, EVERYWHERE
from backtest.replay.protection.tabled import tabled
from backtest.studies.protect.study import ProtectStudy
from backtest.studies.protect.tables import HEADS, by_model, few
from backtest.types import tail_count

HELD = (
    "In simulated worlds the first held in 95 to 100 % of records of nine years and the second in "
    "90 to 100, of three years in 90 to 99 and 71 to 98 (docs/intervals.md)."
)
# `python -m tests.tools.protect_study`: the least and the most of twenty worlds, margins and sets
# of firms; tests/replay/protection/test_coverage.py holds some of them to it.
MEASURED = (
    "In simulated worlds, records of 2,196 days, the lower end held in 96 to 100 %, where 97.5 is "
    "asked, and the size itself was too small in 57 to 87 %: in the long run 1.2 to 4.8 days in a "
    "thousand exceed it (medians), not one (docs/intervals.md)."
)


def cover_section(study: ProtectStudy, figure: Figure) -> Section:
    """Cover-1 and cover-2 by house."""
    cover = study.answers.cover
    houses = list(cover.index.unique("house"))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for (model, arrangement, house, count), row in records(cover):
        words = f"{millions(row['size'])} (at least {millions(row['low'])})"
        rows.setdefault((model, arrangement), {})[f"cover-{count}, {house}"] = words
    table = tabled(rows, *HEADS)
    columns = {
        head: of_column(head, str)
        for head in (f"cover-{count}, {house}" for house in houses for count in (1, 2))
    }
    days, worth = len(study.protection.days), cover["effective_days"]
    allowed = tail_count(days, CONFIDENCE, "floor")
    return Section(
        name="cover",
        heading="Cover-1 and cover-2: what the largest members would need beyond margin",
        text=(
            f"Need of a house, beyond margin, that no more than {percent(1 - CONFIDENCE)} of the "
            f"record's days exceed, {allowed} of {days:,}, if the firm with the largest, or the "
            "two, fail together with every customer that lacks something; nobody pays from "
            "resources. Gross: the sum of what customers lack; omnibus: what their net position "
            "lacks, so that gains of some count. What the firm advanced, and what its own account "
            "has left there, are taken off; its contribution and what another house would hand "
            "over are not. Firms are those of the study, not the members of the house. 'At least': "
            f"lower end of the 95 % interval, days counted as {worth.min():,.0f} to "
            f"{worth.max():,.0f} independent ones, since bad days follow each other. Nothing "
            "bounds the size from above: no record says what lies beyond its worst days. "
            f"{MEASURED}"
        ),
        table=cover,
        tables=(by_model("Cover at 99.9 % of days, USD m", table, columns),),
        figure=figure,
    )


def cover_in_stress_section(study: ProtectStudy) -> Section:
    """The largest need of two firms in the named stress windows."""
    cover = study.answers.cover
    windows = [c for c in cover if c in EPISODES]
    house = EVERYWHERE if EVERYWHERE in cover.index.unique("house") else cover.index[0][2]
    at = (cover.index.get_level_values("house") == house) & (
        cover.index.get_level_values("cover") == 2
    )
    rows = cover[at].droplevel(["house", "cover"])
    columns: dict[str, Callable[[Any], str | Cell]] = {
        str(name): of_column(str(name), millions) for name in windows
    }
    columns["largest (day of margin, firms)"] = lambda row: (
        f"{millions(row['largest'])} ({row['day']:%Y-%m-%d}, {row['firms'] or 'none'})"
    )
    return Section(
        name="cover_in_stress",
        heading="Cover-2 in named months of stress",
        text=(
            f"Largest need of two firms on a day of each month, {house}; n/a where the record has "
            "no scored day in it."
        ),
        table=rows,
        tables=(by_model("Largest cover-2 need in months of stress, USD m", rows, columns),),
        on_screen=False,
    )


def margin_section(study: ProtectStudy) -> Section:
    """Where margin is."""
    table = study.answers.posted.groupby(level=["model", "arrangement"], sort=False).sum()
    columns = {
        head: of_column(name, millions)
        for head, name in {
            "customers post": "by_customers",
            "of it at houses": "of_it_at_the_house",
            "of it at firms": "of_it_at_firms",
            "firms advance": "advanced_by_firms",
            "firms' own accounts": "firms_own_accounts",
        }.items()
    }
    return Section(
        name="where_margin_is",
        heading="Where margin is",
        text=(
            "Mean over the scored days, all houses; by house in the table's file. Customers post "
            "the margin of their own positions, times the firm's multiplier, whatever the house "
            "asks of the firm: where a house margins them net, the rest stays at the firm, out of "
            "the house's reach and saved by nobody."
        ),
        table=study.answers.posted,
        tables=(by_model("Mean margin, USD m", table, columns),),
        on_screen=False,
    )


def liquidity_section(study: ProtectStudy) -> Section:
    """The worst day of payments, by house and of the worst firm."""
    table = study.answers.liquidity
    flat = table.reset_index()
    houses = list(dict.fromkeys(flat["house"]))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for (model, arrangement), part in flat.groupby(["model", "arrangement"], sort=False):
        cells = {}
        for house in houses:
            here = part[part["house"] == house]
            everybody = here[here["firm"] == ""].iloc[0]
            cells[f"{house}, all firms"] = _worst(everybody)
        last = part[(part["house"] == houses[-1]) & (part["firm"] != "")]
        firm = last.loc[last["usd"].idxmax()]
        cells["worst firm"] = f"{firm['firm']}: {_worst(firm)}"
        rows[str(model), str(arrangement)] = cells
    brief = tabled(rows, *HEADS)
    payer = study.answers.payer
    worse, seldom = "a worse day, days a year at most", "99 % of days"
    everybody = table.xs("", level="firm")
    hundredth = {
        f"{seldom}, {house}": everybody.xs(house, level="house").apply(_seldom, axis=1)
        for house in houses
    }
    share = everybody.xs(houses[-1], level="house")["worse_days"]
    sure = pd.DataFrame(hundredth | {f"{worse}, {houses[-1]}": share.map(_days(study))})
    return Section(
        name="liquidity",
        heading="Liquidity on the worst day",
        text=(
            "What firms must pay to houses on one day before their customers do: variation margin "
            "of the day, and the rise of what the house requires (where the firm posts intraday). "
            "What one account class or one house pays out does not pay for another. USD m, with "
            "the part that is for customers and the day of payment; each firm at each house is in "
            "the table's file. The worst day is that of this record alone: beside it stand what "
            "is exceeded on one day in a hundred, with the lower end of its 95 % interval, and on "
            "how many days a year, at most, a worse one than the worst may come, with 95 % "
            f"confidence. {HELD}"
        ),
        table=table,
        tables=(
            by_model("Payments of the worst day, USD m", brief, _as_they_are(brief)),
            by_model("All firms on one day in a hundred, USD m", sure, _as_they_are(sure)),
            TextTable.of(
                "What a house must find if its largest payer of a day does not pay",
                "house",
                [(str(house), row) for house, row in records(payer)],
                {
                    "worst day, USD m": lambda row: millions(row["usd"]),
                    "firm": lambda row: str(row["firm"]),
                    "day": lambda row: f"{row['day']:%Y-%m-%d}",
                    f"{seldom}, USD m": _seldom,
                    worse: lambda row: _days(study)(row["worse_days"]),
                },
                note="Variation margin of one day, which the house hands on; the same under every "
                "model. Account classes are those of the first arrangement of the study.",
            ),
        ),
    )


def _as_they_are(table: pd.DataFrame) -> dict[str, Callable[[Any], str | Cell]]:
    """Columns of a table of words."""
    return {str(head): of_column(str(head), str) for head in table}


def _seldom(row: Any) -> str:
    return f"{millions(row['seldom'])} (at least {millions(row['seldom_low'])})"


def _days(study: ProtectStudy) -> Callable[[float], str]:
    """Days a year of a share of days, in words."""
    year = study.protection.margined.closes(study.rules.assumptions.margin_days)
    return lambda share: f"{year * share:#.2g}".rstrip(".")


def _worst(row: "pd.Series[Any]") -> str:
    return f"{millions(row['usd'])} (customers {millions(row['customers'])}; {row['day']:%Y-%m-%d})"


def concentration_section(study: ProtectStudy) -> Section:
    """On how few customers and days fellow-customer losses fall, and how much at once."""
    table = study.answers.concentration
    columns: dict[str, Callable[[Any], str]] = {
        "customers it is taken of": lambda row: f"{row['customers']:,}",
        "largest": lambda row: row["largest"] or "nobody",
        "its share [95 %]": lambda row: few(row, "largest_share", percent, row["events"]),
        "HHI": lambda row: MISSING if np.isnan(row["hhi"]) else f"{row['hhi']:.2f}",
        "five worst days' share": lambda row: percent(row["worst_days_share"]),
        "at once, USD m [95 %]": lambda row: few(row, "fellow_given", millions, row["events"]),
    }
    given = study.answers.summary[[f"fellow_given{end}" for end in ("", "_low", "_high")]]
    return Section(
        name="concentration",
        heading="On how few customers and days it falls, and how much at once",
        text=(
            "Of all that is taken of fellow customers over the scored days. HHI: sum of squared "
            "shares of the customers, one over the number of equal ones that would be as "
            "concentrated. At once: what a close-out takes on average where it takes anything. "
            "Intervals need five events; HHI and the share of days have none."
        ),
        table=table,
        tables=(by_model("Concentration of fellow-customer loss", table.join(given), columns),),
        on_screen=False,
    )
