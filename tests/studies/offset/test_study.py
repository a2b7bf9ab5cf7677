"""Bounds, stresses, specifications, granted credit, and the settings that just cover."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.data.clocks import around_the_clock
from backtest.offset import (
    granted_and_supported,
    just_covering,
    specification_curve,
    stressed_ladder,
)
from backtest.offset.bounds import (
    bound_reduction,
    pass_probability,
    resampled_totals,
    weighted_totals,
)
from backtest.offset.history import SiloHistory, silo_shifts
from backtest.offset.stress import _known_from, without
from backtest.parameters.files import load_parameters, moved
from backtest.parameters.in_force import version_on
from backtest.parameters.ranges import with_term
from backtest.scores.resample import day_weights, stationary_indices
from backtest.studies.offset.page import offset_exhibit
from tests.support import by_hand
from tests.support.markets import random_market
from tests.support.presented import offset_study

COVERAGE = bt.Coverage(confidence=0.95)
BASE = st.HistoricalVaR(lookback=60)


def made_history(days=400, seed=0, silos=2):
    rng = np.random.default_rng(seed)
    return SiloHistory(
        silos=tuple("ABC"[:silos]),
        dates=np.datetime64("2020-01-01") + np.arange(days),
        loss=rng.standard_t(4, (silos, days)),
        margin=rng.uniform(1.5, 2.5, (silos, days)),
        confidence=0.95,
        mpor=1,
    )


@pytest.fixture(scope="module")
def market():
    return random_market(700, seed=4, start="2020-01-01")


@pytest.fixture(scope="module")
def book(market):
    frame = pd.DataFrame({"UST10Y": [1e8, -1e8], "BTC": [1e7, 1e7]}, index=["long", "short"])
    return bt.Book.from_frame(frame, market)


def test_bounds_are_the_percentile_and_the_drift_below_the_estimate():
    """Every resample once more, days of both silos together, and the drift by plain numpy."""
    history = made_history(days=260)
    point = history.reduction(silo_shifts(260, 2))
    bounds = bound_reduction(history, point, resamples=40)
    total = []
    for days in stationary_indices(260, resamples=40, block=20, seed=0):
        loss, margin = history.loss[:, days], history.margin[:, days]
        kappa = [by_hand.equal_coverage(loss[i], margin[i], 0.95) for i in range(2)]
        scaled = kappa[0] * margin[0] + kappa[1] * margin[1]
        total.append(1 - by_hand.equal_coverage(loss.sum(axis=0), scaled, 0.95))
    np.testing.assert_allclose(resampled_totals(history, resamples=40), total)
    percentile = np.quantile(total, 0.05)
    assert bounds.percentile == pytest.approx(percentile)
    drift = by_hand.drift_deviation(history.loss, history.margin, 0.95)
    assert bounds.drift == pytest.approx(drift, rel=1e-3)
    allowance = np.hypot(point.total - percentile, 1.6448536 * (1 - point.total) * bounds.drift)
    assert bounds.total == pytest.approx(max(point.total - allowance, min(0, percentile)))
    assert point.dependence - bounds.dependence == pytest.approx(point.total - bounds.total)


def test_the_bound_of_the_total_stops_at_nothing_saved():
    history = made_history(days=200)
    point = history.reduction(silo_shifts(200, 2))
    doubtful = bound_reduction(history, point, confidence=0.9999, resamples=40)
    assert doubtful.percentile > 0.0 == doubtful.total
    assert doubtful.dependence == pytest.approx(-point.diversification)


def test_another_set_of_draws_moves_a_bound_by_less_than_a_point():
    """Bounds take no seed and are printed to whole per cent: this is how far other draws go."""
    history = made_history(days=1000)
    total = []
    for seed in range(5):
        days = stationary_indices(1000, resamples=4000, block=20, seed=1000 + seed)
        draws = weighted_totals(history, day_weights(days).astype(np.uint8))
        total.append(np.quantile(draws, 0.05))
    fixed = np.quantile(resampled_totals(history), 0.05)
    assert np.abs(np.array(total) - fixed).max() < 0.01


def test_three_silos_resample_as_by_hand():
    history = made_history(days=800, silos=3)
    total = resampled_totals(history, resamples=10)
    for b, days in enumerate(stationary_indices(800, resamples=10, block=20, seed=0)):
        loss, margin = history.loss[:, days], history.margin[:, days]
        kappa = np.array([by_hand.equal_coverage(loss[i], margin[i], 0.95) for i in range(3)])
        scaled = (kappa[:, None] * margin).sum(axis=0)
        assert total[b] == pytest.approx(1 - by_hand.equal_coverage(loss.sum(axis=0), scaled, 0.95))


def test_resamples_without_a_scale_are_dropped_and_counted():
    history = made_history(days=200)
    loss = history.loss.copy()
    loss[1] = -1.0
    loss[1, :11] = 5.0  # one day more than allowed: some resamples draw too few of them
    part = replace(history, loss=loss)
    bounds = bound_reduction(part, part.reduction(silo_shifts(200, 2)), resamples=60)
    dropped = int(np.isnan(resampled_totals(part, resamples=60)).sum())
    assert 0 < bounds.dropped < 60 and dropped == bounds.dropped
    assert np.isfinite(bounds.total)


def test_about_half_of_histories_pass_at_the_estimate_and_more_with_less_reduction():
    history = made_history(days=1000)
    point = history.reduction(silo_shifts(1000, 2))
    at = [pass_probability(history, point.total + d) for d in (-0.2, 0.0, 0.2)]
    assert at[0] > at[1] > at[2] and 0.35 < at[1] < 0.75


def test_the_worst_window_is_the_smallest_of_every_window():
    history = made_history(days=130)
    every = []
    for start in range(31):
        loss = history.loss[:, start : start + 100]
        margin = history.margin[:, start : start + 100]
        kappa = [by_hand.equal_coverage(loss[i], margin[i], 0.95) for i in range(2)]
        pooled = kappa[0] * margin[0] + kappa[1] * margin[1]
        every.append(1 - by_hand.equal_coverage(loss.sum(axis=0), pooled, 0.95))
    assert history.worst_window(100) == pytest.approx(min(every))
    assert np.isnan(history.worst_window(131))


def test_effective_number_divides_by_the_clustering_of_exceedances():
    history = made_history(days=900)
    point = history.reduction(silo_shifts(900, 2))
    x = point.exceeded.astype(float)
    assert x.sum() == 45  # strict: the day that sets the scale is not beyond it
    gap, n = x - x.mean(), len(x)
    rho = np.array([(gap * np.roll(gap, i)).sum() for i in range(1, n)]) / (gap**2).sum()
    i = np.arange(1, n)
    inflation = 1 + 2 * ((1 - i / n) * 0.95**i * rho).sum()
    assert point.effective == pytest.approx(45 / inflation, rel=1e-9)


def test_three_silos_are_bounded_too():
    history = made_history(days=900, silos=3)
    point = history.reduction(silo_shifts(900, 3))
    bounds = bound_reduction(history, point, resamples=15)
    assert bounds.total < point.total and bounds.dropped == 0


def test_supportable_offset_bounds_only_what_is_asked_for(market, book):
    frame = bt.supportable_offset(
        market, book, base=BASE, coverage=COVERAGE, bounds=["short"], resamples=30
    ).to_frame()
    assert np.isnan(frame.loc["long", "total_bound"])
    assert frame.loc["short", "total_bound"] < frame.loc["short", "total"]
    assert {"total", "diversification", "dependence", "total_bound", "dependence_bound", "raw",
            "exceedances", "effective", "worst_500", "kappa_FICC", "kappa_CME", "usd_FICC",
            "usd_CME"} <= set(frame.columns)  # fmt: skip


def test_workers_do_not_change_the_ladder(market, book):
    one, two = (
        bt.supportable_offset(
            market, book, base=BASE, coverage=COVERAGE, resamples=30, n_jobs=n
        ).to_frame()
        for n in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)


@pytest.fixture(scope="module")
def stressed(market, book):
    return stressed_ladder(
        market, book, base=BASE, coverage=COVERAGE, resamples=20, longer_mpor=(5,)
    )


def test_stressed_correlation_moves_the_offset_the_right_way(stressed):
    dependence = stressed["dependence"].astype(float).unstack("stress")  # noqa: PD010
    # Prices that rise with yields hedge long bonds and add to short ones.
    assert dependence.loc["long", "correlation +0.5"] > dependence.loc["long", "correlation 0"]
    assert dependence.loc["long", "correlation -0.5"] < dependence.loc["long", "correlation 0"]
    assert dependence.loc["short", "correlation +0.5"] < dependence.loc["short", "correlation 0"]
    worst = dependence[["correlation +0.5", "correlation -0.5"]].min(axis=1)
    pd.testing.assert_series_equal(dependence["correlation worst"], worst, check_names=False)


def test_a_correlation_with_prices_moves_no_book_of_bonds_alone(market):
    bonds = bt.Book.from_frame(
        pd.DataFrame({"UST10Y": [1e8], "UST5Y@CME": [-2e8]}, index=["control"]), market
    )
    table = stressed_ladder(
        market, bonds, base=BASE, coverage=COVERAGE, resamples=20, longer_mpor=()
    )
    rows = table.xs("control", level="portfolio").astype(float)
    for sign in ("0", "+0.5", "-0.5"):
        pd.testing.assert_series_equal(
            rows.loc[f"correlation {sign}"], rows.loc["as observed"], check_names=False
        )


def test_a_correlation_with_yields_moves_no_book_that_no_yield_moves(market):
    frame = pd.DataFrame(
        {"BTC": [1e7, 1e7], "ETH@OCC": [-1e7, 0.0], "UST10Y": [0.0, 1e8]}, index=["coins", "pool"]
    )
    book = bt.Book.from_frame(frame, market)
    table = stressed_ladder(
        market, book, base=BASE, coverage=COVERAGE, resamples=20, longer_mpor=()
    ).astype(float)
    coins, pool = (table.xs(name, level="portfolio") for name in ("coins", "pool"))
    for stress in ("0", "+0.5", "-0.5", "worst"):
        moved = coins.loc[f"correlation {stress}"] - coins.loc["as observed"]
        assert (moved == 0.0).all()
        assert pool.loc[f"correlation {stress}", "total"] != pool.loc["as observed", "total"]


def test_the_page_tells_how_far_a_correlation_moved_the_diversification():
    study = offset_study()
    (text,) = (s.text for s in offset_exhibit(study).sections if s.name == "stressed_ladder")
    told = re.search(r"differs from that as observed by (\S+) % to (\S+) % of", text)
    shares = study.stresses["diversification"].astype(float).unstack("stress")  # noqa: PD010
    moved = shares.filter(like="correlation").sub(shares["as observed"], axis=0) * 100
    ends = [float(end.replace("\N{MINUS SIGN}", "-")) for end in told.groups()]
    assert ends == pytest.approx([moved.min().min(), moved.max().max()], abs=0.051)


def test_tables_of_the_offset_state_their_own_days():
    study = offset_study()
    lines = {
        section.name: {table.source_line for table in section.text_tables()}
        for section in offset_exhibit(study).sections
    }
    (ladder,) = lines["ladder"]
    days = sorted(set(study.ladder["observations"].astype(int)))
    told = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+)(?: to| scored days)", ladder)]
    assert told == sorted({days[0], days[-1]})
    (curve,) = lines["specification_curve"]
    assert str(study.specifications["start"].min())[:10] in curve
    for mpor in set(study.specifications["mpor"]):
        assert re.search(rf"MPOR of .*\b{mpor}\b.* margin days", curve)
    (granted,) = lines["granted_against_supported"]
    ends = re.findall(r"\d{4}-\d\d-\d\d", granted)[-2:]
    dates = pd.to_datetime(study.credit["date"])
    assert ends == [f"{dates.min():%Y-%m-%d}", f"{dates.max():%Y-%m-%d}"]
    assert lines["stressed_ladder"] == {""}


def test_every_stress_is_there(stressed):
    names = list(stressed.index.unique("stress"))
    assert names[0] == "as observed" and "MPOR 5" in names and "without March 2020" in names


def days_left_out(market, book, start, end):
    history = replace(made_history(days=len(market.dates)), dates=market.dates)
    known_from = _known_from(book, "long", market, bt.Coverage(mpor=2))
    kept = without(history, start, end, market, known_from)
    return np.setdiff1d(history.dates, kept.dates).astype(str)


def test_leaving_an_episode_out_drops_the_days_whose_mpor_touches_it(market, book):
    days = days_left_out(market, book, "2020-03-02", "2020-03-31")
    assert days[0] == "2020-02-27" and days[-1] == "2020-03-31"
    assert len(days) == np.busday_count("2020-03-02", "2020-04-01") + 2


def test_around_the_clock_an_mpor_before_an_episode_spans_the_weekend(book):
    """Of two margin days from Friday the 28th the Treasury's second is Tuesday, four rows later."""
    coin = pd.Series(100.0, pd.date_range("2020-02-03", "2020-03-31"))
    par = pd.Series(0.02, pd.bdate_range("2020-02-03", "2020-03-31"))
    market = around_the_clock({"10Y": par, "BTC": coin}, source="test")
    days = days_left_out(market, book, "2020-03-03", "2020-03-03")
    assert days.tolist() == ["2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02", "2020-03-03"]
    # What another portfolio holds does not count: a coin's second day is two rows later.
    frame = pd.DataFrame({"UST10Y": [0.0, 1e8], "BTC": [1e7, 0.0]}, index=["long", "other"])
    days = days_left_out(market, bt.Book.from_frame(frame), "2020-03-03", "2020-03-03")
    assert days.tolist() == ["2020-03-01", "2020-03-02", "2020-03-03"]


def test_specifications_that_do_not_fit_are_left_out(market, book):
    curve = specification_curve(
        market,
        book.select([0]),
        base=lambda n: st.HistoricalVaR(lookback=n),
        coverage=COVERAGE,
        lookbacks=(60, 650),
        mpors=(1, 2),
        windows=(None, 300),
        starts=(None, "2022-01-03"),
        resamples=5,
    )
    assert set(curve["lookback"]) == {60} and len(curve) == 2 * 3
    assert (curve["dependence_bound"] <= curve["dependence"]).all()
    row = curve.iloc[0]
    whole = (
        bt.supportable_offset(
            market,
            book.select([0]),
            base=BASE,
            bounds=False,
            coverage=bt.Coverage(confidence=0.95, mpor=1),
        )
        .to_frame()
        .iloc[0]
    )
    assert row["total"] == pytest.approx(whole["total"])


def test_granted_and_supported_know_nothing_of_the_future(market, book):
    models = {"offset": st.CorrelationOffset(base=BASE, lookback=60), "var": BASE}

    def table(until):
        return (
            granted_and_supported(
                until, book, models, base=BASE, coverage=COVERAGE, window=250, step=50
            )
            .set_index(["portfolio", "series", "date"])["share"]
            .sort_index()
        )

    whole, cut = table(market), table(market.until(500))
    pd.testing.assert_series_equal(whole.loc[cut.index], cut, rtol=1e-9)
    assert cut.index.get_level_values("date").max() <= pd.Timestamp(market.dates[500])
    share = whole.loc[("long", "offset")].iloc[-1]
    gross = st.Siloed(base=BASE).margin(market, book, COVERAGE)[-1, 0]
    required = models["offset"].margin(market, book, COVERAGE)[-1, 0]
    assert share == pytest.approx(1 - required / gross)


def test_without_haircuts_of_its_own_a_study_scales_those_of_its_day(market, book):
    day, settings = date(2018, 1, 2), {"base": BASE, "coverage": COVERAGE, "lookback": 60}
    latest = just_covering(market, book, **settings)
    name = version_on("haircuts/cftc_pilot", day)
    with moved(name, with_term(load_parameters(name), "price.BTC", 0.1)):
        early = just_covering(market, book, day=day, **settings)
        unmoved = just_covering(market, book, **settings)
    pd.testing.assert_frame_equal(unmoved, latest, check_exact=True)
    assert (early["haircut_scale"] > latest["haircut_scale"]).all()


def test_settings_that_just_cover_hold_and_a_little_less_does_not(market, book):
    found = just_covering(market, book, base=BASE, coverage=COVERAGE, lookback=60)
    loss = book.loss(market, COVERAGE).sum(axis=2)[61:-2]
    allowed = int(np.floor(round(len(loss) * 0.05, 9)))
    # The same inputs give the same table to the last digit: it holds no time that it took.
    again = just_covering(market, book, base=BASE, coverage=COVERAGE, lookback=60)
    pd.testing.assert_frame_equal(found, again, check_exact=True)
    assert "seconds" not in found
    for p, name in enumerate(book.portfolios):
        row = found.loc[name]
        for times, holds in ((1.0, True), (0.999, False)):
            haircut = st.HaircutOnly(scale=float(row["haircut_scale"] * times))
            charged = haircut.margin(market, book, COVERAGE)[61:-2, p]
            assert ((loss[:, p] > charged * (1 + 1e-12)).sum() <= allowed) == holds
        if -1 < row["correlation_floor"] <= 1:
            for floor, holds in ((0.0, True), (-0.002, False)):
                model = st.CorrelationOffset(
                    base=BASE,
                    lookback=60,
                    cap=1.0,
                    correlation_floor=float(max(-1, row["correlation_floor"] + floor)),
                )
                required = model.margin(market, book, COVERAGE)[61:-2, p]
                assert ((loss[:, p] > required).sum() <= allowed) == holds


def test_the_haircuts_that_just_cover_are_those_of_the_study(market, book):
    """Half the haircuts need twice the scale, and an instrument without any has none to scale."""
    book = book.select([0])
    settings = {"base": BASE, "coverage": COVERAGE, "lookback": 60}
    default, half = (
        just_covering(market, book, haircuts=haircuts, **settings)
        for haircuts in (None, st.HaircutOnly(scale=0.5))
    )
    pd.testing.assert_series_equal(half["haircut_scale"], 2.0 * default["haircut_scale"])
    mean = "haircut_mean_margin"
    pd.testing.assert_series_equal(half[mean], default[mean])
    swap = bt.Book.from_frame(pd.DataFrame({"SWAP10Y": [1e8], "BTC": [1e7]}, index=["p"]), market)
    row = just_covering(market, swap, **settings).loc["p"]
    assert np.isnan(row["haircut_scale"]) and np.isnan(row[mean])
    assert not np.isnan(row["correlation_floor"])
    with pytest.raises(bt.StudyError, match="no haircut for SWAP10Y"):
        just_covering(market, swap, haircuts=st.HaircutOnly(), **settings)


def test_a_history_too_short_for_any_specification_says_so(market, book):
    curve = specification_curve(
        market.until(200), book, base=lambda lookback: BASE, coverage=COVERAGE, resamples=5
    )
    assert curve.empty and "portfolio" in curve
    page = offset_exhibit(replace(offset_study(), specifications=curve))
    (section,) = [part for part in page.sections if part.name == "specification_curve"]
    assert section.table is None and section.text.endswith("n/a: the history is too short.")
