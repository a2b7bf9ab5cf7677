"""Margin of a whole CRIF: sides, regulations, add-ons, rows; see tests/anchors for more of it."""

import pandas as pd
import pytest

import backtest as bt
from strategies.simm.crif import read_crif
from strategies.simm.parameters import load_simm
from strategies.simm.portfolio import (
    by_regulation,
    decisive_regulation,
    margin_rows,
    simm_of_crif,
)
from tests.support.places import PEER_DATA

CRIF = PEER_DATA / "anchors" / "ore_simm26_crif.csv"
needs_crif = pytest.mark.skipif(not CRIF.is_file(), reason="no CRIF of the engine beside")
PLACE = ["ProductClass", "RiskClass", "MarginType", "Bucket"]
EQUITY = {
    "RiskType": "Risk_EquityVol",
    "ProductClass": "Equity",
    "Qualifier": "ISIN:1",
    "Bucket": "Residual",
    "Label1": "1y",
    "AmountUSD": -1e6,
}
EURO = {
    "RiskType": "Risk_FX",
    "ProductClass": "RatesFX",
    "Qualifier": "EUR",
    "AmountUSD": 1e6,
}


def test_one_day_as_simm_lib_prints_it():
    """Its testCRQ_1Day: 1.6m and -0.3m of one issuer at 19 basis points, not concentrated."""
    row = EQUITY | {
        "RiskType": "Risk_CreditQ",
        "ProductClass": "Credit",
        "Bucket": "1",
        "AmountUSD": 8e5,
    }
    crif = pd.DataFrame([row, row, row | {"Label1": "2y", "AmountUSD": -3e5}])
    tree = simm_of_crif(crif, parameters="simm/2.1", horizon=1)
    assert round(float(tree.value)) == 24_979_039


@needs_crif
@pytest.mark.parametrize(
    ("version", "horizon", "call", "post"),
    [
        ("2.4", 10, 1011746.910742339, 938504.173673107),
        ("2.4", 1, None, 256419.242323686),
        ("2.5A", 10, 1049089.950930317, 976214.439971634),
        ("2.5A", 1, None, 273612.620063010),
        ("2.6", 1, 278190.677244416, 272743.037957575),
    ],
)
def test_totals_that_the_risk_engine_prints_of_other_versions(version, horizon, call, post):
    crif = read_crif(CRIF)
    for side, regulation, printed in (("call", "ESA", call), ("post", "CFTC", post)):
        name, tree = decisive_regulation(crif, side, parameters=f"simm/{version}", horizon=horizon)
        assert name == regulation
        assert printed is None or float(tree.value) == pytest.approx(printed, abs=1e-9)


def test_only_curvature_knows_the_side():
    crif = pd.DataFrame([EQUITY, EURO])
    call, post = (simm_of_crif(crif, parameters="simm/2.6", side=side) for side in ("call", "post"))
    for product, risk, measure in (("RatesFX", "fx", "delta"), ("Equity", "equity", "vega")):
        assert call[product][risk][measure].value == post[product][risk][measure].value > 0.0
    curvature = [tree["Equity"]["equity"]["curvature"].value for tree in (call, post)]
    assert curvature[0] == 0.0 < curvature[1]


def test_rows_add_up_and_leave_out_what_is_nothing():
    """As the engine printed them for this portfolio: 2.6, a multiplier, a fixed amount, a share."""
    rows = [
        EURO,
        {"RiskType": "Param_AddOnFixedAmount", "AmountUSD": 5e5},
        {"RiskType": "Notional", "Qualifier": "CMM", "AmountUSD": 6e6},
        {"RiskType": "Param_AddOnNotionalFactor", "Qualifier": "CMM", "Amount": 2},
        {"RiskType": "Param_ProductClassMultiplier", "Qualifier": "RatesFX", "Amount": 1.2},
    ]
    tree = simm_of_crif(pd.DataFrame(rows), parameters="simm/2.6")
    found = margin_rows(tree, load_simm("simm/2.6")).set_index(PLACE)["InitialMargin"]
    expected = {
        ("RatesFX", "FX", "Delta", "All"): 7.4e6,
        ("RatesFX", "FX", "Delta", "EUR"): 7.4e6,
        ("RatesFX", "FX", "All", "All"): 7.4e6,
        ("RatesFX", "All", "Delta", "All"): 7.4e6,
        ("RatesFX", "All", "AdditionalIM", "All"): 1.48e6,
        ("RatesFX", "All", "All", "All"): 8.88e6,
        ("AddOnNotionalFactor", "All", "AdditionalIM", "All"): 1.2e5,
        ("AddOnNotionalFactor", "All", "All", "All"): 1.2e5,
        ("AddOnFixedAmount", "All", "AdditionalIM", "All"): 5e5,
        ("AddOnFixedAmount", "All", "All", "All"): 5e5,
        ("All", "FX", "Delta", "All"): 7.4e6,
        ("All", "FX", "All", "All"): 7.4e6,
        ("All", "All", "Delta", "All"): 7.4e6,
        ("All", "All", "AdditionalIM", "All"): 2.1e6,
        ("All", "All", "All", "All"): 9.5e6,
    }
    assert found.to_dict() == pytest.approx(expected)


def test_a_curvature_of_the_residual_bucket_is_reported_as_its_margin():
    tree = simm_of_crif(pd.DataFrame([EQUITY]), parameters="simm/2.6", side="post")
    rows = margin_rows(tree, load_simm("simm/2.6"))
    curvature = rows[(rows["ProductClass"] == "Equity") & (rows["MarginType"] == "Curvature")]
    assert set(curvature["Bucket"]) == {"Residual", "All"}
    assert len(set(curvature["InitialMargin"])) == 1


def test_sec_margins_what_cftc_does_and_the_largest_decides():
    """The engine's order decides where two ask the same; rows without one are left out."""
    crif = pd.DataFrame([EURO | {"AmountUSD": usd} for usd in (1e6, 2e6, 4e6, 8e6)])
    crif = crif.assign(post_regulations=["CFTC", "SEC, CFTC", "esa,uspr", ""])
    under = {name: list(rows.index) for name, rows in by_regulation(crif, "post").items()}
    assert under == {"CFTC": [0, 1], "ESA": [2], "SEC": [0, 1], "USPR": [2]}
    name, tree = decisive_regulation(crif, "post", parameters="simm/2.6")
    assert name == "ESA" and float(tree.value) == pytest.approx(4 * 7.4e6)
    assert list(by_regulation(crif, "call")) == [""]
    assert float(decisive_regulation(crif, "call", parameters="simm/2.6")[1].value) > 1e8
    with pytest.raises(bt.DataError, match="post_regulations names 'CTFC'; known: APRA, CFTC"):
        by_regulation(crif.assign(post_regulations="CTFC"), "post")


def test_a_crif_may_have_commas_and_amounts_in_dollars(tmp_path):
    path = tmp_path / "crif.csv"
    head = "ProductClass,RiskType,Qualifier,Bucket,Label1,Label2,AmountCurrency,Amount\n"
    path.write_text(head + "RatesFX,Risk_FX,CNH,,,,USD,-3e6\nRatesFX,Risk_FX,CNY,,,,USD,1e6\n")
    tree = simm_of_crif(read_crif(path), parameters="simm/2.6")
    assert float(tree.value) == pytest.approx(2e6 * 7.4)  # one renminbi
    path.write_text(head + "RatesFX,Risk_FX,CHF,,,,EUR,1e6\n")
    with pytest.raises(bt.DataError, match="AmountCurrency is 'EUR' in row 1; give a column Amou"):
        read_crif(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"RiskType": "Param_ProductClassMultiplier", "Qualifier": "Equity", "Amount": 0.5},
            "row 2: Amount is '0.5'; a multiplier of a product is at least 1",
        ),
        (EQUITY | {"Label1": "soon"}, "row 2: Label1 is 'soon'; give the expiry of an option"),
    ],
)
def test_what_cannot_be_margined_is_one_line(row, said):
    with pytest.raises(bt.DataError, match=said):
        simm_of_crif(pd.DataFrame([EURO, row]))
