"""The block bootstrap of the count of exceedances."""

import numpy as np
import pytest

from backtest.scores import bootstrap_pvalues, day_weights, stationary_indices
from backtest.scores import checks as score_checks
from backtest.types import DataError
from tests.support.records import with_exceedances

DAYS = 1000
WEIGHTS = day_weights(stationary_indices(DAYS, resamples=499, seed=1))


def test_over_coverage_never_rejects() -> None:
    pvalues = bootstrap_pvalues(with_exceedances(0, 1, 3, 10), confidence=0.99, weights=WEIGHTS)
    assert pvalues[0] == 1.0
    assert (pvalues > 0.3).all()


def test_under_coverage_rejects_the_more_there_is_of_it() -> None:
    pvalues = bootstrap_pvalues(
        with_exceedances(10, 15, 20, 30, 60), confidence=0.99, weights=WEIGHTS
    )
    assert (np.diff(pvalues) <= 0).all()
    assert pvalues[2] < 0.05 and pvalues[-1] == pytest.approx(1 / 500)


def test_a_run_is_weaker_evidence_than_the_same_number_apart() -> None:
    run = np.zeros((DAYS, 1), bool)
    run[400:420] = True
    apart = with_exceedances(20)
    of_run, of_apart = (
        bootstrap_pvalues(panel, confidence=0.99, weights=WEIGHTS)[0] for panel in (run, apart)
    )
    assert of_run > 0.10 > 0.05 > of_apart


def test_pvalue_by_hand() -> None:
    # Three resamples of four days: counts 2, 1, 4 of an expected 1 and an observed 2
    weights = np.array([[1.0, 1, 1, 1], [0, 1, 2, 1], [2, 2, 0, 0]])
    panel = np.array([[True], [True], [False], [False]])
    # Centred counts 0, -1, 2 against 2 - 1: one of three reaches it
    assert bootstrap_pvalues(panel, confidence=0.75, weights=weights)[0] == pytest.approx(2 / 4)


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = np.random.default_rng(0).random((DAYS, 7)) < 0.02
    whole = bootstrap_pvalues(panel, weights=WEIGHTS)
    monkeypatch.setattr(score_checks, "BLOCK_CELLS", 2 * DAYS)
    np.testing.assert_allclose(bootstrap_pvalues(panel, weights=WEIGHTS), whole, rtol=1e-12)


def test_bad_weights_are_named() -> None:
    with pytest.raises(DataError, match=r"weights have shape \(499, 1000\) for 10 scored days"):
        bootstrap_pvalues(np.zeros((10, 1), bool), weights=WEIGHTS)
