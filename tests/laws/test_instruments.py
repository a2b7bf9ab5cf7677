"""Models ask an instrument what it is: neither its class nor its name decides its margin."""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.book.liquidation import ContractCost
from backtest.config.models import build_model
from backtest.instruments import Instrument, names, parse_instrument
from tests.support.contracts import COVERAGE, contract_cases, with_haircuts
from tests.support.places import ROOT

CASES = contract_cases()
INSTRUMENTS = (
    "UST10Y",
    "UST5Y@CME",
    "BILL3M",
    "SWAP10Y",
    "ZN",
    "ZN~curve",
    "BTC",
    "BTC_CME",
    "BTC-PERP",
    "BTC-INV",
    "SPY",
    "SPY-PUT-30D",
)
TWIN = "NEW"
# Costs of closing out are listed by name, here and at other houses ('@').
COSTED = ("concentration_add_on", "liquidity_add_on", "span2")


@dataclass(frozen=True)
class Twin:
    """An instrument of another class and name that says what `of` says, but for `changed`."""

    of: Instrument
    name: str = TWIN
    changed: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, term):
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


@pytest.fixture
def strip(monkeypatch):
    """The instrument of `docs/how-to/instrument.md`, known by its line in `names`."""
    page = (ROOT / "docs" / "how-to" / "instrument.md").read_text(encoding="utf-8")
    written, line = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    made = {"__name__": "strip"}
    exec(compile(written, "strip.py", "exec", dont_inherit=True), made)
    added = eval(f"{{{line}}}", made)
    monkeypatch.setattr(names, "CONTRACTS", added | dict(names.CONTRACTS))
    row = tomllib.loads(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])["contract"]
    return parse_instrument("STRIP10Y"), ContractCost(**row["STRIP10Y"])


def test_the_instrument_of_the_how_to_page_is_margined_or_refused_by_name(strip, market):
    instrument, cost = strip
    assert instrument.name == "STRIP10Y" and cost.adv_usd == 2e9
    frame = pd.DataFrame({"STRIP10Y": [1e7], "BTC": [1e6]}, index=["p"])
    book = bt.Book.from_frame(frame, market)
    refusing = set()
    for case in CASES:
        table = case.values[0]  # noqa: PD011 - a pytest parameter
        try:
            margin = build_model(table).margin(market, book, COVERAGE)
        except bt.StudyError as error:
            assert "STRIP10Y" in str(error)
            refusing.add(table["kind"])
            margin = build_model(with_haircuts(table, {"STRIP10Y": 0.1})).margin
            if table["kind"] in ("haircut_only", "net_capital_15c3_1", "venue_grid"):
                assert (margin(market, book, COVERAGE) > 0.0).all()
        else:
            assert (margin[-1] > 0.0).all()
    assert "haircut_only" in refusing and not refusing & {"historical_var", "simm", "ficc_var"}


def test_the_pnl_of_the_how_to_page_is_its_price_by_hand(strip):
    instrument, _ = strip
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03"])
    market = bt.Market.from_frame(pd.DataFrame({"10Y": [0.04, 0.041]}, index=days))
    before, after = 1.02**-20, 1.0205 ** (-2 * (10 - 1 / 365.25))
    assert instrument.pnl(market, 1)[0] == pytest.approx(after / before - 1.0, rel=1e-12)
    moved = (1.02 + 0.5e-6) ** -20.0 / before - 1.0
    assert instrument.scenarios(market, 0, np.array([1e-6]))[0] == pytest.approx(moved, rel=1e-6)
