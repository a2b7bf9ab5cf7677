"""Parameters are dated, cited and marked; everything that uses them says so."""

import numpy as np
import pytest
from pydantic import ValidationError

import backtest as bt
import strategies as st
from backtest.account.haircuts import known_schedules, load_schedule
from backtest.cli.models import models_list, references
from backtest.config.models import build_model
from backtest.parameters.buckets import ByMaturity
from backtest.parameters.files import header, known_parameters, load_parameters, moved, rules
from backtest.parameters.header import ONE_DAY
from backtest.parameters.ranges import mistakes
from backtest.parameters.sources import parameter_source, parameter_sources

# Rules that no margin model names: what is posted, what is shown beside margins, who bears losses.
ELSEWHERE = {
    "customer_regimes",
    "dollars_assumed",
    "haircuts/bcbs",
    "haircuts/cme_futures",
    "haircuts/occ",
    "haircuts/uncleared_schedule",
    "mandate_survey",
    "protection_assumed",
    "stress_scenarios",
    "tokenised_fund",
    "waterfall",
}


@pytest.mark.parametrize("name", list(known_parameters()))
def test_every_parameter_file_says_what_since_when_and_whether_verified(name):
    head = header(name)
    assert head.title and head.source and load_parameters(name)


@pytest.mark.parametrize("rule", list(rules()))
def test_versions_follow_one_another_without_a_gap_and_only_the_last_is_open(rule):
    versions = rules()[rule]
    for name, following in zip(versions, versions[1:], strict=False):
        head = header(name)
        assert head.superseded_by == following, f"{name} has a successor: {following}"
        assert head.in_force_to == header(following).in_force_from - ONE_DAY
    assert not header(versions[-1]).superseded_by


@pytest.mark.parametrize("kind", list(st.MODELS))
def test_every_model_has_a_reference_and_files_that_exist(kind):
    cls = st.MODELS[kind]
    assert references(cls) != "none given"
    assert all(source.title for source in parameter_sources(cls()))


def test_marks_follow_the_files_and_the_models_inside():
    nested = build_model({"kind": "buffer", "base": {"kind": "haircut_only"}})
    assert {s.name for s in parameter_sources(nested)} == {
        "emir_28/2013",
        "overlays_assumed/2026",
        "haircuts/cme/2021",
        "haircuts/cftc_pilot/2026-05",
    }
    marks = {s.name: s.mark for s in parameter_sources(nested)}
    assert marks["overlays_assumed/2026"] == marks["haircuts/cme/2021"] == "NOT VERIFIED"
    assert marks["haircuts/cftc_pilot/2026-05"] == "verified"
    assert parameter_source("finra_4210/2010").mark == (
        "NOT VERIFIED: group.crypto, group.stablecoin, government"
    )
    assert parameter_source("haircuts/cftc_pilot/2025-12").mark == "NOT VERIFIED: price.USDC"
    with pytest.raises(bt.StudyError, match="unknown rule 'emir'; known: "):
        load_parameters("emir")


def test_no_file_of_a_model_goes_unnamed():
    named = {s.name for cls in st.MODELS.values() for s in parameter_sources(cls())}
    rules_named = {name.rpartition("/")[0] for name in named}
    assert rules_named | ELSEWHERE == set(rules()) and not rules_named & ELSEWHERE
    assert parameter_source("span/2026").mark == "NOT VERIFIED"


@pytest.mark.parametrize(
    "model",
    [
        st.NetCapital(parameters="haircuts/occ/2023"),
        st.PortfolioMargin(parameters="haircuts/occ/2023"),
        st.Simm(parameters="haircuts/occ/2023"),
        st.Simm(crypto_parameters="haircuts/occ/2023"),
        st.Span(parameters="haircuts/occ/2023"),
        st.StandardSchedule(parameters="haircuts/occ/2023"),
        st.VenueGrid(parameters="haircuts/occ/2023"),
    ],
    ids=repr,
)
def test_a_file_of_another_kind_is_one_line(model, small_market, small_book):
    with pytest.raises(
        bt.StudyError, match="'haircuts/occ/2023' does not fit this model: .*; name another"
    ) as e:
        model.margin(small_market, small_book, bt.Coverage())
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        (st.NetCapital(), "sec_15c3_1"),
        (st.PortfolioMargin(), "finra_4210"),
        (st.StandardSchedule(), "uncleared_schedule"),
        (st.StansLike(), "stans"),
        (st.VenueGrid(), "deribit_pm"),
    ],
    ids=repr,
)
def test_a_key_that_no_model_reads_is_refused(model, rule, small_market, small_book):
    with (
        moved(rule, load_parameters(rule) | {"sahre": 0.5}),
        pytest.raises(bt.StudyError, match="does not fit this model: sahre: extra inputs"),
    ):
        model.margin(small_market, small_book, bt.Coverage(mpor=1))


def test_study_keeps_the_sources_of_its_models(small_market, small_book):
    models = {"siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)), "net": st.NetCapital()}
    study = bt.run(small_market, small_book, models, coverage=bt.Coverage())
    assert study.provenance.parameters["siloed"] == ()
    (first, _) = study.provenance.parameters["net"]
    assert first.name == "sec_15c3_1/2013" and first.mark == "verified"


def test_list_has_a_block_a_model():
    assert len(models_list()) > len(st.MODELS)


def test_a_row_holds_its_last_maturity_and_not_its_first():
    table = ByMaturity(up_to=(1.0, 5.0, 30.0), rate=(0.01, 0.02, 0.04))
    years = (None, 0.0, -1.0, 0.25, 1.0, 1.0001, 5.0, 30.0, 30.0001)
    rates = (None, None, None, 0.01, 0.01, 0.02, 0.02, 0.04, None)
    assert tuple(table.at(y) for y in years) == rates
    assert table.row(5.0) == 1 and ByMaturity().row(5.0) is None
    assert ByMaturity(up_to=(1.0, np.inf), rate=(0.01, 0.02)).at(100.0) == 0.02


@pytest.mark.parametrize(
    ("up_to", "rate", "message"),
    [
        ((1.0, 2.0), (0.1,), "differ in length"),
        ((2.0, 1.0), (0.1, 0.2), "do not ascend"),
        ((0.0, 1.0), (0.1, 0.2), "do not ascend"),
        ((1.0,), (1.5,), "less than or equal to 1"),
    ],
)
def test_a_table_that_is_none_is_refused(up_to, rate, message):
    with pytest.raises(ValidationError, match=message):
        ByMaturity(up_to=up_to, rate=rate)


def test_every_schedule_lists_some_maturity_or_price():
    for name in known_schedules():
        schedule = load_schedule(name)
        assert schedule.treasury.up_to or schedule.swap.up_to or schedule.price, name


@pytest.mark.parametrize("name", list(known_parameters()))
def test_what_is_not_verified_has_a_range_that_holds_it_or_says_why_it_has_none(name):
    assert list(mistakes(name)) == []
    assert all(len(uncertain.why) > 5 for uncertain in header(name).uncertain)
