"""`wrong_way`: customers that fail more often where they lose most, at the same rate a year."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.clearing import ARRANGEMENTS, Member, Structure
from backtest.clearing.rules import Rules
from backtest.clearing.setting import Setting

MEMBERS = (Member("a", "A"), Member("flat", "A", default_rate=0.9), Member("own", "A", "house"))


def rates(factor, loss):
    rules = Rules.of()
    assumed = rules.assumptions.model_copy(update={"wrong_way": factor})
    setting = Setting(
        Structure(MEMBERS),
        ("FICC", "CME"),
        ARRANGEMENTS["silos"],
        replace(rules, assumptions=assumed),
        np.ones((3, 2)),
        np.ones((3, 2), dtype=np.bool_),
    )
    return setting.daily_default, setting.daily_defaults(loss)


@pytest.fixture
def loss():
    loss = np.random.default_rng(2).standard_normal((1000, 3, 2))
    loss[:, 1] = 0.0
    return loss


def test_without_it_every_day_has_the_same_rate(loss):
    flat, daily = rates(1.0, loss)
    assert daily.shape == (1000, 4)
    np.testing.assert_array_equal(daily, np.tile(flat, (1000, 1)))


def test_the_worst_tenth_has_the_multiple_and_the_mean_stays(loss):
    flat, daily = rates(10.0, loss)
    own = loss[:, 0].sum(axis=1)
    worst = own >= np.sort(own)[-100]
    high, low = daily[worst, 0], daily[~worst, 0]
    assert len(set(high)) == len(set(low)) == 1
    assert high[0] == pytest.approx(10.0 * low[0])
    assert daily[:, 0].mean() == pytest.approx(flat[0])
    # Ten of nineteen defaults fall on a tenth of the days, as the file says.
    assert high.sum() / daily[:, 0].sum() == pytest.approx(10.0 / 19.0)


def test_who_never_loses_and_who_is_a_firm_keep_their_rates(loss):
    flat, daily = rates(10.0, loss)
    np.testing.assert_array_equal(daily[:, 1:], np.tile(flat[1:], (1000, 1)))
    assert flat[1] == pytest.approx(1.0 - 0.1 ** (1 / 252))
    assert flat[2] == 0.0  # the firm's own account is the firm
