"""simm-lib's tests at SIMM 2.3 to 2.5: their portfolios are whole, and margins by hand."""

from math import sqrt

import pandas as pd
import pytest

from backtest.anchors.simm_tests import GIVEN, PRINTED, SETS, given_rows, margin_of, portfolio_of


def test_the_last_test_of_each_version_is_of_every_row():
    tests = pd.read_csv(PRINTED, dtype=str)
    for version, count in (("2.3", 245), ("2.4", 255), ("2.5", 258)):
        own = tests[tests["version"] == version]
        portfolios = [portfolio_of(version, names) for names in own["portfolio"]]
        assert len(portfolios[-1]) == len(given_rows(version)) == count
        assert given_rows(version).index.is_unique and own["test"].is_unique
    assert not pd.read_csv(GIVEN, dtype=str).duplicated(["since", "name"]).any()
    with pytest.raises(KeyError):
        portfolio_of("2.3", "IR_99")


def test_a_row_holds_until_a_later_version_gives_another():
    amounts = [given_rows(version).loc["EQV_9", "AmountUSD"] for version in ("2.3", "2.4", "2.5")]
    assert amounts == [4e8, 3e8, 3e7]
    assert "EQV_14" not in given_rows("2.3").index and "EQV_14" in given_rows("2.5").index


def test_margins_by_hand():
    """-2m and 5m at 50 basis points, of two curves: 152,315,462 USD, as C57 prints."""
    two = margin_of("2.3", "IR_6 IR_7", 10)
    assert two == pytest.approx(5e7 * sqrt(29 - 20 * 0.986), rel=1e-12)
    # A notional times its per cent, beside a fixed amount: nothing there depends on the horizon.
    for horizon in (10, 1):
        assert margin_of("2.4", "AN_1 AN_3 AN_7", horizon) == pytest.approx(20e6)


def test_both_horizons_of_each_version_have_the_margins_of_all_sensitivities():
    assert [len(each.anchors) for each in SETS] == [142, 29, 44]
    for each in SETS:
        asked = {anchor.group for anchor in each.anchors}
        assert {"all classes, ten days", "all classes, one day"} <= asked
