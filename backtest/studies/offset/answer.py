"""The sentences that the page of `backtest offset` opens with, from bounds and specifications."""

from typing import Any

import pandas as pd

from backtest.instruments import parse_instrument
from backtest.present.table import records
from backtest.studies.headline import Headline, pooling_sentence
from backtest.studies.offset.study import OffsetStudy
from backtest.studies.sentences import counted, estimate_words, joined, not_shown, sentence
from backtest.studies.unshown import TOGETHER, bound_clauses, spot_clauses

OBSERVED = "as observed"  # the row of the stressed ladder without a stress
SAME_DAYS = ("portfolio", "lookback", "mpor", "start", "observations")


def offset_answer(result: OffsetStudy) -> tuple[str, ...]:
    """Three sentences: what pooling gives, the least favourable choices, what is not shown."""
    headline = headline_of(result)
    simulated = result.market.simulated
    return (
        pooling_sentence(headline, result.ladder, simulated=simulated),
        _against(result, headline),
        _not_shown(result, headline),
    )


def headline_of(result: OffsetStudy) -> Headline:
    """The books that the study file names as its headline, else its mixed pools."""
    chosen = result.provenance.study.get("headline", ())
    return Headline.of(list(map(str, result.ladder.index)), _holdings(result), chosen=chosen)


def _holdings(result: OffsetStudy) -> dict[str, dict[str, float]]:
    """Positions, or weights, of the books that the study file names."""
    return {
        name: book.get("usd") or book.get("risk") or {}
        for name, book in result.provenance.books.items()
    }


def distinct(specifications: pd.DataFrame) -> pd.DataFrame:
    """The specifications that have an estimate; those of the same days once."""
    known = specifications[specifications["total"].notna()]
    return known.drop_duplicates(list(SAME_DAYS), ignore_index=True)


def specification_words(row: Any) -> str:
    """One choice of look-back, MPOR, window and first day."""
    window = "" if row["window"] == "all" else f", first {row['window']} days"
    return (
        f"look-back {row['lookback']}, MPOR {row['mpor']}, scored from {row['start']}{window}, "
        f"{row['portfolio']}"
    )


def _against(result: OffsetStudy, headline: Headline) -> str:
    """How far estimates and bounds fall over specifications and under stress."""
    parts = []
    curve = distinct(result.specifications)
    if len(curve):
        total, offset = curve["total_bound"], curve["dependence_bound"]
        lowest = dict(records(curve))[curve["total"].idxmin()]
        books = joined(f"'{book}'" for book in dict.fromkeys(curve["portfolio"]))
        parts.append(
            f"over {counted(len(curve), 'specification')} of {books} the bound of the offset is "
            f"above zero in {_of(int((offset > 0).sum()))} and that of the total reduction at or "
            f"below zero in {_of(int((total <= 0).sum()))}; the lowest total is "
            f"{estimate_words(lowest['total'], lowest['total_bound'])} "
            f"({specification_words(lowest)})"
        )
    parts += _under_stress(result.stresses.reset_index(), headline)
    if not parts:
        return "Neither specifications nor stresses could be estimated: the history is too short."
    return sentence("; ".join(parts))


def _under_stress(stresses: pd.DataFrame, headline: Headline) -> list[str]:
    """The lowest offset under stress, with its bound: of the headline's books, and of all."""
    moved = stresses[stresses["stress"] != OBSERVED].dropna(subset=["dependence"])
    asked = moved[moved["portfolio"].isin(headline.books)]
    if asked.empty:
        return []
    words = f"under stress the offset of the books asked about is {_lowest(asked)}"
    if moved["dependence"].min() < asked["dependence"].min():
        words += f", that of all books {_lowest(moved)}"
    return [words]


def _lowest(stresses: pd.DataFrame) -> str:
    row = dict(records(stresses))[stresses["dependence"].idxmin()]
    estimate = estimate_words(row["dependence"], row["dependence_bound"])
    return f"at its lowest {estimate} ({row['stress']}, {row['portfolio']})"


def _of(count: int) -> str:
    return f"{count:,}" if count else "none"


def _not_shown(result: OffsetStudy, headline: Headline) -> str:
    holdings = _holdings(result)
    held = {name for book in headline.books for name, x in holdings.get(book, {}).items() if x}
    clauses = [
        *bound_clauses(result.ladder.reindex(list(headline.books))),
        TOGETHER,
        *spot_clauses(parse_instrument(name) for name in sorted(held)),
        "whether what models granted from day to day was supported then, since estimates of "
        "rolling windows have no bound",
    ]
    return not_shown(clauses, simulated=result.market.simulated)
