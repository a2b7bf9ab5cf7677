"""Laws and the critical values of tests of expected shortfall."""

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.estimators.innovations import unit_tail
from backtest.scores.forecasts.expected_shortfall import acerbi_szekely, tail_of
from backtest.types import FloatArray

TABLE = "Biometrika Tables for Statisticians, vol. 1 (1966); NIST/SEMATECH e-Handbook, 1.3.6.7.2"
MATHWORKS = "MathWorks, documentation of esbacktest"
# One-sided probability; percentage points of 3, 4, 6, 10 degrees of freedom and the normal.
POINTS = {
    0.025: ("3.182", "2.776", "2.447", "2.228", "1.960"),
    0.01: ("4.541", "3.747", "3.143", "2.764", "2.326"),
    0.005: ("5.841", "4.604", "3.707", "3.169", "2.576"),
}
FREEDOM = (3.0, 4.0, 6.0, 10.0, np.inf)

DAYS, Z2 = 1966, -0.38265  # of MathWorks' example, at 97.5 %
DRAWS = 20_000
# Three standard errors of a level of 1 % from so many draws are 0.002; the rest is what MathWorks'
# interpolation adds: 100,000 draws give p-values of 0.0051 and 0.0166.
SIMULATED = 0.003


def _point(rate: float, freedom: float) -> float:
    """Percentage point, from the one of unit variance that the models use."""
    unit = float(unit_tail(1.0 - rate, freedom)[0])
    return unit if np.isinf(freedom) else unit * float(np.sqrt(freedom / (freedom - 2.0)))


def _points() -> Iterator[Anchor]:
    for rate, printed in POINTS.items():
        for freedom, value in zip(FREEDOM, printed, strict=True):
            law = "the normal law" if np.isinf(freedom) else f"Student's t({freedom:g})"
            yield Anchor(
                f"{100 * (1 - rate):g} % point of {law}",
                TABLE,
                value,
                partial(_point, rate, freedom),
                known="quoted",
            )


@cache
def _record(days: int, z2: float) -> tuple[FloatArray, float, float]:
    """Losses of a record with this Z2 against constant VaR and ES of a normal law at 97.5 %."""
    quantile, shortfall = tail_of(0.025, None)
    count = round(0.025 * days * 1.3)
    loss = np.zeros(days)
    loss[:count] = (1.0 - z2) * 0.025 * days * shortfall / count
    return loss, quantile, shortfall


def _pvalue(days: int, z2: float, freedom: float | None = None) -> float:
    """p-value of that Z2; only the null depends on the law."""
    loss, quantile, shortfall = _record(days, z2)
    bands = np.full(days, quantile), np.full(days, shortfall)
    return acerbi_szekely(loss, *bands, freedom=freedom, draws=DRAWS).pvalue


def _critical_values() -> Iterator[Anchor]:
    """p-values, and the level of each printed critical value: ours must be the printed level."""
    for freedom, law, page, pvalue, critical in (
        (None, "normal", "unconditionalNormal", "0.0054099", -0.34639),
        (3.0, "t(3)", "unconditionalT", "0.018566", -0.42986),
    ):
        source = f"{MATHWORKS}.{page}"
        yield Anchor(
            f"Z2 of {Z2} in {DAYS:,} days at 97.5 %, {law} law: p-value",
            source,
            pvalue,
            partial(_pvalue, DAYS, Z2, freedom),
            within=SIMULATED,
        )
        yield Anchor(
            f"level at which Z2 rejects below {critical}, {law} law",
            source,
            "0.01",
            partial(_pvalue, DAYS, critical, freedom),
            within=SIMULATED,
        )
    yield Anchor(
        "level at which Z2 rejects below -0.7, 250 days at 97.5 %, normal law",
        "Acerbi and Szekely (2014), Backtesting expected shortfall",
        "0.05",
        partial(_pvalue, 250, -0.7),
        within=0.005,
        known="memory",
    )


SETS = (
    AnchorSet(
        "Percentage points of the laws",
        tuple(_points()),
        note="Ours from quantiles of unit variance, as models and forecasts use them.",
    ),
    AnchorSet(
        "Critical values of Acerbi and Szekely's Z2",
        tuple(_critical_values()),
        note=f"Ours from {DRAWS:,} simulated histories, hence the differences; MathWorks "
        "interpolates in a table that was simulated too.",
    ),
)
