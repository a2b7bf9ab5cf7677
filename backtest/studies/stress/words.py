"""Moves, scenarios and distances in words."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtest.present.numbers import percent

BASIS_POINT = 1e-4
LARGEST = 3  # factors of a joint move that are named
BESIDE = 0.2  # of the deviations of the largest move: smaller ones are not named


def move_words(factor: str, kind: str, move: float) -> str:
    """A move of a factor: of a price in per cent, of a yield in basis points.

    Examples
    --------
    >>> move_words("BTC", "price", -0.1043), move_words("10Y", "yield", 0.00194)
    ('BTC -10.4 %', '10Y +19 bp')
    """
    if kind == "yield":
        return f"{factor} {move / BASIS_POINT:+,.0f} bp"
    return f"{factor} {percent(move, sign=True)}"


def moves_words(moves: pd.DataFrame, *, most: int = LARGEST) -> str:
    """The largest moves of one row of reverse stress, by their deviations.

    moves : rows of `StressResult.moves` of one direction.

    Examples
    --------
    >>> moves = pd.DataFrame({"factor": ["10Y", "BTC"], "kind": ["yield", "price"],
    ...                       "move": [0.0001, -0.2], "deviations": [0.1, -3.0]})
    >>> moves_words(moves)
    'BTC -20.0 %'
    """
    size = moves["deviations"].abs().sort_values(ascending=False)
    ranked = moves.loc[size[size >= BESIDE * size.max()].index]
    rows = ranked.head(most).to_dict("records")
    return ", ".join(move_words(row["factor"], row["kind"], row["move"]) for row in rows)


def same_move(direction: str, moves: pd.DataFrame) -> str:
    """A stated direction with its size: one factor's move, or that of all yields.

    Examples
    --------
    >>> moves = pd.DataFrame({"factor": ["2Y", "10Y"], "kind": ["yield", "yield"],
    ...                       "move": [0.001, 0.001], "deviations": [1.0, 1.0]})
    >>> same_move("all yields up", moves)
    'all yields +10 bp'
    """
    if direction.startswith("all yields"):
        return move_words("all yields", "yield", float(moves["move"].iloc[0]))
    return moves_words(moves, most=1)


def days_words(row: Mapping[str, Any]) -> str:
    """Days of the history that lost more than a margin, of all of them.

    Examples
    --------
    >>> days_words({"days_beyond": 78, "days": 2697})
    '78 of 2,697'
    """
    return f"{int(row['days_beyond']):,} of {int(row['days']):,}"
