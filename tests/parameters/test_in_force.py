"""The version of a rule on a day: in a model, in a study, day by day."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.model.causality import check_causal
from backtest.model.isolation import isolated
from backtest.model.protocol import in_words
from backtest.parameters.files import load_parameters
from backtest.parameters.header import Header, split
from backtest.parameters.in_force import changes, in_force, version_on
from backtest.parameters.sources import parameter_sources
from backtest.studies.run.facts import facts_of_run
from tests.support.rulebooks import toy_rule

HEADER = {
    "title": "t",
    "source": "s",
    "in_force_from": date(2020, 1, 1),
    "verified": False,
    "how": "memory",
}


@pytest.fixture
def rule(tmp_path):
    with toy_rule(tmp_path) as name:
        yield name


@pytest.fixture
def coin():
    return st.HaircutOnly(schedules=("haircuts/toy",))


@pytest.fixture
def year():
    days = pd.bdate_range("2020-01-01", "2020-12-31")
    rng = np.random.default_rng(3)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, len(days))))
    return bt.Market.from_frame(pd.DataFrame({"BTC": prices}, index=days))


def book_on(market):
    return bt.Book.from_frame(pd.DataFrame({"BTC": [1e6, -1e6]}, index=["a", "b"]), market)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"verified": True}, "verified is True, but how is 'memory'"),
        ({"verified": True, "how": "text read"}, "verified_on"),
        ({"superseded_by": "x/2"}, "`in_force_to` is open"),
        ({"in_force_to": date(2019, 1, 1)}, "before it began"),
        ({"how": "hearsay"}, "how"),
        ({"title": None}, "title"),
    ],
)
def test_a_header_that_contradicts_itself_is_one_line(wrong, message):
    with pytest.raises(bt.StudyError, match=message) as e:
        split(HEADER | wrong, "x/1")
    assert "\n" not in str(e.value) and "'x/1'" in str(e.value)


def test_a_header_covers_its_first_and_its_last_day():
    header = Header(**HEADER, in_force_to=date(2020, 1, 31))
    days = [date(2019, 12, 31), date(2020, 1, 1), date(2020, 1, 31), date(2020, 2, 1)]
    assert [header.covers(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("day", "version"),
    [("2019-01-01", 1), ("2020-03-01", 1), ("2020-05-31", 1), ("2020-06-01", 2),
     ("2020-08-31", 2), ("2020-09-01", 3), ("2030-01-01", 3)],
)  # fmt: skip
def test_the_version_of_a_day(rule, coin, day, version):
    on = date.fromisoformat(day)
    assert version_on(rule, on) == f"{rule}/{version}"
    inside = st.Buffer(base=st.Siloed(base=coin))
    assert in_force(inside, on).base.base.schedules == (f"{rule}/{version}",)


def test_a_version_that_is_named_outright_stays(rule):
    pinned = st.HaircutOnly(schedules=(f"{rule}/2",))
    assert in_force(pinned, date(2030, 1, 1)) is pinned


def test_words_of_a_user_are_not_taken_for_rules(rule):
    named = st.CrossMargining(houses={"span": st.Siloed()})
    assert list(in_force(named, date(2030, 1, 1)).houses) == ["span"]


def test_changes_are_the_first_days_of_later_versions(rule, coin):
    days = (date(2020, 6, 1), date(2020, 9, 1))
    assert changes(coin, date(2020, 1, 1), date(2020, 12, 31)) == days
    assert changes(coin, date(2020, 6, 1), date(2020, 8, 31)) == ()


def test_as_replayed_takes_each_days_rules(rule, coin, year):
    margin = st.AsReplayed(base=coin).margin(year, book_on(year), bt.Coverage())
    rates = pd.Series(0.1, index=pd.DatetimeIndex(year.dates))
    rates["2020-06-01":], rates["2020-09-01":] = 0.2, 0.3
    expected = rates.to_numpy()[:, None] * np.abs(
        book_on(year).unit_index(year) * book_on(year).exposure[:, 0]
    )
    np.testing.assert_allclose(margin, expected, rtol=1e-12)
    check_causal(st.AsReplayed(base=coin), year, book_on(year), coverage=bt.Coverage())


def test_a_study_takes_the_rules_of_its_day_and_says_so(rule, coin, year):
    book, models = book_on(year), {"haircut": coin}
    last = bt.run(year, book, models)
    assert last.provenance.as_of == str(last.loss.dropna().index[-1])[:10]
    rates = {
        day: bt.run(year, book, models, as_of=day).required["haircut"].iloc[0, 0] / 1e6
        for day in ("2020-01-01", "2020-06-30", "2020-12-01")
    }
    assert rates == pytest.approx({"2020-01-01": 0.1, "2020-06-30": 0.2, "2020-12-01": 0.3})
    early = bt.run(year, book, models, as_of="2020-01-01").provenance
    assert "haircuts/toy/1 came into force on 2020-03-01 only" in early.rules()
    assert not [words for words in early.alarms() if "RULES" in words]
    replayed = bt.run(year, book, models, as_replayed=True)
    assert replayed.required["haircut"].iloc[[0, -1], 0].tolist() == pytest.approx([1e5, 3e5])
    words = replayed.provenance.rules()
    assert words.startswith("of each day; for collateral those of 2020-12-")
    assert words.endswith("haircut: haircuts/toy/1 came into force on 2020-03-01 only")
    assert not [said for said in replayed.provenance.alarms() if "RULES" in said]


def test_superseded_rules_that_are_named_outright_are_used_and_told(rule, year):
    models = {"old": st.HaircutOnly(schedules=(f"{rule}/1",))}
    study = bt.run(year, book_on(year), models, as_of="2020-12-01")
    assert study.required["old"].iloc[0, 0] == pytest.approx(1e5)
    words = "old: haircuts/toy/1 was superseded by haircuts/toy/2 on 2020-06-01"
    assert f"SUPERSEDED RULES: {words}" in study.provenance.alarms()
    assert words in dict(study.provenance.facts())["rules in force"]
    assert words in dict(facts_of_run(study))["rules in force"]


def test_a_version_that_is_replayed_and_pinned_is_one_row_with_its_days(rule, coin, year):
    models = {"old": st.HaircutOnly(schedules=(f"{rule}/1",)), "each day": coin}
    facts = facts_of_run(bt.run(year, book_on(year), models, as_replayed=True))
    (row,) = [words for name, words in facts if name == f"parameters {rule}/1"]
    assert row.startswith("used by old, each day; 2020-03-01 to 2020-05-31, ")


@pytest.mark.parametrize("as_replayed", [True, False])
def test_a_replay_tells_what_is_pinned_and_nothing_of_the_versions_of_each_day(
    rule, coin, year, as_replayed
):
    models = {
        "of each day": st.AsReplayed(base=coin),
        "old": st.Siloed(base=st.HaircutOnly(schedules=(f"{rule}/1",))),
    }
    study = bt.run(year, book_on(year), models, score_from="2020-04-01", as_replayed=as_replayed)
    words = "SUPERSEDED RULES: old: haircuts/toy/1 was superseded by haircuts/toy/2 on 2020-06-01"
    assert [said for said in study.provenance.alarms() if "RULES" in said] == [words]
    assert "of each day:" not in study.provenance.rules()


def test_simulated_paths_have_the_rules_of_one_day(rule, coin, year):
    means = {}
    for name, model in {"one day": coin, "of each day": st.AsReplayed(base=coin)}.items():
        drawn = bt.monte_carlo(
            bt.StationaryBootstrap(block_size=20), year, book_on(year), {"m": model},
            as_of="2020-07-01", paths=2, seed=1,
        )  # fmt: skip
        means[name] = drawn.scores
        assert drawn.provenance.models["m"].startswith("HaircutOnly(schedules=('haircuts/toy/2',)")
    np.testing.assert_array_equal(means["one day"], means["of each day"])


def test_models_are_found_under_their_replay(rule, coin, year):
    models = {"sum": st.Siloed(base=coin), "net": coin}
    study = bt.run(year, book_on(year), models, as_replayed=True)
    assert study.provenance.siloed_model == "sum"


class Pair(NamedTuple):
    """Two numbers of a user's own model."""

    first: float
    second: float


@dataclass(frozen=True, eq=False)
class Own:
    """A user's model, whose fields hold what they like."""

    base: object
    weights: object = None
    made: dict = field(default_factory=dict, init=False)

    across_books = True

    def __post_init__(self):
        self.made["parameters"] = "haircuts/toy"

    def margin(self, market, book, coverage):
        return self.base.margin(market, book, coverage)


@pytest.mark.parametrize(
    "weights",
    [np.ones(3), pd.DataFrame({"a": [1.0, 2.0]}), Pair(1.0, 2.0), (np.ones(2),), {"a": {1, 2}}],
)
def test_a_users_model_may_hold_anything_beside_rules(rule, coin, year, weights):
    on = date(2020, 7, 1)
    without = Own(0.5, weights)
    assert in_force(without, on) is without
    own = in_force(Own(coin, weights), on)
    assert own.base.schedules == ("haircuts/toy/2",) and own.weights is weights
    study = bt.run(year, book_on(year), {"own": Own(coin, weights)}, as_of="2020-07-01")
    assert study.required["own"].iloc[0, 0] == pytest.approx(2e5)


def test_rules_are_pinned_in_tuples_with_names_and_behind_a_process(rule, coin):
    pair = in_force(Own(Pair(coin, 1.0)), date(2020, 7, 1)).base
    assert isinstance(pair, Pair) and pair.first.schedules == ("haircuts/toy/2",)
    alone = isolated(Own(coin))
    assert in_force(alone, date(2020, 7, 1)).model.base.schedules == ("haircuts/toy/2",)
    assert [source.name for source in parameter_sources(alone)] == ["haircuts/toy/3"]


def test_a_replay_looks_across_books_where_its_base_does(coin):
    assert st.AsReplayed(base=Own(coin)).across_books
    assert not st.AsReplayed(base=coin).across_books


def test_a_day_that_is_none_is_refused(year, coin, rule):
    with pytest.raises(bt.StudyError, match="as_of is '2020'; give a day as YYYY-MM-DD"):
        bt.run(year, book_on(year), {"haircut": coin}, as_of="2020")


def test_a_pinned_model_is_quoted_with_the_numbers_of_its_version():
    terms = load_parameters("eurex_like/2022")
    pinned = in_force(st.Siloed(base=st.EurexLike(lookback=500)), date(2026, 6, 30))
    words = in_words(pinned)
    assert f"decay={terms['decay']['value']}," in words and "lookback=500," in words
    again = eval(words, {name: getattr(st, name) for name in ("Siloed", "EurexLike")})
    assert again.base.terms == pinned.base.terms
    # Which version a rule's name means is not known before it is pinned.
    assert "decay=None," in in_words(st.EurexLike())
    assert "cap=None," in in_words(st.CrossMargining(parameters="simm/2.1"))
