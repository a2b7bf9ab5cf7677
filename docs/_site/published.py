"""Published values of margin models and tests, beside what this program answers: more anchors.

Rows of the form of the self-check, which knows no margin models; the tests of each model hold them
too, with what else its source prints.
"""

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest.instruments import coin_pnl
from backtest.scores import traffic_light
from backtest.scores.exceedances.counts import coverage_counts, kupiec_counts
from backtest.selfcheck.row import Row
from strategies.net_capital import government_charge, load_deductions
from strategies.simm.aggregation import simm_margin
from strategies.simm.parameters import load_simm
from strategies.simm.sensitivity import Sensitivity
from strategies.venue_grid import load_grid

MATHWORKS = "MathWorks, documentation of varbacktest"
BASEL = "Basel Committee (1996), table 2"


def _cross_margined() -> float:
    """Margin in USD m of a pool of 343.24m whose hedge is nearly perfect."""
    market = bt.load_market("treasury", end="1993-12-31")
    hedge = {"UST10Y": 1e8, "UST10Y@CME": -0.999e8}
    model = st.CrossMargining(base=st.HistoricalVaR(lookback=250))

    def steps(scale: float) -> list[float]:
        frame = pd.DataFrame({name: [scale * usd] for name, usd in hedge.items()}, index=["p"])
        parts = model.parts(market, bt.Book.from_frame(frame, market), bt.Coverage())
        return [float(values[-1, 0]) for values in parts.steps.values()]

    return round(sum(steps(343.24e6 / steps(1.0)[0])) / 1e6, 2)


def _scanned(usd: float) -> float:
    """SPAN of a position in one coin, scanned by 20 %."""
    day = pd.to_datetime(["2024-01-02"])
    market = bt.Market.from_frame(pd.DataFrame({"BTC": [1e5]}, index=day))
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [usd]}, index=["p"]), market)
    model = st.Span(scan={"BTC": 0.2}, extreme=2.0, cover=0.35)
    return float(model.margin(market, book, bt.Coverage())[-1, 0])


def _net_capital() -> float:
    """Deduction of long 4 years and short 7 years, 100 each."""
    net = np.zeros((1, 1, 12))
    net[0, 0, [6, 7]] = 100.0, -100.0
    return float(government_charge(net, load_deductions("sec_15c3_1/2013")).sum())


def _coal() -> float:
    """Bucket margin of coal, -3m and +5m USD a per cent, weighted to -57m and +95m."""
    legs = [
        Sensitivity("Commodity", "commodity", "delta", "1", name, np.array(usd))
        for name, usd in (("Americas", -3e6), ("Europe", 5e6))
    ]
    return float(simm_margin(legs, load_simm("simm/2.1")).value)


def _risk_vector() -> list[float]:
    """P&L of an inverse perpetual on the first six prices of the grid, over that on the first."""
    prices = load_grid("deribit_pm/2024").moves[::3, 0][:6]
    gained = coin_pnl(100.0, entry=np.array(100.0), close=100.0 * (1 + prices))
    return [float(value) for value in gained / gained[0]]


DERIBIT = [
    -0.05991206933333334, -0.04289159509090909, -0.027351162086956524, -0.013105765166666668,
    0.0, 0.012097629384615385,
]  # fmt: skip
ROWS = (
    Row(
        "cross-margining of 343.24m USD of margin, a hedge so good that the cap decides, USD m",
        "CME Group, CME-FICC Cross-Margin Program, sample",
        _cross_margined,
        right=68.65,
        by="as printed there",
    ),
    Row(
        "SPAN of a future, long and short: range 10,000 USD, extreme move of twice that at 35 %",
        "McMillan (2002), Options as a Strategic Investment, SPAN chapter",
        lambda: [_scanned(50_000.0), _scanned(-50_000.0)],
        right=[10_000.0, 10_000.0],
        by="as printed there",
    ),
    Row(
        "net capital deduction of 100 long at 4 years and 100 short at 7 years",
        "17 CFR 240.15c3-1(c)(2)(vi)(A)(1)",
        _net_capital,
        right=2.5,
        by="4 - 3, and half of 3, by the rule",
    ),
    Row(
        "SIMM 2.1: the coal bucket of weighted sensitivities of -57m and 95m USD",
        "the example of TommasoBelluzzo's InitialMargin",
        lambda: round(_coal(), 2),
        right=96_694_880.94,
        by="as printed there; the root of 57^2 + 95^2 - 2 x 0.27 x 57 x 95",
    ),
    Row(
        "P&L of an inverse perpetual over six prices of a venue's grid, as shares of the first",
        "Deribit, API private/pme/simulate, example",
        _risk_vector,
        right=[value / DERIBIT[0] for value in DERIBIT],
        by="as printed there; the size of the position is not stated, so shares",
    ),
    Row(
        "multipliers of 4, 5, 6, 7, 8, 9 and 10 exceedances in 250 days",
        BASEL,
        lambda: [traffic_light(n, 250).basel_multiplier for n in range(4, 11)],
        right=[3.0, 3.4, 3.5, 3.65, 3.75, 3.85, 4.0],
        by="as printed there",
    ),
    Row(
        "Kupiec: 17 in 1,043 days at 99 %",
        f"{MATHWORKS}.pof",
        lambda: list(_pair(kupiec_counts(17, 1043, confidence=0.99))),
        right=[3.5118, 0.060933],
        by="as printed there",
        tolerance=1e-4,
    ),
    Row(
        "conditional coverage: 57 in 1,043 days at 95 %, transitions 932, 53, 53, 4",
        f"{MATHWORKS}.cc",
        lambda: list(_pair(coverage_counts(57, 1043, [932, 53, 53, 4], confidence=0.95))),
        right=[0.72013, 0.69763],
        by="as printed there",
        tolerance=1e-4,
    ),
)


def _pair(result: "bt.scores.TestResult") -> tuple[float, float]:
    return float(result.statistic), float(result.pvalue)
