"""Numbers that nobody has verified are marked wherever a model's scores are shown."""

import backtest as bt
import strategies as st
from backtest.cli.tables import pooled_table, scores_table
from backtest.replay.unverified import MARK, unverified_parameters, unverified_sentence
from backtest.studies.run.content import cost_table, coverage_table
from backtest.studies.run.content import pooled_table as report_pooled_table


def study_of(market, book, **models):
    return bt.run(market, book, models, coverage=bt.Coverage())


def printed(table):
    return [str(cell) for column in table.columns for cell in column.cells]


def test_screen_and_report_mark_what_rests_on_unverified_parameters(small_market, small_book):
    study = study_of(small_market, small_book, scan=st.Span(), haircut=st.HaircutOnly())
    named = list(small_book.portfolios)
    assert unverified_parameters(study) == {"scan": ["span/cme_2026"]}
    for table in (scores_table(study, named), pooled_table(study)):
        names = {cell.strip() for cell in printed(table)}
        assert {f"scan {MARK}", "haircut"} <= names and not {"scan", f"haircut {MARK}"} & names
    for shown in (coverage_table(study, named), cost_table(study, named)):
        assert [row[0].text for row in shown.groups[0][1]] == [f"scan {MARK}", "haircut"]
        assert "(scan: span/cme_2026)" in shown.notes
    assert [name for name, _ in report_pooled_table(study).groups] == [f"scan {MARK}", "haircut"]


def test_nothing_is_marked_where_all_is_verified(small_market, small_book):
    study = study_of(small_market, small_book, haircut=st.HaircutOnly(), net=st.NetCapital())
    assert unverified_parameters(study) == {} and unverified_sentence(study) == ""
    assert not any(MARK in cell for cell in printed(pooled_table(study)))
