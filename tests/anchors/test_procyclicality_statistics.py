"""The statistics that Glinz (2023) published: his to 13 digits, and by plain loops."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from backtest.anchors.procyclicality_statistics import (
    PERIODS,
    WITHOUT_PRICE,
    Margins,
    procyclicality_statistics,
    statistics,
)
from backtest.types import StudyError
from tests.support.places import PEER_DATA

KEYS = ["statistic", "variant", "period", "decay"]
ANCHORS = PEER_DATA / "anchors"
needs_anchors = pytest.mark.skipif(
    not ANCHORS.is_dir(), reason="no published numbers of others: their licences keep them out"
)


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(ANCHORS / f"{name}.csv")


@pytest.fixture(scope="module")
def made_up() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns on business days of his years, a spell of stress in 2008 and one in 2011."""
    days = pd.bdate_range("1998-06-23", "2023-01-06")
    wild = np.where(days.year == 2008, 2.5, 1.0) * 0.012
    returns = np.random.default_rng(15).standard_t(4, len(days)) * wild
    spells = [pd.date_range("2008-09-22", "2009-02-27"), pd.date_range("2011-08-01", "2011-09-30")]
    stress = pd.concat(
        pd.DataFrame({"DATE": spell, "CONF_LEVEL": 92.0, "LIQ_GROUP": "PEQ01", "GROUP": number})
        for number, spell in enumerate(spells, start=1)
    )
    return pd.DataFrame({"date": days, "log_return": returns}), stress


@needs_anchors
def test_every_published_statistic_is_met_to_thirteen_digits():
    published = read("apc_fesx_long_published")
    found = procyclicality_statistics(
        read("apc_fesx_returns"), read("apc_stress_days"), sorted(published["decay"].unique())
    )
    both = found.merge(published, on=KEYS, suffixes=("", "_published"), validate="one_to_one")
    assert len(both) == len(published) == len(found) == 3710
    assert_allclose(both["value"], both["value_published"], rtol=2e-13)


@needs_anchors
def test_the_short_position_is_met_too():
    # Of calculations_fesx_short.csv of the same repository, decay 0.9.
    printed = {
        ("n_breaches", "baseline", "all"): 10,
        ("avg_shortfall", "baseline", "all"): -0.010648233508114165,
        ("costs", "baseline", "all"): 0.07613189732840603,
        ("peak_to_through", "baseline", "all"): 6.895198992004146,
        ("max_30d", "baseline", "all"): 4.554391552893604,
        ("avg_ltm", "speed", "all"): 1.2315526108072141,
        ("costs", "floor", "all"): 0.08437543656607577,
        ("max_shortfall", "floor", "covid"): np.inf,
        ("avg_ltm", "floor", "covid"): np.nan,
        ("max_ltm", "buffer", "covid"): -np.inf,
        ("costs", "cap_floor", "financialcrisis"): 0.0905399053725749,
        ("peak_to_through", "buffer", "dotcom"): 2.781160439153955,
        ("N_observations", "speed_floor", "dotcom"): 512,
    }
    found = procyclicality_statistics(
        read("apc_fesx_returns"), read("apc_stress_days"), [0.9], side="short"
    ).set_index(KEYS[:3])["value"]
    assert_allclose([found[key] for key in printed], list(printed.values()), rtol=2e-13)


def test_each_variant_is_its_rule_in_plain_loops(made_up):
    returns, stress = made_up
    found = procyclicality_statistics(returns, stress, [0.96]).set_index(KEYS[:3])["value"]
    assert len(found) == 7 * (13 * len(PERIODS) + 1)
    costs = found["costs"]
    for period in PERIODS:
        mean = {variant: costs[variant, period] for variant in costs.index.get_level_values(0)}
        assert mean["cap"] <= mean["baseline"] <= mean["floor"]
        assert mean["speed"] <= mean["baseline"] <= mean["buffer"] <= 1.25 * mean["baseline"]
        assert mean["cap_floor"] <= mean["floor"] and mean["speed_floor"] <= mean["floor"]
    assert found["max_30d", "speed", "all"] <= found["max_30d", "baseline", "all"]
    days = returns["date"].between(*PERIODS["all"]).sum()
    left_out = np.isin(WITHOUT_PRICE, returns["date"].to_numpy().astype("datetime64[D]")).sum()
    assert found["N_observations", "baseline", "all"] == days - left_out - 3
    assert set(found["kpf"]) <= {0.0, 1.0}


def newest_first(margin, returns, step):
    """The statistics as the source computes them: rows from the newest to the oldest."""
    rows = list(zip(margin[::-1], returns[::-1], strict=True))
    pairs = [(m, rows[i - step][1]) for i, (m, _) in enumerate(rows) if i >= step]
    beyond = [(m, r) for m, r in pairs if m < -r]
    path = [m for m, _ in rows]
    return {
        "n_breaches": len(beyond),
        "N_observations": len(pairs),
        "avg_shortfall": np.mean([m + r for m, r in beyond]),
        "max_shortfall": min(m + r for m, r in beyond),
        "costs": np.mean(path),
        "peak_to_through": max(m / min(path[i:]) for i, m in enumerate(path)),
        "max_1d": max(path[i] / path[i + 1] for i in range(len(path) - 1)),
        "max_30d": max(path[i] / path[i + 20] for i in range(len(path) - 20)),
        "max_ltm": max(-r / m for m, r in beyond),
        "avg_ltm": np.mean([-r / m for m, r in beyond]),
    }


@pytest.mark.parametrize("seed", range(5))
def test_statistics_are_those_of_rows_newest_first(seed):
    rng = np.random.default_rng(seed)
    days = np.arange("2020-01-01", "2020-12-31", dtype="datetime64[D]")
    margin = 0.05 * np.exp(np.cumsum(rng.normal(0, 0.05, len(days))))
    returns = rng.standard_t(3, len(days)) * 0.03
    found = statistics(Margins(days, margin, returns), 3)
    wanted = newest_first(margin, returns, 3)
    assert_allclose([found[key] for key in wanted], list(wanted.values()), rtol=1e-12)
    assert found["conf_level"] == 1 - found["perc_breaches"]


def test_input_that_cannot_be_answered_is_refused_in_a_line(made_up):
    returns, stress = made_up
    with pytest.raises(StudyError, match=r"'PFI01'; known: PEQ01"):
        procyclicality_statistics(returns, stress, [0.9], group="PFI01")
    with pytest.raises(StudyError, match="spell 1, have gaps"):
        procyclicality_statistics(returns, stress.iloc[[0, 1, 3]], [0.9])
    with pytest.raises(StudyError, match="from 1998 to 2022"):
        procyclicality_statistics(returns.iloc[1000:], stress, [0.9])
    with pytest.raises(StudyError, match="no stress day of PEQ01 has a return"):
        procyclicality_statistics(returns.iloc[:500], stress, [0.9])
    with pytest.raises(StudyError, match="side is 'both'; known: long, short"):
        procyclicality_statistics(returns, stress, [0.9], side="both")
    with pytest.raises(StudyError, match="returns has no column 'log_return'"):
        procyclicality_statistics(returns[["date"]], stress, [0.9])
