"""Close-outs of accounts, firms and houses: against numpy, and of ten thousand accounts."""

from collections.abc import Iterator

import numpy as np

from backtest.kernels import parties
from backtest.kernels.parties import COMMINGLED, POOLED
from backtest.types import FloatArray
from tests.bench.books import ARMS, PRICES, WHICH, measured
from tests.bench.timing import Seconds, Table, alike
from tests.support.close_outs import World
from tests.support.waterfall_twin import twin

ACCOUNTS, FEW, FIRMS = 10_000, 100, 40
GOAL = Seconds(60.0)
STUDY = """
import backtest as bt
from backtest.clearing import ARRANGEMENTS
from tests.bench.scale import COVERAGE, MODELS, random_book
market = bt.load_market({prices!r}, factors={factors!r})
book = random_book(market, {accounts})
members = [
    bt.Member(name, f"firm {{i % {firms}}}", "house" if i < {firms} else "customer")
    for i, name in enumerate(book.portfolios)
]
bt.protect(
    market, book, MODELS, bt.Structure(members), coverage=COVERAGE,
    arrangements=[ARRANGEMENTS[{arrangement!r}]],
)
"""
FACTORS = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
ARRANGEMENT = "customers gross, segregated"


def world(accounts: int, days: int, rng: np.random.Generator) -> World:
    """Customers at two houses and own accounts of ten firms, of which few ever fail."""
    firms = 10
    required = np.abs(rng.normal(0.0, 1e6, (1, accounts, 2))) * np.ones((days, 1, 1))
    loss = required * rng.standard_t(4, (days, accounts, 2)) * 0.25
    return World(
        loss, required.copy(), required, np.ones((days, firms, 2, 2)),
        np.zeros((days, firms, 2)), np.zeros((days, accounts)),
        parties.Accounts(
            np.arange(accounts) % firms, np.arange(accounts) < firms,
            rng.integers(0, 3, accounts),
            np.where(np.arange(accounts) < firms, 0.0, 5e5),
            np.zeros((accounts, 2), np.int64),
        ),
        parties.Classes(np.array([True, False]), np.zeros(2, np.bool_), np.zeros(2)),
        parties.Firms(
            np.full(firms, accounts * 4e3), np.full((firms, 2), 1e6), 0.0, 0.0, 0.5, 2.0
        ),
        parties.Houses(np.full(2, 1e7), np.full(2, 1e8), np.full(2, 1.0)),
    )  # fmt: skip


def with_numpy(one: World) -> FloatArray:
    """(days, houses, bearers) of close-outs without drawn defaults, all days of an account at once.

    As one writes it: what accounts lack and firms owe is a few passes over all days. Days on which
    a firm fails are few, and are worked out debt by debt.
    """
    nets = (one.accounts.nets == COMMINGLED) | (one.accounts.nets == POOLED)
    x = one.loss - one.collateral
    total = x.sum(axis=2)
    posted = one.required.sum(axis=2)
    lack = np.where(nets, np.maximum(total, 0.0), np.maximum(x, 0.0).sum(axis=2))
    gains = np.where(nets, 0.0, np.maximum(-one.loss, 0.0).sum(axis=2))
    unpaid = np.maximum(lack - one.accounts.resources - gains, 0.0)
    lacking = np.where(
        nets[:, None],
        unpaid[..., None] * one.required / posted[..., None],
        np.maximum(x, 0.0) * (unpaid / np.where(lack > 0.0, lack, 1.0))[..., None],
    )
    paid = np.zeros((*one.loss.shape[::2], parties.BEARERS))
    paid[..., parties.ACCOUNT] = (one.loss - lacking).sum(axis=1)
    paid[..., parties.FIRM] = lacking.sum(axis=1)
    owed = np.stack(
        [unpaid[:, one.accounts.firm == f].sum(axis=1) for f in range(len(one.firms.capital))]
    )
    for t in np.flatnonzero((owed > one.firms.capital[:, None]).any(axis=0)).tolist():
        ledger = twin(one, t, joint=True, drawn=set())
        for h in range(2):
            paid[t, h] = [ledger.paid[h, name] for name in _bearers()]
    return paid


def _bearers() -> tuple[str, ...]:
    from backtest.clearing.ledger import BEARERS

    return BEARERS


def closed(rng: np.random.Generator) -> Table:
    """Close-outs without drawn defaults, and with those of every account."""
    one = world(2_000, 500, rng)
    nobody = np.zeros((500, one.names))
    some = np.full((500, one.names), 8e-5)
    expected = with_numpy(one)
    assert (expected[..., parties.FELLOW] > 0.0).any(), "no firm fails"
    np.testing.assert_allclose(one.replayed(nobody, coordination=1.0).base, expected, atol=1e-2)
    return alike(
        "Close-outs, 2,000 accounts, 10 firms, 2 houses, 500 days, per account and day",
        one.loss.shape[0] * one.loss.shape[1],
        {
            "replay_protection, no drawn defaults": lambda: one.replayed(nobody, coordination=1.0),
            "the same, every account may be drawn": lambda: one.replayed(
                some, coordination=1.0, draws=20
            ),
            "numpy, no drawn defaults": lambda: with_numpy(one),
        },
    )


def scale() -> Table:
    """`bt.protect` of ten thousand accounts, in a process of its own."""

    def program(accounts: int) -> list[str]:
        study = STUDY.format(
            prices=PRICES, factors=FACTORS, accounts=accounts, firms=FIRMS, arrangement=ARRANGEMENT
        )
        return ["-c", study]

    measured(program(FEW))
    seconds, peak = measured(program(ACCOUNTS))
    title = (
        f"bt.protect: {ACCOUNTS:,} accounts, {FIRMS} firms, 4 models, 1 arrangement, {WHICH}; "
        f"peak {peak:.2f} GiB"
    )
    return Table(title, ARMS, np.array([seconds]), (GOAL,))


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield closed(rng)
    yield scale()
