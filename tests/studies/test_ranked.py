"""What tables and figures of many books leave out, and that they say so."""

from dataclasses import replace

import numpy as np
import pandas as pd

import backtest as bt
from backtest import charts
from backtest.replay.worst import worst_books
from backtest.studies.closeout.page import closeout_exhibit
from backtest.studies.closeout.study import CloseoutStudy
from backtest.studies.collateral.page import collateral_exhibit
from backtest.studies.offset.page import offset_exhibit
from backtest.studies.ranked import Ranked
from backtest.studies.run.page import run_exhibit
from strategies import HaircutOnly
from tests.support import presented

NAMES = [f"desk {n:02d}" for n in range(24)]


def many(table: pd.DataFrame, level: str, *columns: str) -> pd.DataFrame:
    """The rows of the first book under 24 names; `columns` grow from one to the next."""
    named = table.index.names[0] is not None
    flat = table.reset_index() if named else table
    rows = flat[flat[level] == flat[level].iloc[0]]
    copies = []
    for number, name in enumerate(NAMES):
        grown = {column: rows[column] + number / 100 for column in columns}
        copies.append(rows.assign(**{level: name}, **grown))
    result = pd.concat(copies, ignore_index=True)
    return result.set_index(table.index.names) if named else result


def held(exposure: pd.DataFrame) -> pd.DataFrame:
    """The positions of the first book under 24 names."""
    return pd.DataFrame([exposure.iloc[0]] * len(NAMES), index=NAMES)


def closeout() -> CloseoutStudy:
    study = presented.closeout_study()
    return replace(
        study,
        coordination=many(study.coordination, "book", "any_short"),
        steps=many(study.steps, "book"),
        liquidation=many(study.liquidation, "book"),
        exposure=held(study.exposure),
    )


def test_closeout_shows_the_worst_and_says_of_how_many() -> None:
    study, worst = closeout(), NAMES[:3:-1]
    exhibit = closeout_exhibit(study)
    for section in exhibit.sections[:3]:
        assert section.text.startswith("20 worst of 24 books, by the probability that some silo")
        assert f"all: {section.name}.csv." in section.text
        assert list(section.brief.index.unique("book")) == worst
        assert len(section.table) % 24 == 0  # the file has them all
    for figure in (charts.breach_by_coordination(study), charts.margin_steps(study)):
        assert set(figure.data["book"]) == set(worst[:4])
        assert figure.caption.footnote.startswith("4 worst of 24 books, by the probability")
        assert len(figure.draw().figure.axes) == 4


def test_offset_shows_the_worst_and_says_of_how_many() -> None:
    study = presented.offset_study()
    study = replace(
        study,
        ladder=many(study.ladder, "portfolio", "dependence"),
        stresses=many(study.stresses, "portfolio"),
        credit=many(study.credit, "portfolio"),
        steps_by_day={
            (model, name): steps
            for (model, book), steps in study.steps_by_day.items()
            if book == presented.LONG
            for name in NAMES
        },
    )
    for draw in (charts.stressed_ladder, charts.granted_against_supported, charts.steps_from_gross):
        figure = draw(study)
        assert list(figure.data["portfolio"].unique()) == NAMES[:4]
        assert figure.caption.footnote.startswith("4 worst of 24 books, by the smallest offset.")
    sections = {section.name: section for section in offset_exhibit(study).sections}
    for name in ("stressed_ladder", "granted_against_supported"):
        section = sections[name]
        assert section.text.startswith("20 worst of 24 books, by the smallest offset;")
        assert list(section.brief.index.unique("portfolio")) == NAMES[:20]
    assert len(sections["ladder"].tables[0].groups) == 20


def test_tables_of_collateral_follow_the_evidence() -> None:
    cash = presented.collateral_study().cash_study
    study = replace(
        presented.collateral_study(),
        cash_study=replace(
            cash,
            scores=many(cash.scores, "portfolio", "exceedance_rate"),
            exposure=held(cash.exposure),
        ),
        mixes=many(presented.collateral_study().mixes, "portfolio"),
        wrong_way=many(presented.collateral_study().wrong_way, "portfolio"),
    )
    sections = {section.name: section for section in collateral_exhibit(study).sections}
    for name in ("breach_by_mix", "wrong_way"):
        section = sections[name]
        assert section.text.startswith("20 worst of 24 books, by evidence against the coverage;")
        assert list(section.brief.index.unique("portfolio")) == NAMES[:3:-1]


def test_tables_of_a_run_follow_the_evidence(small_market: bt.Market) -> None:
    rng = np.random.default_rng(8)
    usd = {"UST2Y": 1e6 * rng.normal(size=24), "BTC": 1e5 * rng.normal(size=24)}
    book = bt.Book.from_frame(pd.DataFrame(usd, index=NAMES), small_market)
    models = {"rates": HaircutOnly(haircuts={"UST2Y": 0.004, "BTC": 0.08})}
    study = bt.run(small_market, book, models, audit=False)
    run = presented.finished(study, pd.DataFrame(), explains=dict.fromkeys(NAMES, ""))
    worst = worst_books(study.scores)[:20]
    sections = {section.name: section for section in run_exhibit(run).sections}
    assert sections["scores"].text.startswith("20 worst of 24 books, by evidence")
    assert [name for name, _ in sections["tests"].tables[0].groups] == [
        f"rates, {book}" for book in worst
    ]
    for table in (*sections["scores"].tables, *sections["books"].tables):
        assert [name for name, _ in table.groups] == worst
        assert "20 worst of 24 books" in table.caption
    assert sections["tests"].figure.data["portfolio"].unique() == [worst[0]]
    assert sections["tests"].figure.caption.measure.endswith(f"by day: {worst[0]}")


def test_a_control_of_treasuries_is_not_crowded_out_of_the_panels() -> None:
    pool = {"BTC": 1, "UST10Y": 1}
    risks = {"a": pool, "b": pool, "venues": {"BTC": 1, "ETH@NODAL": -1}, "c": pool,
             "control": {"UST10Y": 1, "UST5Y@CME": -1}, "d": pool}  # fmt: skip
    tables = {"equal USD": {"usd": pool}} | {name: {"risk": risk} for name, risk in risks.items()}
    panels = Ranked(tuple(tables), "").panels
    assert panels(tables, tables) == ["a", "b", "venues", "control"]
    assert panels(tables, ["equal USD", "c", "d"]) == ["c", "d", "equal USD"]
    assert panels(tables, ["equal USD", "a", "b", "c", "d"]) == ["a", "b", "c", "d"]
