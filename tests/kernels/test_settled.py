"""What accounts leave, who stands behind them, and what happens to the others; by hand."""

import numpy as np
import pytest

from backtest.kernels import parties
from backtest.kernels.parties import APART, COMMINGLED, POOLED
from tests.support.close_outs import World


def world(accounts, *, firm=None, classes=None, houses=None):
    """Two houses, one firm. accounts : (loss, collateral, kind, nets, resources) of each."""
    firm, classes, houses = firm or {}, classes or {}, houses or {}
    count = len(accounts)
    loss, held = (np.array([[a[i] for a in accounts]], dtype=np.float64) for i in range(2))
    return World(
        loss,
        held,
        held.copy(),
        np.ones((1, 1, 1, 2)),
        np.array([[firm.get("advanced", [0.0, 0.0])]]),
        np.array([[10.0] * count]),
        parties.Accounts(
            np.zeros(count, np.int64),
            np.array([a[2] == "own" for a in accounts]),
            np.array([a[3] for a in accounts]),
            np.array([float(a[4]) for a in accounts]),
            np.zeros((count, 2), np.int64),
        ),
        parties.Classes(
            np.array([classes.get("takes", True)]),
            np.array([classes.get("anywhere", False)]),
            np.array([classes.get("advance", 0.0)]),
        ),
        parties.Firms(
            np.array([firm.get("capital", 0.0)]),
            np.array([firm.get("contribution", [0.0, 0.0])]),
            firm.get("recovery", 0.0),
            firm.get("set_off", 0.0),
            firm.get("porting", 0.25),
            firm.get("porting_days", 4.0),
        ),
        parties.Houses(
            np.array(houses.get("capital", [0.0, 0.0])),
            np.array(houses.get("fund", [100.0, 100.0])),
            np.array([1.0, 1.0]),
        ),
    )


def closed(one, *, joint=False, drawn=()):
    names = np.zeros(one.names, np.bool_)
    names[list(drawn)] = True
    return one.close_out(0, joint=joint, drawn=names)


def column(ended, bearer):
    return ended.paid[:, bearer].tolist()


HEDGED = ([50.0, -35.0], [10.0, 10.0])  # lacks 40 at one house, has gained 35 at the other


@pytest.mark.parametrize(
    ("nets", "joint", "unpaid"),
    [
        (APART, True, 5.0),  # 40 less 35
        (POOLED, False, 5.0),
        (POOLED, True, 0.0),  # 15 lost in all, of 20
        (COMMINGLED, False, 0.0),
    ],
)
def test_legs_that_net_lack_less(nets, joint, unpaid):
    ended = closed(world([(*HEDGED, "customer", nets, 0.0)]), joint=joint)
    behind = ended.paid[:, parties.FUND].sum()
    if nets == POOLED and not joint:  # ten of collateral are left at the house that it gained at
        assert ended.paid[0, parties.ELSEWHERE] == unpaid
        behind += unpaid
    assert behind == pytest.approx(unpaid)


def test_a_customer_that_is_drawn_pays_nothing_though_it_could():
    customer = world([([12.0, 0.0], [10.0, 0.0], "customer", APART, 99.0)])
    assert column(closed(customer), parties.FUND) == [0.0, 0.0]
    assert column(closed(customer, drawn=[0]), parties.FUND) == [2.0, 0.0]


def test_what_is_lacking_of_netted_legs_is_shared_by_margin():
    ended = closed(world([([30.0, 10.0], [6.0, 2.0], "customer", COMMINGLED, 0.0)]))
    assert column(ended, parties.FUND) == [24.0, 8.0]  # 32 in all, three quarters of the margin


def test_set_off_pays_with_half_of_what_is_left_elsewhere():
    customer = ([30.0, 0.0], [10.0, 8.0], "customer", APART, 0.0)
    ended = closed(world([customer], firm={"set_off": 0.5}))
    assert column(ended, parties.FUND) == [16.0, 0.0] and ended.failed[0]


def test_gains_that_have_paid_are_not_set_off_again():
    # It lacks 40 and has gained 35; of the ten of collateral that are left all are set off.
    ended = closed(world([(*HEDGED, "customer", APART, 0.0)], firm={"set_off": 1.0}))
    assert column(ended, parties.ACCOUNT) == [50.0, -35.0]


def test_a_firm_with_just_enough_capital_stands():
    customer = ([30.0, 0.0], [10.0, 0.0], "customer", APART, 5.0)
    ended = closed(world([customer], firm={"capital": 15.0}))
    assert ended.firms == 0 and column(ended, parties.FIRM) == [15.0, 0.0]
    ended = closed(world([customer], firm={"capital": 14.0}))
    assert ended.firms == 1 and column(ended, parties.FUND) == [1.0, 0.0]


def test_what_the_firm_has_advanced_is_lost_before_its_capital():
    customer = ([30.0, 0.0], [10.0, 0.0], "customer", APART, 5.0)
    ended = closed(world([customer], firm={"capital": 15.0, "advanced": [4.0, 9.0]}))
    assert column(ended, parties.ADVANCED) == [4.0, 0.0]
    assert column(ended, parties.FIRM) == [11.0, 0.0]


def test_a_firm_that_is_drawn_pays_with_the_share_that_it_recovers():
    customer = ([30.0, 0.0], [10.0, 0.0], "customer", APART, 5.0)
    ended = closed(world([customer], firm={"capital": 20.0, "recovery": 0.25}), drawn=[1])
    assert column(ended, parties.FIRM) == [5.0, 0.0] and column(ended, parties.FUND) == [10.0, 0.0]


FAILED = ([42.0, 0.0], [10.0, 0.0], "customer", APART, 0.0)
IDLE = ([-2.0, 3.0], [22.0, 11.0], "customer", APART, 0.0)  # equity of 24 and 8
OTHER = ([2.0, 0.0], [10.0, 0.0], "customer", APART, 0.0)  # equity of 8


def test_fellow_customers_share_by_net_equity_wherever_it_is():
    ended = closed(world([FAILED, IDLE, OTHER]))
    assert column(ended, parties.FELLOW) == [32.0, 0.0]  # all 24 + 8 at that house
    # Of 40 of equity in all, the one has 32 and the other 8.
    assert ended.fellow.tolist() == pytest.approx([0.0, 25.6, 6.4])


def test_a_protection_fund_gives_back_up_to_its_advance():
    ended = closed(world([FAILED, IDLE, OTHER], classes={"advance": 7.0}))
    assert ended.fellow.tolist() == pytest.approx([0.0, 18.6, 0.0])
    assert ended.paid[0, parties.RETURNED] == pytest.approx(13.4)
    assert ended.paid[0, parties.FELLOW] == pytest.approx(18.6)


def test_where_a_protection_fund_gives_all_back_nothing_is_left_of_the_loss():
    # Not even what sums of doubles leave, by which a relative change would be divided.
    for held in np.random.default_rng(0).uniform(0.0, 9.0, 50):
        lacking = ([42.1, 17.1], [10.0, held], "customer", APART, 0.0)
        other = ([2.0, 0.3], [10.0 + held, held], "customer", APART, 0.0)
        ended = closed(world([lacking, IDLE, other], classes={"advance": 1e9}))
        assert not ended.fellow.any() and not ended.paid[:, parties.FELLOW].any()
        assert ended.paid[:, parties.RETURNED].min() > 0.0


def test_a_protected_class_loses_nothing_and_the_fund_pays():
    ended = closed(world([FAILED, IDLE], classes={"takes": False}))
    assert ended.fellow.sum() == 0.0 and column(ended, parties.FUND) == [32.0, 0.0]


def test_accounts_that_are_not_ported_cost_their_close_out():
    one = world([FAILED, IDLE, OTHER])
    out = one.replayed(np.zeros((1, one.names)), coordination=0.0)
    # Two accounts of ten USD each, three quarters of which are not ported; 40 of equity, 4 days.
    assert out.stuck[0].tolist() == pytest.approx([15.0, 160.0])
    assert out.base_stuck[0].tolist() == pytest.approx([15.0, 160.0])
    solvent = world([FAILED, IDLE, OTHER], firm={"capital": 50.0})
    assert solvent.replayed(np.zeros((1, 4)), coordination=0.0).stuck[0].tolist() == [0.0, 0.0]


def test_the_layers_of_the_house_come_last():
    houses = {"capital": [3.0, 3.0], "fund": [10.0, 10.0]}
    ended = closed(
        world([FAILED], firm={"contribution": [2.0, 5.0], "capital": 1.0}, houses=houses)
    )
    assert column(ended, parties.CONTRIBUTION) == [2.0, 0.0]
    assert column(ended, parties.HOUSE) == [3.0, 0.0]
    assert column(ended, parties.FUND) == [10.0, 0.0]
    assert column(ended, parties.ASSESSED) == [10.0, 0.0]
    assert column(ended, parties.UNCOVERED) == [6.0, 0.0]  # 32 - 1 - 2 - 3 - 10 - 10
