"""Facts and families in words: values in the unit of their factor, and the facts farthest off."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from backtest.present.numbers import MISSING, percent
from backtest.studies.simulate.study import SimulateStudy

BASIS_POINTS = 1e4


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
    """
    if np.isnan(value):
        return MISSING
    if not is_move:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"
    return percent(value) if kind == "price" else f"{BASIS_POINTS * value:,.1f} bp"


def whole_number(value: float) -> str:
    """A count in words.

    Examples
    --------
    >>> whole_number(1485.0), whole_number(0.0)
    ('1,485', 'none')
    """
    return f"{value:,.0f}" if value else "none"


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
