"""SIMM: margins of small portfolios that others printed."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.anchors.golden import Held, finite, json_of
from backtest.types import BacktestError, DataError, shown
from strategies.simm.crif import sensitivities
from strategies.simm.parameters import Horizon, load_simm
from strategies.simm.portfolio import simm_of_crif

SIMM_LIB = "AcadiaSoft/simm-lib, unit tests"
EXAMPLE = "TommasoBelluzzo/InitialMargin, example"
COAL = (("Coal Americas", -3e6), ("Coal Europe", 5e6))
FACTOR, NOTIONAL = "Param_AddOnNotionalFactor", "Notional"
MULTIPLIER, FIXED = "Param_ProductClassMultiplier", "Param_AddOnFixedAmount"
# The add-ons of simm-lib's tests, by their names there: risk type, product, per cent or USD.
ADD_ONS = {
    "AN1": (FACTOR, "ProductOne", 6.105),
    "AN2": (FACTOR, "ProductTwo", 2.055),
    "AN3": (NOTIONAL, "ProductOne", 10e6),
    "AN4": (NOTIONAL, "ProductOne", -20e6),
    "AN5": (NOTIONAL, "ProductOne", 15e6),
    "AN6": (NOTIONAL, "ProductTwo", -8e6),
    "AN7": (NOTIONAL, "ProductTwo", -22e6),
    "AN8": (NOTIONAL, "ProductThree", 6e6),
    "AN9": (NOTIONAL, "ProductFour", 13e6),
    "AN10": (FIXED, "", 16.5e6),
    "AN11": (FIXED, "", 20e6),
}
ADDED = (
    ("notional of one product", "AN1 AN3", "610500"),
    ("two notionals, netted", "AN1 AN3 AN5", "1526250"),
    ("three notionals, one of them negative", "AN1 AN3 AN4 AN5", "2747250"),
    ("two products", "AN1 AN2 AN3 AN4 AN5 AN6 AN7", "3363750"),
    ("a notional without a factor", "AN1 AN2 AN3 AN4 AN5 AN6 AN7 AN8", "3363750"),
    ("a fixed amount", "AN10", "16500000"),
    ("two fixed amounts", "AN10 AN11", "36500000"),
    ("notionals and a fixed amount", "AN1 AN2 AN3 AN4 AN5 AN6 AN7 AN8 AN9 AN10", "19863750"),
)
# simm-lib's test of everything counts add-ons, which a file of sensitivities does not list.
WITH_ADD_ONS = "global"
VERSION = re.compile(r"(\d)[_.]?(\d+A?(?:\+\d+)?)")
ONE_DAY = re.compile(r"(?<![\d])1_?d", re.IGNORECASE)


def version_of(star: str, file: str) -> str:
    """'2_1_unit_vectors' is simm/2.1, '26' is simm/2.6.

    Raises
    ------
    DataError : no version, or one that is not known.

    Examples
    --------
    >>> version_of("2_1_unit", "f"), version_of("26_1d", "f"), version_of("28+2506", "f")
    ('simm/2.1', 'simm/2.6', 'simm/2.8+2506')
    """
    found = VERSION.match(star)
    if not found:
        raise DataError(f"{file} names no version of SIMM; name it as simm_2_1_unit_vectors.json.")
    version = f"simm/{found[1]}.{found[2]}"
    try:
        load_simm(version)
    except BacktestError as error:
        raise DataError(f"{file}: {error}") from error
    return version


def horizon_of(star: str) -> Horizon:
    """Margin days of a file: ten, unless its name says one.

    Examples
    --------
    >>> horizon_of("26"), horizon_of("24_1d"), horizon_of("25A_1D"), horizon_of("21_10d")
    (10, 1, 1, 10)
    """
    return 1 if ONE_DAY.search(star) else 10


def _rows(names: str) -> list[dict[str, Any]]:
    """Add-ons as rows of a CRIF."""
    given = [ADD_ONS[name] for name in names.split()]
    return [
        {"RiskType": kind, "Qualifier": product, "Amount": amount, "AmountUSD": amount}
        for kind, product, amount in given
    ]


def _added(names: str) -> float:
    """Add-ons of no sensitivity at all."""
    return float(simm_of_crif(pd.DataFrame(_rows(names)), parameters="simm/2.1").value)


def _coal() -> float:
    """Bucket of coal, -3m and +5m USD a per cent, weighted to -57m and +95m."""
    rows = [
        {"RiskType": "Risk_Commodity", "ProductClass": "Commodity", "Bucket": "1"}
        | {"Qualifier": name, "AmountUSD": usd}
        for name, usd in COAL
    ]
    return float(simm_of_crif(pd.DataFrame(rows), parameters="simm/2.1").value)


def _one_day() -> float:
    """One issuer at two tenors, margined for one day; no weight here depends on the tenor."""
    row = {"RiskType": "Risk_CreditQ", "ProductClass": "Credit", "Qualifier": "ISIN:1"}
    given = (("1y", 1.6e6), ("2y", -3e5))
    rows = [row | {"Bucket": "1", "Label1": tenor, "AmountUSD": usd} for tenor, usd in given]
    return float(simm_of_crif(pd.DataFrame(rows), parameters="simm/2.1", horizon=1).value)


SETS = (
    AnchorSet(
        "SIMM",
        (
            Anchor(
                "SIMM 2.1: coal, weighted sensitivities of -57m and 95m USD",
                f"{EXAMPLE}, TreePledgor",
                "96,694,880.94",
                _coal,
            ),
            Anchor(
                "SIMM 2.1, one day: 1.6m and -0.3m USD of one issuer at two tenors",
                f"{SIMM_LIB}, testCRQ_1Day",
                "24979039",
                _one_day,
            ),
            *(
                Anchor(
                    f"add-ons: {what}, USD",
                    f"{SIMM_LIB} of add-ons",
                    printed,
                    partial(_added, names),
                )
                for what, names, printed in ADDED
            ),
        ),
    ),
)


def _vectors(star: str, paths: list[Path]) -> AnchorSet:
    """Small portfolios, each with its margin in USD."""
    (path,) = paths
    version = version_of(star, path.name)
    anchors = []
    for place, case in enumerate(json_of(path, list), start=1):
        where = f"{path.name}, portfolio {place}"
        if not isinstance(case, dict) or "name" not in case:
            raise DataError(f"{where} has no name; give name, sensitivities and expected.")
        where = f"{path.name}, portfolio {shown(case['name'])}"
        finite(case.get("expected"), f"{where}: expected")
        anchors.append(
            Anchor(
                str(case["name"]),
                f"{SIMM_LIB} at SIMM {version.removeprefix('simm/')}",
                str(case["expected"]),
                partial(_vector_margin, _crif_of(case, where), version),
                group=re.split(r"(?<=[A-Za-z])\d*$", str(case["name"]).replace("_", " "))[0],
            )
        )
    return AnchorSet(
        f"SIMM {version.removeprefix('simm/')}: small portfolios",
        tuple(anchors),
        note="The one of everything counts the add-ons of simm-lib's test, which the file does not "
        "list.",
        file=path.name,
    )


def _crif_of(case: Mapping[str, Any], where: str) -> pd.DataFrame:
    """The rows of one portfolio, multipliers of product classes among them where they count."""
    given, kind = case.get("sensitivities"), case.get("standard_or_total", "total")
    if not isinstance(given, list) or not given or not all(isinstance(r, dict) for r in given):
        raise DataError(f"{where}: sensitivities are {shown(given)}; give a list of rows.")
    if kind not in ("standard", "total"):
        raise DataError(f"{where}: standard_or_total is {shown(kind)}; give one of the two.")
    rows = []
    for number, row in enumerate(given, start=1):
        rows.append(dict(row))
        for amount in ("AmountUSD", "Amount"):
            if amount in row:
                rows[-1][amount] = finite(row[amount], f"{where}, row {number}: {amount}")
    multipliers = case.get("product_multipliers") or {}
    if kind == "total":
        for product, printed in multipliers.items():
            factor = finite(printed, f"{where}: multiplier of {product}")
            rows.append({"RiskType": MULTIPLIER, "Qualifier": product, "Amount": factor})
            rows[-1]["AmountUSD"] = factor
        if str(case["name"]).startswith(WITH_ADD_ONS):
            rows += _rows(" ".join(ADD_ONS))
    return readable(pd.DataFrame(rows), where)


def readable(crif: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows, of which every sensitivity is one of SIMM.

    Raises
    ------
    DataError : one is not, with its place.
    """
    try:
        sensitivities(crif)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return crif


def _vector_margin(crif: pd.DataFrame, version: str) -> float:
    return float(simm_of_crif(crif, parameters=version).value)


HELD = (Held("SIMM, small portfolios", "simm_[0-9]*.json", lambda star: (), _vectors),)
