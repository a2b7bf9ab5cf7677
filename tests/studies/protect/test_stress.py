"""Stress tests and limits of `backtest protect`: what is assumed stands behind firms too."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
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
    assert {"stress-losses", "reverse-stress", "risk-limits"} <= set(names)
    (first,) = (s for s in exhibit.sections if s.name == "stress-test")
    assert "times the firm's multiplier" in first.text and len(first.sentences) == 3
    folder = write_results(study, exhibit, tmp_path, command="backtest protect")
    stored = pd.read_csv(folder / "stress_limits.csv")
    assert set(stored["level"]) == {"account", "firm"}
    assert np.isfinite(stored.loc[stored["level"] == "firm", "value"]).all()
