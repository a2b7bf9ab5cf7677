"""The page of simulators opens with numbers of its own tables, and its figures are titled so."""

import re

import pytest

from backtest.studies.simulate.answer import simulate_answer
from backtest.studies.simulate.clustering import clustering_by_lag
from backtest.studies.simulate.figures import kept_and_lost
from backtest.studies.simulate.heat_map import lost_by_simulator
from backtest.studies.simulate.page import lost_words, simulate_exhibit
from backtest.studies.simulate.study import WHOLE, study_simulators
from backtest.studies.simulate.words import farthest, simulator_name
from tests.support.commands import write_prices, write_study

KINDS = ("multivariate_t", "stationary_bootstrap")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = tmp_path_factory.mktemp("answers")
    return write_study(place, source=write_prices(place / "prices", days=220))


@pytest.fixture(scope="module", params=KINDS)
def one(request, study):
    return study_simulators(
        study, data=None, simulator=request.param, paths=19, histories=19, seed=1
    )


@pytest.fixture(scope="module")
def many(study):
    return study_simulators(study, data=None, simulator="all", paths=19, histories=2, seed=1)


def number(words: str) -> int:
    return 0 if words == "none" else int(words.replace(",", ""))


def test_facts_kept_and_lost_are_those_of_the_table(one):
    first, *_ = simulate_answer(one)
    ((kind, judged),) = one.judged.items()
    row = judged.families.loc[WHOLE]
    known, kept, lost = (
        number(re.search(pattern, first)[1])
        for pattern in (r"Of ([\d,]+) facts", r"keeps ([\d,]+|none)", r"loses ([\d,]+|none)[,;]")
    )
    assert (known, kept, lost) == (row["known"], row["kept"], row["known"] - row["kept"])
    assert simulator_name(kind) in first and f"{one.paths} paths" in first
    mean, most = re.search(r"it loses ([\d.]+) in the mean and ([\d,]+) at most", first).groups()
    own = judged.own["lost"].sum(axis=1)
    assert float(mean) == pytest.approx(own.mean(), abs=0.051) and number(most) == own.max()
    assert ("no more than chance" in first) == (row["p"] > 0.05)


def test_what_is_lost_beyond_chance_is_named_and_so_is_the_farthest(one):
    _, second, _ = simulate_answer(one)
    (judged,) = one.judged.values()
    told = dict(re.findall(r"([a-z ]+?) \((\d+) of \d+\)", second.split(";")[0]))
    told = {name.split("loses ")[-1].removeprefix(" and ").strip(): n for name, n in told.items()}
    table = judged.families.drop(WHOLE)
    beyond = table[table["p"] <= 0.05]
    assert set(told) == set(beyond.index)
    for name, count in told.items():
        assert int(count) == beyond.loc[name, "known"] - beyond.loc[name, "kept"]
    row = farthest(judged.diagnosis.facts, 1).iloc[0]
    assert f"the {row['fact']} of {row['of']}," in second


def test_the_kept_and_the_fewest_of_many_are_those_of_the_table(many):
    first, second, last = simulate_answer(many)
    whole = many.families.xs(WHOLE, level="family")
    shares = whole["kept"] / whole["known"]
    told = re.findall(r"\((\d+) of (\d+)\)", first)
    ends = whole.loc[[shares.idxmax(), shares.idxmin()], ["kept", "known"]]
    assert [[int(n) for n in pair] for pair in told] == ends.to_numpy().tolist()
    assert simulator_name(shares.idxmax()) in first and simulator_name(shares.idxmin()) in first
    assert f"Of {len(many.judged)} simulators" in first
    table = many.families.drop(index=WHOLE, level="family")
    lost = 1 - table["kept"] / table["known"]
    assert f"{round(100 * lost.max())} % of {lost.idxmax()[1]}" in second
    for kind in many.refused:
        assert simulator_name(kind) in last


def test_nothing_is_said_of_chance_where_nothing_was_asked(study):
    bare = study_simulators(study, data=None, simulator="multivariate_t", paths=19, histories=0)
    first, second, _ = simulate_answer(bare)
    assert "was not asked" in first and "is not known" in second
    assert "chance explains" not in first
    page = simulate_exhibit(bare)
    assert page.sections[0].text == ""


@pytest.mark.parametrize("simulator", ["multivariate_t", "all"])
def test_of_few_histories_nothing_is_said_of_chance(study, simulator):
    """With 18 no share of them and the data is as small as 5 %, whatever is lost."""
    few = study_simulators(study, data=None, simulator=simulator, paths=19, histories=1, seed=1)
    first, second, _ = simulate_answer(few)
    assert "takes 19 histories" in first
    told = first + second + " ".join(lost_words(one) for one in few.judged.values())
    for claim in (
        "chance explains,",
        "more than chance",
        "beyond chance,",
        "no family",
        "them l",
    ):
        assert claim not in told
    assert "nothing" not in told


def test_titles_of_figures_are_counted(one, many):
    (judged,) = one.judged.values()
    row = judged.families.loc[WHOLE]
    title = kept_and_lost(one).caption.title
    if row["known"] > row["kept"]:
        assert f"in {row['known'] - row['kept']:.0f} of {row['known']:.0f} facts" in title
    figure = clustering_by_lag(one)
    lost = figure.data[figure.data["kept"] == 0.0]
    more, less = re.search(
        r"in (\d+|none) of \d+ cases, less in (\d+|none)", figure.caption.title
    ).groups()
    assert number(more) + number(less) == len(lost)
    assert number(more) == (lost["data"] > lost["high"]).sum()
    whole = many.families.xs(WHOLE, level="family")
    counts = (whole["known"] - whole["kept"]).astype(int)
    found = re.search(r"loses ([\d,]+|none), the fewest, and .* ([\d,]+), the most",
                      lost_by_simulator(many).caption.title)  # fmt: skip
    assert [number(n) for n in found.groups()] == [counts.min(), counts.max()]


def test_the_answer_is_on_the_page(one, many):
    for found in (one, many):
        assert simulate_exhibit(found).answer == simulate_answer(found)
