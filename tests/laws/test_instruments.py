"""Models ask an instrument what it is: neither its class nor its name decides its margin."""

import re
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest

import backtest as bt
import tests.instruments
from backtest.config.models import build_model
from backtest.instruments import Instrument, names, parse_instrument
from tests.support.contracts import COVERAGE, contract_cases, with_haircuts

CASES = contract_cases()
# Names that the laws try: `NAMES` of the files in tests/instruments.
INSTRUMENTS = tuple(
    name
    for module in iter_modules(tests.instruments.__path__, "tests.instruments.")
    for name in getattr(import_module(module.name), "NAMES", ())
)
TWIN = "NEW"
# Costs of closing out are listed by name, here and at other houses ('@').
COSTED = ("cme_sc_like", "concentration_add_on", "liquidity_add_on", "span2")


@dataclass(frozen=True)
class Twin:
    """An instrument of another class and name that says what `of` says, but for `changed`."""

    of: Instrument
    name: str = TWIN
    changed: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, term):
        if term.startswith("__"):  # a copy is made before it has an `of`
            raise AttributeError(term)
        return self.changed[term] if term in self.changed else getattr(self.of, term)


@pytest.fixture(scope="module")
def market(option_market):
    """The market of options with two futures, at prices of their own."""
    generator, frame = np.random.default_rng(5), option_market.to_frame()
    drawn = np.cumsum(generator.standard_t(4, (len(frame), 2)) * [0.003, 0.03], axis=0)
    frame[["ZN", "BTC_CME"]] = 100.0 * np.exp(drawn)
    return bt.Market.from_frame(frame, simulated=True, source="random walks")


def outcome(table, market, instrument):
    """Margins of an instrument long, short and beside two others; or the refusal."""
    beside = (parse_instrument("UST2Y"), parse_instrument("ETH"))
    exposure = [[1e7, 0.0, 0.0], [-1e7, 0.0, 0.0], [1e7, -4e7, 0.0], [1e7, 0.0, -1e7]]
    book = bt.Book(("long", "short", "curve", "coin"), (instrument, *beside), exposure)
    try:
        return build_model(table).margin(market, book, COVERAGE)
    except bt.StudyError as error:
        return str(error)


def listing(table, listed, name):
    """The table with `name` wherever it has instrument `listed` by its name."""
    table = with_haircuts(table, {name: 0.2})
    if "eligible" in table:
        eligible = [name if entry == listed else entry for entry in table["eligible"]]
        table = table | {"eligible": eligible}
    return table


def test_every_kind_of_contract_is_named_for_the_laws():
    for pattern, make in names.CONTRACTS.items():
        if make is not names.not_held:
            assert any(re.fullmatch(pattern, name.split("@")[0]) for name in INSTRUMENTS), (
                f"add a name that matches {pattern} to NAMES of its test in tests/instruments"
            )


@pytest.mark.parametrize("table", CASES)
def test_a_twin_has_the_same_margin(table, market):
    for name in INSTRUMENTS:
        instrument = parse_instrument(name)
        twin = f"{name}@{TWIN}" if table["kind"] in COSTED else TWIN
        expected, found = (
            outcome(listing(table, name, held.name), market, held)
            for held in (instrument, Twin(instrument, twin))
        )
        if isinstance(expected, str):
            assert name in expected and found.replace(twin, name) == expected
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("table", CASES)
def test_a_contract_of_its_own_has_the_margin_of_its_risk_or_is_refused_by_name(table, market):
    """A strip of no known form, class or maturity: no schedule may take it for something else."""
    bond = parse_instrument("UST10Y")
    strip = {"contract": "strip", "asset_class": "strip", "underlying": "STRIP", "maturity": None}
    book = bt.Book(("long",), (bond,), [[1e7]])
    twin = bt.Book(("long",), (Twin(bond, changed=strip),), [[1e7]])
    try:
        found = build_model(table).margin(market, twin, COVERAGE)
    except bt.StudyError as error:
        assert TWIN in str(error)
    else:
        expected = build_model(table).margin(market, book, COVERAGE)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_book_refuses_what_does_not_say_what_it_is():
    class Bond:
        name, silo, factor = "OLD", "FICC", "10Y"

    with pytest.raises(bt.StudyError, match="'OLD' does not say its asset_class and contract"):
        bt.Book(("long",), (Bond(),), [[1.0]])
