"""Records of exceedances."""

import numpy as np

from backtest.types import BoolArray


def with_exceedances(*counts: int, days: int = 1000) -> BoolArray:
    """Evenly spread exceedances, one column a count."""
    panel = np.zeros((days, len(counts)), bool)
    for column, count in enumerate(counts):
        panel[np.linspace(0, days - 1, count).astype(int), column] = True
    return panel
