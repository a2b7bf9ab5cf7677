"""In which file and column each factor is found, and in what unit.

The format of the files, for users who bring their own (`Date` first, ISO, ascending):

- `treasury_par_yields.csv`: one column for each maturity ('3M', '10Y'), percent.
- `<name>_usd.csv` (`btc_usd.csv`): `Close`, one row for each calendar or trading day, USD.
- `<name>_vol.csv`: `Close`, the implied volatility index '<name>-VOL', percent.
- what a study declares, as it is declared;
- all others as listed in `COLUMNS`; '<name>-REALISED' is computed from the prices of <name>.
"""

from dataclasses import dataclass, replace
from typing import Literal

from backtest.instruments.contracts import known_contracts
from backtest.instruments.declared import Declaration, contract_of, declaration_of_factor
from backtest.market.market import Kind, tenor_years
from backtest.types import DataError

YIELDS_FILE = "treasury_par_yields.csv"
FUTURES_FILE = "treasury_futures_front_unadjusted.csv"


@dataclass(frozen=True)
class FactorColumn:
    """File, column and unit of one factor in a folder of prices.

    Parameters
    ----------
    file, column : name of the CSV file and of its column.
    kind : what the factor is in a market.
    unit : unit in the file; percent is converted to a decimal.
    rolls : True where the file joins front months, so that each roll shows a false return.
    form : 'level', taken as it is; 'funding', a rate (fraction) that is converted to an index that
        accrues it; 'realised', a price that is converted to its trailing volatility, APPROXIMATE
        where an option needs an implied volatility. See `derived`.
    payments : how many times a day the funding rate is paid.
    fx : factor that converts prices in another currency to USD. tick : smallest step of a price.
    """

    file: str
    column: str = "Close"
    kind: Kind = "price"
    unit: Literal["USD", "points", "percent", "fraction"] = "USD"
    rolls: bool = False
    form: Literal["level", "funding", "realised"] = "level"
    payments: int = 1
    fx: str = ""
    tick: float | None = None


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
    # One series a venue. The first holds the mean of a day's 8-hour rates, the second their sum.
    "BTC-FUNDING": FactorColumn(
        FUNDING_FILE, "btc_perp_mean_per_8h", unit="fraction", form="funding", payments=3
    ),
    "BTC-FUNDING-BITMEX": FactorColumn(
        FUNDING_FILE, "bitmex_xbtusd_daily_sum", unit="fraction", form="funding"
    ),
}


def factor_column(factor: str) -> FactorColumn:
    """Find the column of `factor`: declared, listed, a par yield, or `Close` of `<name>_usd.csv`.

    Examples
    --------
    >>> factor_column("7Y").file, factor_column("USDC").file, factor_column("VIX").unit
    ('treasury_par_yields.csv', 'usdc_usd.csv', 'percent')
    """
    declared = declaration_of_factor(factor)
    if declared is not None and declared.file:
        return _declared(factor, declared)
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
    if declared is not None:
        return _declared(factor, declared)
    return FactorColumn(f"{factor.lower()}_usd.csv")


def _declared(factor: str, declared: Declaration) -> FactorColumn:
    """Where a declared factor is found; a yield or spread is in percent."""
    return FactorColumn(
        declared.file or f"{factor.lower()}{'' if declared.is_yield else '_usd'}.csv",
        declared.column,
        kind="yield" if declared.is_yield else "price",
        unit="percent" if declared.is_yield else "USD",
        rolls=contract_of(factor) is not None,
        fx=declared.fx,
        tick=declared.tick,
    )
