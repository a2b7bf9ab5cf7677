"""CRIF: small files whose margin is known, capitals that mean nothing, cells that are refused."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.selfcheck.simm import CURVE
from backtest.selfcheck.simm import EQUITY as TEN_OF_EQUITY
from strategies.simm.add_ons import add_ons
from strategies.simm.aggregation import Node, simm_margin
from strategies.simm.crif import read_crif, sensitivities
from strategies.simm.parameters import load_simm

V2_1 = load_simm("simm/2.1")
EQUITY = TEN_OF_EQUITY | {"Qualifier": "ISIN:1"}
EURO = EQUITY | {"RiskType": "Risk_FX", "ProductClass": "RatesFX", "Qualifier": "EUR"}
PAIR = EURO | {"RiskType": "Risk_FXVol", "Qualifier": "EURUSD", "Label1": "1y"}
ISSUER = EQUITY | {
    "RiskType": "Risk_CreditQ",
    "ProductClass": "Credit",
    "Bucket": "1",
    "Label1": "5y",
    "Label2": "sec",
}


def margin(*rows, **ask):
    read = sensitivities(pd.DataFrame(rows), **ask)
    return float(simm_margin(read, V2_1).value)


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
    assert margin(dollar, euro, currency="usd") == margin(euro)
    with pytest.raises(bt.DataError, match="currency is 'dollar'; give three letters"):
        sensitivities(pd.DataFrame([euro]), currency="dollar")


@pytest.mark.parametrize("spelled", ["usdeur", "EUR/USD", "usd/eur "])
def test_a_pair_of_currencies_is_one_pair_however_it_is_written(spelled):
    opposite = PAIR | {"Qualifier": spelled, "AmountUSD": -10.0}
    assert margin(PAIR, opposite) == pytest.approx(0.0, abs=1e-9) and margin(PAIR) > 0.0


def test_what_a_row_says_of_a_security_has_no_capitals():
    assert margin(ISSUER, ISSUER | {"Label2": "SEC", "AmountUSD": -10.0}) == 0.0


def test_add_ons_are_read_whatever_their_capitals():
    """A fixed amount of 100, 2 % of |-300| + |200|, and half again of the 340 of Equity."""
    rows = [
        {"RiskType": "param_addonfixedamount", "AmountUSD": 100.0},
        {"RiskType": "PARAM_ADDONNOTIONALFACTOR", "Qualifier": "Flexi", "Amount": "2"},
        {"RiskType": "notional", "Qualifier": "FLEXI", "AmountUSD": -300.0},
        {"RiskType": "Notional", "Qualifier": "flexi", "AmountUSD": 200.0},
        {"RiskType": "Param_ProductClassMultiplier", "Qualifier": "equity", "Amount": 1.5},
        {"RiskType": "Param_ProductClassMultiplier", "Qualifier": "Credit", "Amount": 1.5},
    ]
    tree = Node("SIMM", np.array(340.0), (Node("Equity", np.array(340.0)),))
    found = add_ons(pd.DataFrame([{"IMModel": "simm"} | row for row in rows]), tree)
    assert found == {"fixed": 100.0, "notional Flexi": 10.0, "product Equity": 170.0,
                     "product Credit": 0.0}  # fmt: skip
    for wrong in ({"RiskType": "Param_AddOn"}, rows[4] | {"Qualifier": "Shares"},
                  rows[4] | {"Amount": ""}):  # fmt: skip
        with pytest.raises(bt.DataError, match="CRIF row 1: "):
            add_ons(pd.DataFrame([{"IMModel": "SIMM"} | wrong]), tree)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "crif.csv is empty; give a CRIF"),
        ("RiskType;AmountUSD\nRisk_FX;3\n", "no column RiskType .it has RiskType;AmountUSD"),
        ("RiskType\tAmount\nRisk_FX\t3\n", "has no column AmountUSD"),
        ("RiskType\tAmountUSD\nRisk_FX\t3\nRisk_FX\t1.000,5\n", "'1.000,5' in row 2; give Amo"),
        ("RiskType\tAmountUSD\nRisk_FX\t1,00\n", "'1,00' in row 1; give AmountUSD as plain numb"),
    ],
)
def test_a_file_that_is_no_crif_is_one_line(text, words, tmp_path):
    path = tmp_path / "crif.csv"
    path.write_text(text)
    with pytest.raises(bt.DataError, match=words):
        read_crif(path)


def test_heads_have_no_capitals_and_thousands_have_commas(tmp_path):
    path = tmp_path / "crif.csv"
    path.write_text("risktype\tamountusd\tQUALIFIER\nRisk_FX\t-1,234,567.5\tEUR\nPV\t\t\n")
    crif = read_crif(path)
    assert crif["AmountUSD"][0] == -1234567.5 and np.isnan(crif["AmountUSD"][1])


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
        (EQUITY | {"ProductClass": ""}, "row 2: ProductClass is ''; known: RatesFX"),
        (EQUITY | {"RiskType": "Risk_Weather"}, "row 2: RiskType is 'Risk_Weather'"),
        (EQUITY | {"AmountUSD": float("nan")}, "row 2: AmountUSD is 'nan'; give a finite number"),
        (EQUITY | {"AmountUSD": "many"}, "row 2: AmountUSD is 'many'"),
        (EQUITY | {"AmountUSD": float("inf")}, "row 2: AmountUSD is 'inf'"),
        (EQUITY | {"RiskType": "RiskEquity"}, "row 2: RiskType is 'RiskEquity'; known: Risk_IRC"),
        (EQUITY | {"RiskType": ""}, "row 2: RiskType is ''; known: Risk_IRCurve"),
        (EQUITY | {"Qualifier": " "}, "row 2: Qualifier is ''; give the name of the issuer"),
        (CURVE | {"Qualifier": "US"}, "row 2: Qualifier is 'US'; give a currency"),
        (EURO | {"Qualifier": "EURUSD"}, "row 2: Qualifier is 'EURUSD'; give a currency"),
        (PAIR | {"Qualifier": "EUR"}, "row 2: Qualifier is 'EUR'; give a pair of currencies"),
    ],
)
def test_what_cannot_be_read_is_one_line(row, said):
    with pytest.raises(bt.DataError) as refused:
        sensitivities(pd.DataFrame([EQUITY, row]))
    assert f"CRIF {said}" in str(refused.value) and "\n" not in str(refused.value)
