"""One sensitivity to one risk factor, in the form of SIMM."""

from dataclasses import dataclass
from typing import Literal

from backtest.types import FloatArray

Measure = Literal["delta", "vega", "curvature", "base correlation"]
DAYS = {"w": 7.0, "m": 365.0 / 12.0, "y": 365.0}


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """P&L for one basis point (rates, credit) or one per cent (others) up, or for volatility.

    Parameters
    ----------
    product : product class, within which risk classes offset.
    risk : risk class. measure : delta, vega, curvature or base correlation.
    bucket : currency, or bucket of the risk class. qualifier : issuer, name, commodity, currency.
    amount : USD, any shape (days, portfolios); every sensitivity of one call has the same.
    tenor : vertex of a curve; 'inflation' or 'basis' of a currency; '' where there is none.
    curve : sub-curve, or Label2 of the CRIF.
    expiry : calendar days to the expiry of a vega's option; a number or the shape of `amount`.
    """

    product: str
    risk: str
    measure: Measure
    bucket: str
    qualifier: str
    amount: FloatArray
    tenor: str = ""
    curve: str = ""
    expiry: FloatArray | float = 0.0

    @property
    def factor(self) -> tuple[str, ...]:
        """Key of the risk factor: sensitivities with the same key are netted."""
        return (
            self.product,
            self.risk,
            self.measure,
            self.bucket,
            self.qualifier,
            self.tenor,
            self.curve,
        )


def tenor_days(tenor: str) -> float:
    """Calendar days of a vertex.

    Examples
    --------
    >>> tenor_days("2w"), tenor_days("3m"), tenor_days("10y")
    (14.0, 91.25, 3650.0)
    """
    return int(tenor[:-1]) * DAYS[tenor[-1]]
