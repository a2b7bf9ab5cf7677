"""Sensitivities of a CRIF whose margin is known, and cells that are refused."""

from typing import Any

import pandas as pd

from backtest.selfcheck.row import Refused, Row
from strategies.simm.aggregation import simm_margin
from strategies.simm.crif import sensitivities
from strategies.simm.parameters import load_simm

EQUITY: dict[str, Any] = {
    "RiskType": "Risk_Equity",
    "ProductClass": "Equity",
    "Qualifier": "TESTQUALIFIER",
    "Bucket": "11",
    "Label1": "",
    "Label2": "",
    "AmountUSD": 10.0,
}
CURVE = EQUITY | {
    "RiskType": "Risk_IRCurve",
    "ProductClass": "RatesFX",
    "Qualifier": "USD",
    "Bucket": "1",
    "Label1": "5y",
    "Label2": "Libor3m",
    "AmountUSD": 4e4,
}
DOLLAR = EQUITY | {"RiskType": "Risk_FX", "ProductClass": "RatesFX", "Qualifier": "USD"}


def _margin(*rows: dict[str, Any]) -> float:
    """SIMM 2.1 in USD."""
    return float(simm_margin(sensitivities(pd.DataFrame(rows)), load_simm("simm/2.1")).value)


ROWS = (
    Row(
        "one share twice, with tenors that mean nothing",
        "AcadiaSoft/simm-lib#10",
        lambda: _margin(EQUITY | {"Label1": "3y"}, EQUITY | {"Label1": "10y"}),
        right=340.0,
        by="20 at 17 %, as quoted there",
    ),
    Row(
        "one share twice, under two labels",
        "AcadiaSoft/simm-lib#10",
        lambda: _margin(EQUITY | {"Label2": "A"}, EQUITY | {"Label2": "B"}),
        right=340.0,
        by="a name is one risk factor",
    ),
    Row(
        "an exchange rate of the calculation currency",
        "ISDA (2018), SIMM 2.1",
        lambda: len(sensitivities(pd.DataFrame([DOLLAR | {"AmountUSD": 5e6}]))),
        right=0,
        by="a dollar is a dollar: ISDA leaves it out",
    ),
    Row(
        "one curve written two ways, long and short",
        "definition",
        lambda: _margin(CURVE | {"Label2": "LIBOR3M"}, CURVE | {"AmountUSD": -4e4}),
        right=0.0,
        by="they cancel",
    ),
    Row(
        "a risk type in small letters",
        "definition",
        lambda: _margin(EQUITY | {"RiskType": "risk_equity"}),
        right=170.0,
        by="10 at 17 %",
    ),
    Row(
        "no amount",
        "definition",
        lambda: _margin(EQUITY | {"AmountUSD": float("nan")}),
        right=Refused("AmountUSD"),
        by="a blank is no zero",
    ),
    Row(
        "a bucket 1.0",
        "definition",
        lambda: _margin(EQUITY | {"Bucket": "1.0"}),
        right=Refused("row 1"),
        by="SIMM has none",
    ),
)
