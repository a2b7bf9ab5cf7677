"""A firm's own account at two houses: what it gains at one pays what it lacks at the other."""

import numpy as np
import pytest

from backtest.kernels import closed_day, parties

CAPITAL = 20.0
LOSS, COLLATERAL = (-90.0, 100.0), (5.0, 5.0)  # lacks 95 at the second house, gained 90


def closed_out(own, *, drawn_firm=False, customer=None):
    """Close out an account of one firm at two houses, with a customer's losses beside it."""
    loss = np.array([LOSS] + ([customer] if customer else []))
    collateral = np.array([COLLATERAL] + ([(0.0, 0.0)] if customer else []))
    count = len(loss)
    own_account = np.array([own, False][:count])
    accounts = parties.Accounts(
        np.zeros(count, np.int64), own_account, np.zeros(count, np.int64), np.zeros(count),
        np.zeros((count, 2), np.int64),
    )  # fmt: skip
    day = parties.Day(
        loss, collateral, collateral, np.ones((1, 1, 2)), np.zeros((1, 2)), np.zeros(count)
    )
    paid, fellow, failed = np.empty((2, parties.BEARERS)), np.empty(count), np.empty(count, bool)
    drawn = np.array([False] * count + [drawn_firm])
    defaults = closed_day.close_out(
        day, accounts, parties.Classes(np.array([True]), np.array([False]), np.zeros(1)),
        parties.Firms(np.array([CAPITAL]), np.zeros((1, 2)), 0.0, 0.0, 0.0, 0.0),
        parties.Houses(np.zeros(2), np.zeros(2), np.zeros(2)), False, drawn, failed, paid, fellow,
    )  # fmt: skip
    np.testing.assert_allclose(paid.sum(axis=1), loss.sum(axis=0))
    return defaults, paid


def test_a_solvent_firm_pays_with_what_its_own_account_gained():
    defaults, paid = closed_out(own=True)
    assert defaults == 0
    # 95 lacking less 90 gained: five of the firm's capital of twenty.
    assert paid[:, parties.FIRM].tolist() == [0.0, 5.0]
    assert paid[:, parties.ACCOUNT].tolist() == [-90.0, 95.0]


def test_so_does_a_customer_and_its_firm_pays_the_rest():
    defaults, paid = closed_out(own=False)
    assert defaults == 0 and paid[:, parties.FIRM].tolist() == [0.0, 5.0]


def test_gains_of_a_firm_that_is_drawn_to_default_pay_nothing_elsewhere():
    defaults, paid = closed_out(own=True, drawn_firm=True)
    assert defaults == 1 and paid[1, parties.UNCOVERED] == pytest.approx(95.0)


def test_a_gain_that_has_paid_is_not_left_to_pay_again():
    # A customer lacks 40 at the first house. Of the 95 that the firm's own account has there, 90
    # have paid at the second: with capital of 20 it can pay 25 of 45, and fails.
    defaults, paid = closed_out(own=True, customer=(40.0, 0.0))
    assert defaults == 1
    assert paid[:, parties.FIRM].sum() == pytest.approx(CAPITAL + 5.0)
    assert paid[:, parties.UNCOVERED].sum() == pytest.approx(20.0)
