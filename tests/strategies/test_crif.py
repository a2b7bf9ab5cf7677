"""CRIF: small files whose margin is known, capitals that mean nothing, cells that are refused."""

import pandas as pd
import pytest

import backtest as bt
from strategies.simm.aggregation import simm_margin
from strategies.simm.crif import sensitivities
from strategies.simm.parameters import load_simm

V2_1 = load_simm("simm/v2_1")
EQUITY = {
    "RiskType": "Risk_Equity",
    "ProductClass": "Equity",
    "Qualifier": "ISIN:1",
    "Bucket": "11",
    "Label1": "",
    "Label2": "",
    "AmountUSD": 10.0,
}
CURVE = EQUITY | {
    "RiskType": "Risk_IRCurve",
    "ProductClass": "RatesFX",
    "Qualifier": "USD",
    "Bucket": "1",
    "Label1": "5y",
    "Label2": "Libor3m",
    "AmountUSD": 4e4,
}


def margin(*rows, **ask):
    read = sensitivities(pd.DataFrame(rows), **ask)
    tree = simm_margin(read, risk_class=V2_1.risk_class, correlation=V2_1.correlation)
    return float(tree.value)


def test_one_name_is_one_factor_whatever_its_labels():
    """Bucket 11 weighs 17 %: 20 of one name ask 340, not the 295.43 of two names."""
    assert margin(EQUITY | {"Label2": "A"}, EQUITY | {"Label2": "B"}) == pytest.approx(340.0)
    assert margin(EQUITY, EQUITY | {"Qualifier": "isin:1"}) == pytest.approx(340.0)
    assert margin(EQUITY, EQUITY | {"Qualifier": "ISIN:2"}) < 340.0


def test_the_calculation_currency_has_no_exchange_rate():
    dollar = EQUITY | {"RiskType": "Risk_FX", "ProductClass": "RatesFX", "Qualifier": "USD"}
    euro = dollar | {"Qualifier": "EUR"}
    assert sensitivities(pd.DataFrame([dollar])) == []
    assert margin(dollar, euro) == margin(euro) > 0.0
    assert margin(dollar, euro, currency="EUR") == margin(dollar, currency="EUR")


@pytest.mark.parametrize(
    "spelled",
    [
        {"RiskType": "risk_ircurve"},
        {"ProductClass": "ratesfx"},
        {"Qualifier": "usd"},
        {"Label1": "5Y"},
        {"Label2": "LIBOR3M"},
        {"Label2": " libor3m "},
    ],
)
def test_capitals_and_spaces_mean_nothing(spelled):
    opposite = CURVE | spelled | {"AmountUSD": -4e4}
    assert margin(CURVE, opposite) == pytest.approx(0.0, abs=1e-6)
    assert margin(CURVE | spelled) == margin(CURVE)


def test_a_bucket_may_be_spelled_residual():
    assert margin(EQUITY | {"Bucket": "residual"}) == margin(EQUITY | {"Bucket": "Residual"})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (CURVE | {"Label1": "12m"}, "row 2: Label1 is '12m'; known: 2w, 1m"),
        (CURVE | {"Label2": "SOFR"}, "row 2: Label2 is 'SOFR'; known: OIS"),
        (EQUITY | {"Bucket": "1.0"}, "row 2: Bucket is '1.0'; known: 1, 2"),
        (EQUITY | {"Bucket": "13"}, "row 2: Bucket is '13'"),
        (EQUITY | {"ProductClass": ""}, "row 2: ProductClass is ''; known: RatesFx"),
        (EQUITY | {"RiskType": "Risk_Weather"}, "row 2: RiskType is 'Risk_Weather'"),
        (EQUITY | {"AmountUSD": float("nan")}, "row 2: AmountUSD is 'nan'; give a finite number"),
        (EQUITY | {"AmountUSD": "many"}, "row 2: AmountUSD is 'many'"),
        (EQUITY | {"AmountUSD": float("inf")}, "row 2: AmountUSD is 'inf'"),
    ],
)
def test_what_cannot_be_read_is_one_line(row, said):
    with pytest.raises(bt.DataError) as refused:
        sensitivities(pd.DataFrame([EQUITY, row]))
    assert f"CRIF {said}" in str(refused.value) and "\n" not in str(refused.value)
