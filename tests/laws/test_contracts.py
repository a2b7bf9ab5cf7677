"""Every model in the registry keeps the same laws. A waiver names model, law and reason."""

import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.config.models import build_model, model_table
from strategies.parts import parts_of
from tests.support.markets import FACTORS

# One or more settings of every model, short enough for a small market.
BASE = {"kind": "historical_var", "lookback": 60}
FICC = {"kind": "ficc_var", "lookback": 60, "at_least": 60, "stress": [], "mpor": 3}
TABLES = {
    "siloed": [{"base": BASE}],
    "haircut_only": [{}],
    "correlation_offset": [
        {"base": BASE, "lookback": 60},
        {"base": BASE, "lookback": 80, "by": "instrument", "granted": 0.8, "cap": 0.5},
        {"base": BASE, "lookback": 60, "credit": "reliable", "min_correlation": 0.0},
        {"base": BASE, "lookback": 60, "correlation_floor": 0.25},
    ],
    "historical_var": [
        {"lookback": 60},
        {"lookback": 60, "measure": "es"},
        {"lookback": 60, "scaling": "sqrt"},
    ],
    "age_weighted": [{"lookback": 60}, {"lookback": 60, "decay": 0.97, "measure": "es"}],
    "filtered_historical": [
        {"lookback": 60},
        {"lookback": 60, "scaling": "sqrt", "measure": "es", "decay": 0.94},
        {"lookback": 60, "volatility": "gjr", "fit_lookback": 80, "refit_every": 15},
    ],
    "ewma_var": [
        {"lookback": 60},
        {"lookback": 60, "innovations": "t", "measure": "es"},
        {"lookback": 60, "innovations": "skew-t"},
    ],
    "garch_var": [
        {"lookback": 80, "refit_every": 15},
        {"lookback": 80, "leverage": True, "innovations": "normal", "measure": "es"},
        {"lookback": 80, "refit_every": 15, "innovations": "skew-t"},
    ],
    "cornish_fisher_var": [{"lookback": 60}, {"lookback": 60, "measure": "es"}],
    "caviar_var": [
        {"lookback": 120, "refit_every": 15},
        {"lookback": 120, "form": "asymmetric", "measure": "es"},
        {"lookback": 120, "form": "indirect-garch"},
    ],
    "extreme_value_var": [
        {"lookback": 120, "peaks": 0.2, "volatility": "ewma"},
        {"lookback": 120, "peaks": 0.2, "refit_every": 15, "measure": "es"},
    ],
    "variance_covariance": [
        {"lookback": 60},
        {"lookback": 60, "correlation": "ewma", "freedom": 5.0, "measure": "es"},
        {"lookback": 60, "correlation": "dcc", "volatility": "garch", "fit_lookback": 80},
        {"lookback": 60, "correlation": "shrunk"},
        {"lookback": 60, "correlation": "tail", "tail": 0.1},
        {"lookback": 60, "correlation": "stressed", "stress": 0.5},
    ],
    "copula_var": [{"lookback": 60, "draws": 500}],
    "stressed_var": [
        {"lookback": 60, "windows": [["2020-03-01", "2020-06-30"]]},
        {
            "lookback": 60,
            "windows": [["2020-05-01", "2020-08-30"]],
            "weight": 0.25,
            "floored": False,
            "measure": "es",
        },
    ],
    "net_capital_15c3_1": [{}, {"haircuts": {"BTC": 0.35}}],
    "uncleared_schedule": [{}, {"age": 3}],
    "portfolio_margin": [{}],
    "stans_like": [{"base": BASE | {"measure": "es"}}, {"base": BASE, "share": 1.0}],
    "venue_grid": [{}],
    "ten_year_floor": [
        {"base": BASE, "days": 120, "step": 20},
        {"base": BASE, "floor": {"kind": "haircut_only"}},
    ],
    "buffer": [{"base": BASE}, {"base": {"kind": "siloed", "base": BASE}, "days": 20}],
    "stress_blend": [
        {"base": BASE, "days": 30},
        {"base": BASE, "stressed": {"kind": "haircut_only"}, "weight": 0.5},
    ],
    "speed_limit": [{"base": BASE}, {"base": BASE, "up": 0.01, "down": 0.0}],
    "concentration_add_on": [{"base": BASE, "participation": 1e-4}],
    "liquidity_add_on": [{"base": BASE}],
    "correlation_break": [
        {"base": BASE, "windows": 3, "days": 30},
        {"base": BASE, "windows": 2, "days": 30, "by": "instrument"},
    ],
    "minimum": [{"base": BASE}, {"base": {"kind": "buffer", "base": BASE}, "rate": 0.1}],
    "simm": [
        {},
        {"crypto": "commodity", "scaling": "sqrt"},
        {"crypto": "other", "crypto_weights": {"floating": 40.0}},
    ],
    "span2": [
        {"lookback": 60, "min_lookback": 40},
        {"lookback": 100, "min_lookback": 60, "weight": 0.5, "floor": 0.0},
    ],
    "span": [
        {},
        {"scan_multiple": 3.0, "lookback": 60},
        {"credits": [[{"UST2Y": 4.0, "UST10Y": -1.0}, 0.9], [{"BTC": 1.0, "UST10Y": -1.0}, 0.5]]},
    ],
    "cross_margining": [
        {"base": BASE},
        {"base": BASE, "eligible": ["treasury", "crypto"]},
        {
            "houses": {"FICC": FICC, "CME": {"kind": "historical_var", "lookback": 80}},
            "base": BASE,
            "eligible": ["UST10Y", "UST10Y@CME", "BTC"],
            "limit": "reduction",
            "threshold": 0.0,
        },
    ],
    "ficc_var": [
        {k: v for k, v in FICC.items() if k != "kind"},
        {
            "lookback": 80,
            "at_least": 30,
            "stress": ["2022-01-20", "2022-03-10"],  # in the market of test_clocks
            "net_floor": {"2Y": 0.002, "30Y": 0.02, "BTC": 0.1},
            "gross_floor": {"10Y": 0.001},
            "minimum": {"10Y": 0.01},
            "charge_days": 100,
        },
        {"lookback": 80, "at_least": 30, "stress": [], "charge_days": 100},
    ],
}
CASES = [
    pytest.param({"kind": kind, **fields}, id=f"{kind}-{i}")
    for kind, tables in TABLES.items()
    for i, fields in enumerate(tables)
]
WAIVERS = {
    ("correlation_offset", "more confidence never lowers it"): (
        "sqrt(m' R m) falls when the smaller of two negatively correlated margins grows"
    ),
    ("caviar_var", "more confidence never lowers it"): (
        "the quantile of each confidence is fitted on its own, and two of them may cross"
    ),
    ("correlation_break", "more confidence never lowers it"): (
        "the share of margin that netting keeps may fall as confidence rises"
    ),
    ("concentration_add_on", "doubles with the book"): "twice the size takes twice as long to sell",
    ("liquidity_add_on", "doubles with the book"): "impact grows with the square root of size",
    ("portfolio_margin", "unchanged when price units change"): (
        "the minimum is in dollars an option; it binds in protected books"
    ),
    ("cross_margining", "more confidence never lowers it"): (
        "the houses' saving can pass the threshold, and is a ratio of margins of several models"
    ),
    ("ficc_var", "more confidence never lowers it"): (
        "a higher value at risk leaves smaller deficiencies, so the backtesting charge falls"
    ),
}
COVERAGE = bt.Coverage(confidence=0.95, mpor=2)
UNEQUAL = bt.Coverage(confidence=0.95, mpor={"treasury": 3, "crypto": 2})


def margins(table, market, book, coverage=COVERAGE):
    return build_model(table).margin(market, book, coverage)


def test_every_model_of_the_registry_is_here():
    assert set(TABLES) == set(st.MODELS)


@pytest.mark.parametrize("table", CASES)
def test_shape_sign_and_leading_nan(table, small_market, small_book):
    required = margins(table, small_market, small_book)
    assert required.shape == (260, 4) and required.dtype == np.float64
    known = ~np.isnan(required)
    assert (np.diff(known.astype(int), axis=0) >= 0).all() and known[-1].all()
    assert (required[known] >= 0).all() and np.isfinite(required[known]).all()


@pytest.mark.parametrize("table", CASES)
def test_causal(table, small_market, small_book):
    audit = bt.check_causal(build_model(table), small_market, small_book, coverage=COVERAGE)
    assert audit.largest_change <= 1e-9
    assert len(audit.cut_days) >= 4


@pytest.mark.parametrize("table", CASES)
def test_doubles_with_the_book(table, small_market, small_book):
    double = bt.Book(small_book.portfolios, small_book.instruments, 2 * small_book.exposure)
    once, twice = margins(table, small_market, small_book), margins(table, small_market, double)
    assert_doubles(table, once, twice)


def assert_doubles(table, once, twice):
    """Twice the margin; of a model that this is waived for, more than twice somewhere."""
    if (table["kind"], "doubles with the book") in WAIVERS:
        known = ~np.isnan(once)
        assert (twice[known] >= 2 * once[known] * (1 - 1e-12)).all()
        assert (twice[known] > 2 * once[known] * (1 + 1e-9)).any()
    else:
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-9)


@pytest.mark.parametrize("table", CASES)
def test_each_portfolio_stands_alone(table, small_market, small_book):
    together = margins(table, small_market, small_book)
    for p in range(len(small_book.portfolios)):
        alone = margins(table, small_market, small_book.select([p]))
        np.testing.assert_allclose(alone[:, 0], together[:, p], rtol=1e-9)


def test_more_confidence_never_lowers_it_and_every_waiver_is_used(small_market, small_book):
    law, lowered = "more confidence never lowers it", set()
    hedged = pd.DataFrame({"UST10Y": [1e8], "UST10Y@CME": [-4e7], "BTC": [1e6]}, index=["hedged"])
    books = [small_book, bt.Book.from_frame(hedged, small_market)]
    for kind, tables in TABLES.items():
        for fields, book in itertools.product(tables, books):
            table = {"kind": kind, **fields}
            previous = None
            for confidence in (0.9, 0.95, 0.98, 0.99):
                required = margins(table, small_market, book, bt.Coverage(confidence=confidence))
                if previous is not None and (required < previous * (1 - 1e-12)).any():
                    lowered.add(kind)
                previous = required
    assert lowered == {kind for kind, waived in WAIVERS if waived == law}


@pytest.mark.parametrize("table", CASES)
def test_unchanged_when_price_units_change(table, small_market, small_book):
    levels = small_market.levels.copy()
    levels[:, 5] *= 1000.0
    levels[:, 6] /= 7.0
    moved = bt.Market(small_market.dates, FACTORS, levels, small_market.kinds)
    np.testing.assert_allclose(
        margins(table, moved, small_book), margins(table, small_market, small_book), rtol=1e-7
    )


@pytest.mark.parametrize("table", CASES)
def test_deterministic(table, small_market, small_book):
    once, again = margins(table, small_market, small_book), margins(table, small_market, small_book)
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("coverage", [COVERAGE, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("table", CASES)
def test_parts_sum_to_the_margin(table, coverage, small_market, small_book):
    required, parts = (
        margins(table, small_market, small_book, coverage),
        parts_of(build_model(table), small_market, small_book, coverage),
    )
    assert parts.silos == small_book.silos
    np.testing.assert_allclose(parts.by_silo.sum(axis=2), required, rtol=1e-9)
    np.testing.assert_allclose(sum(parts.steps.values()), required, rtol=1e-9, atol=1e-6)
    by_silo = parts.by_silo[~np.isnan(required)]
    assert (by_silo >= 0).all()
    if "MPOR mismatch" in parts.steps:
        one_silo = small_book.portfolios.index("bond only")
        assert (parts.steps["MPOR mismatch"][-100:, one_silo] == 0.0).all()
    innermost = table
    while (
        innermost["kind"] not in ("correlation_offset", "cross_margining") and "base" in innermost
    ):
        innermost = innermost["base"] if innermost["kind"] != "siloed" else {"kind": "siloed"}
    assert ("MPOR mismatch" in parts.steps) == (
        coverage is UNEQUAL
        and innermost["kind"] in ("correlation_offset", "cross_margining", "historical_var")
    )


@pytest.mark.parametrize("table", CASES)
def test_survives_toml_and_repr(table):
    model = build_model(table)
    written = model_table(model)
    text = "[m]\n" + "\n".join(f"{k} = {_toml(v)}" for k, v in written.items())
    again = build_model(tomllib.loads(text)["m"])
    assert again == model and model_table(again) == written
    assert eval(repr(model), {name: getattr(st, name) for name in st.__all__}) == model


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_units_bought_once_keep_the_laws(small_market):
    frame = pd.DataFrame({"UST10Y": [5e7], "BTC": [5e6]}, index=["held"])
    held = bt.Book.from_frame(frame, small_market, rebalance="never")
    for case in CASES:
        model = build_model(
            case.values[0]  # noqa: PD011 - a pytest parameter
        )
        bt.check_causal(model, small_market, held, coverage=COVERAGE)
    growth = small_market.level("BTC")[100] / small_market.level("BTC")[0]
    haircut = st.HaircutOnly(haircuts={"UST10Y": 0.0, "BTC": 0.2})
    required = haircut.margin(small_market, held, COVERAGE)
    assert required[100, 0] == pytest.approx(0.2 * 5e6 * growth, rel=1e-12)


def with_haircuts(table, haircuts):
    """The table, and those inside it, with haircuts for what no schedule lists."""
    inner = {
        k: with_haircuts(v, haircuts)
        for k, v in table.items()
        if k in ("base", "floor", "stressed") and isinstance(v, dict)
    }
    if table["kind"] in ("haircut_only", "net_capital_15c3_1", "venue_grid"):
        inner["haircuts"] = table.get("haircuts", {}) | haircuts
    return table | inner


@pytest.mark.parametrize("table", CASES)
def test_options_and_perpetuals_keep_the_laws(table, option_market):
    options = ("SPY-CALL-30D", "SPY-PUT-30D", "SPY-PUT-60D-90")
    table = with_haircuts(table, dict.fromkeys(("SPY", *options), 0.1))
    frame = pd.DataFrame(
        {
            "SPY-CALL-30D": [-1e7, 0.0, 5e6, 0.0],
            "SPY-PUT-30D": [-1e7, 0.0, 0.0, 0.0],
            "SPY-PUT-60D-90": [0.0, 1e7, 0.0, 0.0],
            "SPY": [0.0, 1e7, -3e6, 0.0],
            "BTC-PERP": [0.0, 0.0, 1e6, 1e6],
            "BTC-INV": [0.0, 0.0, 0.0, -4e5],
            "UST10Y": [0.0, 0.0, 2e7, -1e7],
        },
        index=["short straddle", "protected", "all", "perpetuals"],
    )
    book = bt.Book.from_frame(frame, option_market)
    model = build_model(table)
    bt.check_causal(model, option_market, book, coverage=COVERAGE)
    required = margins(table, option_market, book)
    double = bt.Book(book.portfolios, book.instruments, 2 * book.exposure)
    assert_doubles(table, required, margins(table, option_market, double))
    for p in range(len(book.portfolios)):
        alone = margins(table, option_market, book.select([p]))
        np.testing.assert_allclose(alone[:, 0], required[:, p], rtol=1e-9)
    levels = option_market.to_frame()
    levels[["SPY", "BTC", "BTC-FUNDING"]] *= [1000.0, 0.01, 7.0]
    moved = bt.Market.from_frame(levels)
    if (table["kind"], "unchanged when price units change") in WAIVERS:
        assert not np.allclose(margins(table, moved, book), required, rtol=1e-7)
    else:
        np.testing.assert_allclose(margins(table, moved, book), required, rtol=1e-7)
