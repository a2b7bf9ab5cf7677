"""Published rates by remaining maturity."""

from bisect import bisect_left
from typing import Annotated, Self

from pydantic import Field, model_validator

from backtest.parameters.header import Marked

Rate = Annotated[float, Field(ge=0, le=1)]


class ByMaturity(Marked):
    """Rates by maturity: a row covers maturities above the row before it, up to and with its own.

    Parameters
    ----------
    up_to : (rows,) last maturity of each row in years, ascending; the first row begins above 0.
    rate : (rows,) decimals.

    Examples
    --------
    >>> table = ByMaturity(up_to=(1.0, 5.0), rate=(0.005, 0.02))
    >>> table.at(1.0), table.at(1.5), table.at(7.0)
    (0.005, 0.02, None)
    """

    up_to: tuple[float, ...] = ()
    rate: tuple[Rate, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        rows = {name: len(column) for name, column in self if isinstance(column, tuple)}
        if len(set(rows.values())) > 1:
            raise ValueError(f"the columns differ in length: {rows}")
        if any(a >= b for a, b in zip((0.0, *self.up_to), self.up_to, strict=False)):
            raise ValueError(f"maturities {list(self.up_to)} do not ascend from above 0")
        return self

    def row(self, years: float | None) -> int | None:
        """Row of a maturity in years; None without a maturity, or beyond the last row."""
        row = bisect_left(self.up_to, years or 0.0)
        return row if years and 0 < years and row < len(self.up_to) else None

    def at(self, years: float | None) -> float | None:
        """Rate of a maturity in years; None without a maturity, or beyond the last row."""
        row = self.row(years)
        return None if row is None else self.rate[row]
