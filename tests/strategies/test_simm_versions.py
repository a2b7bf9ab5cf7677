"""Every version of SIMM: figures read a second time elsewhere, matrices, horizons, currencies."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.parameters.files import header, rules
from backtest.parameters.in_force import in_force
from strategies.simm.aggregation import simm_margin
from strategies.simm.crif import BUCKETS, RISK_TYPES
from strategies.simm.crypto import crypto_class
from strategies.simm.parameters import load_simm
from strategies.simm.sensitivity import Sensitivity
from strategies.simm.tables import NORMAL_995
from tests.support.places import PRICES, ROOT, needs_prices

VERSIONS = rules()["simm"]
# First days as ISDA's notices say them (2.3: from memory; 2.8+2512: from the engine's file).
FIRST_DAYS = {
    "2.1": "2018-12-01",
    "2.2": "2019-12-01",
    "2.3": "2020-12-05",
    "2.4": "2021-12-04",
    "2.5": "2022-12-03",
    "2.5A": "2023-07-15",
    "2.6": "2023-12-02",
    "2.7": "2024-12-07",
    "2.7+2412": "2025-07-12",
    "2.8+2506": "2025-12-06",
    "2.8+2512": "2026-07-11",
}
# Read by eye in the calibration files of the Open Source Risk Engine, not in those of this package:
# weights of exchange rates (regular, mixed, high), of their vega, volatility ratio; the same but
# the vega's for one day; thresholds by category; correlation of rates with the five other classes.
READ = {
    "2.2": ((7.57, 10.28, 10.28), 0.30, 0.65, (1.85, 3.04, 3.04), (9100, 1600, 290),
            (0.27, 0.26, 0.29, 0.31, 0.14)),
    "2.3": ((7.5, 7.5, 7.5), 0.30, 0.58, (1.8, 1.8, 1.8), (8900, 2000, 250),
            (0.29, 0.28, 0.31, 0.35, 0.18)),
    "2.4": (None, None, 0.55, (1.8, 3.0, 2.9), (8300, 1900, 240), (0.32, 0.19, 0.33, 0.41, 0.28)),
    "2.5": (None, None, 0.52, (1.8, 3.2, 3.4), (5100, 1200, 190), (0.29, 0.13, 0.28, 0.46, 0.32)),
    "2.6": (None, None, 0.57, (1.8, 3.5, 4.5), (3300, 880, 170), (0.04, 0.04, 0.07, 0.37, 0.14)),
    "2.7": ((7.3, 21.4, 35.9), 0.35, 0.62, (1.8, 4.0, 5.1), (2000, 630, 120),
            (0.15, 0.09, 0.08, 0.33, 0.09)),
    "2.7+2412": ((7.0, 21.4, 35.9), 0.35, 0.66, (1.8, 3.9, 5.0), (3100, 950, 160),
                 (0.11, 0.14, 0.10, 0.30, 0.10)),
    "2.8+2506": ((7.1, 18.0, 30.6), 0.34, 0.68, (1.8, 3.4, 3.7), (3100, 950, 160),
                 (0.10, 0.14, 0.12, 0.30, 0.10)),
    "2.8+2512": ((7.4, 31.7, 31.7), 0.33, 0.67, (1.8, 2.4, 2.4), (2100, 710, 120),
                 (0.09, 0.07, 0.11, 0.34, 0.15)),
}  # fmt: skip


def delta(risk, qualifier, usd, bucket="Common", tenor="", curve=""):
    amount = np.array(float(usd))
    return Sensitivity("RatesFX", risk, "delta", bucket, qualifier, amount, tenor, curve)


def vega(risk, qualifier, usd, bucket, expiry):
    amount = np.array(float(usd))
    return Sensitivity("RatesFX", risk, "vega", bucket, qualifier, amount, expiry=expiry)


def margin(figures, *entries):
    return float(simm_margin(list(entries), figures).value)


def test_every_version_since_2018_is_there_with_its_first_day():
    assert {name.removeprefix("simm/"): str(header(name).in_force_from) for name in VERSIONS} == (
        FIRST_DAYS
    )
    pinned = in_force(st.Simm(), date(2024, 6, 28))
    assert pinned.parameters == "simm/2.6" and st.Simm().parameters == "simm"


@pytest.mark.parametrize("version", list(READ))
def test_figures_are_those_read_elsewhere(version):
    weights, vega_weight, ratio, one_day, thresholds, with_rates = READ[version]
    ten, one = (load_simm(f"simm/{version}", horizon=h) for h in (10, 1))
    for figures, expected in ((ten, weights), (one, one_day)):
        (regular, mixed), (again, high) = figures.risk_class("fx").weights
        assert expected is None or (regular, mixed, high) == expected
        assert mixed == again
    assert vega_weight is None or ten.risk_class("fx").vega_weight == vega_weight
    assert ten.risk_class("fx").volatility_ratio == ratio
    assert tuple(ten.risk_class("fx").delta_threshold) == thresholds
    names = ("credit_qualifying", "credit_other", "equity", "commodity", "fx")
    assert tuple(ten.correlation("rates", name) for name in names) == with_rates


def test_figures_of_2_7_are_those_that_another_reader_copied_from_isda():
    figures = load_simm("simm/2.7")
    weights = {n: figures.risk_class(n).weights for n in BUCKETS}
    assert weights["credit_qualifying"] == [69, 75, 69, 47, 58, 48, 153, 363, 156, 188, 299, 119,
                                            363]  # fmt: skip
    assert weights["credit_other"] == [210, 2900, 2900]
    assert weights["equity"] == [27, 30, 31, 27, 23, 24, 26, 27, 33, 39, 15, 15, 39]
    assert weights["commodity"] == [48, 21, 23, 20, 24, 33, 61, 45, 65, 45, 21, 19, 16, 16, 11, 65,
                                    16]  # fmt: skip
    rates = [group.weights for group in figures.rates.group]
    assert rates[0] == rates[1] == [109, 106, 91, 69, 68, 68, 66, 61, 59, 56, 57, 65]
    assert rates[2] == [15, 21, 10, 10, 11, 15, 18, 23, 25, 23, 23, 25]
    assert rates[3] == [171, 102, 94, 96, 105, 96, 99, 93, 99, 100, 101, 96]
    other = figures.risk_class("credit_other")
    assert other.same_name == [0.85, 0.85, 0.5] and other.other_name == [0.29, 0.29, 0.5]


def test_figures_of_2_3_are_those_of_simm_lib():
    ten, one = (load_simm("simm/2.3", horizon=h) for h in (10, 1))
    weights = {n: ten.risk_class(n).weights for n in ("equity", "commodity", "credit_qualifying")}
    assert weights["equity"] == [23, 25, 29, 26, 20, 21, 24, 24, 29, 28, 15, 15, 29]
    assert weights["commodity"] == [16, 20, 23, 18, 28, 18, 17, 57, 21, 39, 20, 20, 15, 15, 11, 57,
                                    16]  # fmt: skip
    assert weights["credit_qualifying"] == [75, 89, 68, 51, 50, 47, 157, 333, 142, 214, 143, 160,
                                            333]  # fmt: skip
    assert ten.risk_class("commodity").vega_weight == [0.41]
    assert ten.risk_class("credit_qualifying").vega_weight == [0.46]
    assert ten.risk_class("equity").vega_weight[:12] == [0.26] * 11 + [0.67]
    other = ten.risk_class("credit_other")
    assert other.same_name == [0.77, 0.77, 0.5] and other.other_name == [0.47, 0.47, 0.5]
    assert other.between("1", "2") == 0.69
    names = ("commodity", "equity", "fx", "rates")
    for figures, ratios in ((ten, [0.75, 0.60, 0.58, 0.49]), (one, [0.73, 0.54, 0.76, 0.53])):
        assert [figures.risk_class(n).volatility_ratio for n in names] == ratios
    rates = one.rates
    assert (rates.vega_weight, rates.inflation.weight, rates.basis.weight) == (0.042, 14, 5.4)
    regular, _, low, high = (group.weights for group in rates.group)
    assert regular == [18, 15, 10, 11, 13, 15, 16, 16, 16, 16, 16, 17]
    assert low == [1.7, 3.4, 1.9, 1.5, 2.8, 4.5, 4.8, 6.1, 6.3, 6.8, 7.3, 7.5]
    assert high == [29, 35, 18, 20, 21, 23, 33, 32, 31, 26, 27, 26]
    names = ("rates", "fx", "equity", "credit_qualifying", "credit_other", "commodity")
    assert [ten.correlation("commodity", n) for n in names] == [0.35, 0.31, 0.47, 0.43, 0.34, 1.0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("horizon", [1, 10])
def test_matrices_are_correlations_and_tables_have_a_number_for_each_bucket(version, horizon):
    figures = load_simm(version, horizon=horizon)
    assert {risk for risk, _ in RISK_TYPES.values()} == set(figures.classes)
    names = list(figures.classes)
    matrices = [[[figures.correlation(a, b) for b in names] for a in names]]
    for name in BUCKETS:
        table = figures.risk_class(name)
        own = [b for b in table.buckets if b != "Residual"]
        assert len(own) == BUCKETS[name] == len(table.triangle)
        matrices.append([[table.between(a, b) for b in own] for a in own])
        for column in (table.weights, table.other_name, table.delta_threshold, table.vega_weight):
            assert len(column) in (1, len(table.buckets))
    rates = figures.rates
    tenors = [delta("rates", "USD", 1.0, "USD", tenor) for tenor in rates.tenors]
    matrices.append([[rates.within(a, b) for b in tenors] for a in tenors])
    for rows in matrices:
        matrix = np.array(rows)
        assert (matrix == matrix.T).all() and (np.diag(matrix) == 1.0).all()
        assert np.linalg.eigvalsh(matrix).min() > -0.02  # ISDA rounds to two digits


@pytest.mark.parametrize(("name", "ratio"), [("UST2Y", 69 / 52), ("UST10Y", 60 / 51)])
def test_a_treasury_asks_more_in_2_8_than_in_2_1(name, ratio, small_market):
    """1.327 for two years and 1.176 for ten, whatever the day: weights, and one vertex."""
    book = bt.Book.from_frame(pd.DataFrame({name: [1e6]}, index=["p"]), small_market)

    def required(version):
        return st.Simm(parameters=version).margin(small_market, book, bt.Coverage())[:, 0]

    np.testing.assert_allclose(required("simm/2.8+2506") / required("simm/2.1"), ratio, rtol=1e-12)
    assert round(ratio, 3) in (1.327, 1.176)


def test_a_horizon_of_one_day_has_weights_of_its_own_and_no_concentration():
    ten, one = (load_simm("simm/2.8+2506", horizon=h) for h in (10, 1))
    large = delta("rates", "USD", 4 * 210e6, "USD", "10y")
    assert margin(ten, large) == pytest.approx(60.0 * 2.0 * 840e6)
    assert margin(one, large) == pytest.approx(18.0 * 840e6)
    # A vega of a year: curvature over 1.4 calendar days of 365, and no reduction by the ratio.
    year = vega("rates", "USD", 1e6, "USD", 365.0)
    for figures, days in ((ten, 14.0), (one, 1.4)):
        tree = simm_margin([year], figures)
        curved = 0.5 * days / 365.0 * 1e6 * NORMAL_995**2 / figures.rates.volatility_ratio**2
        assert float(tree["RatesFX"]["rates"]["curvature"].value) == pytest.approx(curved)


def test_a_currency_of_high_volatility_has_its_own_weight_correlation_and_threshold():
    """2.6: 7.4 %, 14.7 % against a regular currency, 21.4 % between two of high volatility."""
    dollar, lira = (load_simm("simm/2.6", currency=c) for c in ("USD", "TRY"))
    euro, real, zloty = (delta("fx", c, 1e6) for c in ("EUR", "BRL", "PLN"))
    assert margin(dollar, euro) == pytest.approx(7.4e6)
    assert margin(dollar, real) == margin(lira, euro) == pytest.approx(14.7e6)
    assert margin(lira, real) == pytest.approx(21.4e6)
    pair = np.hypot(7.4, 14.7)
    assert margin(dollar, euro, real) == pytest.approx(
        1e6 * (pair**2 + 2 * 0.25 * 7.4 * 14.7) ** 0.5
    )
    assert margin(lira, euro, zloty) == pytest.approx(1e6 * 14.7 * (2 + 2 * 0.88) ** 0.5)
    # Thresholds of 3300m, 880m and 170m a per cent: four times each doubles the margin.
    for currency, weight, threshold in (("EUR", 7.4, 3300e6), ("BRL", 14.7, 880e6),
                                        ("PLN", 7.4, 170e6)):  # fmt: skip
        assert margin(dollar, delta("fx", currency, 4 * threshold)) == pytest.approx(
            2.0 * weight * 4 * threshold
        )


def test_the_volatility_of_a_pair_is_weighted_by_both_of_its_currencies():
    figures = load_simm("simm/2.6")
    implied = (365.0 / 14.0) ** 0.5 / 2.3263478740408408
    for pair, weight in (("EUR/USD", 7.4), ("BRL/USD", 14.7), ("BRL/TRY", 21.4)):
        tree = simm_margin([vega("fx", pair, 1e4, "Common", 365.0)], figures)
        found = float(tree["RatesFX"]["fx"]["vega"].value)
        assert found == pytest.approx(0.48 * 0.57 * implied * weight * 1e4)


def test_names_of_securitised_credit_are_told_apart_by_their_group():
    """0.83 within a group whatever the name, 0.32 between groups; in 2.1 by name, 0.57 and 0.20."""
    one = delta("credit_other", "A", 1e3, "1", "5y", "rmbs")
    for other, late, early in (
        (replace(one, qualifier="B"), 0.83, 0.20),
        (replace(one, curve="cmbs"), 0.32, 0.57),
    ):
        for version, rho in (("simm/2.6", late), ("simm/2.1", early)):
            figures = load_simm(version)
            weight = figures.risk_class("credit_other").weights[0]
            expected = weight * 1e3 * (2 + 2 * rho) ** 0.5
            assert margin(figures, one, other) == pytest.approx(expected), (version, rho)


def test_volatility_indices_have_curvature_in_2_1_alone():
    index = vega("equity", "VIX", 1e6, "12", 30.0)
    for version in VERSIONS:
        measures = simm_margin([index], load_simm(version))["RatesFX"]["equity"].children
        assert ("curvature" in [m.name for m in measures]) == (version == "simm/2.1")


def test_crypto_as_other_takes_bucket_16_of_the_version_in_use(small_market):
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["p"]), small_market)

    def required(**fields):
        return st.Simm(**fields).margin(small_market, book, bt.Coverage())[-1, 0]

    for version, weight in (("simm/2.1", 54), ("simm/2.8+2506", 64), ("simm/2.8+2512", 44)):
        assert required(crypto="other", parameters=version) == pytest.approx(weight * 1e4)
        assert required(parameters=version) == pytest.approx(132e4)
    assert required(crypto="other", horizon=1, parameters="simm/2.8+2506") == pytest.approx(15e4)
    with pytest.raises(bt.StudyError, match="no risk weight for floating coins over 1 days"):
        required(horizon=1)
    assert required(horizon=1, crypto_weights={"floating": 40.0}) == pytest.approx(40e4)
    table = crypto_class("own_class", load_simm("simm/2.8+2506"), "simm_crypto", {})
    assert table.vega_weight == [0.37] and table.volatility_ratio == 0.89


@needs_prices
def test_the_page_has_the_margins_of_every_version_on_the_last_day():
    page = (ROOT / "docs" / "simm.md").read_text(encoding="utf-8")
    table = page.partition("<!-- versions -->")[2].partition("<!-- end")[0].strip()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    market = bt.load_market(str(PRICES)).until(pd.Timestamp("2026-06-04"))
    legs = [pd.DataFrame({name: [1e8]}, index=["p"]) for name in ("UST2Y", "UST10Y", "BTC")]
    books = [bt.Book.from_frame(leg, market) for leg in legs]
    found = [
        [version.removeprefix("simm/"), str(header(version).in_force_from)]
        + [
            st.Simm(parameters=version, crypto="other", horizon=horizon).margin(
                market, book, bt.Coverage()
            )[-1, 0]
            for horizon in (10, 1)
            for book in books
        ]
        for version in VERSIONS
    ]
    assert [row[:2] for row in rows] == [row[:2] for row in found]
    printed = np.array([row[2:] for row in rows], dtype=float)
    np.testing.assert_allclose(printed, [np.array(r[2:]) / 1e6 for r in found], atol=0.00051)
