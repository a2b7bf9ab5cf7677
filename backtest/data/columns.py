"""Which column of which file of a folder a factor is, and in what unit.

The shape of the files, for anyone who brings their own (`Date` first, ISO, ascending):

- `treasury_par_yields.csv`: a column a maturity ('3M', '10Y'), percent.
- `<name>_usd.csv` (`btc_usd.csv`): `Close`, one row a calendar day or trading day, USD.
- `<name>_vol.csv`: `Close`, the implied volatility index '<name>-VOL', percent.
- the others as listed in `COLUMNS`; '<name>-REALISED' is made of the prices of <name>.
"""

from dataclasses import dataclass, replace
from typing import Literal

from backtest.instruments.contracts import known_contracts
from backtest.market.market import Kind, tenor_years
from backtest.types import DataError

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
    form : 'level' as it stands; 'funding' a rate (fraction) that becomes the index it accrues on;
        'realised' a price that becomes its trailing volatility, APPROXIMATE where an option needs
        an implied one. See `derived`.
    payments : of funding, how often a day the rate is paid.
    """

    file: str
    column: str = "Close"
    kind: Kind = "price"
    unit: Literal["USD", "points", "percent", "fraction"] = "USD"
    rolls: bool = False
    form: Literal["level", "funding", "realised"] = "level"
    payments: int = 1


FUNDING_FILE = "funding_rates.csv"

COLUMNS: dict[str, FactorColumn] = {
    "SPY": FactorColumn("sp500.csv", "SPY_adjclose"),
    "VIX": FactorColumn("vix.csv", "VIX", unit="percent"),
    "SOFR": FactorColumn("short_rates.csv", "SOFR", kind="yield", unit="percent"),
    "DFF": FactorColumn("short_rates.csv", "DFF", kind="yield", unit="percent"),
    **{
        code: FactorColumn(FUTURES_FILE, code, unit="points", rolls=True)
        for code, terms in known_contracts().items()
        if terms.maturity is not None
    },
    "BTC_CME": FactorColumn("bitcoin_futures_cme_front.csv", rolls=True),
    "ETH_CME": FactorColumn("ether_futures_cme_front.csv", rolls=True),
    # Two venues are two series. One is the day's mean 8-hour rate, the other the day's sum.
    "BTC-FUNDING": FactorColumn(
        FUNDING_FILE, "btc_perp_mean_per_8h", unit="fraction", form="funding", payments=3
    ),
    "BTC-FUNDING-BITMEX": FactorColumn(
        FUNDING_FILE, "bitmex_xbtusd_daily_sum", unit="fraction", form="funding"
    ),
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
    if "-FUNDING" in factor:
        known = ", ".join(name for name, place in COLUMNS.items() if place.form == "funding")
        raise DataError(f"unknown funding {factor!r}; known: {known}.")
    if factor.endswith("-REALISED"):
        return replace(factor_column(factor.removesuffix("-REALISED")), form="realised")
    if factor.endswith("-VOL"):
        return FactorColumn(f"{factor.removesuffix('-VOL').lower()}_vol.csv", unit="percent")
    return FactorColumn(f"{factor.lower()}_usd.csv")
