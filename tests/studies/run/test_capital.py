"""Capital beside margin on the page of a run: by hand, and where it is left out."""

from types import SimpleNamespace

import pandas as pd
import pytest

from backtest.studies.run.capital import capital_beside_margin, capital_table


def study_of(positions, margins, as_of="2026-06-02"):
    """What the table reads of a study: positions, mean margins by model, the day of its rules."""
    exposure = pd.DataFrame(positions).T.fillna(0.0)
    rows = pd.MultiIndex.from_product([margins, exposure.index], names=["model", "portfolio"])
    means = [usd for usd in margins.values() for _ in exposure.index]
    return SimpleNamespace(
        exposure=exposure,
        scores=pd.DataFrame({"mean_margin": means}, index=rows),
        scored=pd.DatetimeIndex(["2019-12-30", "2019-12-31"]),
        provenance=SimpleNamespace(as_of=as_of),
    )


BOOKS = {
    "hedged": {"BTC": 60e6, "BTC-PERP": -50e6, "UST10Y": 100e6},
    "bond": {"UST10Y": 100e6},
    "with an option": {"BTC": 60e6, "BTC-PUT-30D": 10e6},
}


def test_capital_stands_beside_the_least_and_the_most_margin():
    study = study_of(BOOKS, {"siloed": 12e6, "var": 9e6})
    rows = capital_beside_margin(study, list(BOOKS))
    assert rows.index.tolist() == [
        "hedged"
    ]  # no crypto; an option, which the standard's model lacks
    assert rows.loc["hedged"].to_dict() == pytest.approx(
        {"crypto": 110e6, "capital": 60e6 - 0.65 * 50e6, "least": 9e6, "most": 12e6}
    )


def test_the_table_says_its_terms_and_how_they_stand():
    table = capital_table(study_of(BOOKS, {"siloed": 12e6}), ["hedged"])
    ((book, (cells,)),) = table.groups
    assert book == "hedged" and [c.text for c in cells] == [
        "110.00",
        "27.50",
        "12.00",
        "12.00",
        "2.29",
    ]
    assert (
        "basel_sco60/2026; not verified: ratio, recognised" in table.note and "BTC 2a" in table.note
    )
    assert "65% of the smaller" in table.note and "came into force" not in table.note
    early = capital_table(study_of(BOOKS, {"siloed": 12e6}, as_of="2020-01-02"), ["hedged"])
    assert "came into force on 2026-01-01 only." in early.note
    # A manifest from before rules had a day has none: the last scored one counts.
    assert capital_table(study_of(BOOKS, {"siloed": 12e6}, as_of=""), ["hedged"]).note == early.note


def test_without_cryptoassets_there_is_no_table():
    assert capital_table(study_of(BOOKS, {"siloed": 12e6}), ["bond"]) is None
