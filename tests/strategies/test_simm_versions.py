"""Every version of SIMM: figures read a second time elsewhere, matrices, horizons, currencies."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.parameters.files import header, load_parameters, rules
from backtest.parameters.in_force import in_force
from strategies.simm.aggregation import simm_margin
from strategies.simm.crif import BUCKETS, RISK_TYPES
from strategies.simm.crypto import crypto_class
from strategies.simm.parameters import load_simm
from strategies.simm.sensitivity import Sensitivity
from strategies.simm.tables import NORMAL_995
from tests.support.places import PRICES, ROOT, golden, needs_prices

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
# Figures that other public texts give, read by eye there.
READINGS = golden("simm_figures")["sets"]


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


@pytest.mark.parametrize(
    "reading", READINGS, ids=lambda reading: f"{reading['version']} {reading['source'][:8]}"
)
def test_figures_are_those_that_others_print(reading):
    body = load_parameters(f"simm/{reading['version']}")
    for place, printed in reading["terms"].items():
        found = body
        for key in place.split("."):
            found = found[int(key)] if isinstance(found, list) else found[key]
        assert found == printed, place


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
    with pytest.raises(bt.StudyError, match="no risk weight for floating coins at horizon = 1;"):
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
