"""Numbers that nobody has verified are marked wherever a model's scores are shown."""

import backtest as bt
import strategies as st
from backtest.replay.findings.unverified import MARK, unverified_parameters, unverified_sentence
from backtest.studies.run.tables import cost_table, coverage_table, pooled_table


def study_of(market, book, **models):
    return bt.run(market, book, models, coverage=bt.Coverage())


def test_tables_mark_what_rests_on_unverified_parameters(small_market, small_book):
    study = study_of(small_market, small_book, scan=st.Span(), haircut=st.HaircutOnly())
    named = list(small_book.portfolios)
    assert unverified_parameters(study) == {"scan": ["span/cme_2026"]}
    for shown in (coverage_table(study, named), cost_table(study, named)):
        assert [row[0].text for row in shown.groups[0][1]] == [f"scan {MARK}", "haircut"]
        assert "(scan: span/cme_2026)" in shown.note
    assert [name for name, _ in pooled_table(study).groups] == [f"scan {MARK}", "haircut"]


def test_nothing_is_marked_where_all_is_verified(small_market, small_book):
    study = study_of(small_market, small_book, haircut=st.HaircutOnly(), net=st.NetCapital())
    assert unverified_parameters(study) == {} and unverified_sentence(study) == ""
    assert [name for name, _ in pooled_table(study).groups] == ["haircut", "net"]
