"""Stress tests and limits of `backtest protect`: what is assumed stands behind firms too."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.clearing.ledger import BEARERS
from backtest.stress import StressPlan
from backtest.studies.protect.arranged import ArrangedStress
from backtest.studies.protect.arranged_sections import arranged_sections
from backtest.studies.protect.figures.layers import far_words
from backtest.studies.protect.page import protection_exhibit
from backtest.studies.protect.store import write_results
from backtest.studies.protect.study import study_protection
from tests.support.commands import quiet
from tests.support.structures import STRESS, STRUCTURE, write_structured

ASSUMED = "assumptions = { multiplier = 1.5, resources = 0.25 }\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose firm asks half as much again, of customers with resources that are assumed."""
    place = tmp_path_factory.mktemp("protect")
    structure = STRUCTURE.replace("draws = 20\n", "draws = 20\n" + ASSUMED)
    file = write_structured(place, structure=structure + STRESS)
    return study_protection(file, data=None, seed=None, progress=quiet)


def test_margins_are_those_of_run_times_what_the_firm_asks(study):
    """A firm's own account is not asked for more than the houses ask."""
    done = bt.run(
        study.protection.margined.market,
        study.protection.book,
        {"siloed": st.Siloed(base=st.HistoricalVaR(lookback=60))},
        audit=False,
    )
    asked = done.required["siloed"].iloc[-1]
    margins = study.stress.margins.set_index(["model", "portfolio"])["margin"]["siloed"]
    times = {"long both": 1.5, "hedged": 1.5, "coin": 1.0}
    for name, multiplier in times.items():
        assert margins[name] == pytest.approx(multiplier * asked[name], rel=1e-12)


def test_firms_have_the_capital_and_the_funds_that_are_assumed(study):
    setting = next(iter(study.protection.settings.values()))
    firms, houses = setting.kernel_firms(), setting.kernel_houses()
    reverse = study.stress.reverse
    firm = reverse[(reverse["level"] == "firm") & (reverse["model"] == "var")]
    joint = firm[firm["direction"] == "joint"].set_index("layer")
    own = float(firms.contribution.sum())
    assert joint.loc["capital", "loss"] == pytest.approx(1e5, rel=1e-6)
    assert joint.loc["the firm's contributions", "loss"] == pytest.approx(1e5 + own, rel=1e-6)
    funds = float((houses.capital + houses.fund).sum())
    last = joint.loc["the funds of its houses"]
    assert not last["reached"] or last["loss"] == pytest.approx(1e5 + own + funds, rel=1e-6)
    resources = reverse[reverse["layer"] == "margin and resources"]["name"].unique().tolist()
    assert resources == ["hedged"]  # of 'long both' the study says that it has none


def test_the_page_shows_them_and_the_folder_holds_the_tables(study, tmp_path):
    exhibit = protection_exhibit(study)
    names = [section.name for section in exhibit.sections]
    arranged = {"stress_who_pays", "reverse_by_arrangement", "account_reverse"}
    assert {"stress-losses", "reverse-stress", "risk-limits"} | arranged <= set(names)
    (first,) = (s for s in exhibit.sections if s.name == "stress-test")
    assert "times the firm's multiplier" in first.text and len(first.sentences) == 3
    folder = write_results(study, exhibit, tmp_path, command="backtest protect")
    for name in arranged:
        assert (folder / f"{name}.csv").is_file()
    stored = pd.read_csv(folder / "stress_limits.csv")
    assert set(stored["level"]) == {"account", "firm"}
    assert np.isfinite(stored.loc[stored["level"] == "firm", "value"]).all()


def test_every_arrangement_has_who_pays_in_each_scenario_of_the_losses(study):
    """What accounts lose at each house is that of the table of losses, which knows no firms."""
    table, losses = study.arranged.scenarios, study.stress.losses
    assert set(table.index.unique("arrangement")) == set(study.protection.settings)
    hypothetical = losses[losses["kind"] == "hypothetical"]
    by_house = hypothetical.groupby("scenario")[["loss at FICC", "loss at CME"]].sum()
    for name, row in by_house.iterrows():
        for house in ("FICC", "CME"):
            lost = table.xs((name, house), level=("scenario", "house"))["loss"].to_numpy()
            assert lost == pytest.approx(row[f"loss at {house}"], rel=1e-9)
    assert (table[list(BEARERS)].sum(axis=1) - table["loss"]).abs().max() < 0.01


def test_a_silo_alone_and_a_pool_of_one_account_are_told_apart(study):
    """The move of the pooled account is that of the whole account but for calls not settled yet."""
    accounts = study.arranged.accounts.xs("joint", level="direction")["distance"]
    posted = study.arranged.accounts.xs("joint", level="direction")["margin"]
    margins = study.stress.margins.set_index(["model", "portfolio"])["margin"]
    reverse = study.stress.reverse.set_index(["level", "name", "model", "layer", "direction"])
    pooled = accounts["var", "customers gross, segregated", "hedged", "margin"]
    whole = reverse.loc[("account", "hedged", "var", "margin", "joint"), "multiple"]
    settled = posted["var", "customers gross, segregated", "hedged", "margin"]
    share = settled / margins["var", "hedged"]
    assert share != 1.0 and pooled == pytest.approx(share * whole, rel=1e-3)
    assert accounts["var", "silos", "hedged", "margin"] != pytest.approx(whole, rel=1e-2)


def test_what_the_sections_say_is_in_their_tables(study):
    sections = {section.name: section for section in protection_exhibit(study).sections}
    arranged = study.arranged
    (who_pays,) = sections["stress_who_pays"].sentences
    fellow = arranged.shown["fellow customers"]
    if fellow.max() > 0.01:
        assert f"'{fellow.groupby('scenario').max().idxmax()}'" in who_pays
    else:
        assert who_pays == "In no scenario do fellow customers lose anything."
    nearest = arranged.nearest()
    assert list(nearest.index) == list(study.protection.settings)
    (said,) = sections["reverse_by_arrangement"].sentences
    fund = nearest["the mutual fund pays"]
    far = f"the mutual fund pays {far_words(fund)}" if fund.notna().any() else "after no move"
    assert far in said
    (table,) = sections["reverse_by_arrangement"].tables
    shown = [row[0].text for _, (row,) in table.groups]
    assert shown == [f"{x:.2f}" for x in nearest["a margin is used up"]]
    assert (nearest.diff(axis=1).iloc[:, 1] >= -1e-9).all()  # a margin goes before a firm


def test_without_directions_scenarios_alone_are_shown(study):
    last = len(study.protection.margined.market.dates) - 1
    again = ArrangedStress.of(study.protection, StressPlan(last, directions=()), quiet)
    names = [section.name for section in arranged_sections(again, "", simulated=True)]
    assert names == ["stress_who_pays"] and again.reverse.empty
