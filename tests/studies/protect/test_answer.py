"""The page of protection opens with numbers of its own tables, and its titles are findings."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtest.clearing.ledger import BEARERS
from backtest.present.lettering import MINUS
from backtest.present.numbers import money
from backtest.studies.protect.answer import pooled, protection_answer
from backtest.studies.protect.figures.bearers import bearers_finding
from backtest.studies.protect.figures.cover import cover_finding
from backtest.studies.protect.figures.frontier import frontier_finding
from backtest.studies.protect.figures.timeline import days_with_loss, timeline_finding
from backtest.studies.protect.page import protection_exhibit
from tests.support.presented import protect_study


@pytest.fixture(scope="module")
def study():
    return protect_study()


def with_differences(study, **columns):
    """The study with other columns in its table of differences."""
    table = study.answers.differences.assign(**columns)
    return replace(study, answers=replace(study.answers, differences=table))


def test_savings_and_losses_are_those_of_the_tables(study):
    first, *_ = protection_answer(study)
    rows = pooled(study)
    assert len(rows) > 0
    saved = re.search(r"saves ([\d.]+)(?: to ([\d.]+))? % of the margin", first)
    ends = [round(100 * end, 1) for end in (rows["margin_saved"].min(), rows["margin_saved"].max())]
    assert [float(saved[1]), float(saved[2] or saved[1])] == ends
    lost = study.answers.summary.loc[rows.index, "fellow_usd"]
    assert f"{money(lost.max())} USD a year" in first
    silos = study.answers.summary["fellow_usd"].xs("silos", level="arrangement").iloc[0]
    assert f"they lose {money(silos) if silos else 'nothing'} in silos" in first


def test_what_the_record_tells_is_counted_from_intervals(study):
    rows = pooled(study)
    low = np.full(len(study.answers.differences), np.nan)
    few = with_differences(study, fellow_usd_low=low, fellow_usd_high=low, fellow_events=3)
    words = protection_answer(few)[0]
    assert f"in none of {len(rows)} comparisons does the record tell which is more" in words
    none = with_differences(study, fellow_usd_low=low, fellow_usd_high=low, fellow_events=0)
    assert protection_answer(none)[0].endswith("only drawn defaults may make one.")
    up = with_differences(study, fellow_usd_low=1.0, fellow_usd_high=2.0)
    words = protection_answer(up)[0]
    assert f"they lose more in {len(rows)} of {len(rows)} comparisons and less in none" in words
    down = with_differences(study, fellow_usd_low=-2.0, fellow_usd_high=-1.0)
    words = protection_answer(down)[0]
    assert f"they lose more in none of {len(rows)} comparisons and less in {len(rows)}" in words
    first = study.answers.differences.index.get_loc(rows.index[0])
    mixed = np.ones(len(low))
    mixed[first] = np.nan
    some = with_differences(study, fellow_usd_low=mixed, fellow_usd_high=2 * mixed)
    assert protection_answer(some)[0].endswith("and 1 differ in too few events to tell.")


def test_the_largest_rise_is_told_with_its_events_and_its_remedy(study):
    rows = pooled(study)
    key = rows.index[-1]
    rise = np.where(study.answers.differences.index == key, 7e6, -1.0)
    even = study.answers.even.assign(factor=1.234, saved=0.25, supported=np.nan)
    one = with_differences(study, fellow_usd=rise)
    one = replace(one, answers=replace(one.answers, even=even))
    words = protection_answer(one)[1]
    assert words.startswith(f"Their loss rises most in '{key[1]}' under {key[0]}, by 7.00m, to ")
    row = study.answers.summary.loc[key]
    assert f"to {money(row['fellow_usd'])} USD a year ({int(row['fellow_events'])} event" in words
    assert "1.23 times as much, which still saves 25.0 % (estimates without a bound)" in words
    dear = replace(one, answers=replace(one.answers, even=even.assign(saved=-0.2)))
    assert "which asks 20.0 % more than silos (estimates" in protection_answer(dear)[1]
    none = replace(one, answers=replace(one.answers, even=even.assign(factor=np.inf)))
    assert "no multiplier that was tried brings it down" in protection_answer(none)[1]
    less = with_differences(study, fellow_usd=-1.0)
    assert protection_answer(less)[1].startswith("In no arrangement that saves margin is their")


def test_firms_fund_and_cover_are_told(study):
    words = protection_answer(study)[1]
    price = study.answers.price.xs("firms", level="bearer").loc[pooled(study).index]
    told = re.search(r"a million saved costs firms (\S+)(?: to (\S+))? USD a year", words)
    for text, end in zip(
        (told[1], told[2] or told[1]),
        (price["per_million"].min(), price["per_million"].max()),
        strict=True,
    ):
        assert float(text.replace(",", "")) == pytest.approx(end, rel=5.1e-3, abs=0.5)
    cover = study.answers.cover.xs("all houses", level="house").xs(2, level="cover")["size"]
    assert words.endswith(f"{money(cover.max())} USD.")
    times = study.answers.summary["fund_times"]
    assert ("never touched" in words) == (not times.any())


def test_without_silos_nothing_is_compared(study):
    alone = replace(
        study,
        answers=replace(
            study.answers, differences=pd.DataFrame(), even=pd.DataFrame(), price=pd.DataFrame()
        ),
    )
    first, second, last = protection_answer(alone)
    assert first.startswith("Nothing here pools margin and can be compared with silos")
    assert "cover-2 at 99.9 %" in second and "what a court would decide" in last


def test_titles_are_findings_of_the_figures_own_numbers(study):
    sections = {s.name: s for s in protection_exhibit(study).sections}
    bearers = sections["outcomes"].figure
    wide = bearers.data.pivot_table(
        index=["model", "arrangement"], columns="bearer", values="usd_a_year"
    )
    total = wide.sum(axis=1)
    fellow = [round(100 * end) for end in ((wide["fellow customers"] / total).agg(["min", "max"]))]
    assert bearers.caption.title.endswith(f"fellow customers {fellow[0]} to {fellow[1]} %")
    assert set(wide) == set(BEARERS) - {"accounts"}
    assert bearers_finding(0.0 * wide).startswith("Every account pays its own losses")

    points = sections["frontier"].figure.data.query("factor == 1.0")
    saved = points.query("arrangement != 'silos' and saved > 0.005")
    title = sections["frontier"].figure.caption.title
    assert title == frontier_finding(points)
    assert f"{100 * saved['saved'].max():.0f} %" in title
    assert f"{saved['extra'].min() / 1e6:+.2f}".replace("-", MINUS) in title
    none = frontier_finding(points.assign(saved=0.0))
    assert none == "No arrangement here saves margin against silos"

    days = days_with_loss(study)
    found = timeline_finding(study, days)
    assert f"on {days['date'].nunique()} day" in found
    assert f"of {len(study.protection.days):,} under" in found


def test_cover_is_compared_with_silos_of_the_same_model():
    rows = [
        {"model": model, "arrangement": name, "cover": 2, "size": size}
        for model, sizes in {"a": (5.0, 4.0, 6.0), "b": (9.0, 8.0, 8.0)}.items()
        for name, size in zip(("silos", "x", "y"), sizes, strict=True)
    ]
    words = cover_finding(pd.DataFrame(rows))
    assert words == (
        "Cover-2 is less than in silos for 3 of 4 pairs of model and arrangement, and more for 1"
    )
    less = pd.DataFrame(rows[:2] + rows[3:])
    assert (
        cover_finding(less)
        == "Cover-2 is less than in silos under every model and other arrangement"
    )
    assert cover_finding(pd.DataFrame(rows[:1]).assign(size=2e6)) == "Cover-2 is 2.00m USD"


def test_assumptions_say_whose_they_are(study):
    sections = {s.name: s for s in protection_exhibit(study).sections}
    (table,) = sections["assumptions"].tables
    terms = {name: [cell.text for cell in row] for name, (row,) in table.groups}
    assumed = study.rules.assumptions.model_dump()
    assert set(terms) == set(assumed)
    assert all(cells[0] == str(assumed[term]) for term, cells in terms.items())
    assert {cells[1] for cells in terms.values()} == {"assumed"}
    own = replace(study, rules=replace(study.rules, stated=("resources",)))
    sections = {s.name: s for s in protection_exhibit(own).sections}
    stated = {name: row[1].text for name, (row,) in sections["assumptions"].tables[0].groups}
    assert stated.pop("resources") == "the study's" and set(stated.values()) == {"assumed"}
    assert len(sections["limits"].sentences) >= 5
