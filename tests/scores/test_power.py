"""Power: exact where it can be, the same as the single tests where it is simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from hypothesis.extra import numpy as hn
from scipy.stats import binom

from backtest.scores import dynamic_quantile, kupiec_size
from backtest.scores.alternatives import (
    ALTERNATIVES,
    STRESSED_DAYS,
    STRESSED_RATE,
    STRESSED_SHARE,
    Alternative,
    draw_records,
    overlap_quantile,
    true_rate,
)
from backtest.scores.overlapping.panel import pack_records, panel_tests
from backtest.scores.power import (
    critical_count,
    dynamic_quantile_pvalues,
    exact_power,
    power_table,
    simulated_tests,
    smallest_detectable,
)
from backtest.types import StudyError

LENGTHS = hs.integers(20, 3000)
LEVELS = hs.sampled_from([0.9, 0.95, 0.975, 0.99, 0.995])


@given(LENGTHS, LEVELS)
def test_the_smallest_detectable_rate_has_just_that_power(days, confidence):
    count = critical_count(days, confidence=confidence)
    assert binom.sf(count - 1, days, 1 - confidence) <= 0.05
    assert binom.sf(count - 2, days, 1 - confidence) > 0.05
    rate = smallest_detectable(days, confidence=confidence, power=0.8)
    assert rate > 1 - confidence
    assert binom.sf(count - 1, days, rate) == pytest.approx(0.8, rel=1e-9)
    assert exact_power(days, rate, confidence=confidence)["binomial, one-sided"] == pytest.approx(
        0.8, rel=1e-9
    )


def test_longer_records_and_less_power_show_smaller_miscoverage():
    assert smallest_detectable(2196) < smallest_detectable(500) < smallest_detectable(250)
    assert smallest_detectable(500, power=0.5) < smallest_detectable(500, power=0.9)
    # Two days at 50 % reject nothing at 5 %: two exceedances come in one record of four.
    assert np.isnan(smallest_detectable(2, confidence=0.5))


def test_exact_power_against_known_values():
    right = exact_power(250, 0.01)
    assert right["Kupiec"] == pytest.approx(kupiec_size(250), abs=1e-12)
    # BCBS (1996), Table 1: 10.8 % of right models have 5 exceedances or more, 0.03 % ten.
    assert right["zone yellow or red"] == pytest.approx(0.108, abs=0.0005)
    assert right["zone red"] == pytest.approx(0.0003, abs=0.00005)
    # Its Table 2: a model of 97 % coverage has fewer than 5 in 12.8 % of records.
    assert 1 - exact_power(250, 0.03)["zone yellow or red"] == pytest.approx(0.128, abs=0.0005)
    # Kupiec (1995): he accepts 1 to 6 exceedances of 250 days.
    assert exact_power(250, 0.02)["Kupiec"] == pytest.approx(
        1 - binom.cdf(6, 250, 0.02) + binom.pmf(0, 250, 0.02), rel=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(
    hs.sampled_from([12, 60, 250]).flatmap(
        lambda days: hn.arrays(np.bool_, (days, 3), elements=hs.sampled_from([False] * 9 + [True]))
    )
)
def test_batched_dynamic_quantile_is_the_single_one_under_a_constant_requirement(panel):
    found = dynamic_quantile_pvalues(panel, confidence=0.95)
    for record, pvalue in zip(panel.T, found, strict=True):
        one = dynamic_quantile(record, np.ones(len(record)), confidence=0.95)
        if one.identified or not np.isnan(pvalue):
            assert pvalue == pytest.approx(one.pvalue, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_records_come_at_the_rate_they_promise(name):
    law = ALTERNATIVES[name]
    drawn = draw_records(law, days=400, histories=3000, confidence=0.99, seed=3)
    rate = true_rate(law, confidence=0.99)
    spread = drawn.sum(axis=0).std() / 400 / np.sqrt(3000)
    assert abs(drawn.mean() - rate) < 4 * spread


def test_clustered_exceedances_cluster_as_stated():
    drawn = draw_records(ALTERNATIVES["clustered"], days=60, histories=200_000, seed=1)
    calm = (1 - STRESSED_SHARE * STRESSED_RATE) / (1 - STRESSED_SHARE)
    stay = 1 - 1 / STRESSED_DAYS
    # Chance of another exceedance next day: by the regime it finds itself in.
    stressed = STRESSED_SHARE * STRESSED_RATE
    next_rate = 0.01 * (
        stressed * (stay * STRESSED_RATE + (1 - stay) * calm)
        + (1 - stressed)
        * (calm + (STRESSED_RATE - calm) * STRESSED_SHARE / (1 - STRESSED_SHARE) / STRESSED_DAYS)
    )
    seen = (drawn[1:] & drawn[:-1]).sum() / drawn[:-1].sum()
    assert seen == pytest.approx(next_rate, rel=0.05)


def test_overlap_quantile_against_draws_and_symmetry():
    rng = np.random.default_rng(5)
    losses = rng.standard_t(4, (2_000_000, 2)).sum(axis=1)
    assert (losses > overlap_quantile(0.01)).mean() == pytest.approx(0.01, abs=3e-4)
    assert overlap_quantile(0.99) == pytest.approx(-overlap_quantile(0.01), rel=1e-6)


def test_simulated_shares_agree_with_exact_ones():
    law = Alternative(2.0)
    drawn = draw_records(law, days=250, histories=20_000, seed=9)
    shares = (panel_tests(pack_records(drawn)).kupiec_p <= 0.05).mean()
    assert shares == pytest.approx(exact_power(250, 0.02)["Kupiec"], abs=0.013)


def test_the_table_says_what_is_exact_and_is_the_same_again():
    few = {name: ALTERNATIVES[name] for name in ("right", "overlap")}
    table = power_table([60, 120], alternatives=few, histories=40, seed=4)
    assert table.equals(power_table([60, 120], alternatives=few, histories=40, seed=4))
    exact = table["exact"]
    assert set(exact[exact].index.unique("alternative")) == {"right"}
    assert (table.loc[exact, "se"] == 0).all()
    assert table["rejected"].between(0, 1).all()
    # A world's numbers do not depend on which others are asked for.
    alone = power_table([120], alternatives={"overlap": few["overlap"]}, histories=40, seed=4)
    assert alone.equals(table.loc[[120]].xs("overlap", level="alternative", drop_level=False))


def test_what_is_not_identified_does_not_reject():
    found = simulated_tests(np.zeros((250, 3), bool))
    assert np.isnan(found["Christoffersen independence"]).all()
    assert np.isnan(found["Weibull duration"]).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: true_rate(ALTERNATIVES["clustered"], confidence=0.8),
        lambda: draw_records(ALTERNATIVES["x2"], days=0, histories=1),
        lambda: smallest_detectable(250, power=1.0),
        lambda: smallest_detectable(0),
        lambda: smallest_detectable(250, level=0.0),
    ],
)
def test_what_cannot_be_asked_is_one_clear_line(make):
    with pytest.raises(StudyError):
        make()
