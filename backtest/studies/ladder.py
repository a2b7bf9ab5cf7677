"""The offset ladder as tables of text, for every command that shows one."""

from functools import partial
from typing import Any

import pandas as pd

from backtest.present.numbers import MISSING, UNBROKEN, millions, percent, percent_down, ratio
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.studies.sentences import SMALLEST

BOUND_COLUMNS = (
    "total_bound", "dependence_bound", "effective", "worst_500", "passes", "passes_bound",
    "correlation", "correlation_drift", "unsafe", "unsafe_worst",
)  # fmt: skip
NO_BOUNDS: dict[str, Any] = dict.fromkeys(BOUND_COLUMNS, float("nan")) | {"cell": ""}
REDUCTIONS = (
    "Diversification is what independence alone gives: the reduction left when the silos are "
    "shifted against each other in time. Offset is the rest: it needs losses and gains of the "
    "silos to fall on the same days. Bounds are one-sided 95 %, for each book on its own, rounded "
    "down to whole per cent; supportable is the bound of the offset, or 0. Unsafe: how often such "
    "bounds were above the truth in simulated histories, in the world most like this book's and in "
    "the worst one (docs/offset-calibration.md)."
)
MARGINAL = (
    " A bound of <1 % is above zero by about as much as other draws of the same bootstrap move "
    "bounds: whether it supports anything is marginal."
)
EVIDENCE = (
    "Effective: exceedances divided by the inflation that their clustering causes. A history "
    "passes where the reduced margin keeps the standard in a resample of the days. Worst 500 days: "
    "the least reduction over any 500 days in a row. The silos' margins are means over the scored "
    "days at equal coverage, each silo on its own; saved is the total reduction of them, and its "
    "bound the bound of the total times the same mean, which is taken as given."
)


def ladder_tables(ladder: pd.DataFrame) -> tuple[TextTable, TextTable]:
    """Reductions of books held in several silos, and the evidence for them.

    ladder : from `OffsetLadder.to_frame`, with or without bounds; a row a book.
    """
    silos = [c.removeprefix("usd_") for c in ladder.columns if c.startswith("usd_")]
    rows = [(str(book), NO_BOUNDS | row) for book, row in records(ladder)]
    in_usd = ladder.filter(like="usd_").notna().any(axis=None)  # a table of losses is not
    return (
        TextTable.of(
            "Reduction from pooling silos, as a share of their equal-coverage margins",
            "book",
            rows,
            {
                "total reduction [bound]": _total,
                "diversification": of_column("diversification", percent),
                "offset (dependence) [bound]": lambda row: with_bound(row, "dependence"),
                "supportable offset": lambda row: percent_down(
                    _supportable(row["dependence_bound"])
                ),
                "unsafe, nearest / worst world": _unsafe,
            },
            note=REDUCTIONS + (MARGINAL if _any_marginal(ladder) else ""),
        ),
        TextTable.of(
            "What stands behind the reductions",
            "book",
            rows,
            {
                "correlation, its drift": lambda row: (
                    f"{ratio(row['correlation'])}, {ratio(row['correlation_drift'])}"
                ),
                "raw (silos unscaled)": of_column("raw", percent),
                "worst 500 days": of_column("worst_500", partial(percent, sign=True)),
                "exceedances (effective)": lambda row: (
                    f"{int(row['exceedances']):,} ({_one_digit(row['effective'])})"
                ),
                "histories that pass, at the total / at its bound": lambda row: (
                    f"{percent(row['passes'], digits=0)} / {percent(row['passes_bound'], digits=0)}"
                ),
                **(
                    {"USD m by silo": lambda row: _by_silo(row, silos, "usd_", millions)}
                    if in_usd
                    else {}
                ),
                "scale by silo": lambda row: _by_silo(row, silos, "kappa_", ratio),
                **(
                    {
                        "silos' margins, USD m": of_column("silo_margin", millions),
                        "saved, USD m [bound]": _saved,
                    }
                    if in_usd and "silo_margin" in ladder
                    else {}
                ),
            },
            note=EVIDENCE,
        ),
    )


def _any_marginal(ladder: pd.DataFrame) -> bool:
    """Whether a bound is above zero and rounds down to it."""
    bounds = ladder.filter(regex="^(total|dependence)_bound$")
    return bool(((bounds > 0.0) & (bounds < SMALLEST)).any(axis=None))


def _total(row: dict[str, Any]) -> Cell:
    """The total reduction, or the reason why it cannot be estimated."""
    reason = row["reason"]
    if isinstance(reason, str) and reason:
        return Cell(f"{MISSING}: {reason}", words=True)
    return Cell(with_bound(row, "total"))


def _saved(row: dict[str, Any]) -> str:
    """What pooling saves in money: the total reduction, and its bound, of the silos' margins."""
    margin = row["silo_margin"]
    bound = millions(row["total_bound"] * margin, sign=True)
    return f"{millions(row['total'] * margin)} [{bound}]"


def _unsafe(row: dict[str, Any]) -> Cell:
    """Measured shares of unsafe bounds, or what of this book was not measured."""
    if pd.isna(row["total_bound"]):
        return Cell(MISSING)
    if pd.isna(row["unsafe"]):
        return Cell(f"{MISSING}: {row['cell']}", words=True)
    return Cell(f"{percent(row['unsafe'])} / {percent(row['unsafe_worst'])}")


def with_bound(row: dict[str, Any], name: str) -> str:
    """An estimate and its lower bound.

    row : of `OffsetLadder.to_frame`. name : 'total' or 'dependence'.

    Examples
    --------
    >>> with_bound({"total": 0.2978, "total_bound": 0.2212}, "total")
    '29.8 % [+22 %]'
    """
    bound = percent_down(row[f"{name}_bound"], sign=True)
    return f"{percent(row[name], sign=name == 'dependence')} [{bound}]"


def _supportable(bound: float) -> float:
    return bound if pd.isna(bound) else max(0.0, bound)


def _one_digit(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:.1f}"


def _by_silo(row: dict[str, Any], silos: list[str], prefix: str, show: Any) -> Cell:
    values = {silo: row.get(f"{prefix}{silo}") for silo in silos}
    words = (f"{silo}{UNBROKEN}{show(v)}" for silo, v in values.items() if pd.notna(v))
    return Cell(", ".join(words), words=True)
