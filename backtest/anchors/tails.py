"""Quantiles and expected shortfalls of published P&Ls: the tail convention of the package."""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np

from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.anchors.golden import Held, Table, finite
from backtest.kernels.tails import tail_losses
from backtest.types import DataError, FloatArray, shown, tail_count

SOURCE = "OpenSourceRisk/Engine, Examples, HistSimVar"
KEYS = ("Portfolio", "RiskClass", "RiskType")
MEASURE = re.compile(r"(Quantile|ExpectedShortfall)_(0\.\d+)$")


def _profits(path: Path) -> dict[tuple[str, ...], FloatArray]:
    """P&L by portfolio, risk class and type."""
    table = Table.read(path, (*KEYS, "PLAmount"))
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for place, row in table:
        key = tuple(row[name] for name in KEYS)
        found[key].append(table.number(place, row, "PLAmount"))
    return {key: np.array(values) for key, values in found.items()}


def _measured(profit: FloatArray, measure: str, share: float) -> float:
    """Quantile of P&L at a share from the worst, or the mean of it and all below it."""
    days = len(profit)
    quantile, shortfall = tail_losses(
        profit[:, None],
        np.ones((days, 1)),
        np.ones((1, 1)),
        lookback=days,
        count=tail_count(days, 1.0 - share),
    )
    return -float((quantile if measure == "Quantile" else shortfall)[-1, 0])


def read(star: str, paths: list[Path]) -> AnchorSet:
    """The printed measures of one file of P&L."""
    pnl, expected = paths
    table = Table.read(expected, KEYS)
    columns = [found for name in table.rows[0][1] if (found := MEASURE.match(name))]
    if not columns:
        raise DataError(f"{expected.name} has no column such as Quantile_0.010000; give one.")
    profits, anchors = _profits(pnl), []
    for place, row in table:
        key = tuple(row[name] for name in KEYS)
        profit = profits.get(key)
        if profit is None:
            raise DataError(
                f"{expected.name}, row {place} is about {shown(' / '.join(key))}, of which "
                f"{pnl.name} has no P&L; give its P&L or take the row out."
            )
        for found in columns:
            measure, level = found.groups()
            share = finite(level, f"{expected.name}: level of {found.group()}")
            anchors.append(
                Anchor(
                    f"{' / '.join(key)}: {_words(measure)} at {share:g}, {len(profit):,} P&Ls",
                    SOURCE,
                    table.printed(place, row, found.group()),
                    partial(_measured, profit, measure, share),
                    group=key[1],
                )
            )
    return AnchorSet(
        "Quantiles and expected shortfalls of overlapping ten-day P&Ls",
        tuple(anchors),
        note="The count of a tail is rounded up, and nothing is interpolated.",
        file=pnl.name,
    )


def _words(measure: str) -> str:
    return {"Quantile": "quantile", "ExpectedShortfall": "mean of the tail"}[measure]


HELD = (
    Held(
        "Ten-day VaR and ES of a historical simulation",
        "ore_histsimvar*_pnl.csv",
        lambda star: (f"ore_histsimvar{star}_expected.csv",),
        read,
    ),
)
