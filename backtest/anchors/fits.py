"""The benchmark of GARCH fits: Deutschmark against pound."""

from functools import cache, partial
from pathlib import Path

import numpy as np

from backtest.anchors.anchor import Anchor, AnchorSet, part
from backtest.anchors.golden import Held, Table
from backtest.estimators.garch import GarchFit, fit_garch
from backtest.types import FloatArray

SOURCE = "Bollerslev and Ghysels (1996), Journal of Business & Economic Statistics 14(2)"
MEAN = -0.00619041  # of the optimum, as printed; ours fits a series without a mean
PRINTED = {"omega": "0.0107613", "alpha": "0.153134", "beta": "0.805974"}


def _fit(returns: FloatArray) -> GarchFit:
    return fit_garch(returns - MEAN, student=False)


def read(star: str, paths: list[Path]) -> AnchorSet:
    """Coefficients of a GARCH(1, 1) with normal innovations."""
    (path,) = paths
    table = Table.read(path, ("r",))
    returns = np.array([table.number(place, row, "r") for place, row in table])
    fit = cache(partial(_fit, returns))
    anchors = tuple(
        Anchor(
            f"{name} of a GARCH(1, 1), {len(returns):,} days",
            SOURCE,
            printed,
            partial(part, fit, name),
            within=1e-5,
        )
        for name, printed in PRINTED.items()
    )
    return AnchorSet(
        "GARCH: Deutschmark against pound",
        anchors,
        note="What came before the first day is taken about the sample's mean there, about that "
        "of the optimum here.",
        file=path.name,
    )


HELD = (Held("GARCH: Deutschmark against pound", "dmbp.csv", lambda star: (), read),)
