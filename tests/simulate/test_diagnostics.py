"""What is called kept and lost, and how often by chance: of laws that are known."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import backtest as bt
from backtest import simulate
from backtest.simulate import Paths
from backtest.simulate.diagnostics import diagnose, drawn_facts, fact_values, judged
from backtest.simulate.own_losses import own_losses
from backtest.types import DataError, StudyError
from tests.support.places import ROOT
from tests.support.worlds import BLOCKS, EXAMPLES, market_of


class Law:
    """A law that is given, not fitted: two coins and a yield, correlated, Student or normal."""

    def __init__(self, freedom: float | None = None) -> None:
        self.freedom = freedom

    def sampler(self, market):
        days = len(market.dates) - 1

        def draw(rng):
            z = rng.standard_normal((days, 3))
            z[:, 1] = 0.6 * z[:, 0] + 0.8 * z[:, 1]
            if self.freedom is not None:
                z *= np.sqrt(self.freedom / rng.chisquare(self.freedom, (days, 1)))
            return np.clip(z * [0.03, 0.04, 5e-4], -0.9, None)

        return draw


def of_law(law: Law, seed: int, days: int = 600):
    """A history of the law."""
    empty = market_of(np.zeros((days, 3)), "ppy")
    return market_of(law.sampler(empty)(np.random.default_rng([99, seed])), "ppy")


def test_history_is_kept_by_itself_whatever_its_prices_round_to(small_market):
    found = diagnose(simulate.History(), small_market, paths=19)
    assert (found.facts["kept"] == 1.0).all() and (found.facts["rank"] == 0.5).all()
    assert found.lost.sum() == 0 and found.known.sum() == len(found.facts)
    assert found.range_acted == 0.0


def test_the_band_of_19_paths_is_all_of_them_and_ranks_are_counted_by_loops(small_market):
    drawn = Paths.of(BLOCKS, small_market, seed=4)
    paths = np.array([fact_values(drawn.path(i)) for i in range(19)])
    data = fact_values(small_market)
    facts = diagnose(BLOCKS, small_market, paths=19, seed=4).facts
    assert_array_equal(facts["low"], paths.min(axis=0))
    assert_array_equal(facts["high"], paths.max(axis=0))
    assert_array_equal(facts["data"], data)
    for row, value in enumerate(data):
        near = 1e-9 * max(abs(value), np.abs(paths[:, row]).mean())
        below = sum(path < value - near for path in paths[:, row])
        equal = sum(abs(path - value) <= near for path in paths[:, row])
        assert facts["rank"].iloc[row] == pytest.approx((below + equal / 2) / 19)
        inside = paths[:, row].min() - near <= value <= paths[:, row].max() + near
        assert facts["kept"].iloc[row] == inside


def test_neither_workers_nor_blocks_change_a_number(small_market):
    one = diagnose(BLOCKS, small_market, paths=60, seed=1)
    two = diagnose(BLOCKS, small_market, paths=60, seed=1, n_jobs=2)
    pd.testing.assert_frame_equal(one.facts, two.facts, check_exact=True)
    alone, _ = drawn_facts(Paths.of(BLOCKS, small_market, seed=1), range(60))
    last, _ = drawn_facts(Paths.of(BLOCKS, small_market, seed=1), range(59, 60))
    assert_array_equal(alone[59:], last)
    own = [own_losses(BLOCKS, small_market, histories=3, paths=19, n_jobs=n) for n in (1, 2)]
    pd.testing.assert_frame_equal(*own)


def test_a_law_that_is_right_loses_a_tenth_of_the_facts_and_a_wrong_one_loses_more():
    right, wrong = [], []
    facts, _ = drawn_facts(Paths.of(Law(), of_law(Law(), 0), seed=0), range(59))
    for seed in range(60):
        right.append(1.0 - judged(of_law(Law(), seed), facts)["kept"].mean())
        table = judged(of_law(Law(3.0), seed), facts)
        wrong.append(1.0 - table["kept"].groupby("family").mean())
    assert np.mean(right) == pytest.approx(0.10, abs=0.02)
    lost = pd.DataFrame(wrong).mean()
    assert lost["tails"] > 0.5 and lost["moments"] > 0.25


def test_a_given_law_loses_a_tenth_of_its_own_histories_too():
    own = own_losses(Law(), of_law(Law(), 0), histories=40, paths=39)
    shares = own["lost"].sum(axis=1) / own["known"].sum(axis=1)
    assert shares.mean() == pytest.approx(0.10, abs=0.03)
    assert len(own) == 40 and (own["known"].sum(axis=1) == len(fact_values(of_law(Law(), 0)))).all()


def test_what_the_data_do_not_determine_is_neither_kept_nor_lost(small_market):
    still = bt.Market.from_frame(small_market.to_frame().assign(ETH=1.0))
    found = diagnose(simulate.History(), still, paths=19)
    row = found.facts.loc[("moments", "skew", "ETH")]
    assert np.isnan(row["kept"]) and np.isnan(row["rank"]) and np.isnan(row["data"])
    assert found.known["moments"] == 4 * 7 - 2


def test_a_stress_loses_what_it_stresses_and_keeps_the_rest(small_market):
    shaken = simulate.VolatilityScaling(prices=3.0, base=BLOCKS)
    facts = diagnose(shaken, small_market, paths=40).facts
    sd = facts.xs("sd", level="fact")["kept"].droplevel("family")
    assert sd[["BTC", "ETH"]].tolist() == [0, 0] and sd[["2Y", "10Y"]].tolist() == [1, 1]
    tied = diagnose(simulate.TiedPrices(cross=0.6, base=BLOCKS), small_market, paths=40).facts
    pairs = tied.xs("correlation of x", level="fact")["kept"].droplevel("family")
    assert pairs[["2Y, BTC", "10Y, ETH"]].tolist() == [0, 0] and pairs["2Y, 10Y"] == 1


def test_what_cannot_be_compared_is_refused(small_market):
    with pytest.raises(StudyError, match="paths is 18; give 19 or more"):
        diagnose(BLOCKS, small_market, paths=18)
    with pytest.raises(StudyError, match=r"draws 560 days and the data have 260"):
        diagnose(EXAMPLES["spliced"], small_market, paths=19)
    with pytest.raises(StudyError, match="histories is 0; give 1 or more"):
        own_losses(BLOCKS, small_market, histories=0)


class Once(Law):
    """Can be fitted to the data, and to nothing that it draws."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error = error

    def sampler(self, market):
        if market.simulated:
            raise self.error("no such thing twice.")
        return super().sampler(market)


@pytest.mark.parametrize("error", [DataError, StudyError])  # StudyError: no jump in a history
def test_histories_that_cannot_be_fitted_are_left_out_or_said(error):
    with pytest.raises(DataError, match="none of its own histories: no such thing twice"):
        own_losses(Once(error), of_law(Law(), 0), histories=2, paths=19)


def test_no_history_is_judged_against_its_own_random_stream():
    """Histories and the paths beside them have numbers of their own."""
    asked = []

    class Numbers(Law):
        def sampler(self, market):
            draw = super().sampler(market)

            def noted(rng):
                asked.append(rng.bit_generator.seed_seq.spawn_key)
                return draw(rng)

            return noted

    own_losses(Numbers(), of_law(Law(), 0), histories=3, paths=19, first=200)
    assert len(asked) == 3 * 20 == len(set(asked)) and min(asked) == (200,)


PAGE = (ROOT / "docs" / "simulators.md").read_text(encoding="utf-8")
OWN = {
    kind: float(share) / 100
    for kind, share in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|$", PAGE, re.MULTILINE)
}


def test_the_page_has_the_rates_of_all_kinds_of_fit():
    assert {"stationary_bootstrap", "garch_t", "t_copula"} <= set(OWN) and max(OWN.values()) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", OWN)
def test_the_share_that_a_simulator_loses_of_its_own_histories(kind):
    """The false alarms that the page prints: at most a tenth where the law is right and fitted."""
    market = bt.load_market("sample")
    own = own_losses(simulate.SIMULATORS[kind](), market, histories=19, seed=3)
    share = (own["lost"].sum(axis=1) / own["known"].sum(axis=1)).mean()
    print(f"{kind} loses {share:.1%} of the facts of its own histories")
    assert share == pytest.approx(OWN[kind], abs=0.005)
