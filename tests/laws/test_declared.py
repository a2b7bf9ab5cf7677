"""Every model margins an instrument that a study declares, or refuses it by its name."""

import numpy as np
import pytest

import backtest as bt
from backtest.config.models import build_model
from backtest.instruments import parse_instrument
from tests.support.contracts import COVERAGE, contract_cases, contract_entries
from tests.support.declared import declared_instruments, declared_market

CASES = contract_cases()
# Kinds of models whose tables know instruments by a bucket; the others margin by history alone.
BY_BUCKET = {
    "cme_sc_like",
    "concentration_add_on",
    "haircut_only",
    "liquidity_add_on",
    "net_capital_15c3_1",
    "liquid_capital_402_2",
    "portfolio_margin",
    "simm",
    "span",
    "span2",
    "uncleared_schedule",
    "venue_grid",
}
# These ask for positions of one class alone, by their rule.
ONE_CLASS = {"basel_sco60": "crypto"}


@pytest.fixture(scope="module")
def market():
    return declared_market()


def book_of(*instruments):
    """Each instrument long; all of them with signs in turn, beside a Treasury and a coin."""
    beside = (parse_instrument("UST2Y"), parse_instrument("BTC"))
    exposure = np.eye(len(instruments) + 1, len(instruments) + 2) * 1e6
    exposure[-1] = [1e6 * (-1) ** i for i in range(len(instruments) + 2)]
    names = (*(f"long {i.name}" for i in instruments), "all")
    return bt.Book(names, (*instruments, *beside), exposure)


def outcome(table, market, *instruments):
    """Margins of the instruments' portfolios, or the refusal."""
    try:
        return build_model(table).margin(market, book_of(*instruments), COVERAGE)
    except bt.StudyError as error:
        return str(error)


def kinds_of(table):
    """The kinds of a model and of the models inside it."""
    inner = [v for v in table.values() if isinstance(v, dict) and "kind" in v]
    houses = table.get("houses", {}).values()
    return {table["kind"]}.union(*map(kinds_of, [*inner, *houses]))


@pytest.mark.parametrize("table", CASES)
def test_a_model_margins_what_is_declared_or_refuses_it_by_name(table, market):
    """With all buckets declared none refuses; without, only models by bucket do, by the name."""
    bare = declared_instruments(buckets=False)
    by_bucket = kinds_of(table) & BY_BUCKET
    instruments = declared_instruments(buckets=True) if by_bucket else bare
    if table.get("crypto", "own_class") != "own_class":
        instruments = {n: i for n, i in instruments.items() if i.asset_class != "commodity"}
    required = outcome(table, market, *instruments.values())
    assert not isinstance(required, str), required
    known = required[~np.isnan(required)]
    assert np.isfinite(known).all() and (known >= 0).all()
    classes = [i.asset_class for i in instruments.values()]
    asked = [c == ONE_CLASS.get(table["kind"], c) for c in classes]
    assert ((required[-1, : len(instruments)] > 0) == asked).all(), "something at nothing"
    if not by_bucket or "scan_multiple" in table:
        return
    refusals = {n: r for n, i in bare.items() if isinstance(r := outcome(table, market, i), str)}
    for name, refusal in refusals.items():
        assert name in refusal and f"[instruments.{name}]" in refusal and "\n" not in refusal
    if table["kind"] in BY_BUCKET:
        assert refusals


def test_simm_knows_no_correlation_of_coins_among_commodities(market):
    gold = declared_instruments(buckets=True)["GOLD"]
    assert "GOLD" in outcome({"kind": "simm", "crypto": "other"}, market, gold)
    assert not isinstance(outcome({"kind": "simm"}, market, gold), str)


def test_models_by_bucket_are_models():
    assert set(contract_entries("CONTRACT")) >= BY_BUCKET


@pytest.mark.slow
@pytest.mark.parametrize("table", CASES)
def test_margins_of_declared_instruments_know_no_future(table, market):
    instruments = tuple(
        instrument
        for instrument in declared_instruments(buckets=True).values()
        if table.get("crypto", "own_class") == "own_class" or instrument.asset_class != "commodity"
    )
    book = bt.Book(
        ("all", "opposed"),
        instruments,
        [[1e6] * len(instruments), [(-1.0) ** i * 1e6 for i in range(len(instruments))]],
    )
    audit = bt.check_causal(build_model(table), market, book, coverage=COVERAGE)
    assert audit.largest_change <= 1e-9
