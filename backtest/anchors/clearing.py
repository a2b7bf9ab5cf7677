"""Worked examples of clearing houses, venues and rulebooks."""

from collections.abc import Iterator
from functools import cache, partial

import numpy as np
import pandas as pd

from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.data.load import load_market
from backtest.instruments import Spot, coin_pnl
from backtest.instruments.bill import bill_price
from backtest.market.market import Market
from backtest.types import FloatArray
from strategies.cross_margining import CrossMargining
from strategies.historical import HistoricalVaR
from strategies.net_capital import government_charge, load_deductions
from strategies.span.arrays import Grid, risk_array
from strategies.span.model import Span
from strategies.venue_grid import load_grid

CME_FICC = "CME Group, CME-FICC Cross-Margin Program, sample portfolio"
MCMILLAN = "McMillan (2002), Options as a Strategic Investment, ch. 34, p. 668"
DERIBIT = "Deribit, API private/pme/simulate, example"
EXTREME, COVER = 2.0, 0.35  # McMillan's extreme move, and the share of it that counts
NOTIONAL, SCAN = 50_000.0, 0.2  # a contract whose scan range is his, 10,000 USD
# The array of one long future as printed, in whole tens of USD: gains.
ARRAY = (0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670) + (
    (10000, 10000, -10000, -10000, 7000, -7000)
)
GRID = (
    "-0.05991206933333334",
    "-0.04289159509090909",
    "-0.027351162086956524",
    "-0.013105765166666668",
    "0.0",
    "0.012097629384615385",
)


def _cross_margined() -> float:
    """Margin in USD m of a pool of 343.24m whose hedge is nearly perfect."""
    market = load_market("treasury", end="1993-12-31")
    hedge = {"UST10Y": 1e8, "UST10Y@CME": -0.999e8}
    model = CrossMargining(base=HistoricalVaR(lookback=250), parameters="cme_ficc/2024")

    def steps(scale: float) -> list[float]:
        frame = pd.DataFrame({name: [scale * usd] for name, usd in hedge.items()}, index=["p"])
        parts = model.parts(market, Book.from_frame(frame, market), Coverage())
        return [float(values[-1, 0]) for values in parts.steps.values()]

    return sum(steps(343.24e6 / steps(1.0)[0])) / 1e6


@cache
def _one_day() -> Market:
    day = pd.to_datetime(["2024-01-02"])
    return Market.from_frame(pd.DataFrame({"BTC": [1e5]}, index=day))


def _scanned(usd: float) -> float:
    """SPAN of a position in one coin."""
    book = Book.from_frame(pd.DataFrame({"BTC": [usd]}, index=["p"]), _one_day())
    model = Span(scan={"BTC": SCAN}, extreme=EXTREME, cover=COVER)
    return float(model.margin(_one_day(), book, Coverage())[-1, 0])


@cache
def _array() -> FloatArray:
    """Gain of the contract in each scenario, USD."""
    losses = risk_array(
        Spot("BTC"),
        _one_day(),
        scan=np.array([SCAN]),
        volatility=0.3,
        grid=Grid(extreme=EXTREME, cover=COVER),
        elapsed=1.0,
    )
    return np.asarray(0.0 - NOTIONAL * losses[0])


def _gain(scenario: int) -> float:
    return float(_array()[scenario])


def _span() -> Iterator[Anchor]:
    for place, printed in enumerate(ARRAY):
        yield Anchor(
            f"gain of a long future in scenario {place + 1} of 16, USD",
            MCMILLAN,
            f"{printed:,}",
            partial(_gain, place),
            within=5.0,
        )
    for side, usd in (("long", NOTIONAL), ("short", -NOTIONAL)):
        yield Anchor(f"SPAN of the future, {side}, USD", MCMILLAN, "10,000", partial(_scanned, usd))


def _net_capital() -> float:
    """Deduction of long 4 years and short 7 years, 100 each."""
    net = np.zeros((1, 1, 12))
    net[0, 0, [6, 7]] = 100.0, -100.0
    return float(government_charge(net, load_deductions("sec_15c3_1/2013")).sum())


@cache
def _risk_vector() -> FloatArray:
    """P&L of an inverse perpetual on the first six prices of the grid, over that on the first."""
    prices = load_grid("deribit_pm/2024").moves[::3, 0][:6]
    gained = coin_pnl(100.0, entry=np.array(100.0), close=100.0 * (1.0 + prices))
    return np.asarray(gained / gained[0] * float(GRID[0]))


def _on_grid(place: int) -> float:
    return float(_risk_vector()[place])


def _rules() -> Iterator[Anchor]:
    yield Anchor(
        "pool of 343.24m USD, the hedge so good that the cap decides, USD m",
        CME_FICC,
        "68.65",
        _cross_margined,
    )
    yield Anchor(
        "net capital deduction, 100 long at 4 years and 100 short at 7 years",
        "17 CFR 240.15c3-1(c)(2)(vi)(A), by hand: 4 - 3, and half of 3",
        "2.5",
        _net_capital,
    )
    yield Anchor(
        "price of a 364-day bill at 8.237 % bond-equivalent",
        "31 CFR 356, Appendix B",
        "0.92265",
        lambda: float(bill_price(np.array([0.08237]), 364 / 365)[0]),
    )
    for place, printed in enumerate(GRID[1:], start=1):
        yield Anchor(
            f"P&L of an inverse perpetual at price {place + 1} of the grid, BTC",
            DERIBIT,
            printed,
            partial(_on_grid, place),
            within=1e-9,
        )


SETS = (
    AnchorSet(
        "Clearing houses, venues and rulebooks",
        tuple(_rules()),
        note="Deribit does not print the size of its position: ours is the one that has its first "
        "P&L. The deduction follows from the rule by hand; no example is printed there.",
    ),
    AnchorSet(
        "SPAN's sixteen scenarios",
        tuple(_span()),
        note="Printed in whole tens of USD.",
    ),
)
