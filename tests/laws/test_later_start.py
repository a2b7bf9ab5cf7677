"""A study that starts later has the same later margins: no fit remembers where it began."""

import numpy as np
import pytest

from backtest.config.models import build_model
from tests.support.contracts import COVERAGE, contract_cases

LATER = 13  # rows cut off the start; no multiple of a refit's 15 or 20 weekdays
# The first fit is made when its window is full, whatever the date; from the next fit on, within 20
# weekdays, nothing may differ.
SETTLED, TOLERANCE = 21, 1e-9
# By kind: days after the first margin from which later starts agree, and how well, with the reason.
REMEMBERS = {
    "cme_sc_like": (80, 3e-2, "exponentially weighted variances, and the highest of them so far"),
    "correlation_break": (30, 1e-9, "windows of 30 days over margins"),
    "ficc_var": (150, 1e-9, "100 days of deficiencies behind the charge"),
    "filtered_historical": (80, 1e-2, "an exponentially weighted variance, decay .97"),
    "icc_treasury_like": (80, 4e-2, "an exponentially weighted variance, the worst windows so far"),
    "span2": (80, 3e-2, "exponentially weighted variances, and the highest of them so far"),
    "ten_year_floor": (60, 1e-9, "120 days of margins, ten years in use"),
    "variance_covariance": (80, 1e-2, "exponentially weighted variances, decay .97"),
}
# These look back over more than the 260 days of this market, by definition.
UNBOUNDED = {
    "buffer": "draws on the highest margin of years",
    "cap": "a quantile of all margins so far",
    "cross_margining": "holds FICC's charge of 252 days",
    "speed_limit": "each margin depends on the one before it",
    "stress_blend": "the worst days so far",
}


def margins(case, market, book):
    return build_model(case).margin(market, book, COVERAGE)


@pytest.mark.parametrize("table", contract_cases())
def test_a_later_start_changes_no_later_margin(table, small_market, small_book):
    whole = margins(table, small_market, small_book)[LATER:]
    late = margins(table, small_market.rows(slice(LATER, None)), small_book)
    if table["kind"] in UNBOUNDED:
        return
    settled, tolerance, _ = REMEMBERS.get(table["kind"], (SETTLED, TOLERANCE, ""))
    since = int(np.isnan(late[:, 0]).sum()) + settled
    assert since < len(late) - 10
    np.testing.assert_allclose(late[since:], whole[since:], rtol=tolerance, atol=1e-3)


def test_every_exemption_is_needed(small_market, small_book):
    needed = set()
    for case in contract_cases():
        table = case.values[0]  # noqa: PD011 - a pytest parameter
        if table["kind"] in UNBOUNDED:
            whole = margins(table, small_market, small_book)[LATER:]
            late = margins(table, small_market.rows(slice(LATER, None)), small_book)
            if not np.allclose(late[-1], whole[-1], rtol=1e-6):
                needed.add(table["kind"])
    assert needed == set(UNBOUNDED)
