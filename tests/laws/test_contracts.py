"""Every model in the registry keeps the same laws. A waiver names model, law and reason."""

import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.config.models import build_model, model_table
from backtest.parameters.files import known_parameters
from strategies.parts import parts_of
from tests.support.contracts import COVERAGE, contract_cases, contract_entries, with_haircuts
from tests.support.markets import FACTORS
from tests.tools.write_model_names import TARGET, model_names

CASES = contract_cases()
LONG = ("cornish_fisher_var", "correlation_break")  # ten seconds and more with options
OPTION_CASES = [
    pytest.param(*case.values, id=case.id, marks=pytest.mark.slow)  # noqa: PD011
    if str(case.id).rpartition("-")[0] in LONG
    else case
    for case in CASES
]
WAIVERS = contract_entries("WAIVERS")
UNEQUAL = bt.Coverage(confidence=0.95, mpor={"treasury": 3, "crypto": 2})


def margins(table, market, book, coverage=COVERAGE):
    return build_model(table).margin(market, book, coverage)


@pytest.fixture(scope="module")
def known(small_market, small_book):
    """The margin of a table on the small market and book, computed once for all the laws."""
    answers = {}

    def margin_of(table):
        if repr(table) not in answers:
            answers[repr(table)] = margins(table, small_market, small_book)
            answers[repr(table)].setflags(write=False)
        return answers[repr(table)]

    return margin_of


def test_every_model_of_the_registry_has_settings():
    assert set(contract_entries("CONTRACT")) == set(st.MODELS)
    assert {kind for kind, _ in WAIVERS} <= set(st.MODELS)


def test_type_checkers_see_every_model_of_the_registry():
    assert TARGET.read_text(encoding="utf-8") == model_names(), (
        "run python -m tests.tools.write_model_names"
    )


@pytest.mark.parametrize("table", CASES)
def test_shape_sign_and_leading_nan(table, known):
    required = known(table)
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
def test_doubles_with_the_book(table, small_market, small_book, known):
    double = bt.Book(small_book.portfolios, small_book.instruments, 2 * small_book.exposure)
    assert_doubles(table, known(table), margins(table, small_market, double))


def assert_doubles(table, once, twice):
    """Twice the margin; of a model that this is waived for, more than twice somewhere."""
    if (table["kind"], "doubles with the book") in WAIVERS:
        known = ~np.isnan(once)
        assert (twice[known] >= 2 * once[known] * (1 - 1e-12)).all()
        assert (twice[known] > 2 * once[known] * (1 + 1e-9)).any()
    else:
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-9)


@pytest.mark.parametrize("table", CASES)
def test_each_portfolio_stands_alone(table, small_market, small_book, known):
    together = known(table)
    for p in range(len(small_book.portfolios)):
        alone = margins(table, small_market, small_book.select([p]))
        np.testing.assert_allclose(alone[:, 0], together[:, p], rtol=1e-9)


def test_more_confidence_never_lowers_it_and_every_waiver_is_used(small_market, small_book):
    law, lowered = "more confidence never lowers it", set()
    hedged = pd.DataFrame({"UST10Y": [1e8], "UST10Y@CME": [-4e7], "BTC": [1e6]}, index=["hedged"])
    books = [small_book, bt.Book.from_frame(hedged, small_market)]
    for kind, tables in contract_entries("CONTRACT").items():
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
def test_unchanged_when_price_units_change(table, small_market, small_book, known):
    levels = small_market.levels.copy()
    levels[:, 5] *= 1000.0
    levels[:, 6] /= 7.0
    moved = bt.Market(small_market.dates, FACTORS, levels, small_market.kinds)
    np.testing.assert_allclose(margins(table, moved, small_book), known(table), rtol=1e-7)


@pytest.mark.parametrize("table", CASES)
def test_deterministic(table, small_market, small_book, known):
    np.testing.assert_array_equal(margins(table, small_market, small_book), known(table))


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
    own_step = ("correlation_offset", "cross_margining", "emir_27")  # whatever their base has
    while innermost["kind"] not in own_step and "base" in innermost:
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
    quoted = eval(repr(model), {name: getattr(st, name) for name in st.__all__})
    # The numbers of a pinned version are written out where the model has None.
    is_pinned = table.get("parameters") in known_parameters()
    assert repr(quoted) == repr(model) and (is_pinned or quoted == model)
    assert getattr(quoted, "terms", None) == getattr(model, "terms", None)


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


@pytest.mark.parametrize("table", OPTION_CASES)
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
            "BTC-INV": [0.0, 0.0, 3e5, -4e5],
            "UST10Y": [0.0, 0.0, 2e7, -1e7],
        },
        index=["short straddle", "protected", "all", "perpetuals"],
    )
    book = bt.Book.from_frame(frame, option_market)
    model = build_model(table)
    # The book that holds everything: an audit asks some eighty times.
    bt.check_causal(model, option_market, book.select([2]), coverage=COVERAGE)
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
