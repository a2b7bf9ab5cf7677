"""Intervals of rare amounts against their published form, Poisson counts and simple cases."""

import numpy as np
import pytest
from scipy import stats

from backtest.scores.money.level import mean_interval, ratio_interval
from backtest.scores.money.rare import (
    FEWEST_EVENTS,
    event_amounts,
    event_rate,
    never_seen,
    rare_difference,
    rare_mean,
)
from backtest.scores.money.rare_share import rare_share
from backtest.types import DataError, StudyError


def record(amounts, every=100, days=5000):
    series = np.zeros(days)
    series[: len(amounts) * every : every] = amounts
    return series


def test_the_lower_end_of_equal_events_is_that_of_a_poisson_count():
    # Fay and Feuer: with equal weights the lower end is Garwood's, whatever the weight.
    found = rare_mean(record([3.0] * 8))
    assert found.low * 5000 / 3.0 == pytest.approx(stats.chi2.ppf(0.025, 16) / 2)
    assert found.mean == pytest.approx(24.0 / 5000)


def test_the_upper_end_is_the_gamma_law_with_one_more_event_of_twice_the_largest():
    amounts = np.array([1.0, 2.0, 5.0, 1.0, 1.0, 2.0])
    total, squares, w = amounts.sum() + 10.0, (amounts**2).sum() + 100.0, 10.0
    assert w == 2.0 * amounts.max()
    expected = stats.gamma.ppf(0.975, a=total**2 / squares, scale=squares / total)
    assert rare_mean(record(amounts)).high * 5000 == pytest.approx(expected)


def test_days_within_a_month_are_one_event():
    series = np.zeros(200)
    series[[10, 11, 30, 51, 72, 150]] = 1.0  # 19, 21, 21 and 78 days apart
    assert event_amounts(series).tolist() == [3.0, 1.0, 1.0, 1.0]
    assert event_amounts(np.zeros(5)).tolist() == []


@pytest.mark.parametrize("count", range(FEWEST_EVENTS + 1))
def test_too_few_events_have_a_mean_and_no_interval(count):
    found = rare_mean(record([2.0] * count))
    assert found.events == count and found.mean == 2.0 * count / 5000
    assert np.isfinite(found.ends[1:]).tolist() == [count == FEWEST_EVENTS] * 2


def test_what_is_known_on_every_day_is_no_evidence():
    known = np.full(5000, 0.01)
    found = rare_mean(record([5.0] * 3) + known, seen=record([5.0] * 3))
    assert found.events == 3 and np.isnan(found.ends[1:]).all()


def test_what_is_known_between_events_does_not_join_them():
    seen = record([5.0] * 30)
    other = record([3.0, 0.0, 1.0] * 10)
    known = np.full(5000, 1e-6)
    for plain, with_known in (
        (rare_mean(seen), rare_mean(seen + known, seen=seen)),
        (
            rare_difference(seen, other),
            rare_difference(seen + known, other, seen=seen - other),
        ),
    ):
        assert with_known.events == plain.events == 30
        np.testing.assert_allclose(with_known.ends, plain.ends, rtol=1e-3)


def test_rates_are_those_of_garwood_and_of_the_rule_of_three():
    found = event_rate(record([1.0] * 4)).times(5000)
    assert (found.low, found.high) == pytest.approx(
        (stats.chi2.ppf(0.025, 8) / 2, stats.chi2.ppf(0.975, 10) / 2)
    )
    none = event_rate(np.zeros(5000)).times(5000)
    assert (none.mean, none.low, none.high) == (0.0, 0.0, pytest.approx(2.9957, abs=1e-4))
    # At that rate one record in twenty shows nothing.
    assert np.exp(-never_seen(10.0) * 10.0) == pytest.approx(0.05)


def test_a_difference_changes_sign_with_its_order_and_is_nothing_between_equals():
    one, other = record([3.0, 0.0, 4.0, 9.0, 2.0, 2.0]), record([1.0, 5.0, 0.0, 0.0, 0.0, 1.0])
    found, turned = rare_difference(one, other), rare_difference(other, one)
    assert (found.mean, found.low, found.high) == pytest.approx(
        (-turned.mean, -turned.high, -turned.low)
    )
    assert found.low < found.mean < found.high
    assert rare_difference(one, one * (1.0 + 1e-12)).events == 0
    assert rare_difference(one, one).mean == 0.0


def test_events_of_one_sign_alone_are_a_difference_and_of_both_signs_are_none():
    many = record([4.0] * 20)
    assert rare_difference(many, np.zeros(5000)).low > 0.0
    shifted = np.roll(many, 50)
    assert rare_difference(many, shifted).low < 0.0 < rare_difference(many, shifted).high


def test_one_more_event_may_be_larger_in_a_difference_too():
    one, other = record([3.0, 1.0, 4.0, 9.0, 2.0, 2.0]), record([1.0, 5.0, 0.0, 0.0, 0.0, 1.0])
    found, wider = (rare_difference(one, other, larger=times) for times in (1.0, 2.0))
    assert wider.mean == found.mean and wider.low < found.low < found.high < wider.high


def test_a_share_of_equal_events_is_that_of_fewer_binomial_ones():
    found = rare_share(0.3, record([4.0] * 20))
    assert found.mean == 0.3 and found.events == 20
    # 6 of 20 events are this party's; its lower end is of 5 of 19, without the largest.
    for end, ours, count in ((found.high, 6, 20), (found.low, 5, 19)):
        shrunk = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, count - 1)) ** 2
        ours, others = ours * shrunk, (count - ours) * shrunk
        high = end == found.high
        law = stats.beta(ours + high, others + (not high))
        assert end == pytest.approx(law.ppf(0.975 if high else 0.025))


def test_one_event_that_is_most_of_the_sum_leaves_a_share_open():
    equal, one = record([4.0] * 8), record([4.0] * 7 + [4e4])
    assert rare_share(0.5, one).low == 0.0 < 0.05 < rare_share(0.5, equal).low
    assert rare_share(0.5, 1e9 * one).high == pytest.approx(rare_share(0.5, one).high)
    whole = rare_share(1.0, equal)
    assert 0.3 < whole.low < whole.high == 1.0
    assert np.isnan(rare_share(0.5, record([4.0] * 4)).low)


def test_what_is_no_amount_is_one_line():
    with pytest.raises(DataError, match="fall to -1"):
        rare_mean(np.array([0.0, -1.0]))
    with pytest.raises(DataError, match="not all finite"):
        rare_mean(np.array([0.0, np.nan]))
    with pytest.raises(StudyError, match="level is 1"):
        rare_mean(record([1.0] * 9), level=1.0)
    with pytest.raises(DataError, match="2 days say nothing"):
        mean_interval(np.zeros(2))


def test_a_mean_of_independent_days_is_held_as_often_as_asked():
    draws = np.random.default_rng(4).standard_normal((2000, 400))
    held = [abs(0.5 * (e[2] - e[1])) > abs(e[0]) for e in map(mean_interval, draws)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_a_ratio_is_held_as_often_as_asked_and_turns_with_its_parts():
    rng = np.random.default_rng(5)
    base = 1.0 + 0.3 * rng.standard_normal((2000, 400))
    ours = 0.6 * base + 0.1 * rng.standard_normal(base.shape)
    ends = [ratio_interval(a, b) for a, b in zip(ours, base, strict=True)]
    assert np.mean([low <= 0.6 <= high for _, low, high in ends]) == pytest.approx(0.95, abs=0.02)
    assert np.isnan(ratio_interval(base[0], np.zeros(400))).all()
