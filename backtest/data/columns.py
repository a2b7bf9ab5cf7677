"""Which column of which file of a folder a factor is, and in what unit.

The shape of the files, for anyone who brings their own (`Date` first, ISO, ascending):

- `treasury_par_yields.csv`: a column a maturity ('3M', '10Y'), percent.
- `<name>_usd.csv` (`btc_usd.csv`): `Close`, one row a calendar day or trading day, USD.
- the others as listed in `COLUMNS`.
"""

from dataclasses import dataclass
from typing import Literal

from ..market import Kind, tenor_years

YIELDS_FILE = "treasury_par_yields.csv"
FUTURES_FILE = "treasury_futures_front_unadjusted.csv"


@dataclass(frozen=True)
class FactorColumn:
    """Where one factor stands in a folder of prices.

    Parameters
    ----------
    file, column : name of the CSV file and of its column.
    kind : what the factor is in a market.
    unit : of the file; percent becomes a decimal.
    rolls : True where the file splices front months, so that each roll shows a false return.
    """

    file: str
    column: str = "Close"
    kind: Kind = "price"
    unit: Literal["USD", "points", "percent"] = "USD"
    rolls: bool = False


COLUMNS: dict[str, FactorColumn] = {
    "SPY": FactorColumn("sp500.csv", "SPY_adjclose"),
    "VIX": FactorColumn("vix.csv", "VIX", unit="percent"),
    "SOFR": FactorColumn("short_rates.csv", "SOFR", kind="yield", unit="percent"),
    "DFF": FactorColumn("short_rates.csv", "DFF", kind="yield", unit="percent"),
    **{
        code: FactorColumn(FUTURES_FILE, code, unit="points", rolls=True)
        for code in ("ZT", "ZF", "ZN", "ZB")
    },
    "BTC_CME": FactorColumn("bitcoin_futures_cme_front.csv", rolls=True),
    "ETH_CME": FactorColumn("ether_futures_cme_front.csv", rolls=True),
}


def factor_column(factor: str) -> FactorColumn:
    """Where `factor` stands: as listed, a column of the par-yield file, or `<name>_usd.csv`.

    Examples
    --------
    >>> factor_column("7Y").file, factor_column("USDC").file, factor_column("VIX").unit
    ('treasury_par_yields.csv', 'usdc_usd.csv', 'percent')
    """
    if factor in COLUMNS:
        return COLUMNS[factor]
    if tenor_years(factor) is not None:
        return FactorColumn(YIELDS_FILE, factor, kind="yield", unit="percent")
    return FactorColumn(f"{factor.lower()}_usd.csv")
