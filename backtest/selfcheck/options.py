"""Options at the edges of time and volatility, and perpetuals with their funding."""

from typing import Literal

import numpy as np
import pandas as pd

from backtest.instruments.black import black_greeks, black_price
from backtest.instruments.names import parse_instrument
from backtest.instruments.perpetual import Perpetual, coin_pnl
from backtest.market.market import Market
from backtest.selfcheck.row import Row
from backtest.types import FloatArray

Kind = Literal["call", "put"]


def _price(forward: float, strike: float, sigma: float, years: float, kind: Kind = "call") -> float:
    value = black_price(
        np.array(forward),
        np.array(strike),
        volatility=np.array(sigma),
        years=years,
        kind=kind,
    )
    return float(value)


def _greeks(forward: float, strike: float, sigma: float, years: float) -> list[float]:
    greeks = black_greeks(
        np.array(forward), np.array(strike), volatility=np.array(sigma), years=years, kind="call"
    )
    return [float(greek) for greek in greeks]


def _parity() -> list[float]:
    strikes = (50.0, 95.0, 100.0, 180.0)
    return [_price(100, k, 0.6, 0.5) - _price(100, k, 0.6, 0.5, "put") for k in strikes]


def _funding(rate: float) -> FloatArray:
    """P&L of a long perpetual over a day on which the coin stays and longs pay `rate`."""
    frame = pd.DataFrame(
        {"BTC": [100.0, 100.0], "BTC-FUNDING": [1.0, np.exp(rate)]},
        index=pd.to_datetime(["2024-01-05", "2024-01-06"]),
    )
    return Perpetual("BTC").pnl(Market.from_frame(frame), 1)[0]


ROWS = (
    Row(
        "call on a forward of 110 at 100 without volatility",
        "OpenGamma/Strata#2797",
        lambda: [_price(110, 100, 0.0, 1.0), *_greeks(110, 100, 0.0, 1.0)],
        right=[10.0, 1.0, 0.0, 0.0, 0.0],
        by="it pays 10 for certain",
        tolerance=0.0,
    ),
    Row(
        "options at the money without time left",
        "pfnet-research/pfhedge#484",
        lambda: [_price(100, 100, 0.5, 0.0), _price(100, 100, 0.5, 0.0, "put")],
        right=[0.0, 0.0],
        by="they pay nothing",
        tolerance=0.0,
    ),
    Row(
        "premium and greeks on the day of expiry, 5 in the money",
        "lballabio/QuantLib#525",
        lambda: [_price(105, 100, 0.5, 0.0), *_greeks(105, 100, 0.5, 0.0)],
        right=[5.0, 1.0, 0.0, 0.0, 0.0],
        by="it is worth what it pays",
        tolerance=0.0,
    ),
    Row(
        "logarithm of the gamma of a call at 150 on 100, seven days at 17 %",
        "vollib/py_vollib#10",
        lambda: np.log10(_greeks(100, 150, 0.17, 7 / 365)[1]),
        right=-65.09366343871291,
        by="the normal density at -17.2 over 100 x 0.0235, by logarithms",
        tolerance=1e-12,
    ),
    Row(
        "call at 95 on 100, half a year at 20 %",
        "Black (1976)",
        lambda: _price(100, 95, 0.2, 0.5),
        right=8.353180224762,
        by="QuantLib",
    ),
    Row(
        "a call less its put, undiscounted",
        "HKUDS/Vibe-Trading#1066",
        _parity,
        right=[50.0, 5.0, 0.0, -80.0],
        by="forward less strike",
        tolerance=1e-12,
    ),
    Row(
        "put far out of the money",
        "marcdemers/py_vollib_vectorized#18",
        lambda: _price(100, 1e-3, 0.2, 0.5, "put"),
        right=0.0,
        by="81 standard deviations away, and never below zero",
        tolerance=1e-300,
    ),
    Row(
        "long perpetual on days with funding of +0.1 % and -0.1 %",
        "BitMEX/api-connectors#204; freqtrade/freqtrade#7969",
        lambda: [_funding(0.001), _funding(-0.001)],
        right=[-0.001, 0.001],
        by="when the rate is positive, longs pay shorts",
        tolerance=1e-15,
    ),
    Row(
        "coins from 10,000 USD of an inverse perpetual entered at 10,000",
        "Alexander and others (2020)",
        lambda: coin_pnl(10_000.0, entry=np.array(1e4), close=np.array([5e3, 2e4])),
        right=[-1.0, 0.5],
        by="10,000 (1/10,000 - 1/close)",
    ),
    Row(
        "names of contracts, read and written",
        "definition",
        lambda: [
            parse_instrument(name).name
            for name in ("UST5Y@CME", "BILL3M", "SPY-PUT-90D-95", "BTC-INV-BITMEX", "SWAP10Y")
        ],
        right=["UST5Y@CME", "BILL3M", "SPY-PUT-90D-95", "BTC-INV-BITMEX", "SWAP10Y"],
        by="each is its own name",
    ),
)
