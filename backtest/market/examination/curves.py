"""Curves that stand still: one maturity while its neighbours move, or all of them at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from backtest.market.examination.column import Column
from backtest.market.examination.finding import Finding, iso, listed
from backtest.market.tenors import tenor_years
from backtest.types import Dates, FloatArray

BETWEEN, BESIDE = 3, 5  # days on which a maturity rests while the two most like it move
MOVED = 0.0002  # each of them, one way
SHORTEST = 2.0  # years; bills rest while notes move
TENORS, TOGETHER = 3, 2  # fewest maturities; days on which all repeat, one more where they are few
LOWEST = 0.003  # below it yields rest by themselves


def check_curves(columns: Sequence[Column]) -> Iterator[Finding]:
    """Stale maturities, and stale days of the whole curve."""
    curve = sorted((c for c in columns if c.role == "yield"), key=_tenor)
    if len(curve) < TENORS:
        return
    frame = pd.concat([pd.Series(c.levels, c.days) for c in curve], axis=1, join="inner")
    days = frame.index.to_numpy().astype("datetime64[D]")
    levels = frame.to_numpy()
    if len(frame) < 2:
        return
    yield from _whole(curve, days, levels)
    places = [place for place, column in enumerate(curve) if _tenor(column) >= SHORTEST]
    for place in places if len(places) >= TENORS else ():
        # The two maturities most like it, which its own lies between or beside.
        distance = {p: abs(np.log(_tenor(curve[p]) / _tenor(curve[place]))) for p in places}
        own, one, two = sorted(places, key=distance.__getitem__)[:3]
        is_between = min(one, two) < own < max(one, two)
        least = BETWEEN if is_between else BESIDE
        yield from _one(curve[own], days, levels[:, [one, own, two]], least)


def _tenor(column: Column) -> float:
    return tenor_years(column.factor) or 0.0


def _one(column: Column, days: Dates, levels: FloatArray, least: int) -> Iterator[Finding]:
    """A maturity that rests while the two most like it move one way."""
    moves = np.diff(levels, axis=0)
    short, own, long = moves.T
    one_way = (short * long > 0.0) & (np.minimum(np.abs(short), np.abs(long)) >= MOVED)
    starts = np.flatnonzero((own == 0.0) & ~np.append(False, own[:-1] == 0.0))
    ends = np.flatnonzero((own == 0.0) & ~np.append(own[1:] == 0.0, False))
    for start, end in zip(starts, ends, strict=True):
        count = int(one_way[start : end + 1].sum())
        if count >= least:
            run = days[start : end + 2]
            yield Finding(
                column.factor,
                "stale curve",
                iso(run),
                f"{column.name} rests at {column.shown(levels[start, 1])} from {run[0]} to "
                f"{run[-1]}, while the maturities beside it move by {MOVED:.2%} or more on {count} "
                "days",
                "leave out the days that were filled forward",
            )


def _whole(curve: Sequence[Column], days: Dates, levels: FloatArray) -> Iterator[Finding]:
    same = np.append(False, (np.diff(levels, axis=0) == 0.0).all(axis=1))
    same &= np.median(levels, axis=1) > LOWEST
    least = TOGETHER if len(curve) > TENORS + 1 else TOGETHER + 1
    starts = np.flatnonzero(same & ~np.append(False, same[:-1]))
    ends = np.flatnonzero(same & ~np.append(same[1:], False))
    run = np.zeros(len(same), dtype=np.bool_)
    for start, end in zip(starts, ends, strict=True):
        run[start : end + 1] = end - start + 1 >= least
    if run.any():
        names = ", ".join(column.factor for column in curve)
        yield Finding(
            curve[0].factor,
            "stale curve",
            iso(days[run]),
            f"{names} repeat all their values on {int(run.sum())} days ({listed(days[run])})",
            "leave out the days that were filled forward",
        )
