"""Panels of records as bits: what is counted, that missing days cost nothing but themselves."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from hypothesis.extra import numpy as hn
from scipy.stats import chi2

from backtest.scores import christoffersen_coverage, christoffersen_independence, kupiec
from backtest.scores.exceedances.coverage import transition_counts
from backtest.scores.exceedances.record import runs_of
from backtest.scores.overlapping.panel import PackedRecords, every_day, pack_records, panel_tests
from backtest.types import DataError

# 64 and its neighbours: words that are full, one day short, one day over.
DAYS = hs.sampled_from([1, 2, 5, 63, 64, 65, 127, 128, 130, 200])
panels = DAYS.flatmap(
    lambda days: hn.arrays(
        np.float64, (days, 4), elements=hs.sampled_from([0.0, 0.0, 0.0, 1.0, np.nan])
    )
)


@settings(max_examples=60, deadline=None)
@given(panels)
def test_counts_are_those_of_the_runs(panel):
    found = panel_tests(pack_records(panel))
    for r, record in enumerate(panel.T):
        runs = runs_of(record)
        known = np.concatenate([np.empty(0, bool), *runs])
        moves = np.sum([transition_counts(run) for run in runs], axis=0, initial=0)
        assert found.transitions[:, r].tolist() == np.broadcast_to(moves, 4).tolist()
        assert found.observations[r] == len(known) == len(record) - found.missing[r]
        assert found.exceedances[r] == known.sum()


@settings(max_examples=60, deadline=None)
@given(panels)
def test_every_test_is_the_single_one_to_the_last_digit_whatever_days_are_missing(panel):
    found = panel_tests(pack_records(panel), confidence=0.95)
    for r, record in enumerate(panel.T):
        rate = kupiec(record, confidence=0.95)
        np.testing.assert_array_equal(found.kupiec_p[r], rate.pvalue)
        independence = christoffersen_independence(record)
        joint = christoffersen_coverage(record, confidence=0.95)
        np.testing.assert_array_equal(found.independence_p[r], independence.pvalue)
        np.testing.assert_array_equal(found.conditional_p[r], joint.pvalue)


def test_a_missing_day_breaks_a_transition_across_the_edge_of_a_word():
    record = np.zeros((130, 3))
    record[[63, 64]] = 1.0
    record[64, 1] = np.nan
    record[63, 2] = np.nan
    found = panel_tests(pack_records(record))
    n00, n01, n10, n11 = found.transitions
    assert n11.tolist() == [1, 0, 0]
    assert n01.tolist() == [1, 1, 0] and n10.tolist() == [1, 0, 1]
    assert n00.tolist() == [126, 126, 126]
    assert found.missing.tolist() == [0, 1, 1]


def test_no_record_known_is_not_identified_and_no_crash():
    found = panel_tests(pack_records(np.full((70, 1), np.nan)))
    assert found.missing[0] == 70 and found.observations[0] == 0
    assert np.isnan([found.kupiec_p[0], found.independence_p[0], found.conditional_p[0]]).all()


def exact_ratio(parts, confidence):
    """Kupiec's and Christoffersen's ratios in 60 digits."""
    n00, n01, n10, n11 = (Decimal(int(n)) for n in parts)

    def term(count, share):
        return count * share.ln() if count else Decimal(0)

    with localcontext() as context:
        context.prec = 60
        calm, stressed, whole = n00 + n01, n10 + n11, n00 + n01 + n10 + n11
        rate = (n01 + n11) / whole
        chain = (
            term(n00, n00 / calm)
            + term(n01, n01 / calm)
            + term(n10, n10 / stressed)
            + term(n11, n11 / stressed)
        )
        alone = term(n00 + n10, 1 - rate) + term(n01 + n11, rate)
        return float(2 * (chain - alone))


def test_ten_million_days_neither_underflow_nor_lose_their_digits():
    days = 10_000_000
    rng = np.random.default_rng(4)
    hit = rng.random(days) < 0.0102
    found = panel_tests(pack_records(hit[:, None]), confidence=0.99)
    assert found.exceedances[0] == hit.sum()
    rate = hit.mean()
    direct = 2 * (
        (days - hit.sum()) * (np.log1p(-rate) - np.log(0.99))
        + hit.sum() * (np.log(rate) - np.log(0.01))
    )
    assert found.kupiec[0] == pytest.approx(direct, rel=1e-6)
    assert found.kupiec_p[0] == pytest.approx(chi2.sf(direct, 1), rel=1e-4) and direct > 20
    exact = exact_ratio(found.transitions[:, 0], 0.99)
    assert found.independence[0] == pytest.approx(exact, abs=1e-6)


def test_more_records_than_one_block_and_than_distinct_counts():
    rng = np.random.default_rng(0)
    panel = rng.random((70, 5000)) < 0.02
    found = panel_tests(pack_records(panel))
    for r in (0, 1023, 1024, 4999):
        assert found.kupiec_p[r] == kupiec(panel[:, r]).pvalue
    assert found.exceedances.tolist() == panel.sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pack_records(np.zeros(5)), "shape"),
        (lambda: pack_records(np.zeros((0, 5))), "a day at least"),
        (lambda: pack_records([[0.5], [1.0]]), "hold 0.5"),
        (lambda: PackedRecords(65, np.zeros((1, 2), np.uint64), every_day(65)), "2 words"),
        (lambda: PackedRecords(3, np.full((1, 2), 8, np.uint64), every_day(3)), "not known"),
        (lambda: PackedRecords(3, np.zeros((1, 2), np.uint64), every_day(5)), "beyond the last"),
    ],
)
def test_what_cannot_be_a_record_is_one_clear_line(make, words):
    with pytest.raises(DataError, match=words):
        make()
