"""Each unverified term at the ends of its range: what it moves, and that nothing stays silent."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import backtest as bt
import strategies as st
from backtest.cli import app
from backtest.parameters.files import header, load_parameters, moved
from backtest.parameters.header import Uncertain
from backtest.parameters.ranges import mistakes, term_value, with_term
from backtest.studies.rules.sensitivity import Effect, MovedTerm, as_frame, sensitivity
from backtest.studies.rules.sensitivity_tables import sensitivity_tables
from tests.support.rulebooks import toy_rule

DAY = date(2026, 6, 30)


@pytest.fixture
def rule(tmp_path):
    with toy_rule(tmp_path) as name:
        yield name


def texts(table):
    return {name: [cell.text for cell in row] for name, (row,) in table.groups}


def test_a_haircut_moves_what_a_posted_coin_counts(rule, packaged_books):
    (term,) = sensitivity([packaged_books], DAY, only=rule)
    assert (term.name, term.value) == (f"{rule}/3: price.BTC", 0.3)
    assert term.effects == (Effect(f"value posted by {rule}/3", "BTC", 70e6, 95e6, 50e6),)
    assert term.extreme(-1)[0] == pytest.approx(50 / 70 - 1)
    assert term.size == pytest.approx(95 / 70 - 1)
    (table,) = sensitivity_tables([term], packaged_books, DAY)
    assert texts(table)[term.name] == [
        "0.3",
        "0.05 to 0.5",
        f"-28.6 %: value posted by {rule}/3, BTC",
        f"+35.7 %: value posted by {rule}/3, BTC",
    ]


def test_a_scan_range_moves_the_margin_of_an_outright_position_by_as_much(packaged_books):
    # 100m USD of one commodity needs its price scan range and nothing else, by SPAN's definition.
    terms = {term.entry.term: term for term in sensitivity([packaged_books], DAY, only="span")}
    bitcoin = terms["price.BTC"]
    outright = [e for e in bitcoin.effects if (e.measure, e.book) == ("span", "Bitcoin only")]
    ends = [1e8 * rate for rate in (bitcoin.value, bitcoin.entry.low, bitcoin.entry.high)]
    assert [(e.value, e.low, e.high) for e in outright] == [pytest.approx(ends)]
    assert terms["price.ZN"].size == 0.0 and terms["price.ZN"].read_by == ("span",)


def test_other_books_are_asked_what_the_first_ones_left_still(packaged_books):
    row = packaged_books.book.portfolios.index("Treasuries only")
    alone = packaged_books.book.select([row])
    bonds = alone.holding(np.flatnonzero(alone.exposure.any(axis=0)).tolist())
    first, second = (
        replace(packaged_books, book=bonds),
        replace(packaged_books, study="another"),
    )
    terms = {t.entry.term: t for t in sensitivity([first, second], DAY, only="span")}
    assert {effect.book for effect in terms["treasury.rate"].effects} == {"Treasuries only"}
    change, effect = terms["price.BTC"].extreme(-1)
    assert change < 0.0 and effect.book.endswith(" (another)")
    whole = {t.entry.term: t for t in sensitivity([packaged_books], DAY, only="span")}
    assert terms["price.BTC"].size == whole["price.BTC"].size


def test_other_studies_add_books_of_other_instruments_where_prices_allow(packaged_books):
    known = {instrument.name for instrument in packaged_books.book.instruments}
    for books in packaged_books.others(None):
        assert books.study and not {i.name for i in books.book.instruments} <= known
        assert books.market.simulated
    studies = {books.study for books in packaged_books.others(None)}
    # The first needs no other instrument, the second prices of futures, which the sample lacks.
    assert not {"procyclicality", "treasury-crypto", "positive-control"} & studies


def test_the_version_of_the_day_is_moved_and_no_other(rule, packaged_books):
    (term,) = sensitivity([packaged_books], date(2020, 3, 1), only=rule)
    assert (term.version, term.effects[0].value) == (f"{rule}/1", 90e6)


def test_a_number_that_a_model_does_not_read_moves_none_of_its_margins(packaged_books):
    # A field of the model's own stands above the file's number.
    own, file = st.Span2(decay=0.99), st.Span2()
    tables = with_term(load_parameters("span2"), "decay.value", 0.90)
    only = ("Bitcoin only",)
    before = [packaged_books.margins(model, only=only) for model in (own, file)]
    with moved("span2", tables):
        after = [packaged_books.margins(model, only=only) for model in (own, file)]
    assert before[0] == after[0] and before[1] != after[1]
    assert packaged_books.margins(file, only=only) == before[1]  # and the file is back


def test_all_books_at_once_have_the_margins_of_each_alone(packaged_books):
    at_once = packaged_books.margins(st.Span())
    alone = [packaged_books.margins(st.Span(), only=(name,)) for name in at_once]
    assert len(at_once) == len(packaged_books.book.portfolios)
    assert {k: v for one in alone for k, v in one.items()} == pytest.approx(at_once, rel=1e-12)


def test_a_book_that_a_model_refuses_hides_no_other(packaged_books):
    haircut = st.HaircutOnly(schedules=("haircuts/cftc_pilot",))  # lists coins, no bond
    coins = ["long BTC, short ETH, two venues", "Bitcoin only"]
    assert list(packaged_books.margins(haircut)) == coins
    with pytest.raises(bt.StudyError, match="UST"):
        packaged_books.margins(haircut, only=("Treasuries only",))


def test_an_end_that_no_table_takes_is_one_line(tmp_path, packaged_books):
    words = "toy/3: price.BTC = 2.0, an end of its range, is refused: .*less than or equal to 1"
    with (
        toy_rule(tmp_path, ends=(0.05, 2.0)) as rule,
        pytest.raises(bt.StudyError, match=words) as e,
    ):
        sensitivity([packaged_books], DAY, only=rule)
    assert "\n" not in str(e.value)


def entry(**given):
    return Uncertain(**({"term": "a", "low": 1.0, "high": 2.0, "why": "said so"} | given))


def test_what_moves_nothing_and_what_has_no_range_say_why(packaged_books):
    still = Effect("span", "a book", 5.0, 5.0, 5.0)
    unknown = Effect("span", "a book", 5.0, float("nan"), 5.0)
    terms = [
        MovedTerm("x/1", entry(), 1.0, (), ()),
        MovedTerm("x/2", entry(), 1.0, ("span",), (), (still,)),
        MovedTerm("x/3", entry(), 1.0, ("span",), ("span: refuses bonds.",), ()),
        MovedTerm("x/4", entry(), 1.0, ("span",), (), (unknown,)),
        MovedTerm("x/6", entry(), 1.0, ("span",), (), (Effect("span", "a", 5.0, 5.0, 5.001),)),
        MovedTerm("x/5", entry(low=None, high=None), [1, 2], ("span",), (), ()),
    ]
    _, idle, fixed = sensitivity_tables(terms, packaged_books, DAY)
    assert texts(idle) == {
        "x/1": ["a 1", "no packaged model reads this rule by default"],
        "x/2": ["a 1", "span: no packaged book holds what it is about, or another term decides"],
        "x/3": ["a 1", "span: refuses bonds."],
        "x/4": ["a 1", "the prices are too short for a margin at one end of the range"],
        "x/6": ["a 1", "no change reaches 0.05 %"],
    }
    assert texts(fixed) == {"x/5": ["a [1, 2]", "said so"]}


def test_terms_that_move_nothing_for_one_reason_are_one_row(packaged_books):
    still = (Effect("span", "a book", 5.0, 5.0, 5.0),)
    terms = [
        MovedTerm("x/1", entry(term=name), value, ("span",), (), still)
        for name, value in (("a", 1.5), ("b.0", "text"))
    ]
    moving, idle = sensitivity_tables(
        [*terms, MovedTerm("x/1", entry(), 1.0, ())], packaged_books, DAY
    )
    ((version, ((first, why), (last, unread))),) = idle.groups
    assert (version, first.text, last.text) == ("x/1", "a 1.5, b.0 text", "a 1")
    assert "another term decides" in why.text and "by default" in unread.text
    assert not moving.heads and "0 of 3 terms" in moving.caption


def test_from_nothing_to_something_is_larger_than_any_share(packaged_books):
    effect = Effect("m", "b", 0.0, 0.0, 5e6)
    term = MovedTerm("x/1", entry(), 1.0, ("m",), (), (effect,))
    assert term.extreme(-1) is None and term.size == float("inf")
    (table,) = sensitivity_tables([term], packaged_books, DAY)
    assert texts(table)["x/1: a"][2:] == ["none", "from 0 to 5.00m USD: m, b"]


def test_every_number_is_in_the_file(rule, tmp_path):
    out = tmp_path / "all.csv"
    done = CliRunner().invoke(
        app, ["rules", rule, "--sensitivity", "--as-of", str(DAY), "--csv", str(out)]
    )
    assert done.exit_code == 0 and "1 of 1 terms that are not verified move a number" in done.output
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["term"] == "price.BTC" and row["why"] == "of the test"
    assert [row[c] for c in ("usd", "usd_at_low", "usd_at_high")] == [70e6, 95e6, 50e6]
    empty = as_frame([MovedTerm("x/1", entry(), 1.0, (), ())])
    assert list(empty["term"]) == ["a"] and empty["usd"].isna().all()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["--csv", "x.csv"], "--csv holds the numbers of --sensitivity"),
        (["--sensitivity", "--since", "2020-01-01"], "--since is no part of --sensitivity"),
        (["nothing", "--sensitivity"], "unknown rule 'nothing'"),
        (["--sensitivity", "--as-of", "2020"], "--as-of is '2020'"),
        (["simm/2.1"], "simm/2.1 is a version; name its rule, simm, and with --as-of a day of it"),
        (["--sensitivity", "--csv", "/proc/x.csv"], "cannot write '/proc/x.csv': "),
        (["--sensitivity", "--csv", "no/such/x.csv"], "cannot write 'no/such/x.csv': No such file"),
        (["--sensitivity", "--csv", "."], "cannot write '.': it is a folder; name another file"),
    ],
)
def test_what_cannot_be_asked_is_one_line(typed, message):
    done = CliRunner().invoke(app, ["rules", *typed])
    assert done.exit_code != 0
    assert message in f"{done.exception}" + " ".join(done.output.replace("│", "").split())


def test_terms_are_found_and_set_by_their_places():
    tables = {"credits": [{"rate": 0.75}, {"rate": 0.6}], "price": {"ZT": 0.006}}
    assert term_value(tables, "credits.1.rate") == 0.6
    changed = with_term(tables, "credits.1.rate", 0.5)
    assert changed["credits"] == [{"rate": 0.75}, {"rate": 0.5}]
    assert tables["credits"][1]["rate"] == 0.6
    for absent in ("credits.2.rate", "credits.x", "price.ZB", "price.ZT.more", ""):
        with pytest.raises(bt.StudyError, match="no term"):
            with_term(tables, absent, 1.0)


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({}, ""),
        ({"term": "price.ETH"}, "no term 'price.ETH'"),
        ({"low": 0.4}, "does not hold 0.3"),
        ({"low": 0.3, "high": 0.3}, "does not hold 0.3"),
        ({"low": "a tenth"}, "of another type"),
        ({"low": None}, "a range has two ends"),
        ({"low": None, "high": None}, ""),
        (None, "price.BTC is not verified and has no [[uncertain]] entry"),
    ],
)
def test_a_range_that_is_none_is_found(rule, change, mistake, monkeypatch):
    version = f"{rule}/3"
    head = header(version)
    given = head.uncertain[0].model_dump()
    entries = () if change is None else (Uncertain(**(given | change)),)
    changed = head.model_copy(update={"uncertain": entries})
    monkeypatch.setattr("backtest.parameters.ranges.header", lambda name: changed)
    found = list(mistakes(version))
    assert bool(found) == bool(mistake)
    assert not mistake or any(mistake in words for words in found)


def test_rates_by_maturity_lie_in_their_ranges_row_by_row(monkeypatch):
    version = "haircuts/cme/2021"
    head = header(version)
    (given,) = [entry for entry in head.uncertain if entry.term == "treasury.rate"]
    others = tuple(entry for entry in head.uncertain if entry is not given)
    rows = len(given.low)
    for high, why in (
        ([0.5 * given.low[0], *given.high[1:]], "row 0 does not lie in its range"),
        (given.high[1:], f"{rows} and {rows - 1} ends of {rows} rows"),
    ):
        wrong = given.model_copy(update={"high": high})
        changed = head.model_copy(update={"uncertain": (*others, wrong)})
        monkeypatch.setattr("backtest.parameters.ranges.header", lambda name, head=changed: head)
        (mistake,) = mistakes(version)
        assert mistake == f"{version}: treasury.rate: {why}"


def test_the_rules_of_customers_and_houses_move_who_bears_what(packaged_books):
    from backtest.studies.rules.protected import ProtectedAccounts

    accounts = ProtectedAccounts(packaged_books.market, DAY)
    assert {name.partition("/")[0] for name in accounts.reads} == {
        "customer_regimes", "protection_assumed", "waterfall",
    }  # fmt: skip
    before = accounts.amounts(None)
    (version,) = (name for name in accounts.reads if name.startswith("protection_assumed"))
    tables = with_term(load_parameters(version), "multiplier", 1.3)
    with moved(version, tables):
        after = accounts.amounts(tuple(before))
    margins = [name for name in before if name.endswith("margin")]
    assert len(margins) == 6 and all(after[name] > before[name] for name in margins)
    lost = [name for name in before if "fellow customers" in name]
    assert all(after[name] < before[name] for name in lost)
    assert accounts.amounts(margins[:1]) == {margins[0]: before[margins[0]]}
