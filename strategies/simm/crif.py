"""Sensitivities from a CRIF, the file in which the industry exchanges them."""

import re
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.types import DataError
from strategies.simm.sensitivity import Measure, Sensitivity, tenor_days
from strategies.simm.tables import RESIDUAL

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
# What the columns may say, as ISDA spells it; the industry's files differ in their capitals.
PRODUCTS = ("RatesFX", "Credit", "Equity", "Commodity")
CURVES = ("OIS", "Libor1m", "Libor3m", "Libor6m", "Libor12m", "Prime", "Municipal")
VERTICES = ("2w", "1m", "3m", "6m", "1y", "2y", "3y", "5y", "10y", "15y", "20y", "30y")
CREDIT_VERTICES = ("1y", "2y", "3y", "5y", "10y")
# What a CRIF holds beside sensitivities; add-ons read some of it.
OTHERS = (
    "Notional",
    "PV",
    "Param_AddOnFixedAmount",
    "Param_AddOnNotionalFactor",
    "Param_ProductClassMultiplier",
)
COLUMNS = (
    *("RiskType", "IMModel", "ProductClass", "Qualifier", "Bucket", "Label1", "Label2"),
    *("Amount", "AmountCurrency", "AmountUSD", "collect_regulations", "post_regulations"),
)
EXPIRY = r"\d+[wmy]"  # of an option, where its vertex does not matter: any number of months, say
AMOUNT = r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?"  # commas between thousands only
BUCKETS = {"credit_qualifying": 12, "credit_other": 2, "equity": 12, "commodity": 17}


def read_crif(path: Path) -> pd.DataFrame:
    """Rows of a CRIF separated by tabs or commas: all columns strings, but the amount in USD.

    A file without AmountUSD may state Amount in USD throughout (AmountCurrency).

    Raises
    ------
    DataError : no rows, no column of risk types or amounts, an amount that is no number.
    """
    heads = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    separator = "\t" if "\t" in heads else ","
    try:
        frame = pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path.name} is empty; give a CRIF.") from error
    spelled = {column.casefold(): column for column in COLUMNS}
    frame = frame.rename(columns=lambda head: spelled.get(head.strip().casefold(), head))
    if "AmountUSD" not in frame and {"Amount", "AmountCurrency"} <= set(frame):
        frame = _of_dollars(frame, path.name)
    for column in ("RiskType", "AmountUSD"):
        if column not in frame:
            found = ", ".join(map(str, frame.columns))[:80]
            raise DataError(
                f"{path.name} has no column {column} (it has {found}); give a CRIF, separated by "
                "tabs or commas."
            )
    amounts = frame["AmountUSD"].str.strip()
    wrong = amounts[~amounts.str.fullmatch(AMOUNT) & (amounts != "")]
    if len(wrong):
        raise DataError(
            f"{path.name}: AmountUSD is {wrong.iloc[0][:80]!r} in row {wrong.index[0] + 1}; give "
            "AmountUSD as plain numbers, such as -1,234.5."
        )
    return frame.assign(AmountUSD=amounts.str.replace(",", "").replace("", "nan").astype(float))


def _of_dollars(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    other = frame["AmountCurrency"][~frame["AmountCurrency"].str.strip().isin(("USD", ""))]
    if len(other):
        raise DataError(
            f"{name}: AmountCurrency is {other.iloc[0][:80]!r} in row {other.index[0] + 1}; give "
            "a column AmountUSD."
        )
    return frame.assign(AmountUSD=frame["Amount"])


def sensitivities(crif: pd.DataFrame, *, currency: str = "USD") -> list[Sensitivity]:
    """The sensitivities of a CRIF; parameters, notionals and present values are passed over.

    Capitals do not tell names apart: 'libor3m' is Libor3m, and 'apple' the Apple of an earlier
    row.

    Parameters
    ----------
    currency : in which margin is calculated; an exchange rate of it with itself is no risk.

    Raises
    ------
    DataError : a risk type, product class, vertex, curve or bucket that SIMM does not have, or no
        amount: the row (the first is 1), the column, the value.

    Examples
    --------
    >>> row = {"RiskType": "Risk_IRCurve", "ProductClass": "RatesFX", "Qualifier": "USD",
    ...        "Bucket": "1", "Label1": "5y", "Label2": "OIS", "AmountUSD": -4e4}
    >>> [sensitivity] = sensitivities(pd.DataFrame([row]))
    >>> sensitivity.factor
    ('RatesFX', 'rates', 'delta', 'USD', 'USD', '5y', 'OIS')
    """
    if re.fullmatch("[A-Z]{3}", currency.upper()) is None:
        raise DataError(f"currency is {currency!r}; give three letters, such as 'USD'.")
    spelled: dict[tuple[str, str], str] = {}
    rows = (Row(number, row) for number, row in enumerate(crif.to_dict("records"), start=1))
    entries = (_sensitivity(row, currency.upper(), spelled) for row in rows if row.is_sensitivity)
    return [entry for entry in entries if entry is not None]


def _sensitivity(
    row: "Row", currency: str, spelled: dict[tuple[str, str], str]
) -> Sensitivity | None:
    """One row; None for the exchange rate of the calculation currency.

    spelled : (risk class, name in small letters) -> the name as an earlier row wrote it.
    """
    kind = row.one_of("RiskType", RISK_TYPES)
    risk, measure = RISK_TYPES[kind]
    qualifier = _qualifier(row, kind, risk)
    if kind == "Risk_FX" and qualifier == currency:
        return None
    qualifier = spelled.setdefault((risk, qualifier.casefold()), qualifier)
    return Sensitivity(
        product=row.one_of("ProductClass", PRODUCTS),
        risk=risk,
        measure=measure,
        bucket=_bucket(row, risk, measure, qualifier),
        qualifier=qualifier,
        amount=np.array(row.number_in("AmountUSD")),
        tenor=_tenor(row, kind, risk, measure),
        curve=_curve(row, kind, risk),
        expiry=tenor_days(_expiry(row, risk)) if measure == "vega" else 0.0,
    )


def _qualifier(row: "Row", kind: str, risk: str) -> str:
    """Currency, pair of currencies in the order of the alphabet, or name."""
    qualifier = row.text("Qualifier")
    if risk not in ("rates", "fx"):
        if not qualifier:
            raise row.fault("Qualifier", "give the name of the issuer, share, commodity or index")
        return qualifier
    qualifier = qualifier.upper()
    if kind == "Risk_FXVol":  # a pair is the same pair either way round
        pair = qualifier.replace("/", "")
        if re.fullmatch("[A-Z]{6}", pair) is None:
            raise row.fault("Qualifier", "give a pair of currencies, such as EURUSD")
        return "/".join(sorted((_onshore(pair[:3]), _onshore(pair[3:]))))
    if re.fullmatch("[A-Z]{3}", qualifier) is None:
        raise row.fault("Qualifier", "give a currency, such as EUR")
    return _onshore(qualifier)


def _onshore(currency: str) -> str:
    """The renminbi is one currency, at home and abroad."""
    return "CNY" if currency == "CNH" else currency


def _bucket(row: "Row", risk: str, measure: Measure, qualifier: str) -> str:
    if risk == "rates":
        return qualifier
    if risk == "fx":
        return "Common"
    if measure == "base correlation":
        return row.text("Bucket")
    numbers = [str(n + 1) for n in range(BUCKETS[risk])]
    return row.one_of("Bucket", (*numbers, RESIDUAL))


def _tenor(row: "Row", kind: str, risk: str, measure: Measure) -> str:
    if kind.startswith("Risk_Inflation"):
        return "inflation"
    if kind == "Risk_XCcyBasis":
        return "basis"
    if risk.startswith("credit") and measure == "vega":
        return _expiry(row, risk)
    if risk in ("equity", "commodity", "fx"):
        # Volatilities are told apart by their expiry, which is no vertex of a curve.
        return ""
    if measure == "base correlation":
        return row.text("Label1")
    return row.one_of("Label1", VERTICES if risk == "rates" else CREDIT_VERTICES)


def _expiry(row: "Row", risk: str) -> str:
    """Expiry of a volatility; of rates a vertex, since their correlations are by vertex."""
    if risk == "rates":
        return row.one_of("Label1", VERTICES)
    expiry = row.text("Label1").casefold()
    if re.fullmatch(EXPIRY, expiry) is None:
        raise row.fault("Label1", "give the expiry of an option, such as 6m")
    return expiry


def _curve(row: "Row", kind: str, risk: str) -> str:
    """Sub-curve of a yield, or what a credit row says of the security; a name has one price."""
    if kind == "Risk_IRCurve":
        return row.one_of("Label2", CURVES)
    return row.text("Label2").casefold() if risk.startswith("credit") else ""


class Row:
    """One row of a CRIF, read with its number at hand for what is wrong with it."""

    def __init__(self, number: int, values: Mapping[Hashable, Any]) -> None:
        self.number, self.values = number, values

    @property
    def is_sensitivity(self) -> bool:
        """Rows of parameters, notionals and present values are not; DataError for other types."""
        return self.one_of("RiskType", (*RISK_TYPES, *OTHERS)) in RISK_TYPES

    def text(self, column: str) -> str:
        """A cell without the spaces round it; '' where there is none."""
        value = self.values.get(column, "")
        return "" if pd.isna(value) else str(value).strip()

    def one_of(self, column: str, choices: Iterable[str]) -> str:
        """The known word that a cell holds, whatever its capitals."""
        words = list(choices)
        cell = self.text(column)
        for word in words:
            if word.casefold() == cell.casefold():
                return word
        raise self.fault(column, f"known: {', '.join(words)}")

    def fault(self, column: str, advice: str) -> DataError:
        """What is wrong with a cell, in one line."""
        return DataError(
            f"CRIF row {self.number}: {column} is {self.text(column)[:80]!r}; {advice}."
        )

    def number_in(self, column: str) -> float:
        """The finite number that a cell holds; USD in AmountUSD."""
        value = self.values.get(column)
        try:
            number = float("nan") if value is None else float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not np.isfinite(number):
            raise DataError(
                f"CRIF row {self.number}: {column} is {str(value)[:80]!r}; give a finite number."
            )
        return number
