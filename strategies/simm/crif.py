"""Sensitivities from a CRIF, the file in which the industry exchanges them."""

from pathlib import Path

import numpy as np
import pandas as pd

from backtest.types import DataError
from strategies.simm.aggregation import Node
from strategies.simm.sensitivity import Measure, Sensitivity, tenor_days

# Risk type -> risk class, measure. Label1 is the tenor of a curve; for a vega it is the expiry.
RISK_TYPES: dict[str, tuple[str, Measure]] = {
    "Risk_IRCurve": ("rates", "delta"),
    "Risk_Inflation": ("rates", "delta"),
    "Risk_XCcyBasis": ("rates", "delta"),
    "Risk_IRVol": ("rates", "vega"),
    "Risk_InflationVol": ("rates", "vega"),
    "Risk_CreditQ": ("credit_qualifying", "delta"),
    "Risk_CreditVol": ("credit_qualifying", "vega"),
    "Risk_BaseCorr": ("credit_qualifying", "base correlation"),
    "Risk_CreditNonQ": ("credit_other", "delta"),
    "Risk_CreditVolNonQ": ("credit_other", "vega"),
    "Risk_Equity": ("equity", "delta"),
    "Risk_EquityVol": ("equity", "vega"),
    "Risk_Commodity": ("commodity", "delta"),
    "Risk_CommodityVol": ("commodity", "vega"),
    "Risk_FX": ("fx", "delta"),
    "Risk_FXVol": ("fx", "vega"),
}
NO_TENOR = ("equity", "commodity", "fx")


def read_crif(path: Path) -> pd.DataFrame:
    """Rows of a tab-separated CRIF: all columns strings, except the amount in USD.

    Raises
    ------
    DataError : an amount that is no number.
    """
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    text = frame["AmountUSD"].str.replace(",", "").replace("", "nan")
    try:
        return frame.assign(AmountUSD=text.astype(float))
    except ValueError as error:
        raise DataError(f"{path.name}: {error}; give AmountUSD as plain numbers.") from error


def sensitivities(crif: pd.DataFrame) -> list[Sensitivity]:
    """The sensitivities of a CRIF; parameters, notionals and present values are left out.

    Raises
    ------
    DataError : a risk type that SIMM does not have.

    Examples
    --------
    >>> row = {"RiskType": "Risk_IRCurve", "ProductClass": "RatesFx", "Qualifier": "USD",
    ...        "Bucket": "1", "Label1": "5y", "Label2": "OIS", "AmountUSD": -4e4}
    >>> [sensitivity] = sensitivities(pd.DataFrame([row]))
    >>> sensitivity.factor
    ('RatesFx', 'rates', 'delta', 'USD', 'USD', '5y', 'OIS')
    """
    rows_read = []
    for row in crif.to_dict("records"):
        kind = str(row["RiskType"])
        if not kind.startswith("Risk_"):
            continue
        if kind not in RISK_TYPES:
            raise DataError(f"unknown risk type {kind!r}; known: {', '.join(RISK_TYPES)}.")
        risk, measure = RISK_TYPES[kind]
        qualifier, label = str(row["Qualifier"]), str(row["Label1"])
        if kind == "Risk_FXVol":  # EURUSD and USDEUR are one pair
            qualifier = "/".join(sorted((qualifier[:3], qualifier[3:])))
        bucket = {"rates": qualifier, "fx": "Common"}.get(risk, str(row["Bucket"]))
        rows_read.append(
            Sensitivity(
                product=str(row["ProductClass"]),
                risk=risk,
                measure=measure,
                bucket=bucket,
                qualifier=qualifier,
                amount=np.array(float(row["AmountUSD"])),
                tenor=_tenor(kind, risk, label),
                curve=str(row["Label2"]),
                expiry=tenor_days(label) if measure == "vega" else 0.0,
            )
        )
    return rows_read


def _tenor(kind: str, risk: str, label: str) -> str:
    if kind.startswith("Risk_Inflation"):
        return "inflation"
    if kind == "Risk_XCcyBasis":
        return "basis"
    return "" if risk in NO_TENOR else label


def add_ons(crif: pd.DataFrame, tree: Node) -> dict[str, float]:
    """Add-ons of a CRIF on top of SIMM: fixed, on notionals, on products; USD.

    tree : the margin to which product multipliers apply.

    Examples
    --------
    >>> rows = [{"RiskType": "Param_ProductClassMultiplier", "Qualifier": "Equity", "Amount": "1.5",
    ...          "IMModel": "SIMM", "AmountUSD": np.nan}]
    >>> tree = Node("SIMM", np.array(10.0), (Node("Equity", np.array(10.0)),))
    >>> add_ons(pd.DataFrame(rows), tree)
    {'product Equity': 5.0}
    """
    simm_rows = crif[crif["IMModel"] == "SIMM"]
    amounts: dict[str, float] = {}
    for kind, name, amount, usd in simm_rows[
        ["RiskType", "Qualifier", "Amount", "AmountUSD"]
    ].itertuples(index=False, name=None):
        if kind == "Param_AddOnFixedAmount":
            amounts["fixed"] = amounts.get("fixed", 0.0) + usd
        elif kind == "Param_AddOnNotionalFactor":
            notionals = simm_rows[
                (simm_rows["RiskType"] == "Notional") & (simm_rows["Qualifier"] == name)
            ]
            amounts[f"notional {name}"] = float(
                notionals["AmountUSD"].abs().sum() * float(amount) / 100
            )
        elif kind == "Param_ProductClassMultiplier":
            amounts[f"product {name}"] = float(tree[name].value * (float(amount) - 1.0))
    return amounts
