"""Files on customers, firms and houses against the published figures that they rest on."""

import pytest

from backtest.parameters.files import header, load_parameters
from backtest.parameters.sources import parameter_source

# CME Clearing's Financial Safeguards System, base products: guaranty fund, assessment powers and
# initial margin, USD.
CME = {
    "2016-12-31": (3_330_501_971, 9_158_880_419, None),
    "2023-09-30": (6_154_113_094, 16_923_811_009, 209_535_258_061),
    "2024-06-30": (7_856_528_818, 21_605_424_249, 211_782_919_605),
}


@pytest.mark.parametrize("day", CME)
def test_assessments_of_cme_are_the_multiple_of_its_fund_that_the_file_says(day):
    fund, powers, _ = CME[day]
    multiple = load_parameters("waterfall")["houses"]["CME"]["assessment"]
    assert powers == pytest.approx(multiple * fund, rel=2e-6)


def test_the_fund_of_cme_is_the_last_one_found_and_lies_in_a_range_of_those_before():
    fund = load_parameters("waterfall")["houses"]["CME"]["fund"]
    (ends,) = (u for u in header("waterfall").uncertain if u.term == "houses.CME.fund")
    assert fund == CME["2024-06-30"][0]
    assert all(ends.low <= published[0] <= ends.high for published in CME.values())


def test_a_contribution_is_the_share_of_margin_that_members_of_cme_paid():
    fund, _, margin = CME["2024-06-30"]
    houses = load_parameters("waterfall")["houses"]
    assert houses["CME"]["contribution"] == round(fund / margin, 3)
    (ends,) = (u for u in header("waterfall").uncertain if u.term == "houses.CME.contribution")
    shares = [fund / margin for fund, _, margin in CME.values() if margin]
    assert all(ends.low < share < ends.high for share in shares)


def test_ficc_has_no_fund_beside_margin_and_assesses_nothing_on_top():
    ficc = load_parameters("waterfall")["houses"]["FICC"]
    assert ficc["contribution"] == ficc["assessment"] == 0.0 and ficc["fund"] > 0.0


def test_regimes_say_what_their_texts_say():
    regimes = load_parameters("customer_regimes")["regimes"]
    taken = {name: (r["fellow"], r["fellow_gross"]) for name, r in regimes.items()}
    assert taken == {
        "futures_4d": ("omnibus", "omnibus"),  # gross is how much is called, not whose it is
        "securities_15c3_3": ("omnibus", "none"),
        "swaps_lsoc": ("none", "none"),
        "commingled": ("one account", "one account"),
    }
    assert regimes["securities_15c3_3"]["advance"] == 500_000  # 15 USC 78fff-3(a)
    assert all(r["advance"] == 0 for n, r in regimes.items() if n != "securities_15c3_3")
    classes = [regime["account_class"] for regime in regimes.values()]
    assert len(set(classes)) == len(classes)  # each is an estate of its own


def test_payment_days_and_the_commingled_regime_are_marked():
    mark = parameter_source("customer_regimes").mark
    assert "regimes.commingled" in mark and "regimes.futures_4d.call_lag" in mark
    assert "regimes.swaps_lsoc," not in mark  # its class and what may be taken were read
