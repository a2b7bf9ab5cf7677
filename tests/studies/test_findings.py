"""The title of a figure is a finding: its numbers are those of the figure's own table."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from backtest import charts
from backtest.offset.credit_granted import ESTIMATED_TOTAL
from backtest.present.lettering import MINUS, fold_text
from backtest.present.sheet import TEXT, TITLE_POINTS
from backtest.studies.clocks.findings import correlation_finding, weekday_finding
from backtest.studies.collateral.findings import breach_finding, moves_finding
from backtest.studies.compare.figure import rate_against_margin
from backtest.studies.ladder import ladder_tables
from backtest.studies.offset.figures.findings import (
    granted_finding,
    specification_finding,
    steps_finding,
    stressed_finding,
)
from backtest.studies.run.figures.coverage_cost import POOLED
from backtest.studies.run.figures.findings import (
    _others,
    cost_finding,
    exceedances_finding,
    histories_finding,
    ladder_finding,
)
from tests.support import presented
from tests.support.presented import ladder, study

ALL = presented.FIGURES | presented.VARIANTS


def numbers_of(words: str) -> list[float]:
    """The numbers of a sentence; those inside a name, as in '10Y', are none."""
    text = words.replace(MINUS, "-")
    found = re.findall(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w-])", text)
    return [float(number.replace(",", "")) for number in found]


def down(share: float) -> float:
    return float(np.floor(round(100 * share, 6)))


@pytest.mark.parametrize("name", ALL)
def test_a_title_fits_two_lines_and_opens_what_a_screen_reader_reads(name: str) -> None:
    caption = ALL[name]().caption
    title = fold_text(caption.title, room=TEXT, size=TITLE_POINTS, weight="bold")
    assert title.count("\n") < 2, title
    if caption.measure:
        assert caption.alt.startswith(f"{caption.title}. ")
        assert not caption.title.endswith(".")


def test_the_ladder_says_what_is_saved_and_supported() -> None:
    rows = charts.offset_ladder(study(), ladder()).data.dropna(subset=["total"])
    pools = rows.loc[[p for p in rows.index if "BTC" in p or "script" in p]]
    other = rows.drop(index=pools.index)
    assert len(pools) == 2 and len(other) == 1  # the other one holds two Treasuries
    words = ladder_finding(study(), rows)
    low, high, least, most = numbers_of(words)[:4]
    assert (low, high) == tuple(round(100 * x, 1) for x in pools["total"].agg(["min", "max"]))
    assert (least, most) == tuple(down(x) for x in pools["total_bound"].agg(["min", "max"]))
    assert words.startswith("Pools of Treasuries and other assets need")


@pytest.mark.parametrize("bounds", [(-0.1, -0.2, -0.3), (0.079, -0.2, 0.4), (0.079, 0.1, -0.1)])
def test_offset_is_said_to_be_supported_where_its_bound_is_above_zero(
    bounds: tuple[float, ...],
) -> None:
    rows = charts.offset_ladder(study(), ladder()).data.dropna(subset=["total"]).copy()
    order = sorted(rows.index, key=lambda p: "BTC" not in p and "script" not in p)
    rows.loc[order, "dependence_bound"] = bounds
    _, here, there = ladder_finding(study(), rows).split("; ")
    for words, values in ((here, bounds[:2]), (there, bounds[2:])):
        positive = [x for x in values if x > 0]
        least = sorted({down(x) for x in positive})
        if words is here:
            counts = {0: [], 1: [1, 2], 2: [2]}[len(positive)]
            assert numbers_of(words) == [*counts, *least]
        else:  # of one book no number is said, and its bound where there is room
            assert numbers_of(words) in (least, [])
        assert bool(re.search("none|nor does", words)) == (not positive)


def test_other_books_lose_their_bounds_before_a_title_takes_three_lines() -> None:
    several = pd.Series([0.165, 0.551, -0.1])
    assert _others(several, room=60) == "; of 3 others 2 do, at least 16 to 55 %"
    assert _others(several, room=30) == "; of 3 others 2 do"
    assert _others(several[2:], room=30) == "; nor does the other book"
    assert _others(several[:0], room=30) == ""
    assert _others(several[2:].repeat(2), room=60) == "; of 2 others none does"
    assert _others(several[:2], room=60) == "; of 2 others all do, at least 16 to 55 %"


@pytest.mark.parametrize(("least", "told"), [(0.0017, "<1"), (0.0084, "<1"), (0.01, "1")])
def test_a_bound_above_zero_is_nowhere_printed_as_zero(least: float, told: str) -> None:
    frame = ladder()
    drawn = charts.offset_ladder(study(), frame).data.dropna(subset=["total"]).index
    pools = [p for p in drawn if "BTC" in p or "script" in p]
    frame.loc[pools, ["total_bound", "dependence_bound"]] = [[least, least], [0.23, 0.0023]]
    figure = charts.offset_ladder(study(), frame)
    title = figure.caption.title
    assert re.search(rf"(at least|lower bounds) {told} to 23 %", title), title
    assert re.search(r"all 2 support an offset, lower bounds <1 ", title), title
    table, _ = ladder_tables(frame.loc[pools])
    cells = [cell.text for _, rows in table.groups for row in rows for cell in row]
    assert sum("<1 %" in cell for cell in cells) >= 2
    assert not any(re.search(r"\[\+?0 %\]|^0 %$", cell) for cell in cells), cells
    assert "marginal" in table.note
    texts = {text.get_text() for text in figure.draw().texts}
    assert any(t.endswith("[<1]") for t in texts) and not any(t.endswith("[0]") for t in texts)
    frame[["total_bound", "dependence_bound"]] = 0.2
    assert "marginal" not in ladder_tables(frame)[0].note


def test_a_ladder_without_bounds_claims_none() -> None:
    nan = float("nan")
    rows = charts.offset_ladder(study(), ladder()).data
    bare = rows.assign(total_bound=nan, dependence_bound=nan)
    words = ladder_finding(study(), bare)
    assert words.endswith("without bounds") and "at least" not in words
    nothing = ladder_finding(study(), rows.assign(total=nan))
    assert nothing.startswith("No saving") and not numbers_of(nothing)


def test_the_cost_says_what_the_worst_book_pays() -> None:
    figure = charts.coverage_against_cost(study())
    pooled = figure.data[figure.data["portfolio"] == POOLED].set_index("model")
    asked, worst = (pooled[name] for name in ("equal_coverage", "worst_rate"))
    assert np.allclose(asked, study().pooled["equal_coverage_margin"] / 1e6)
    assert np.allclose(worst, study().pooled["worst_rate"])
    ends = [*asked.agg(["min", "max"]), *(100 * worst.agg(["min", "max"]))]
    said = [float(x) for x in re.findall(r"(\d+\.\d+)(?:m| %)", figure.caption.title)]
    wanted = [x for i, x in enumerate(ends) if i < 3 or round(x, 1) != round(ends[2], 1)]
    assert np.allclose(said, wanted, atol=0.05)
    for name, row in ((asked.idxmin(), 0), (asked.idxmax(), 1)):
        assert f"({name})" in figure.caption.title.split(" to ")[row]
    drawn = {text.get_text() for text in figure.draw().figure.axes[1].texts}
    assert {f"{100 * rate:.1f} %" for rate in worst} <= drawn


def test_intervals_overlap_where_one_margin_lies_in_all_of_them() -> None:
    rows = pd.DataFrame(
        {"equal_coverage": [1.0, 2.0], "equal_coverage_low": [0.8, 1.5],
         "equal_coverage_high": [1.6, np.inf], "worst_rate": [0.01, 0.02]},
        index=["a", "offset"],
    )  # fmt: skip
    assert "overlap" in cost_finding(rows, currency="USD")
    assert "offset model" in cost_finding(rows, currency="USD")
    apart = rows.assign(equal_coverage_low=[0.8, 1.7])
    assert "overlap" not in cost_finding(apart, currency="USD")
    alone = cost_finding(rows.iloc[:1], currency="EUR")
    assert alone == "At equal coverage a asks 1.00m EUR; its worst book exceeds on 1.0 % of days"
    assert "No single scale" in cost_finding(rows.assign(equal_coverage=np.inf), currency="USD")


def test_the_months_with_most_exceedances_are_counted() -> None:
    scored = pd.bdate_range("2019-01-01", "2020-12-31")
    march, june, single = ["2020-03-12"] * 3, ["2019-06-03"] * 2, ["2020-01-02"]
    data = pd.DataFrame({"date": pd.to_datetime(march + june + single)})
    words = exceedances_finding(data, scored)
    assert words.startswith("June 2019 and March 2020, 2 of the 24 months scored, hold 83 % of")
    assert "6 exceedances" in words
    assert exceedances_finding(data.iloc[:0], scored).startswith("No loss exceeded")
    short = exceedances_finding(data.iloc[:3], scored[scored > "2020-03-01"][:40])
    assert short == "3 exceedances on 1 of 40 scored days"


def test_a_margin_against_a_loss_counts_each_model() -> None:
    figure = charts.margin_against_loss(study(), presented.LONG)
    counts = figure.data.groupby("model", sort=False)["exceeded"].sum()
    allowed = study().scores["allowed"].xs(presented.LONG, level="portfolio").iloc[0]
    tail = figure.caption.title.split(": ", 1)[1]
    assert numbers_of(tail) == [counts.min(), counts.max(), figure.data["date"].nunique(), allowed]
    assert figure.caption.measure.endswith(presented.LONG)


def test_the_sweep_says_where_pooling_saves_most() -> None:
    figure = charts.treasury_share_sweep(study(), presented.sweep())
    known = figure.data.dropna(subset=["total"])
    best = known.loc[known.groupby("side")["total"].idxmax()]
    said = numbers_of(figure.caption.title)
    assert said[:2] == sorted(round(100 * x, 1) for x in best["total"])
    low, high = known["dependence"].min(), known["dependence"].max()
    assert said[-2:] == [round(100 * low, 1), round(100 * high, 1)]


def test_histories_count_paths_above_the_allowed_rate() -> None:
    means = pd.DataFrame({"over_allowed": [0.25, 0.75]}, index=["var", "offset"])
    words = histories_finding(means, paths=40, allowed=0.01)
    assert numbers_of(words) == [40, 25, 75, 1]
    assert "25 % (var) to 75 % (offset model)" in words


def test_stresses_are_counted_by_what_they_leave_supported() -> None:
    rows = [
        ("a", "as observed", 0.1), ("a", "worst", 0.2), ("a", "without May 2021", 0.1),
        ("b", "as observed", -0.1), ("b", "worst", 0.1), ("b", "without May 2021", -0.1),
        ("c", "as observed", 0.1), ("c", "worst", np.nan), ("c", "without May 2021", 0.1),
        ("d", "as observed", -0.1), ("d", "worst", -0.1), ("d", "without May 2021", 0.0),
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=["portfolio", "stress", "dependence_bound"])
    words = stressed_finding(data, observed="as observed")
    assert numbers_of(words) == [2, 4, 1, 2, 3]
    none = stressed_finding(data.assign(dependence_bound=-0.1), observed="as observed")
    assert none.count("none") == 3 and numbers_of(none) == [4, 2]


def test_specifications_are_counted_by_their_bounds() -> None:
    data = pd.DataFrame(
        {"portfolio": ["a", "a", "b"], "dependence": [-0.05, 0.1, 0.02],
         "dependence_bound": [-0.1, 0.03, np.nan]}
    )  # fmt: skip
    assert numbers_of(specification_finding(data)) == [1, 3, 2, -5.0, 10.0]
    assert "none of 3" in specification_finding(data.assign(dependence_bound=0.0))


def test_days_on_which_models_granted_too_much_are_counted() -> None:
    days = pd.date_range("2024-01-01", periods=4)
    shares = {"var": [0.3, 0.3, 0.1, 0.1], "offset": [0.3, 0.1, 0.1, np.nan],
              ESTIMATED_TOTAL: [0.2, 0.2, 0.2, np.nan]}  # fmt: skip
    pieces = [
        pd.DataFrame({"date": days, "portfolio": "a", "series": name, "share": values})
        for name, values in shares.items()
    ]
    data = pd.concat(pieces).dropna()
    words = granted_finding(data)
    assert numbers_of(words) == [33, 67, 1] and "33 % (offset model) to 67 % (var)" in words
    assert granted_finding(data[data["series"] != ESTIMATED_TOTAL]).startswith("On no day")


def test_the_largest_steps_are_named_with_their_means() -> None:
    means = pd.DataFrame(
        {"small": [-0.01, 0.0], "offset": [-0.3, 0.003], "diversification": [-0.1, -0.3],
         "required": [0.6, 0.8]}, index=["a", "b"]
    )  # fmt: skip
    words = steps_finding(means, "offset", required="required")
    assert words.startswith("Mean margin of offset model: 60.0 to 80.0 %")
    assert "offset takes off −0.3 to 30.0 %, diversification 10.0 to 30.0 %" in words
    alone = steps_finding(means[["required"]], "offset", required="required")
    assert alone.endswith("of the silos' own margins, by book")


def test_breaches_by_mix_are_those_of_all_books_together() -> None:
    figure = charts.breach_by_mix(presented.collateral_study())
    sums = figure.data.groupby(["mix", "model"], sort=False)[["breaches", "observations"]].sum()
    rates = 100 * sums["breaches"] / sums["observations"]
    said = numbers_of(figure.caption.title)
    assert round(rates[figure.data["mix"].iloc[0]].min(), 2) in said
    assert set(said) <= {round(x, 2) for x in [*rates, *100 * figure.data["breach_rate"]]}


def test_the_mix_that_raises_breaches_most_is_named() -> None:
    index = pd.MultiIndex.from_product([["cash", "ETH"], ["a", "b"]], names=["mix", "model"])
    data = pd.DataFrame({"mix": ["ETH", "ETH"], "breach_rate": [0.021, 0.05],
                         "wrong_way": [True, False]})  # fmt: skip
    rates = pd.Series([0.001, 0.01, 0.002, 0.015], index)
    words = breach_finding(data, rates)
    assert words.startswith("With ETH posted instead of cash")
    assert numbers_of(words) == [0.2, 1.5, 0.1, 1.0, 2.1]
    calm = breach_finding(data, pd.Series([0.001, 0.01, 0.001, 0.01], index))
    assert calm.startswith("No mix breaches more often than cash")


def test_assets_beyond_every_rate_are_counted_by_month() -> None:
    data = pd.DataFrame({"asset": ["a", "a", "b", "c"], "beyond_all": [True, True, False, True]})
    words = moves_finding(data, horizon=2)
    assert words.startswith("2 of 3 assets") and words.endswith("a 2, c 1")
    calm = moves_finding(data.assign(beyond_all=False), horizon=5)
    assert calm.startswith("None of 3 assets") and numbers_of(calm) == [3, 5]


def test_the_worst_weekday_of_each_clock_is_named() -> None:
    rows = [("var", "24/7", "Mon", 1, 100), ("offset", "24/7", "Mon", 2, 100),
            ("var", "24/7", "Sun", 2, 50), ("var", "business", "Sun", 0, 0),
            ("var", "business", "Fri", 1, 50)]  # fmt: skip
    data = pd.DataFrame(rows, columns=["model", "clock", "weekday", "exceedances", "strikes"])
    words = weekday_finding(data, {"business": "business clock", "24/7": "24/7 clock"})
    assert "business clock from Friday (2.00 % of strikes)" in words
    assert "24/7 clock from Sunday (4.00 % of strikes)" in words


def test_intervals_of_a_correlation_are_counted_against_chance() -> None:
    table = pd.DataFrame({"correlation": [0.1, -0.2, 0.0, 0.0], "low": [0.05, -0.3, -0.1, -0.1],
                          "high": [0.2, 0.1, 0.1, 0.1]})  # fmt: skip
    assert numbers_of(correlation_finding(table)) == [4, 1, 0.2, -0.2]
    assert "none leaves" in correlation_finding(table.iloc[1:])


def test_the_ranking_of_eight_folders_keeps_its_letters_apart() -> None:
    rows = [
        {"folder": letter, "model": model, "keeps": model == "var", "allowed_rate": 0.01,
         "exceedance_rate": 0.01 + 0.0001 * place, "mean_margin": 2e6 + 1e3 * place}
        for place, letter in enumerate("ABCDEFGH") for model in ("var", "offset")
    ]  # fmt: skip
    names = [f"{letter} folder" for letter in "ABCDEFGH"]
    figure = rate_against_margin(pd.DataFrame(rows), names, simulated=False)
    axes = figure.draw()
    axes.figure.canvas.draw()
    renderer = axes.figure.canvas.get_renderer()
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]  # without lines
    assert len(boxes) == 2 * len(names) + 1  # and the rate that is allowed
    for one, other in itertools.combinations(boxes, 2):
        width = min(one.x1, other.x1) - max(one.x0, other.x0)
        height = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(width, height) < 2.0
    assert numbers_of(figure.caption.title)[:3] == [16, 8, 2.0]
