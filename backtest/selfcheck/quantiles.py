"""Tails of losses: how many are in them, which is the quantile, what their mean is."""

import numpy as np

from backtest.kernels.tails import tail_losses
from backtest.scores.money.cost import equal_coverage_scale
from backtest.selfcheck.row import Row
from backtest.types import FloatArray, tail_count

NAN = float("nan")


def _tail(
    losses: list[float], confidence: float, exposure: tuple[float, ...] = (1.0,)
) -> FloatArray:
    """(2, portfolios) VaR and ES of one factor's losses, all days in the window."""
    days = len(losses)
    return np.array(_tails(losses, days, tail_count(days, confidence), exposure))[:, -1]


def _tails(
    losses: list[float], lookback: int, count: int, exposure: tuple[float, ...] = (1.0,)
) -> FloatArray:
    shocks = -np.array(losses, dtype=np.float64)[:, None]
    books = np.array(exposure)[:, None]
    return np.array(
        tail_losses(shocks, np.ones_like(shocks), books, lookback=lookback, count=count)
    )


def _revalued() -> FloatArray:
    """VaR where the sensitivity doubles on the last day: yesterday's shocks count double too."""
    shocks = np.array([[-1.0], [-2.0], [-3.0], [-1.0]])
    unit = np.array([[1.0], [1.0], [1.0], [2.0]])
    return tail_losses(shocks, unit, np.ones((1, 1)), lookback=3, count=2)[0][:, 0]


ROWS = (
    Row(
        "tail of 100 losses at every whole percent",
        "numpy/numpy#22582",
        lambda: [tail_count(100, 1.0 - percent / 100.0) for percent in range(1, 100)],
        right=list(range(1, 100)),
        by="k percent of 100 are k",
    ),
    Row(
        "losses 0 .. 99 at 93 %",
        "numpy/numpy#22582",
        lambda: _tail([float(loss) for loss in range(100)], 0.93)[:, 0],
        right=[93.0, 96.0],
        by="the seven largest are 93 .. 99",
    ),
    Row(
        "losses 0 .. 499 at 99 %",
        "numpy/numpy#22582",
        lambda: _tail([float(loss) for loss in range(500)], 0.99)[:, 0],
        right=[495.0, 497.0],
        by="the five largest are 495 .. 499",
    ),
    Row(
        "losses 0 .. 4 at 75 %, a tail of 1.25 losses",
        "HKUDS/Vibe-Trading#1189",
        lambda: _tail([0.0, 1.0, 2.0, 3.0, 4.0], 0.75)[:, 0],
        right=[3.0, 3.5],
        by="1.25 rounded up: 3 and 4",
    ),
    Row(
        "losses 0.11 .. 0.34, VaR at 70 %",
        "numpy/numpy#27529",
        lambda: _tail([0.34, 0.24, 0.11, 0.21, 0.33], 0.70)[0],
        right=[0.33],
        by="1.5 rounded up: the second largest",
    ),
    Row(
        "ES of the losses 1 .. 10 at 80 %, apart from their VaR",
        "ranaroussi/quantstats#467",
        lambda: _tail([float(loss) for loss in range(1, 11)], 0.80)[:, 0],
        right=[9.0, 9.5],
        by="mean of 9 and 10",
    ),
    Row(
        "ES of two portfolios at once, one long and one short",
        "Lumiwealth/quantstats_lumi#90",
        lambda: _tail([float(loss) for loss in range(1, 11)], 0.80, (1.0, -2.0)),
        right=[[9.0, -4.0], [9.5, -3.0]],
        by="a short gains 2, 4, ..: its worst are -2 and -4",
    ),
    Row(
        "279 equal losses at 55 %",
        "numpy/numpy#10373",
        lambda: _tail([0.56758051638767337] * 279, 0.55)[:, 0],
        right=[0.56758051638767337] * 2,
        by="every one is the same number",
        tolerance=1e-14,
    ),
    Row(
        "a loss of 9e33 that has left the window of five",
        "pandas-dev/pandas#11645",
        lambda: _tails([0, 1, 9e33, 3, 4, 5, 6, 7, 8, 9], 5, 2)[:, -1, 0],
        right=[8.0, 8.5],
        by="the window holds 5 .. 9",
    ),
    Row(
        "days before the window is full",
        "definition",
        lambda: _tails([1, 3, 2, 4], 3, 1)[0, :, 0],
        right=[NAN, NAN, 3.0, 4.0],
        by="largest of the last three",
    ),
    Row(
        "a sensitivity that doubles today",
        "definition",
        _revalued,
        right=[NAN, NAN, 2.0, 4.0],
        by="second largest of 1 2 3, then of 4 6 2",
    ),
    Row(
        "scale of a margin of 2 on losses 4 1 3 -2 0 at 75 %",
        "ooples/AiDotNet#1982",
        lambda: equal_coverage_scale(
            np.array([[4.0], [1.0], [3.0], [-2.0], [0.0]]), np.full((5, 1), 2.0), confidence=0.75
        ),
        right=[1.5],
        by="1.25 days may exceed, so one does: 3 of 2 is the next",
    ),
)
