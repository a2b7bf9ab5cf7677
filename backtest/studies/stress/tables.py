"""Stress losses, reverse stress and limits as tables of text."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import MISSING, millions, percent, ratio
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.stress import StressResult
from backtest.studies.stress.words import days_words, moves_words, same_move

SHOWN = 3  # scenarios of a book in the table
MOST_OVER = 30  # limits in the table
JOINT, MARGIN, FIRST = "joint", "margin", "margin of the first account"
NOTHING = "no move at all"  # time and the cost of closing out do it
KEYS = ["level", "name", "model", "layer", "direction"]
LIMIT_NAMES = {
    "stress_loss": "stress loss over what stands against it",
    "concentration": "largest instrument in stand-alone margins",
    "volume": "days of average volume",
    "leverage": "gross positions over what stands against them",
}
LOSSES_NOTE = (
    "Full repricing of every instrument over its MPOR, carry included; the cost of closing out is "
    "in it where losses of the study have it. A historic move is that of the market over the MPOR "
    "from the close of the day named, and is made from the levels of the day of the test. All "
    "scenarios, by clearing house: stress_losses.csv."
)
MARGIN_NOTE = (
    "The margin is what each model requires on the day of the test, and is taken to be there. Days "
    "of the history: starts of moves over the MPOR that were over by then, each made by the "
    "positions of the day of the test; they overlap, and are no estimate of a frequency to come."
)
REVERSE_NOTE = (
    "Joint: of all moves that use the margin up, the one nearest to none in Mahalanobis' distance, "
    "whose deviations and correlations are those of all moves over the longest MPOR up to the day "
    "of the test; its largest moves are named. That no nearer move exists is certain for linear "
    "books of one account alone. Alone: the one factor, or all yields together, that does it in "
    "the fewest of its own standard deviations while all else stands still, which is itself "
    "unlikely: hence the larger distance. As far: share of days on which "
    "the market moved as far in that direction. Numbers: stress_reverse.csv, stress_moves.csv."
)
FIRM_NOTE = (
    "Layers of a firm are used up in their order once what its accounts lack, beyond their margins "
    "and stated resources, is more; a gain of one account pays for no other. Only what is stated "
    "or assumed of the firm is a layer. Margin and resources of accounts: stress_reverse.csv."
)
LIMITS_NOTE = (
    "What stands against positions is margin and stated resources, of a firm's stress loss its "
    "capital and contributions. On each day of the history the limits are checked on the "
    "positions, margins and levels of that day, with the scenarios whose moves are stated; today's "
    "stress loss also has the historic ones. Volumes are published averages of one year. All: "
    "stress_limits.csv."
)


def furthest(result: StressResult, *, most: int = 20) -> list[str]:
    """The books whose worst scenario loses most times their margin, in the order of the book."""
    rows = result.margins
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (rows["loss"].clip(lower=0.0) / rows["margin"]).fillna(0.0)
    ranked = times.groupby(rows["portfolio"], sort=False).max().nlargest(most).index
    return [name for name in dict.fromkeys(rows["portfolio"]) if name in set(ranked)]


def losses_table(result: StressResult, books: Sequence[str]) -> TextTable:
    """The worst scenarios of each book."""
    silos = [c for c in result.losses.columns if c.startswith("loss at ")]
    groups = []
    for book in books:
        rows = result.losses[result.losses["portfolio"] == book].nlargest(SHOWN, "loss")
        groups.append((book, [(row["scenario"], row) for _, row in records(rows)]))
    columns: Any = {"kind": lambda row: Cell(row["kind"], words=True)}
    columns |= {"loss": of_column("loss", millions)}
    columns |= {silo: of_column(silo, millions) for silo in silos if len(silos) > 1}
    return TextTable.nest(
        f"The {SHOWN} worst scenarios of each book, USD m",
        ("book", "scenario"),
        groups,
        columns,
        note=LOSSES_NOTE,
    )


def margins_table(result: StressResult, books: Sequence[str]) -> TextTable:
    """Margins beside the worst scenario."""
    groups: dict[str, list[tuple[str, Any]]] = {book: [] for book in books}
    for _, row in records(result.margins):
        if row["portfolio"] in groups:
            groups[row["portfolio"]].append((row["model"], row))
    return TextTable.nest(
        "Margin beside the worst scenario, USD m",
        ("book", "model"),
        groups.items(),
        {
            "margin": of_column("margin", millions),
            "largest loss": of_column("loss", millions),
            "loss over margin": _over_margin,
            "days of the history that lost more": days_words,
        },
        note=MARGIN_NOTE,
    )


def nearest(result: StressResult) -> pd.DataFrame:
    """The joint move of each target and the nearest of a single direction, a row a target.

    Index (level, name, model, layer); columns `distance`, `as_far`, `moves`, `alone` (words),
    its `deviations` and `alone_distance`; NaN and '' where a target is not used up.
    """
    moves = dict(list(result.moves.groupby(KEYS))) if len(result.moves) else {}
    rows: dict[Any, dict[str, Any]] = {}
    for key, whole in result.reverse.groupby(KEYS[:4], sort=False):
        reached = whole[whole["reached"]]
        joint = reached[reached["direction"] == JOINT]
        stated = reached[reached["direction"] != JOINT].sort_values("multiple", kind="stable")
        row = rows[key] = dict(
            distance=np.nan, as_far=np.nan, moves="", alone="", deviations=np.nan
        )
        if len(joint):
            row["distance"] = float(joint["multiple"].iloc[0])
            row["as_far"] = float(joint["days_as_far"].iloc[0])
            own = moves.get((*key, JOINT))
            row["moves"] = NOTHING if own is None else moves_words(own)
        if len(stated):
            direction = str(stated["direction"].iloc[0])
            row["deviations"] = float(stated["multiple"].iloc[0])
            row["alone_distance"] = float(stated["distance"].iloc[0])
            own = moves.get((*key, direction))
            row["alone"] = NOTHING if own is None else same_move(direction, own)
    index = pd.MultiIndex.from_tuples(list(rows), names=KEYS[:4])
    return pd.DataFrame(list(rows.values()), index=index)


def reverse_table(result: StressResult, books: Sequence[str]) -> TextTable:
    """The nearest moves that use up the margins of the books."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for (level, name, model, layer), row in records(nearest(result)):
        if (level, layer) == ("account", MARGIN) and name in books:
            groups.setdefault(name, []).append((model, row))
    return TextTable.nest(
        "The nearest move that uses the margin up", ("book", "model"), groups.items(),
        _reverse_columns(),
        note=REVERSE_NOTE,
    )  # fmt: skip


def firms_table(result: StressResult) -> TextTable | None:
    """The nearest moves that use up what stands behind the margins of firms; None without firms."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for (level, name, model, layer), row in records(nearest(result)):
        if level == "firm":
            groups.setdefault(f"{name}, {model}", []).append((layer, row))
    if not groups:
        return None
    return TextTable.nest(
        "The nearest move that uses up what stands behind margins", ("firm, model", "layer"),
        groups.items(), _reverse_columns(), note=FIRM_NOTE,
    )  # fmt: skip


def _reverse_columns() -> dict[str, Any]:
    return {
        "joint, distance": of_column("distance", ratio),
        "its largest moves": lambda row: Cell(row["moves"] or "not used up", words=True),
        "as far": of_column("as_far", partial(percent, digits=2)),
        "alone": lambda row: Cell(row["alone"] or "not used up", words=True),
        "its deviations": of_column("deviations", ratio),
        "its distance": of_column("alone_distance", ratio),
    }


def limits_table(result: StressResult) -> TextTable:
    """The limits exceeded on the day, the furthest first; where none is, the largest values."""
    limits = result.limits.assign(by=result.limits["value"] / result.limits["allowed"])
    ranked = limits.sort_values("by", ascending=False, kind="stable")
    exceeded = ranked[ranked["over"]]
    if len(exceeded):
        shown = exceeded.head(MOST_OVER)
        caption = f"Limits exceeded, {len(exceeded):,} of {len(limits):,}"
        caption += f"; the {MOST_OVER} furthest" if len(exceeded) > MOST_OVER else ""
    else:
        shown = ranked[ranked["by"].notna()].drop_duplicates(["level", "limit"])
        caption = f"No limit exceeded of {len(limits):,}; the largest value of each"
    groups: dict[str, list[tuple[str, Any]]] = {}
    for _, row in records(shown):
        named = f"{row['name']}, {row['model']}" if row["model"] else row["name"]
        heading = f"{row['level']}: {LIMIT_NAMES[row['limit']]}"
        groups.setdefault(heading, []).append((named, row))
    return TextTable.nest(
        caption,
        ("limit", "whose, model"),
        groups.items(),
        {
            "value": lambda row: _value(row, "value"),
            "limit": lambda row: _value(row, "allowed"),
            "by": lambda row: Cell(row["because"] or "", words=True),
            "days above": lambda row: f"{int(row['days_over']):,} of {int(row['days']):,}",
        },
        note=LIMITS_NOTE,
    )


def _value(row: Any, column: str) -> str:
    if pd.isna(row[column]):
        return MISSING
    if row["limit"] == "concentration":
        return percent(row[column])
    return f"{row[column]:.3g}" if row["limit"] == "volume" else ratio(row[column])


def _over_margin(row: Any) -> str:
    if row["margin"] > 0.0:
        return ratio(row["loss"] / row["margin"])
    return MISSING if row["loss"] <= 0.0 else ratio(float("inf"))
