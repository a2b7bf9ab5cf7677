"""Who may share margin under which agreement of CME and FICC, by hand and on real prices."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import backtest as bt
import strategies as st
from backtest.config.load import build_book, load_study
from backtest.parameters.files import load_parameters, rules
from backtest.parameters.in_force import in_force
from strategies.agreement import Agreement
from strategies.article_27 import Article27Terms
from tests.support.books import book_of
from tests.support.places import ROOT

HS = st.HistoricalVaR(lookback=60)
COVERAGE = bt.Coverage(confidence=0.95)
AGREEMENTS = ("cme_ficc/2024", "cme_ficc/2025", "cme_ficc/2026")
DOC = (ROOT / "docs" / "arrangements.md").read_text(encoding="utf-8")


def test_no_key_of_an_agreement_goes_unread():
    """Their forms leave keys that they do not know to one another, so none may be misspelt."""
    forms = {"cme_ficc": (Agreement,), "emir_27": (Agreement, Article27Terms)}
    for rule, readers in forms.items():
        known = {field for form in readers for field in form.model_fields}
        for version in rules()[rule]:
            assert set(load_parameters(version)) <= known, version


@pytest.mark.parametrize("version", AGREEMENTS)
def test_the_published_sample_falls_to_the_cap_under_each_agreement(version, small_market):
    hedge = {"UST10Y": 1e8, "UST10Y@CME": -0.999e8}
    model = st.CrossMargining(base=HS, parameters=version)
    unit = model.parts(small_market, book_of(hedge), COVERAGE).steps["gross"][-1, 0]
    scaled = book_of({name: usd * 343.24e6 / unit for name, usd in hedge.items()})
    assert f"{model.margin(small_market, scaled, COVERAGE)[-1, 0] / 1e6:.2f}" == "68.65"


def test_whose_positions_each_agreement_admits(small_market):
    """A house saves under all three, an affiliate since 2025, a customer since 30 April 2026."""
    book = book_of({"UST10Y": 1e8, "UST10Y@CME": -1e8})
    siloed = st.Siloed(base=HS).margin(small_market, book, COVERAGE)
    saves = {
        account: [
            bool(
                (
                    st.CrossMargining(base=HS, parameters=version, account=account).margin(
                        small_market, book, COVERAGE
                    )[100:]
                    < 0.3 * siloed[100:]
                ).all()
            )
            for version in AGREEMENTS
        ]
        for account in ("house", "affiliate", "customer")
    }
    assert saves == {
        "house": [True, True, True],
        "affiliate": [False, True, True],
        "customer": [False, False, True],
    }
    early = st.CrossMargining(base=HS, parameters=AGREEMENTS[0], account="customer")
    assert_array_equal(early.margin(small_market, book, COVERAGE), siloed)
    assert early.nets_nothing(book) == (
        "cross_margining nets nothing in 'p0': customer accounts are not admitted (house)."
    )


@pytest.mark.parametrize(
    ("day", "version"),
    [
        ("2024-01-22", "cme_ficc/2024"),
        ("2025-07-10", "cme_ficc/2024"),
        ("2025-07-11", "cme_ficc/2025"),
        ("2026-04-29", "cme_ficc/2025"),
        ("2026-04-30", "cme_ficc/2026"),
    ],
)
def test_the_agreement_of_a_day(day, version):
    assert in_force(st.CrossMargining(), date.fromisoformat(day)).parameters == version


def test_the_table_of_agreements_is_that_of_real_prices(real_data):
    study, _ = load_study(Path("cme-ficc"))
    market = bt.load_market(real_data, factors=study.data.factors, start=study.data.start)
    book, base = build_book(study, market), st.HistoricalVaR(lookback=500)
    assert str(market.dates[-1])[:10] == "2026-02-23" and "close of 2026-02-23" in DOC

    def last(model):
        return model.margin(market, book, study.standard())[-1] / 1e6

    def agreed(version, account):
        return last(st.CrossMargining(base=base, parameters=version, account=account))

    house, early, late = (
        [agreed(version, account) for version in versions]
        for versions, account in (
            (AGREEMENTS, "house"),
            (AGREEMENTS[:2], "customer"),
            (AGREEMENTS[2:], "customer"),
        )
    )
    for same in (house, early):
        assert all(np.array_equal(same[0], other) for other in same)
    columns = [
        last(st.Siloed(base=base)),
        house[0],
        early[0],
        late[0],
        last(st.CrossMargining(base=base, parameters="emir_27")),
    ]
    table = DOC.split("<!-- agreements -->")[1].split("<!-- end of agreements -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    assert [name for name, *_ in rows] == list(book.portfolios)
    for p, (_, *cells) in enumerate(rows):
        assert cells == [f"{column[p]:.3f}" for column in columns]
