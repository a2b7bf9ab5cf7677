"""The offset ladder: what each book's history supports, with the bounds and what is behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from backtest.book.coverage import Coverage
from backtest.model.protocol import MarginModel
from backtest.offset.hindsight import out_of_sample
from backtest.offset.history import SiloHistory

NAN = float("nan")


@dataclass(frozen=True)
class OffsetEstimate:
    """Estimates for one book, as shares of its equal-coverage silo margins.

    Parameters
    ----------
    total, diversification, dependence : s, s_div and s_dep = s - s_div; only s_dep may be called
        an offset.
    total_bound, dependence_bound : one-sided lower bounds; NaN where none was requested. The data
        support max(0, bound).
    correlation, correlation_drift : of the losses of the two silos whose correlation drifts most,
        and its standard deviation over the years.
    unsafe, unsafe_worst, cell : share of simulated histories like this one in which the bounds were
        above the truth, the same in the worst world, and the cell of the grid, or why there is none
        (docs/offset-calibration.md).
    raw : s from the unscaled margins of the silos.
    worst_500 : smallest s over any 500 scored days.
    exceedances, effective : number of exceedances at s, and of independent ones with the same
        information.
    passes : share of resampled histories that keep the standard at s, about one half.
    passes_bound : the same share at the bound of s.
    dropped : resamples in which a silo had no scale.
    kappa, usd : equal-coverage scale, and gross USD, by silo.
    silo_margin : what the silos ask together at equal coverage, kappa times margin, mean over the
        scored days in the currency of the losses: `total` of it is what the pool does without.
    reason : why the estimates are NaN; empty if they are not.
    """

    portfolio: str
    observations: int
    kappa: dict[str, float]
    usd: dict[str, float]
    total: float = NAN
    diversification: float = NAN
    dependence: float = NAN
    total_bound: float = NAN
    dependence_bound: float = NAN
    correlation: float = NAN
    correlation_drift: float = NAN
    unsafe: float = NAN
    unsafe_worst: float = NAN
    cell: str = ""
    raw: float = NAN
    worst_500: float = NAN
    exceedances: int = 0
    effective: float = NAN
    passes: float = NAN
    passes_bound: float = NAN
    dropped: int = 0
    silo_margin: float = NAN
    reason: str = ""


COLUMNS = (
    "total", "diversification", "dependence", "total_bound", "dependence_bound", "correlation",
    "correlation_drift", "unsafe", "unsafe_worst", "raw", "exceedances", "effective", "worst_500",
    "passes", "passes_bound", "dropped", "observations",
)  # fmt: skip


MOST_ROWS, NAME = 16, 30  # rows and characters of a name when a ladder is printed


@dataclass(frozen=True)
class OffsetLadder:
    """One estimate for each portfolio, in the order of the book.

    base : the model behind the margins; None where they were given.
    histories : of the portfolios that were bounded.
    """

    estimates: tuple[OffsetEstimate, ...]
    coverage: Coverage
    base: MarginModel | None
    confidence: float
    histories: Mapping[str, SiloHistory] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        shown = self.to_frame()[["total", "total_bound", "dependence", "dependence_bound"]]
        more = len(shown) - MOST_ROWS
        return "\n".join(
            [
                f"<OffsetLadder of {len(shown)} books, one-sided bounds at {self.confidence:.0%}>",
                shown.head(MOST_ROWS).rename(lambda name: name[:NAME]).round(3).to_string(),
                *([f"... and {more} more"] if more > 0 else []),
                "Next: to_frame()",
            ]
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(float_format="{:,.3f}".format))

    def to_frame(self) -> pd.DataFrame:
        """One row for each portfolio: estimates, bounds, counts, kappa and USD by silo, reason."""
        rows: list[dict[str, Any]] = []
        for e in self.estimates:
            row: dict[str, Any] = {name: getattr(e, name) for name in COLUMNS}
            row |= {f"kappa_{silo}": k for silo, k in e.kappa.items()}
            row |= {f"usd_{silo}": v for silo, v in e.usd.items()}
            row |= {"silo_margin": e.silo_margin}
            rows.append(row | {"cell": e.cell, "reason": e.reason})
        names = pd.Index([e.portfolio for e in self.estimates], name="portfolio")
        return pd.DataFrame(rows, index=names)

    def out_of_sample(self) -> pd.DataFrame:
        """Bound at each year's end against the days after it: `hindsight.out_of_sample`."""
        return out_of_sample(self.histories, confidence=self.confidence)
