"""Other lower bounds of the total reduction, measured beside the chosen one by `make calibration`.

One allowance below the estimate serves s and s_dep alike.
"""

import numpy as np
from scipy.special import stdtrit

from backtest.kernels.pooling import tail_scale
from backtest.offset.bounds import resampled_totals
from backtest.offset.history import Reduction, SiloHistory

LONG_BLOCK = 300  # scored days
PARTS = 4
LEVEL = 0.95


def alternative_allowances(
    history: SiloHistory, point: Reduction, *, resamples: int
) -> dict[str, float]:
    """Distance below the estimate by method, one-sided 95 %.

    - long blocks: the percentile of days resampled in blocks of 300, which hold regimes but leave
      few to draw.
    - delete a quarter: jackknife over four blocks of consecutive days, times the quantile of
      Student's t with 3 degrees of freedom (Kunsch 1989, with few blocks).
    - worst third: the smallest estimate over three thirds of the history.
    """
    long = resampled_totals(history, resamples=resamples, block=LONG_BLOCK)
    quarters = np.array([_total(history, part, keep=False) for part in _parts(history.days, 4)])
    thirds = [_total(history, part, keep=True) for part in _parts(history.days, 3)]
    error = float(np.sqrt((PARTS - 1) / PARTS * ((quarters - quarters.mean()) ** 2).sum()))
    return {
        "long blocks": point.total - float(np.nanquantile(long, 1.0 - LEVEL)),
        "delete a quarter": float(stdtrit(PARTS - 1, LEVEL)) * error,
        "worst third": max(0.0, point.total - min(thirds)),
    }


def _parts(days: int, parts: int) -> list[np.ndarray]:
    """Whether each day is in the part, for consecutive parts of equal length."""
    number = np.arange(days) * parts // days
    return [number == k for k in range(parts)]


def _total(history: SiloHistory, part: np.ndarray, *, keep: bool) -> float:
    """Total reduction over the days of the part, or over all others."""
    rest = history.between(part if keep else ~part)
    scaled = (rest.kappa()[:, None] * rest.margin).sum(axis=0)
    return 1.0 - tail_scale(rest.loss.sum(axis=0), scaled, np.empty(rest.tail))
