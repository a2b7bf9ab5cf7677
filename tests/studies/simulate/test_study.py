"""`backtest simulate`: which simulators are compared, how losses are judged, what is written."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.simulate import SIMULATORS, History
from backtest.simulate.diagnostics import Diagnosis, diagnose
from backtest.studies.inputs import read_prices
from backtest.studies.simulate.study import WHOLE, Judged, _judge, study_simulators
from backtest.types import StudyError
from tests.support.commands import one_line, quiet, refused, typed, write_prices, write_study

SPLICED = '[monte_carlo]\nsimulator = { kind = "spliced", days = 50, base = { kind = "history" } }'


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("simulate")
    write_prices(folder / "prices", days=200)
    return folder


@pytest.fixture(scope="module")
def study(place: Path) -> Path:
    return write_study(place, source=place / "prices")


def asked(study: Path, **options):
    return study_simulators(study, data=None, **{"paths": 19, "histories": 0, **options})


def judged(known, lost, own_known, own_lost) -> Judged:
    """A simulator with given counts of facts, by family a and b."""
    rows = [
        (family, str(n), "X", 0.0 if n < lost[f] else 1.0)
        for f, family in enumerate("ab")
        for n in range(known[f])
    ]
    # What is not determined has a row too.
    rows += [(family, "more", "X", np.nan) for family in "ab"]
    facts = pd.DataFrame(rows, columns=["family", "fact", "of", "kept"])
    blocks = {
        (what, family): [row[f] for row in counts]
        for what, counts in (("lost", own_lost), ("known", own_known))
        for f, family in enumerate("ab")
    }
    diagnosis = Diagnosis(facts.set_index(["family", "fact", "of"]), 19, 0.0)
    return Judged(None, diagnosis, pd.DataFrame(blocks))


def test_losses_are_held_against_those_of_the_simulator_s_own_histories():
    own_lost = [[0, 3], [1, 9], [2, 0]]
    found = judged([10, 30], [2, 6], [[10, 30]] * 3, own_lost).families
    assert found["known"].tolist() == [10, 30, 40] and found.index.tolist() == ["a", "b", WHOLE]
    assert found["kept"].tolist() == [8, 24, 32]
    # Lost as large a share: of a one history (2 of 10), of b one (9 of 30), of all one (10 of 40).
    assert found["p"].tolist() == [(1 + 1) / 4, (1 + 1) / 4, (1 + 1) / 4]
    assert found["own_least"].tolist() == pytest.approx([8, 21, 30])
    assert found["own_mean"].tolist() == pytest.approx([9, 26, 35])


def test_shares_are_compared_where_histories_determine_fewer_facts():
    found = judged([10, 30], [3, 0], [[5, 30]], [[2, 0]]).families
    assert found.loc["a", "p"] == 1.0 and found.loc["a", "own_least"] == pytest.approx(6.0)


def test_of_a_family_without_facts_nothing_is_lost_beyond_chance():
    found = judged([0, 30], [0, 0], [[0, 30]] * 19, [[0, 3]] * 19)
    assert np.isnan(found.families.loc["a", "p"]) and found.families.loc["b", "p"] == 1.0
    assert found.beyond_chance == []


def test_one_in_twenty_is_the_least_that_19_histories_can_say():
    few = judged([10, 30], [5, 0], [[10, 30]] * 18, [[0, 0]] * 18)
    enough = judged([10, 30], [5, 0], [[10, 30]] * 19, [[0, 0]] * 19)
    assert few.beyond_chance == [] and enough.beyond_chance == ["a", WHOLE]


def test_facts_are_those_of_the_study_s_prices(study):
    _, _, market, _ = read_prices(study, data=None, seed=None, progress=quiet)
    found = asked(study, simulator="t_copula", seed=3)
    alone = diagnose(SIMULATORS["t_copula"](), market, paths=19, seed=3)
    pd.testing.assert_frame_equal(found.facts.loc["t_copula"], alone.facts)
    assert found.days == len(market.dates) - 1 and set(found.kinds) == set(market.factors)
    assert found.judged["t_copula"].own is None and found.families["p"].isna().all()


def test_the_study_s_own_simulator_has_the_study_s_parameters(place, study):
    assert asked(study).judged["stationary_bootstrap"].simulator.block_size == 20
    other = place / "other.toml"
    other.write_text(
        study.read_text() + '\n[monte_carlo]\nsimulator = { kind = "filtered_bootstrap", '
        "persistence = 0.9 }\n"
    )
    assert asked(other).judged["filtered_bootstrap"].simulator.persistence == 0.9
    for simulator in ("stationary_bootstrap", "filtered_bootstrap"):
        (judged,) = asked(other, simulator=simulator).judged.values()
        assert judged.simulator == SIMULATORS[simulator]()


def test_all_compares_those_that_fit_and_says_why_others_do_not(study):
    found = asked(study, simulator="all")
    own = "stationary_bootstrap (study)"
    assert set(found.judged) | set(found.refused) == set(SIMULATORS) | {own}
    assert found.judged[own].simulator.block_size == 20
    assert found.judged["stationary_bootstrap"].simulator.block_size is None
    assert not set(found.judged) & set(found.refused)
    for kind in ("history", "correlation_stress", "volatility_scaling"):
        assert "the same path every time" in found.refused[kind]
    assert "compare at equal length" in found.refused["spliced"]
    assert "start" in found.refused["stress_episode"]
    assert set(found.facts.index.unique("simulator")) == set(found.judged)


def test_one_path_that_lacks_some_facts_is_the_same_path_too(small_market):
    """A factor that stands still has no skew: such a fact is unknown, and differs from nothing."""
    still = bt.Market.from_frame(small_market.to_frame().assign(ETH=1.0))
    with pytest.raises(StudyError, match="draws the same path every time"):
        _judge("history", History(), still, 0, 19, 0, 1, quiet)


def test_neither_workers_nor_the_others_change_a_number(study):
    one = asked(study, simulator="multivariate_t", histories=2)
    two = asked(study, simulator="multivariate_t", histories=2, n_jobs=2)
    every = asked(study, simulator="all")
    pd.testing.assert_frame_equal(one.facts, two.facts)
    pd.testing.assert_frame_equal(one.families, two.families)
    pd.testing.assert_frame_equal(
        one.facts.loc["multivariate_t"], every.facts.loc["multivariate_t"]
    )
    assert one.provenance.sha256 == two.provenance.sha256 != every.provenance.sha256


def test_counts_that_memory_does_not_hold_are_refused(study):
    with pytest.raises(StudyError, match="paths is 1000000000; give at most 10,000"):
        asked(study, paths=10**9)
    with pytest.raises(StudyError, match="histories is 2000; give at most 1,000"):
        asked(study, histories=2000)


def test_the_command_writes_every_fact_and_opens_with_an_answer(study, tmp_path):
    done = typed("simulate", study, "--paths", 19, "--histories", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.endswith("simulate_" + folder.name[-8:]) and "small-simulate" in folder.name
    facts = pd.read_csv(folder / "facts.csv")
    families = pd.read_csv(folder / "families.csv").set_index("family")
    counted = facts.groupby("family")["kept"].agg(["count", "sum"])
    for family, row in counted.iterrows():
        assert families.loc[family, ["known", "kept"]].tolist() == row.tolist()
    assert families.loc[WHOLE, "known"] == len(facts.dropna(subset="kept"))
    inside = (facts["data"] >= facts["low"] - 1e-12) & (facts["data"] <= facts["high"] + 1e-12)
    assert (inside == (facts["kept"] == 1.0))[facts["kept"].notna()].mean() > 0.99
    names = {path.name for path in folder.rglob("*.*")}
    assert {"kept_and_lost.svg", "clustering_by_lag.csv", "report.html", "page.json"} <= names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["paths"] == 19 and manifest["simulator"].startswith("StationaryBootstrap(")
    assert "is not shown" not in done.stdout and "It does not show" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--simulator", "garch"), "unknown kind 'garch'; known: history"),
        (("--simulator", "history"), "history draws the same path every time"),
        (("--simulator", "stress_episode"), "stress_episode needs `start`"),
        (("--paths", "18"), "--paths"),
        (("--paths", "9" * 400), "give at most 10,000"),
    ],
)
def test_what_cannot_be_compared_is_one_line(arguments, words, study, tmp_path):
    line = refused(typed("simulate", study, *arguments, cwd=tmp_path), tmp_path)
    assert words in line


def test_paths_of_another_length_and_another_clock_are_one_line(place, study, tmp_path):
    file = place / "spliced.toml"
    file.write_text(f"{study.read_text()}\n{SPLICED}\n")
    line = one_line(typed("simulate", file, cwd=tmp_path))
    assert "250 days and the data have 200" in line
    clock = place / "clock.toml"
    clock.write_text(study.read_text() + '\n[clock]\nkind = "24/7"\n')
    assert "simulated histories need [clock] kind = 'business'" in one_line(
        typed("simulate", clock, cwd=tmp_path)
    )


def test_one_factor_has_no_table_of_pairs(place, tmp_path):
    file = place / "coin.toml"
    text = write_study(place, source=place / "prices").read_text()
    text = text.replace('["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]', '["BTC"]')
    file.write_text(text.split('[books."long both"]')[0] + "[books.coin]\nusd = { BTC = 1e6 }\n")
    done = typed("simulate", file, "--paths", 19, "--histories", 0, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results").iterdir()
    facts = pd.read_csv(folder / "facts.csv")
    assert set(facts["of"]) == {"BTC"} and not (folder / "pairs.csv").exists()
    assert np.isfinite(facts["data"]).sum() > 15


def test_bars_move_and_end(study):
    told: dict[str, list[float]] = {}
    study_simulators(
        study, data=None, simulator="all", paths=60, histories=2,
        progress=lambda what, share: told.setdefault(what, []).append(share),
    )  # fmt: skip
    assert set(SIMULATORS) <= set(told)
    for what, shares in told.items():
        assert shares == sorted(shares) and shares[-1] == 1.0, what
    assert len(set(told["t_copula"])) > 4
