"""Bonds, bills and swaps: prices in print, zero and negative yields, days that pass."""

import numpy as np
import pandas as pd

from backtest.instruments.bill import TBill, bank_discount, bill_price
from backtest.instruments.constant_maturity import DAYS_PER_YEAR, years_passed
from backtest.instruments.swap import Swap, discount_factors
from backtest.instruments.treasury import (
    Treasury,
    par_bond_sensitivity,
    par_yield,
    seasoned_price,
)
from backtest.market.market import Market
from backtest.selfcheck.row import Refused, Row


def _price(coupon: float, yield_: float, tenor: float, age: float = 0.0) -> float:
    one = seasoned_price(np.array([coupon]), np.array([yield_]), tenor, np.array([age]))
    return float(one[0])


def _curve(days: list[str], **levels: list[float]) -> Market:
    """A market of par yields in percent; Y2=... is the column '2Y'."""
    frame = pd.DataFrame(
        {f"{name[1:]}{name[0]}": np.array(level) / 100.0 for name, level in levels.items()},
        index=pd.to_datetime(days),
    )
    return Market.from_frame(frame)


FLAT = ["2024-01-05", "2024-01-08", "2024-01-09"]

ROWS = (
    Row(
        "20 years, coupon 5 %, to yield 9 %",
        "shreysrins/bond-calculator#1",
        lambda: 100.0 * _price(0.05, 0.09, 20),
        right=63.1968,
        by="$63.20 there; 2.5 a half-year for 40 of them, and 100",
        tolerance=1e-6,
    ),
    Row(
        "10 years, coupon 5 %, to yield 1 %",
        "jrvarma/bond_pricing#1",
        lambda: 100.0 * _price(0.05, 0.01, 10),
        right=137.9748,
        by="Excel, as quoted there",
        tolerance=1e-6,
    ),
    Row(
        "a par bond at par",
        "lballabio/QuantLib#282",
        lambda: _price(0.0175, 0.0175, 10),
        right=1.0,
        by="its coupon is its yield",
        tolerance=1e-14,
    ),
    Row(
        "10 years, coupon 2 %, at a yield of zero",
        "domokane/FinancePy#140",
        lambda: _price(0.02, 0.0, 10),
        right=1.2,
        by="all payments added up",
        tolerance=1e-15,
    ),
    Row(
        "10 years, coupon 2 %, at a yield of 1e-12",
        "domokane/FinancePy#140",
        lambda: _price(0.02, 1e-12, 10),
        right=1.2 - 1e-12 * (10.0 + 0.01 * 105.0),
        by="less 1e-12 times the payments' years",
        tolerance=2e-15,
    ),
    Row(
        "10 years, coupon 2 %, at a yield of -0.5 %",
        "definition",
        lambda: _price(0.02, -0.005, 10),
        right=sum(0.01 / 0.9975**i for i in range(1, 21)) + 1.0 / 0.9975**20,
        by="payment by payment",
    ),
    Row(
        "duration and convexity of the 10-year par bond at 4 %",
        "attack68/rateslib#1155",
        lambda: par_bond_sensitivity(np.array([0.04]), 10)[0],
        right=[-8.175716672298558, 78.89792522862510],
        by="differences of the price, payment by payment, in 60 digits",
        tolerance=1e-12,
    ),
    Row(
        "duration of the 10-year par bond at a yield of zero",
        "domokane/FinancePy#140",
        lambda: par_bond_sensitivity(np.array([0.0]), 10)[0],
        right=[-10.0, 105.0],
        by="one payment of 1 in 10 years: 10 and 10 x 10.5",
        tolerance=1e-13,
    ),
    Row(
        "discount rate of a bill at 96.1030, 349 days",
        "attack68/rateslib#33",
        lambda: round(100.0 * bank_discount(0.961030, 349), 4),
        right=4.0198,
        by="as quoted there",
    ),
    Row(
        "a quarter of a year at 4 %: bond-equivalent, not compounded",
        "JuliaActuary/FinanceModels.jl#20",
        lambda: bill_price(np.array([0.04]), 0.25),
        right=[1.0 / 1.01],
        by="simple interest",
        tolerance=1e-15,
    ),
    Row(
        "days from Friday to Monday to Tuesday",
        "definition",
        lambda: DAYS_PER_YEAR * years_passed(_curve(FLAT, Y10=[4, 4, 4]), 1),
        right=[3.0, 1.0],
        by="counting",
    ),
    Row(
        "a bill of 3 months over a weekend at an unchanged 4 %",
        "definition",
        lambda: TBill(0.25).pnl(_curve(FLAT, M3=[4, 4, 4]), 1)[0],
        right=1.01 / (1.0 + 0.04 * (0.25 - 3 / 365.25)) - 1.0,
        by="three days less to discount",
        tolerance=1e-14,
    ),
    Row(
        "a 2-year note over a weekend in which its yield rises to 5 %",
        "definition",
        lambda: Treasury(2).pnl(_curve(FLAT, Y2=[4, 5, 5]), 1)[0],
        right=sum(0.02 / 1.025 ** (i - 6 / 365.25) for i in (1, 2, 3, 4))
        + 1.0 / 1.025 ** (4 - 6 / 365.25)
        - 1.0,
        by="payment by payment",
    ),
    Row(
        "par yield at 6 years between 2 % at 2 and 4 % at 10, and at 30 years",
        "definition",
        lambda: [
            float(par_yield(_curve(["2024-01-02"], Y2=[2], Y10=[4]), np.array([years]))[0])
            for years in (6.0, 30.0)
        ],
        right=[0.03, 0.04],
        by="halfway; flat beyond the last",
    ),
    Row(
        "discount factors of a flat par curve of 4 %",
        "JuliaActuary/FinanceModels.jl#20",
        lambda: discount_factors(_curve(["2024-01-02"], Y2=[4]), 1)[0],
        right=[1.0 / 1.02, 1.0 / 1.02**2],
        by="2 % a half-year",
        tolerance=1e-14,
    ),
    Row(
        "a swap of 2.5 years",
        "definition",
        lambda: Swap(2.5),
        right=Refused("give whole years"),
        by="none is quoted",
    ),
)
