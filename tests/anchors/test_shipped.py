"""The anchors that ship: all met, each with its source, and missed where a function is broken."""

import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

import pytest

import backtest.anchors
from backtest.anchors import clearing
from backtest.anchors.anchor import is_missing, number
from backtest.anchors.run import HELD, SHIPPED, held_sets, rows_of, run_anchors, shipped_sets
from backtest.anchors.tables import misses

ROOM = Path(backtest.anchors.__file__).parent


@pytest.fixture(scope="module")
def rows():
    return rows_of(run_anchors())


def test_all_are_met_and_say_who_printed_them(rows):
    assert rows["met"].all(), rows[~rows["met"]].to_string()
    assert len(rows) >= 145 and rows["set"].nunique() >= 7
    assert rows["source"].str.contains(r"\(\d{4}\)|CFR|[A-Z]").all()
    numbers = rows[rows["published"].map(number).notna()]
    assert (numbers["difference"].abs() <= numbers["allowed"]).all()
    asked = Counter(zip(rows["set"], rows["source"], rows["what"], strict=True))
    assert [what for what, times in asked.items() if times > 1] == []


def test_what_was_not_read_in_a_source_is_marked(rows):
    assert set(rows["known"]) == {"read", "quoted", "memory"}
    remembered = rows[rows["known"] == "memory"]
    assert set(remembered["set"]) == {
        "Kupiec's regions of no rejection",
        "Critical values of Acerbi and Szekely's Z2",
    }


def test_published_numbers_are_texts_with_their_digits():
    for each in shipped_sets():
        for anchor in each.anchors:
            is_word = re.fullmatch("[a-z]+", anchor.published) is not None
            assert is_word != (number(anchor.published) == number(anchor.published))
            assert not is_missing(anchor.published)


def test_every_file_with_sets_is_asked():
    """`SETS` are those that ship, `HELD` those that are read from a folder; `run` asks both."""
    names = {path.stem for path in ROOM.glob("*.py")} - {"__init__", "run"}
    families = {name: import_module(f"backtest.anchors.{name}") for name in names}
    assert {name for name, family in families.items() if hasattr(family, "SETS")} == set(SHIPPED)
    assert {name for name, family in families.items() if hasattr(family, "HELD")} == set(HELD)
    assert len({held.main for held in held_sets()}) == len(held_sets())


# Family: what is broken, and how.
MUTANTS = {
    "clearing": (
        "strategies.span.arrays.MOVES",
        lambda moves: 1.01 * moves,
    ),
    "simm": (
        "backtest.anchors.simm.simm_of_crif",
        lambda margin: lambda crif, **ask: margin(crif.tail(1), **ask),
    ),
    "exceedances": (
        "backtest.scores.exceedances.counts.xlogy",
        lambda xlogy: lambda x, y: 1.0001 * xlogy(x, y),
    ),
    "laws": (
        "backtest.estimators.innovations.stdtrit",
        lambda quantile: lambda nu, p: quantile(nu + 0.1, p),
    ),
}


@pytest.mark.parametrize("family", MUTANTS)
def test_a_broken_function_misses(family, monkeypatch):
    place, broken = MUTANTS[family]
    owner, name = place.rsplit(".", 1)
    clearing._array.cache_clear()
    monkeypatch.setattr("backtest.anchors.run.SHIPPED", (family,))
    monkeypatch.setattr(place, broken(getattr(resolve_name(owner), name)))
    found = run_anchors()
    clearing._array.cache_clear()
    assert 0 < len(found.misses) < len(found.answers)
    assert all("published is" in line and "ours" in line for line in misses(found))
    assert found.sentence().startswith(f"{len(found.answers) - len(found.misses)} of ")
