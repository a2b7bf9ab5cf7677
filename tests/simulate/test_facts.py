"""Facts of a history by plain loops, with ties, constants, one factor and too few days."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.testing import assert_allclose

import backtest as bt
from backtest.simulate.diagnostics import fact_values, history_facts
from tests.support.worlds import market_of, only


def facts_by_name(market):
    return {
        (fact.name, subject): value
        for fact in history_facts(market)
        for subject, value in zip(fact.subjects, fact.values, strict=True)
    }


def loops(shocks, levels, kind):
    """Facts of one factor; shocks and levels are lists."""
    n, mean = len(shocks), sum(shocks) / len(shocks)
    sd = math.sqrt(sum((x - mean) ** 2 for x in shocks) / n)
    found = {"mean": mean, "sd": sd}
    found["skew"], found["excess kurtosis"] = scipy.stats.skew(shocks), scipy.stats.kurtosis(shocks)
    for share in (0.1, 1, 99, 99.9):
        found[f"{share:g} % quantile"] = np.quantile(shocks, share / 100)
    tail = math.ceil(round(0.05 * n, 9))
    for name, sign in (("falls", -1), ("rises", 1)):
        ordered = sorted((sign * x for x in shocks), reverse=True)
        if ordered[tail] > 0 and ordered[0] > ordered[tail]:
            mean_log = sum(math.log(x / ordered[tail]) for x in ordered[:tail]) / tail
            found[f"Hill index of {name}"] = 1 / mean_log
    for lag in (1, 5, 20, 60):
        found[f"autocorrelation of |x|, lag {lag}"] = acf([abs(x) for x in shocks], lag)
    found["autocorrelation of x, lag 1"] = acf(shocks, 1)
    move = (lambda a, b: b / a - 1) if kind == "p" else (lambda a, b: b - a)
    if n + 1 > 20:
        month = [move(levels[t], levels[t + 20]) for t in range(n + 1 - 20)]
        found["worst fall in 20 days"], found["largest rise in 20 days"] = min(month), max(month)
    peak, trough, run, longest, fall, rise = levels[0], levels[0], 0, 0, 0.0, 0.0
    for level in levels:
        peak, trough = max(peak, level), min(trough, level)
        run = run + 1 if level < peak else 0
        longest, fall = max(longest, run), min(fall, level / peak - 1)
        rise = max(rise, level - trough)
    if kind == "p":
        found |= {"deepest fall from a peak": fall, "longest time below a peak, days": longest}
    else:
        found["largest rise from a trough"] = rise
    return found


def acf(x, lag):
    mean = sum(x) / len(x)
    over = sum((x[t] - mean) * (x[t + lag] - mean) for t in range(len(x) - lag))
    return over / sum((value - mean) ** 2 for value in x)


def pair_loops(x, y):
    n, found = len(x), {}
    found["correlation of x"] = np.corrcoef(x, y)[0, 1]
    found["correlation of |x|"] = np.corrcoef(np.abs(x), np.abs(y))[0, 1]
    mx, my, scale = np.mean(x), np.mean(y), n * np.std(x) * np.std(y)
    for lag in (*range(-5, 0), *range(1, 6)):
        days = [t for t in range(n) if 0 <= t + lag < n]
        over = sum((x[t] - mx) * (y[t + lag] - my) for t in days)
        found[f"correlation of x, lag {lag:+d}"] = over / scale
    tails = {}
    for name, values in (("x", x), ("y", y)):
        low, high = np.quantile(values, [0.05, 0.95])
        tails[name, "fall"] = {t for t in range(n) if values[t] < low}
        tails[name, "rise"] = {t for t in range(n) if values[t] > high}
        edge = np.quantile(np.abs(values), 0.95)
        tails[name, "far"] = {t for t in range(n) if abs(values[t]) > edge}
    for one in ("fall", "rise"):
        for other in ("fall", "rise"):
            first, second = tails["x", one], tails["y", other]
            if first or second:
                share = 2 * len(first & second) / (len(first) + len(second))
                found[f"{one} with {other}"] = share
    days = sorted(tails["x", "far"] | tails["y", "far"])
    if len(days) > 2:
        found["tail correlation"] = np.corrcoef(np.array(x)[days], np.array(y)[days])[0, 1]
    return found


@pytest.mark.parametrize(("seed", "days"), [(0, 40), (1, 90), (2, 300), (3, 301)])
def test_facts_equal_plain_loops(seed, days):
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(3, (days, 4)) * [0.02, 0.03, 5e-4, 6e-4]
    shocks[:, 1] = 0.5 * shocks[:, 0] + 0.5 * shocks[:, 1]
    shocks[:, 2:] = np.round(shocks[:, 2:], 4)  # whole basis points: ties at every quantile
    market = market_of(np.clip(shocks, -0.5, None), "ppyy")
    found = facts_by_name(market)
    moves = np.round(market.shocks(1)[1:], 12)
    expected = {}
    for j, kind in enumerate("ppyy"):
        alone = loops(moves[:, j].tolist(), market.levels[:, j].tolist(), kind)
        expected |= {(name, f"F{j}"): value for name, value in alone.items() if "60" not in name}
        if days > 60:
            expected |= {(n, f"F{j}"): value for n, value in alone.items() if "60" in n}
    for i, j in combinations(range(4), 2):
        pair = pair_loops(moves[:, i], moves[:, j])
        expected |= {(name, f"F{i}, F{j}"): value for name, value in pair.items()}
    assert {key for key, value in found.items() if not np.isnan(value)} == set(expected)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-9, abs=1e-11), key


def test_yields_in_whole_basis_points_are_tied_whatever_their_level_was():
    """The same moves from two levels: their differences round in another way."""
    rng = np.random.default_rng(5)
    shocks = np.round(rng.normal(0, 5e-4, (400, 2)), 4)
    low, high = market_of(shocks, "yy"), market_of(shocks, "yy")
    other = bt.Market(high.dates, high.factors, high.levels + 0.0513, high.kinds)
    assert_allclose(fact_values(low), fact_values(other), rtol=1e-9, atol=1e-12)
    assert (low.shocks(1)[1:] != other.shocks(1)[1:]).any()


def test_one_factor_has_no_pairs_and_a_still_one_no_shape(small_market):
    alone = facts_by_name(only(small_market, "BTC"))
    assert {subject for _, subject in alone} == {"BTC"}
    frame = small_market.to_frame().assign(ETH=1.0)
    still = facts_by_name(bt.Market.from_frame(frame))
    unknown = {name for (name, of), value in still.items() if of == "ETH" and np.isnan(value)}
    assert {"skew", "excess kurtosis", "autocorrelation of |x|, lag 1"} <= unknown
    assert still["sd", "ETH"] == 0.0 and still["longest time below a peak, days", "ETH"] == 0.0
    assert np.isnan(still["correlation of x", "BTC, ETH"])
    assert np.isnan(still["fall with fall", "BTC, ETH"]) == False  # noqa: E712  BTC has falls
    rest = [v for (_, of), v in facts_by_name(small_market).items() if "ETH" not in of]
    assert [v for (_, of), v in still.items() if "ETH" not in of] == rest


def test_a_lag_says_who_leads():
    rng = np.random.default_rng(6)
    first = rng.normal(0, 0.02, 3000)
    second = np.append([0.0, 0.0], first[:-2]) + rng.normal(0, 0.005, 3000)
    found = facts_by_name(market_of(np.column_stack([first, second]), "pp"))
    assert found["correlation of x, lag +2", "F0, F1"] > 0.9
    assert abs(found["correlation of x, lag -2", "F0, F1"]) < 0.06


def test_known_laws_have_the_values_that_theory_gives():
    rng = np.random.default_rng(7)
    rho, days = 0.5, 400_000
    normal = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], days)
    found = facts_by_name(market_of(np.column_stack([normal * 1e-4]), "yy"))
    # A bivariate normal: both beyond their 5 % quantiles, over 5 %.
    cut = scipy.stats.norm.ppf(0.05)
    both = scipy.stats.multivariate_normal.cdf([cut, cut], cov=[[1, rho], [rho, 1]]) / 0.05
    assert found["fall with fall", "F0, F1"] == pytest.approx(both, abs=0.01)
    opposite = scipy.stats.multivariate_normal.cdf([cut, cut], cov=[[1, -rho], [-rho, 1]]) / 0.05
    assert found["fall with rise", "F0, F1"] == pytest.approx(opposite, abs=0.003)
    # |x| of a bivariate normal: (sqrt(1 - r^2) + r arcsin r - 1) / (pi / 2 - 1).
    size = (math.sqrt(1 - rho**2) + rho * math.asin(rho) - 1) / (math.pi / 2 - 1)
    assert found["correlation of |x|", "F0, F1"] == pytest.approx(size, abs=0.006)
    # An exact Pareto tail of index 3, beyond the 5 % from which it is estimated.
    pareto = rng.pareto(3.0, days) + 1.0
    heavy = facts_by_name(market_of((pareto * rng.choice([-1, 1], days) * 1e-5)[:, None], "y"))
    assert heavy["Hill index of rises", "F0"] == pytest.approx(3.0, abs=0.08)
    assert heavy["Hill index of falls", "F0"] == pytest.approx(3.0, abs=0.08)


def test_every_fact_of_the_issue_is_there(small_market):
    rows = pd.DataFrame(
        [(f.family, f.name, len(f.subjects)) for f in history_facts(small_market)],
        columns=["family", "name", "subjects"],
    )
    assert rows["name"].is_unique
    assert rows.groupby("family", sort=False)["subjects"].sum().to_dict() == {
        "moments": 4 * 7, "tails": 6 * 7, "clustering": 5 * 7, "long moves": 2 * 2 + 5 + 2 * 7,
        "correlation": 2 * 21, "lead and lag": 10 * 21, "joint tails": 5 * 21,
    }  # fmt: skip
