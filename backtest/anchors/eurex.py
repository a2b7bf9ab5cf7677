"""Statistics of a margin model in the form of Eurex Clearing's, plain and mitigated in six ways."""

from collections.abc import Callable
from functools import cache, partial
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.anchors.anchor import Anchor, AnchorSet, number
from backtest.anchors.golden import Held, Table
from backtest.anchors.procyclicality_statistics import SIDES, Side, procyclicality_statistics
from backtest.types import DataError, parse_day

TITLE = "Coverage and procyclicality of a Eurex-type filtered historical simulation"
SOURCE = "Glinz (2023), bachelor's thesis, svensglinz/BA_Thesis, calculations_fesx"
KEYS = ("statistic", "variant", "period", "decay")
# A shortfall is the small difference of a margin and a return, and his own sums run in another
# order: 13 digits of 16 agree everywhere.
RELATIVE = 1e-12

Key = tuple[str, str, str, float]


def read(star: str, paths: list[Path]) -> AnchorSet:
    """The printed statistics of one instrument and side: 'fesx_long'."""
    main, returns_path, stress_path = paths
    sides = [side for side in SIDES if star.endswith(f"_{side}")]
    if not sides:
        raise DataError(
            f"{main.name} names no side; let it end in {' or '.join(SIDES)}_published.csv."
        )
    returns, stress = _returns(returns_path), _stress(stress_path)
    printed = Table.read(main, (*KEYS, "value"))
    rows = [(place, row, _key(printed, place, row)) for place, row in printed]
    decays = sorted({key[3] for _, _, key in rows})
    answers = cache(partial(_answers, returns, stress, decays, sides[0]))
    anchors = []
    for place, row, key in rows:
        value = printed.printed(place, row, "value")
        anchors.append(
            Anchor(
                f"{key[0]}, {key[1]}, {key[2]}, decay {row['decay']}, {sides[0]}",
                SOURCE,
                value,
                partial(_answer, answers, key),
                group=f"{key[1]}, {key[2]}",
                within=RELATIVE * abs(number(value)) if isfinite(number(value)) else 0.0,
            )
        )
    return AnchorSet(
        f"{TITLE}, {star.replace('_', ' ')}",
        tuple(anchors),
        note="Met to a part in 1e12: shortfalls are small differences, and the sums of the source "
        "run in another order. Cap, buffer, limit and floor know all years, as the source's do. "
        "Days that it left out it does not list: they were found from its mean margins.",
        file=main.name,
    )


def _answers(
    returns: pd.DataFrame, stress: pd.DataFrame, decays: list[float], side: Side
) -> dict[Key, float]:
    table = procyclicality_statistics(returns, stress, decays, side=side)
    keys = table[list(KEYS)].itertuples(index=False, name=None)
    return dict(zip(keys, table["value"], strict=True))


def _answer(answers: Callable[[], dict[Key, float]], key: Key) -> float | str:
    return answers().get(key, "no such statistic")


def _key(table: Table, place: int, row: dict[str, str]) -> Key:
    return row["statistic"], row["variant"], row["period"], table.number(place, row, "decay")


def _returns(path: Path) -> pd.DataFrame:
    table = Table.read(path, ("date", "log_return"))
    return pd.DataFrame(
        {
            "date": [_day(table, place, row, "date") for place, row in table],
            "log_return": [table.number(place, row, "log_return") for place, row in table],
        }
    )


def _stress(path: Path) -> pd.DataFrame:
    table = Table.read(path, ("DATE", "CONF_LEVEL", "LIQ_GROUP", "GROUP"))
    return pd.DataFrame(
        {
            "DATE": [_day(table, place, row, "DATE") for place, row in table],
            "CONF_LEVEL": [table.number(place, row, "CONF_LEVEL") for place, row in table],
            "LIQ_GROUP": [row["LIQ_GROUP"] for _, row in table],
            "GROUP": [row["GROUP"] for _, row in table],
        }
    )


def _day(table: Table, place: int, row: dict[str, str], column: str) -> np.datetime64:
    return parse_day(row[column], f"{table.file}, row {place}: {column}", DataError)


HELD = (
    Held(
        TITLE,
        "apc_*_published.csv",
        lambda star: (f"apc_{star.rpartition('_')[0] or star}_returns.csv", "apc_stress_days.csv"),
        read,
    ),
)
