"""The rule by which rows of many accounts are ranked."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.replay.worst import worst_books, worst_rows
from backtest.types import StudyError

DAYS = pd.bdate_range("2022-01-03", periods=120)


def scores(rows: dict[tuple[str, str], tuple[float, float, float]]) -> pd.DataFrame:
    columns = ["coverage_p", "exceedance_rate", "max_shortfall"]
    index = pd.MultiIndex.from_tuples(rows, names=["model", "portfolio"])
    return pd.DataFrame(list(rows.values()), index, columns)


def test_evidence_comes_first_then_the_rate_then_the_shortfall():
    table = scores(
        {
            ("m", "no test"): (np.nan, 0.9, 9.0),
            ("m", "fine"): (0.9, 0.01, 9.0),
            ("m", "never short"): (0.01, 0.05, np.nan),
            ("m", "short"): (0.01, 0.05, 3.0),
            ("n", "short"): (0.01, 0.05, 4.0),
            ("n", "often"): (0.01, 0.06, 1.0),
            ("n", "sure"): (0.001, 0.02, 0.0),
        }
    )
    order = [("n", "sure"), ("n", "often"), ("n", "short"), ("m", "short"), ("m", "never short")]
    assert worst_rows(table).tolist() == [*order, ("m", "fine"), ("m", "no test")]
    assert worst_rows(table, 2).tolist() == order[:2]
    books = ["sure", "often", "short", "never short", "fine", "no test"]
    assert worst_books(table) == books and worst_books(table, ["fine", "often"]) == books[1:5:3]
    assert worst_rows(table, 2, by="max_shortfall").tolist() == [("m", "no test"), ("m", "fine")]


@pytest.fixture(scope="module")
def study():
    """Accounts whose margins cover from too little to enough; one account is absent for a while."""
    rng, parts = np.random.default_rng(4), []
    for number in range(30):
        days = DAYS if number else DAYS[:60].append(DAYS[80:])
        loss = rng.normal(size=len(days))
        part = {"date": days, "account": f"a{number}", "loss": loss, "required": 1.2 + number / 15}
        parts.append(pd.DataFrame(part))
    return bt.validate(pd.concat(parts), coverage=bt.Coverage(mpor=1))


def test_a_study_gives_its_worst_rows_whole(study):
    worst = study.worst(5)
    pd.testing.assert_frame_equal(worst, study.summary().loc[worst.index])
    assert len(study.worst()) == 20 and worst["coverage_p"].is_monotonic_increasing
    assert worst["coverage_p"].max() <= study.summary()["coverage_p"].nsmallest(5).max()
    assert study.worst(1, by="mean_margin").index[0][1] == "a29"


@pytest.mark.parametrize(("n", "by"), [(0, "evidence"), (True, "evidence"), (5, "max_shortfal")])
def test_what_cannot_be_ranked_is_refused_in_one_line(study, n, by):
    with pytest.raises(StudyError, match="give a whole number|did you mean 'max_shortfall'"):
        study.worst(n, by=by)


def test_a_plot_has_the_days_of_the_account_and_every_exceedance(study):
    figure = bt.charts.margin_against_loss(study, "a0")
    assert len(figure.data) == 100 and figure.data["date"].tolist() == list(
        DAYS[:60].append(DAYS[80:])
    )
    counted = int(study.scores["exceedances"].xs("a0", level="portfolio").iloc[0])
    assert figure.data["exceeded"].sum() == counted > 0
    axes = study.plot("a0").axes[0]
    line, marks = (next(x for x in axes.lines if x.get_zorder() == z) for z in (4, 5))
    assert np.isnan(line.get_ydata()).sum() == 20 and len(marks.get_xdata()) == counted


def test_of_many_models_the_worst_have_panels_and_the_rest_are_said(study):
    wide = study.loss.to_numpy()
    parts = [
        pd.DataFrame({"date": DAYS, "account": "a", "model": f"m{k}", "loss": wide[:, 1],
                      "required": 1.0 + k / 9})
        for k in range(9)
    ]  # fmt: skip
    many = bt.validate(pd.concat(parts), coverage=bt.Coverage(mpor=1))
    figure = bt.charts.margin_against_loss(many, "a")
    assert list(figure.data["model"].unique()) == [f"m{k}" for k in range(6)]
    assert figure.caption.footnote.startswith("6 worst of 9 models.")
    assert len(figure.draw().figure.axes) == 6
    named = bt.charts.margin_against_loss(many, "a", ["m8", "m0"])
    assert list(named.data["model"].unique()) == ["m8", "m0"] and "worst" not in str(named.caption)
    assert len(many.plot("a", "m8").axes) == 1
    with pytest.raises(StudyError, match="no portfolio 'aa'; nearest: a"):
        many.plot("aa")
    with pytest.raises(StudyError, match="no model 'm99'"):
        many.plot("a", "m99")
    for wrong in (3, [[1]]):
        with pytest.raises(StudyError, match="give a name, a list of names, or None for all"):
            bt.charts.margin_against_loss(many, "a", wrong)


def test_a_notebook_shows_the_picture_itself(study):
    assert study.plot("a0")._repr_png_().startswith(b"\x89PNG")


def test_an_account_that_never_loses_is_drawn():
    frame = pd.DataFrame({"date": DAYS, "account": "a", "loss": -1.0, "required": 0.5})
    frame.loc[3, "loss"] = 0.0
    calm = bt.validate(frame, coverage=bt.Coverage(mpor=1), signs_checked=True)
    figure = bt.charts.margin_against_loss(calm, "a")
    assert not figure.data["exceeded"].any() and figure.draw().get_ylim()[0] == 0
