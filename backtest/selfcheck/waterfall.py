"""Who pays what margin does not cover: one day of two houses and two firms, worked out by hand."""

from dataclasses import replace

import numpy as np

from backtest.clearing import ARRANGEMENTS, Firm, House, Member, Rules, Structure
from backtest.clearing.calls import Holdings
from backtest.clearing.ledger import BEARERS
from backtest.clearing.setting import Setting
from backtest.kernels import closed_day, parties
from backtest.selfcheck.row import Row
from backtest.types import FloatArray

HOUSES = ("CME", "FICC")
# The day of docs/protect.md, where every step of it is written out.
STRUCTURE = Structure(
    (
        Member("Amber", "A", resources=1e6),
        Member("Birch", "A", resources=0.0),
        Member("Cedar", "A", resources=0.0),
        Member("Dune", "A", resources=5e5),
        Member("Elm", "A", regimes={"CME": "LSOC"}, resources=0.0),
        Member("A's own", "A", "house"),
        Member("Fir", "B", resources=6e5),
    ),
    {
        "A": Firm(capital=3.8e6, contributions={"CME": 8e5, "FICC": 3.6e5}),
        "B": Firm(capital=2e6, contributions={"CME": 5e5, "FICC": 1e5}),
    },
    {
        "CME": House(capital=1e6, fund=4e6, assessment=2.0),
        "FICC": House(capital=3e5, fund=1e5, assessment=0.5),
    },
)
# USD m by account, at CME and at FICC.
COLLATERAL = [[6, 0], [5, 0], [2.5, 3.5], [4, 1.5], [2, 1.25], [2, 1], [3, 0]]
LOSS = [[19, 0], [-1, 0], [0.5, -0.5], [2, 8.5], [1.2, 0.25], [0.5, 2], [4.5, 0]]
# USD m that houses require and that has settled, by firm, house and account class.
REQUIRED = {(0, 0, "4d"): (10.5, 17.5), (0, 0, "LSOC"): (2.0, 2.0), (0, 1, "15c3-3"): (6.75, 6.25)}
REQUIRED |= {(1, 0, "4d"): (3.0, 3.0)}
SOURCE = "17 CFR 1.22, 22.15, 240.15c3-3"
BY_HAND = "step by step in docs/protect.md"


def _closed(*, joint: bool) -> tuple[FloatArray, FloatArray]:
    """The ledger (houses, bearers) and what each customer that did nothing loses, USD."""
    in_force = Rules.of()
    silent = in_force.assumptions.model_copy(update={"recovery": 0.0, "set_off": 0.0})
    collateral, loss = 1e6 * np.array(COLLATERAL), 1e6 * np.array(LOSS)
    accounts, houses = loss.shape
    setting = Setting(
        STRUCTURE,
        HOUSES,
        ARRANGEMENTS["customers omnibus, segregated"],
        replace(in_force, assumptions=silent),
        np.zeros(loss.shape),
        collateral > 0.0,
    )
    asked, posted = np.zeros((2, 1, 2, len(setting.classes), houses))
    for (firm, house, regime), (required, settled) in REQUIRED.items():
        account_class = setting.rules.regimes.protection(regime).account_class
        place = (0, firm, setting.classes.index(account_class), house)
        asked[place], posted[place] = 1e6 * required, 1e6 * settled
    held = Holdings.of(asked, posted, np.maximum(asked - posted, 0.0), np.array([True, True]))
    day = parties.Day(
        loss, collateral, collateral, held.at_house[0], held.advanced[0], np.zeros(accounts)
    )
    paid, fellow = np.zeros((houses, len(BEARERS))), np.zeros(accounts)
    closed_day.close_out(
        day, setting.kernel_accounts(), setting.kernel_classes(), setting.kernel_firms(),
        setting.kernel_houses(), joint, np.zeros(accounts + 2, dtype=np.bool_),
        np.zeros(accounts, dtype=np.bool_), paid, fellow,
    )  # fmt: skip
    return paid, fellow


ROWS = (
    Row(
        "who pays 26.7m at CME and 10.25m at FICC, which close out apart",
        SOURCE,
        lambda: _closed(joint=False)[0],
        right=[
            [13.8e6, 4.8e6, 0, 0, 0.8e6, 4.8e6, 0, 1e6, 1.5e6, 0, 0],
            [2.75e6, 1.4e6, 0.5e6, 2e6, 0.36e6, 1.52e6, 1e6, 0.3e6, 0.2e6, 0.1e6, 0.12e6],
        ],
        by=BY_HAND,
    ),
    Row(
        "what each customer loses that did nothing",
        SOURCE,
        lambda: _closed(joint=False)[1],
        right=[0, 3.6e6, 2.716e6, 0, 4e3, 0, 0],
        by="by net equity; collateral under LSOC is not touched, SIPC advances up to 500,000",
    ),
    Row(
        "who pays the same where the houses close out together",
        SOURCE,
        lambda: _closed(joint=True)[0].sum(axis=0),
        right=[
            *(19.55e6, 5.2e6, 0.5e6, 0, 1.16e6, 5.1e6),
            *(27_878 + 26 / 33, 1e6, 4_412_121 + 7 / 33, 0, 0),
        ],
        by=BY_HAND,
    ),
    Row(
        "money of that day, whichever way it is closed out",
        "definition",
        lambda: [_closed(joint=joint)[0].sum(axis=1) for joint in (False, True)],
        right=[[26.7e6, 10.25e6]] * 2,
        by="what all pay is what the accounts lost",
    ),
)
