"""SIMM's files of published margins: by hand, incomplete, and damaged."""

import json

import pytest

from backtest.anchors.run import run_anchors, sets_in
from backtest.anchors.simm import ADD_ONS, horizon_of, version_of
from backtest.anchors.simm_trees import _printed_tree
from backtest.types import DataError

SHARE = {
    "ProductClass": "Equity",
    "RiskType": "Risk_Equity",
    "Qualifier": "ISIN:1",
    "Bucket": "11",
    "Label1": "",
    "Label2": "",
    "AmountUSD": 20.0,
}
CASE = {
    "name": "delta_EQ1",
    "standard_or_total": "standard",
    "product_multipliers": {},
    "sensitivities": [SHARE],
    "expected": 340.0,  # 20 at 17 %
}
HEAD = "Portfolio,ProductClass,RiskClass,MarginType,Bucket,SimmSide,Regulation,InitialMargin"
TREE = f"""{HEAD}
P,Equity,Equity,Delta,11,Call,ESA,340.000000000
P,All,All,All,All,Call,ESA,340.000000000
All,All,All,All,All,Call,ESA,340.000000000
"""
COLUMNS = "PortfolioID,ProductClass,RiskType,Qualifier,Bucket,Label1,Label2,AmountUSD"
CRIF = f"""{COLUMNS},collect_regulations
P,Equity,Risk_Equity,ISIN:1,11,,,20,"ESA,USPR"
P,Equity,Risk_Equity,ISIN:1,11,,,100,USPR
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("backtest.anchors.run.SHIPPED", ())
    return tmp_path


def vectors(folder, *cases):
    (folder / "simm_2_1_mine.json").write_text(json.dumps(cases))
    return run_anchors(folder)


def test_vectors_by_hand(folder):
    """A product multiplier of 1.5 counts in a total, and not in the standard margin."""
    multiplied = CASE | {"product_multipliers": {"Equity": 1.5}}
    total = multiplied | {"name": "delta_EQ2", "standard_or_total": "total", "expected": 510.0}
    found = vectors(folder, CASE, multiplied, total)
    assert [answer.ours for answer in found.answers] == pytest.approx([340.0, 340.0, 510.0])
    assert found.misses == ()
    [missed] = vectors(folder, CASE, CASE | {"expected": 341.0}).misses
    assert missed.anchor.published == "341" and "at SIMM 2.1" in missed.anchor.source


def test_the_test_of_everything_counts_simm_libs_add_ons(folder):
    """36,500,000 fixed, 6.105 % of 45m and 2.055 % of 30m."""
    added = 36_500_000.0 + 0.06105 * 45e6 + 0.02055 * 30e6
    case = CASE | {"name": "global_Global", "standard_or_total": "total", "expected": 340 + added}
    assert vectors(folder, case).misses == ()
    assert len(ADD_ONS) == 11


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"expected": 340.0}, "portfolio 1 has no name"),
        (CASE | {"expected": None}, "'delta_EQ1': expected is None; give a number"),
        (CASE | {"expected": "much"}, "'delta_EQ1': expected is 'much'; give a number"),
        (CASE | {"sensitivities": []}, "sensitivities are []; give a list of rows"),
        (CASE | {"sensitivities": [SHARE | {"AmountUSD": "x"}]}, "row 1: AmountUSD is 'x'"),
        (CASE | {"standard_or_total": "half"}, "standard_or_total is 'half'"),
        (
            CASE | {"standard_or_total": "total", "product_multipliers": {"Equity": "x"}},
            "multiplier of Equity is 'x'",
        ),
        ("delta_EQ1", "portfolio 1 has no name"),
        (
            CASE | {"sensitivities": [SHARE, SHARE | {"Bucket": "99"}]},
            "portfolio 'delta_EQ1': CRIF row 2: Bucket is '99'",
        ),
        (
            CASE | {"sensitivities": [{k: v for k, v in SHARE.items() if k != "AmountUSD"}]},
            "portfolio 'delta_EQ1': CRIF row 1: AmountUSD",
        ),
        (
            CASE | {"sensitivities": [SHARE | {"RiskType": "Risk_Equty"}]},
            "portfolio 'delta_EQ1': CRIF row 1: RiskType is 'Risk_Equty'",
        ),
    ],
)
def test_a_damaged_vector_is_one_line(case, words, folder):
    with pytest.raises(DataError) as refused:
        vectors(folder, case)
    assert words in str(refused.value) and "simm_2_1_mine.json" in str(refused.value)


def test_a_tree_by_hand(folder):
    """Rows that a regulation does not name are not in its margin: 20 of 120 are under ESA."""
    (folder / "ore_simm26_expected.csv").write_text(TREE.replace("340", "360"))
    (folder / "ore_simm26_crif.csv").write_text(CRIF)
    answers = run_anchors(folder).answers
    weight = answers[0].ours / 20.0
    assert [answer.ours for answer in answers] == pytest.approx([20.0 * weight] * 3)
    text = TREE.replace("340.000000000", f"{20.0 * weight:.9f}")
    (folder / "ore_simm26_expected.csv").write_text(text)
    assert run_anchors(folder).misses == ()
    (folder / "ore_simm24_expected.csv").write_text(text)
    _, later = sets_in(folder)[0]
    assert later.title.startswith("SIMM 2.6, ten days")  # of the same portfolio, by its only CRIF


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TREE.replace(",Call", ",Both", 1), "row 2: SimmSide is 'Both'; give Call or Post"),
        (TREE.replace("P,All", "Q,All"), "row 3: Portfolio is 'Q', of which ore_simm26_crif.csv"),
        (TREE.replace("340", "", 1).replace(".000000000", "x", 1), "InitialMargin is 'x'"),
        (HEAD, "has no row under its head"),
    ],
)
def test_a_damaged_tree_is_one_line(text, words, folder):
    (folder / "ore_simm26_expected.csv").write_text(text)
    (folder / "ore_simm26_crif.csv").write_text(CRIF)
    with pytest.raises(DataError) as refused:
        sets_in(folder)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CRIF.replace(",20,", ",x,"), "AmountUSD is 'x' in row 1"),
        (CRIF.replace("Risk_Equity", "Risk_Weather", 1), "CRIF row 1: RiskType is 'Risk_Weather'"),
        (CRIF.replace(",11,", ",99,", 1), "CRIF row 1: Bucket is '99'"),
        ("", "is empty"),
    ],
)
def test_a_damaged_crif_is_one_line(text, words, folder):
    (folder / "ore_simm26_expected.csv").write_text(TREE)
    (folder / "ore_simm26_crif.csv").write_text(text)
    with pytest.raises(DataError) as refused:
        sets_in(folder)
    assert words in str(refused.value) and "ore_simm26_crif.csv" in str(refused.value)


def test_what_ours_has_not_is_a_miss_with_words(folder):
    (folder / "ore_simm26_expected.csv").write_text(
        TREE.replace(",11,", ",10,").replace("ESA", "RBI")
    )
    (folder / "ore_simm26_crif.csv").write_text(CRIF)
    misses = run_anchors(folder).misses
    assert len(misses) == 3 and "no row of P is under RBI; known: ESA, USPR" in str(misses[0])


def test_names_say_version_andhorizon_of():
    assert version_of("2_8+2506_vectors", "f") == "simm/2.8+2506"
    assert version_of("25A_1d", "f") == "simm/2.5A" and horizon_of("25A_1d") == 1
    assert version_of("27+2412", "f") == "simm/2.7+2412" and horizon_of("27+2412") == 10
    with pytest.raises(DataError, match="names no version of SIMM"):
        version_of("vectors", "f")
    with pytest.raises(DataError, match="simm_2_9_x.json: .*simm/2.9"):
        version_of("2_9_x", "simm_2_9_x.json")


def test_a_printed_tree_is_read_by_its_places():
    text = """Total = -9.00
 ├─Model Schedule = 1.00
 │  └─Product Other = 1.00
 └─Model SIMM = 9,166.41
    ├─Product RatesFx = 8.00
    │  ├─Risk Fx = 7.00
    │  │  └─Sensitivity Vega = 6.00
    │  │     └─Bucket USD = 5.00
    │  └─Risk Rates = 4.00
    └─Add-on = 3.00
       └─Add-on Fixed = 2.00
"""
    assert list(_printed_tree(text)) == [
        (("total",), "9,166.41"),
        (("RatesFx",), "8.00"),
        (("RatesFx", "Fx"), "7.00"),
        (("RatesFx", "Fx", "Vega"), "6.00"),
        (("RatesFx", "Rates"), "4.00"),
        (("add-ons",), "3.00"),
    ]
