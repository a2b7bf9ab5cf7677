"""`backtest rules`: what is listed of a day, what changed between two, and what it does."""

import re
from datetime import date

import pytest

import backtest as bt
from backtest.parameters.files import load_parameters, rules
from backtest.studies.rules.changed import changed_rows, changed_rules, changed_terms, terms
from backtest.studies.rules.effects import PackagedBooks, models_of, relative, version_effects
from backtest.studies.rules.pages import rule_tables
from tests.support.commands import backtest
from tests.support.rulebooks import toy_rule


def printed(**asked):
    told = {"name": None, "as_of": None, "since": None, "data": None} | asked
    return list(rule_tables(told.pop("name"), **told))


def cells_of(table):
    return {name: [cell.text for cell in rows[0]] for name, rows in table.groups}


@pytest.mark.parametrize(
    ("day", "version"),
    [("2018-12-31", "2.1"), ("2024-06-30", "2.6"), ("2025-12-05", "2.7+2412"),
     ("2025-12-06", "2.8+2506"), ("2026-06-30", "2.8+2506")],
)  # fmt: skip
def test_every_rule_is_listed_with_its_version_of_the_day(day, version):
    (table,) = printed(as_of=day)
    listed = cells_of(table)
    assert list(listed) == list(rules()) and listed["simm"][0] == version
    assert not any("NOT IN FORCE" in text for text in listed["simm"])


def test_one_rule_is_listed_with_all_its_versions_and_what_that_of_the_day_says():
    versions, facts = printed(name="simm", as_of="2019-12-01")
    assert [name for name, _ in versions.groups][:2] == ["2.1", "2.2"]
    assert "NOT IN FORCE" in cells_of(versions)["2.1"][1]
    assert facts.caption == "simm/2.2, the version of 2019-12-01"
    assert "isda" in cells_of(facts)["source"][0].lower()


def test_a_term_that_is_not_verified_is_listed_with_its_value_and_its_range():
    _, facts = printed(name="cme_sc", as_of="2026-06-30")
    (words,) = cells_of(facts)["uncertain: mpor.value"]
    mpor = load_parameters("cme_sc/2026")["mpor"]["value"]
    assert words.startswith(f"{mpor}, in 1 to 3; ")


def test_changed_terms_are_those_that_differ_in_the_files(tmp_path):
    with toy_rule(tmp_path) as rule:
        assert changed_terms(f"{rule}/1", f"{rule}/3") == [("price.BTC", "0.1", "0.3")]
    before, after = (dict(terms(load_parameters(v))) for v in ("simm/2.1", "simm/2.2"))
    changed = {term for term, *_ in changed_terms("simm/2.1", "simm/2.2")}
    assert changed == {t for t in before | after if before.get(t) != after.get(t)}
    assert 0 < len(changed) < len(before)


def test_lists_and_matrices_with_many_changes_are_one_row_of_their_largest_change(tmp_path):
    rows = changed_rows("simm/2.1", "simm/2.8+2512")
    every = changed_terms("simm/2.1", "simm/2.8+2512")
    assert len(rows) < 150 < 600 < len(every) == sum(int(count) for _, count, *_ in rows)
    named = {term: (old, new) for term, old, new in every}
    collapsed = 0
    for words, _, old, new in rows:
        term, _, place = words.partition(", most at ")
        assert named[f"{term}.{place}" if place else term] == (old, new)
        if place:
            collapsed += 1
            steps = [
                abs(float(a) - float(b)) / max(abs(float(a)), abs(float(b)))
                for name, (a, b) in named.items()
                if re.fullmatch(rf"{re.escape(term)}(\.\d+)+", name)
                and "none" not in (a, b)
                and not a.isalpha()
            ]
            if steps:
                assert abs(float(new) - float(old)) / max(abs(float(old)), abs(float(new))) == max(
                    steps
                )
    assert collapsed > 10
    with toy_rule(tmp_path) as rule:
        assert changed_rows(f"{rule}/1", f"{rule}/3") == [("price.BTC", "1", "0.1", "0.3")]
    *_, table, effects = printed(name="haircuts/cme", since="2020-01-01")
    assert "dates and marks differ, no term does" in table.caption and not table.heads
    assert effects.caption.startswith("No margin of the packaged books changes")


def test_assumptions_too_are_not_in_force_before_their_first_day():
    (table,) = printed(as_of="2018-12-31")
    assert "NOT IN FORCE" in cells_of(table)["cme_sc"][2] and "nobody's rule" in table.note
    assert cells_of(printed(as_of="2026-06-30")[0])["cme_sc"][2] == "open"


def test_a_rule_that_did_not_change_is_not_told_of(tmp_path):
    with toy_rule(tmp_path) as rule:
        changed = changed_rules(date(2020, 4, 1), date(2020, 10, 1))
        assert (rule, f"{rule}/1", f"{rule}/3") in changed
        assert "sec_15c3_1" not in [name for name, *_ in changed]


def test_effects_are_the_margins_of_the_packaged_books_under_both_versions():
    books = PackagedBooks.of(None)
    ((kind, pairs),) = version_effects(books, "simm/2.1", "simm/2.8+2506")
    assert kind == "simm" and set(pairs) <= set(books.book.portfolios)
    row = books.book.portfolios.index("short 2Y")
    for version, margin in zip(("simm/2.1", "simm/2.8+2506"), pairs["short 2Y"], strict=True):
        model = dict(models_of("simm"))["simm"]
        alone = type(model)(parameters=version)
        required = alone.margin(books.market, books.book.select([row]), bt.Coverage())
        assert margin == required[-1, 0]
    assert relative(*pairs["short 2Y"]) > 0.2


def test_the_command_prints_and_refuses_in_one_line(tmp_path):
    done = backtest("rules", "--as-of", "2026-06-30", cwd=tmp_path)
    assert done.returncode == 0 and "2.8+2506" in done.stdout and "cme_ficc" in done.stdout
    done = backtest("rules", "sec_15c3_1", "--since", "2020-01-01", cwd=tmp_path)
    assert done.returncode == 0 and "sec_15c3_1 did not change" in done.stdout
    for wrong, words in (
        (["nothing"], "unknown rule 'nothing'; known: "),
        (["--data", "nowhere"], "--data is the prices of --since and --sensitivity"),
        (["--as-of", "2026"], "--as-of is '2026'; give a day as YYYY-MM-DD"),
        (["--as-of", "2020-01-01", "--since", "2021-01-01"], "--since 2021-01-01 is after"),
    ):
        done = backtest("rules", *wrong, cwd=tmp_path)
        assert done.returncode == 2 and words in done.stderr
        assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
