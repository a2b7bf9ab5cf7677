"""Facts and families in words: values in the unit of their factor, and the facts farthest off."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import MISSING
from backtest.studies.simulate.study import SimulateStudy

BASIS_POINTS = 1e4
MOST_DECIMALS = 6


def simulator_name(kind: str) -> str:
    """A kind in words.

    Examples
    --------
    >>> simulator_name("stationary_bootstrap")
    'stationary bootstrap'
    """
    return kind.replace("_", " ")


def value_words(value: float, *, is_move: bool, kind: str) -> str:
    """A fact's value: moves of prices in per cent, of yields in basis points, others as they are.

    kind : 'price' or 'yield', of the factor.

    Examples
    --------
    >>> value_words(-0.1952, is_move=True, kind="price")
    '-19.5 %'
    >>> value_words(0.00121, is_move=True, kind="yield"), value_words(0.18, is_move=False, kind="")
    ('12.1 bp', '0.180')
    >>> value_words(0.0000312, is_move=True, kind="price")
    '0.00312 %'
    """
    if np.isnan(value):
        return MISSING
    if not is_move:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"
    scale, unit = (100.0, "%") if kind == "price" else (BASIS_POINTS, "bp")
    return f"{_digits(scale * value)} {unit}"


def _digits(number: float) -> str:
    """One decimal, or as many as show three digits of a small number."""
    if number == 0.0 or abs(number) >= 10.0:
        return f"{number:,.1f}"
    return f"{number:.{min(2 - int(np.floor(np.log10(abs(number)))), MOST_DECIMALS)}f}"


def whole_number(value: float) -> str:
    """A count in words.

    Examples
    --------
    >>> whole_number(1485.0), whole_number(0.0)
    ('1,485', 'none')
    """
    return f"{value:,.0f}" if value else "none"


def kept_words(row: Mapping[str, float], most: float) -> str:
    """Facts kept of a family, and the fewest of the simulator's own histories in brackets.

    most : facts of the family that any simulator determines; of one that has fewer both are said.

    Examples
    --------
    >>> kept_words({"known": 42.0, "kept": 41.0, "own_least": 39.5}, 42)
    '41 [40]'
    >>> kept_words({"known": 40.0, "kept": 40.0, "own_least": float("nan")}, 42)
    '40 of 40'
    """
    of = "" if row["known"] == most else f" of {row['known']:.0f}"
    least = "" if np.isnan(row["own_least"]) else f" [{row['own_least']:.0f}]"
    return f"{row['kept']:.0f}{of}{least}"


def distances(facts: pd.DataFrame) -> pd.Series:
    """How far the data lie outside the band of each fact, in widths of the band; 0 within it.

    Also 0 where the band has no width: a day or two that nearly no path has are no great distance.

    Examples
    --------
    >>> rows = pd.DataFrame({"data": [5.0, 1.5, 0.0], "low": [1.0] * 3, "high": [2.0, 2.0, 1.0]})
    >>> distances(rows).tolist()
    [3.0, 0.0, 0.0]
    """
    outside = np.maximum(facts["data"] - facts["high"], facts["low"] - facts["data"])
    width = facts["high"] - facts["low"]
    far = np.where((outside > 0) & (width > 0), outside / width.where(width > 0, np.nan), 0.0)
    return pd.Series(far, facts.index)


def farthest(facts: pd.DataFrame, count: int) -> pd.DataFrame:
    """The lost facts that lie farthest outside their bands, no fact twice for one family and name.

    One fact is lost of many factors or pairs at once: it is shown for the one that is worst off.
    """
    lost = facts[facts["kept"] == 0.0]
    order = distances(lost).sort_values(ascending=False, kind="stable").index
    ranked = lost.loc[order].reset_index()
    return ranked.drop_duplicates(["family", "fact"]).head(count)


def value_of(row: Mapping[Any, Any], name: str, study: SimulateStudy) -> str:
    """One value of a row of facts, in words."""
    kind = study.kinds.get(str(row["of"]), "")
    return value_words(float(row[name]), is_move=bool(row["is_move"]), kind=kind)


def study_line(study: SimulateStudy) -> str:
    """Days, paths, histories and seed, for the line under tables and figures."""
    own = f", {study.histories} histories of its own" if study.histories else ""
    return (
        f"{study.days:,} one-day moves of {len(study.kinds)} factors; {study.paths:,} paths of "
        f"each simulator{own}, seed {study.provenance.seed}"
    )


def footnote(study: SimulateStudy) -> str:
    """The end of every figure's footnote."""
    origin = study.provenance
    return f"{study_line(study)}. Source: {origin.prices.sentence()}. {origin.software.sentence()}."
