"""The verdict: which test decides, its p-value by other means, and what must never reject."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.stats import binom, norm, rankdata, t

from backtest.scores import checks as score_checks
from backtest.scores import coverage_p, coverage_tests, is_clustered, pooled_coverage_p
from backtest.scores.overlapping.clusters import loss_ranks, memory_scores
from backtest.scores.overlapping.verdict import count_pvalues
from backtest.types import BoolArray, DataError, FloatArray, StudyError
from tests.support.records import with_exceedances

RECORDS = some.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).random((300, 2)) < 0.05
)


@given(some.integers(0, 40), some.integers(200, 800), some.sampled_from([0.95, 0.975, 0.99]))
def test_independent_days_get_the_exact_binomial(count: int, days: int, confidence: float) -> None:
    panel = np.zeros((days, 1), bool)
    panel[:count] = True
    expected = binom.sf(count - 1, days, 1.0 - confidence)
    assert coverage_p(panel, horizon=1, confidence=confidence)[0] == pytest.approx(expected)


def test_groups_of_days_by_hand() -> None:
    # 500 days are four groups of 125; shares 0, 2, 4, 6 of 125 differ more than independent days.
    panel = np.zeros((500, 1), bool)
    for group, count in enumerate((0, 2, 4, 6)):
        panel[125 * group + 10 * np.arange(count)] = True
    rate = 12 / 500
    inflation = np.var([0, 2 / 125, 4 / 125, 6 / 125], ddof=1) * 125 / (rate * (1 - rate))
    assert inflation > 1.0
    # Midway between whole counts the incomplete beta function stands for the binomial tail.
    from scipy.special import betainc

    effective, trials = (12 + 0.5 * (inflation - 1.0)) / inflation, 500 / inflation
    binomial = betainc(effective, trials - effective + 1.0, 0.01)
    expected = t.sf(norm.isf(binomial), 3)
    assert coverage_p(panel, horizon=1, clustered=True)[0] == pytest.approx(expected)
    assert coverage_p(panel, horizon=1)[0] < expected


@given(RECORDS, some.integers(1, 6), some.booleans())
def test_over_coverage_never_rejects(record: BoolArray, horizon: int, clustered: bool) -> None:
    record = record & (np.cumsum(record, axis=0) <= 3)  # an expected 3 of 300
    pvalues = coverage_p(record, horizon=horizon, clustered=clustered)
    assert (pvalues > 0.3).all() and (pvalues[record.sum(axis=0) == 0] == 1.0).all()


@given(RECORDS, some.integers(1, 6))
def test_doubt_never_makes_a_rejection(record: BoolArray, horizon: int) -> None:
    plain, grouped = (
        coverage_p(record, horizon=horizon, clustered=clustered) for clustered in (False, True)
    )
    rejected = grouped <= 0.05
    assert (plain[rejected] <= 0.05).all()


def test_more_exceedances_are_never_less_suspect() -> None:
    pvalues = coverage_p(with_exceedances(10, 15, 20, 30, 60), horizon=1)
    assert (np.diff(pvalues) < 0).all() and pvalues[2] < 0.05


@given(
    arrays.arrays(np.float64, (30, 2), elements=some.sampled_from([-2.0, 0.0, 1.0, 3.0])),
    arrays.arrays(np.float64, (30, 2), elements=some.sampled_from([0.0, 1.0, 2.0])),
)
def test_ranks_are_those_of_scipy(loss: FloatArray, required: FloatArray) -> None:
    size = np.abs(loss)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size > 0, size / required, 0.0)
    np.testing.assert_array_equal(loss_ranks(loss, required), rankdata(ratio, axis=0))


def test_clusters_are_seen_at_any_scale_of_the_requirement() -> None:
    rng = np.random.default_rng(3)
    calm_and_wild = np.where(np.arange(1000) % 200 < 100, 1.0, 3.0)[:, None]
    loss = calm_and_wild * rng.standard_normal((1000, 20))
    constant, aware = np.ones_like(loss), calm_and_wild * np.ones_like(loss)
    assert is_clustered(loss, constant, horizon=1).all()
    assert is_clustered(loss, aware, horizon=1).mean() < 0.5
    for scale in (0.1, 7.0):
        for required in (constant, aware):
            np.testing.assert_array_equal(
                is_clustered(loss, scale * required, horizon=1),
                is_clustered(loss, required, horizon=1),
            )


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_overlap_alone_is_no_memory(horizon: int) -> None:
    news = np.random.default_rng(4).standard_t(4, (1000 + horizon, 400)).cumsum(axis=0)
    loss = news[horizon:] - news[:-horizon]
    scores = memory_scores(loss_ranks(loss, np.ones_like(loss)), horizon=horizon)
    assert abs(scores.mean()) < 0.2 and 0.8 < scores.std() < 1.1


def test_what_cannot_be_told_is_not_clustered() -> None:
    few = np.random.default_rng(5).standard_normal((4, 3))
    assert not is_clustered(few, np.ones_like(few), horizon=2).any()
    assert not is_clustered(np.ones((300, 1)), np.ones((300, 1)), horizon=1).any()
    assert coverage_p(np.zeros((1, 2), bool), horizon=1, clustered=True).tolist() == [1.0, 1.0]


def test_each_test_has_its_name() -> None:
    clustered = np.array([False, True])
    assert coverage_tests(clustered, horizon=1).tolist() == ["exact binomial", "groups of days"]
    assert coverage_tests(clustered, horizon=2).tolist() == ["effective counts", "groups of days"]


@pytest.mark.parametrize("horizon", [2, 3])
def test_copies_of_a_book_are_no_evidence(horizon: int) -> None:
    loss = np.where(np.arange(300) % 50 < 2, 2.0, 0.5)[:, None]  # runs of two
    required = np.ones_like(loss)
    clustered = is_clustered(loss, required, horizon=horizon)
    alone = coverage_p(loss > 1.0, horizon=horizon, clustered=clustered)[0]
    for copies in (1, 3, 60):
        wide = pooled_coverage_p(
            np.repeat(loss, copies, axis=1), np.repeat(required, copies, axis=1), horizon=horizon
        )
        assert wide == pytest.approx(alone, rel=1e-9)


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = np.random.default_rng(0).standard_t(4, (600, 7))
    required = np.full_like(loss, 3.0)

    def both() -> tuple[BoolArray, FloatArray]:
        clustered = is_clustered(loss, required, horizon=2)
        return clustered, coverage_p(loss > required, horizon=2, clustered=clustered)

    whole = both()
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 1200)
    for before, after in zip(whole, both(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_bad_input_is_named() -> None:
    panel = np.zeros((30, 2), bool)
    with pytest.raises(DataError, match=r"clustered has shape \(3,\) for 2 portfolios"):
        coverage_p(panel, horizon=1, clustered=np.zeros(3, bool))
    with pytest.raises(StudyError, match="horizon is 0"):
        coverage_p(panel, horizon=0)
    with pytest.raises(StudyError, match="confidence is 99"):
        coverage_p(panel, horizon=1, confidence=99)
    with pytest.raises(DataError, match="required holds NaN"):
        is_clustered(np.ones((30, 1)), np.full((30, 1), np.nan), horizon=1)
    once = np.eye(30, 2, dtype=int).sum(axis=1)
    with pytest.raises(StudyError, match="confidence is 99"):
        count_pvalues(once, 1, horizon=1, confidence=99, clustered=np.array(False))
