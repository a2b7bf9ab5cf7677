"""Tables that are refused in one line, and accounts that are left out or have days of their own."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import backtest as bt
from backtest.replay.findings import Findings
from backtest.replay.forecasts import forecast_table
from backtest.replay.validation.checks import examine
from backtest.replay.validation.forecasts import given_forecasts
from backtest.replay.validation.given import read_given
from backtest.scores.exceedances.right_model import _drawn, _null
from backtest.types import BacktestError

DAYS = pd.bdate_range("2022-01-03", periods=300)


def table(accounts=("A", "B"), *, seed=0, days=DAYS) -> pd.DataFrame:
    """A long table of normal losses, margins that cover 99 % of them."""
    rng = np.random.default_rng(seed)
    return pd.concat(
        pd.DataFrame(
            {"date": days, "account": name, "loss": rng.normal(size=len(days)), "required": 2.33}
        )
        for name in accounts
    ).reset_index(drop=True)


def changed(column, row, value):
    frame = table()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


ONE = bt.Coverage(mpor=1)
REFUSED = {
    "a key twice": (
        pd.concat([table(), table().iloc[[5, 7]]]),
        "2 keys (date, account, model, silo) with more than one row (2022-01-10 A, 2022-01-12 A)",
    ),
    "no margin": (
        changed("required", 10, None),
        "different days: 1 cells have a P&L and no margin (A 2022-01-17), 0 a margin and no P&L",
    ),
    "no loss": (changed("loss", [3, 4, 5, 6], None), "4 a margin and no P&L (A 2022-01-06, A"),
    "text": (changed("loss", 4, "1,5"), "has '1,5' in column 'loss', which is no number"),
    "infinite": (changed("required", 4, np.inf), "which is no number"),
    "no date": (changed("date", 4, None), "has no date"),
    "a year of a typing error": (changed("date", 4, "9022-01-07"), "is no day of a margin"),
    "a US date": (table().assign(date="01/02/2024"), "is '01/02/2024'; give a day as YYYY-MM-DD"),
    "no account": (changed("account", 4, ""), "row 5 of its data, has no account"),
    "too short": (table(days=DAYS[:50]), "no account with 60 days"),
    "all zero": (table().assign(loss=0.0, required=0.0), "all accounts of the table are zero"),
    "negative margins": (
        table().assign(required=-2.0),
        "every margin of model 'house' is negative",
    ),
    "a negative margin": (changed("required", 4, -1.0), "1 margins of model 'house' are negative"),
    "both": (table().assign(pnl=1.0), "has both loss and pnl"),
    "neither": (table().drop(columns="loss"), "has neither loss nor pnl"),
    "a typing error": (table().rename(columns={"required": "requried"}), "did you mean required?"),
    "no row": (table().iloc[:0], "has no row"),
    "huge": (changed("loss", 4, 1e30), "which is no amount"),
    "two groups": (table().assign(group=["x"] * 599 + ["y"]), "an account has one group"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_cannot_be_scored_is_refused_in_one_line(case):
    frame, words = REFUSED[case]
    with pytest.raises(BacktestError) as refusal:
        bt.validate(frame, coverage=ONE)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(bt.StudyError, match="pnl is 'weekly'; known: 'mpor'"):
        bt.validate(table(), pnl="weekly")
    with pytest.raises(bt.StudyError, match="one number of margin days"):
        bt.validate(table(), coverage=bt.Coverage(mpor={"FICC": 2}))
    with pytest.raises(bt.DataError, match="no .csv, .parquet or .xlsx"):
        bt.validate("table.ods")
    with pytest.raises(bt.DataError, match="cannot read 'nowhere.csv'"):
        bt.validate("nowhere.csv")


def test_two_models_share_the_loss_of_a_day():
    two = pd.concat([table().assign(model="one"), table().assign(model="two")])
    assert bt.validate(two, coverage=ONE).models == ("one", "two")
    two.iloc[-1, two.columns.get_loc("loss")] += 1.0
    with pytest.raises(bt.DataError, match="two losses for 'B' on 2023-02-24.*by model 'two'"):
        bt.validate(two, coverage=ONE)


def test_zero_and_short_accounts_are_listed_apart():
    quiet = table(["idle"]).assign(loss=0.0, required=0.0)
    study = bt.validate(pd.concat([table(), quiet, table(["new"], days=DAYS[-40:])]), coverage=ONE)
    given = study.provenance.given
    assert list(study.loss.columns) == ["A", "B"]
    assert (given.idle, given.short) == (("idle",), ("new",))
    assert "1 account left out, all zero: idle." in given.findings()


@pytest.fixture(scope="module")
def staggered():
    """Four accounts: on all days, opened midway, closed midway, silent for a month."""
    parts = (
        table(["all", "also"]),
        table(["late"], days=DAYS[120:]),
        table(["gone"], days=DAYS[:90]),
    )
    pause = table(["pause"], seed=9, days=DAYS.delete(range(100, 120)))
    return pd.concat([*parts, pause])


def test_an_account_is_scored_on_its_own_days(staggered):
    """Each row is what the account would get alone; nothing is cut to the common days."""
    study = bt.validate(staggered, coverage=ONE)
    tests, findings = study.tests(), Findings.of(study)
    assert study.provenance.given.own_days == 3
    for name in study.loss.columns:
        alone = bt.validate(staggered[staggered["account"] == name], coverage=ONE)
        key = [("house", name)]
        pd.testing.assert_frame_equal(study.summary().loc[key], alone.summary())
        pd.testing.assert_frame_equal(tests.loc[key], alone.tests(), check_dtype=False)
        swings = Findings.of(alone).money
        pd.testing.assert_frame_equal(findings.money.loc[key], swings, check_names=False)
    assert study.scores["observations"].tolist() == [300, 300, 180, 90, 280]
    assert study.tests()["observations"].tolist() == [300, 300, 180, 90, 280]


def test_records_of_one_length_are_drawn_once_whoever_has_them():
    """Each account drew its own once: thousands of accounts with days of their own took minutes."""
    frame = pd.concat(
        table([f"{n}"], seed=n, days=DAYS[: 200 + 2 * n]).assign(model=model)
        for n in range(4)
        for model in ("one", "other")
    )
    study = bt.validate(frame, coverage=bt.Coverage(mpor=2))
    _drawn.cache_clear()
    _null.cache_clear()
    tests = study.tests(draws=19)
    # Phases of 100, 101, 102, 103 days.
    assert _drawn.cache_info().misses == 4 and _null.cache_info().misses <= 4 * 5
    alone = bt.validate(frame[frame["account"] == "2"], coverage=bt.Coverage(mpor=2))
    pd.testing.assert_frame_equal(
        tests.loc[[("one", "2"), ("other", "2")]], alone.tests(draws=19), check_dtype=False
    )


def test_pooled_numbers_count_the_cells_there_are(staggered):
    study = bt.validate(staggered, coverage=ONE)
    loss = staggered["loss"].to_numpy()
    allowed = int(0.01 * len(loss))
    scale = np.sort(np.maximum(loss, 0.0) / 2.33)[-allowed - 1]
    assert study.pooled.loc["house", "scale"] == pytest.approx(scale, rel=1e-12)
    assert study.pooled.loc["house", "mean_margin"] == pytest.approx(2.33)
    disclosed = Findings.of(study).disclosures["house"]
    assert 1150 in disclosed.tolist()
    assert len(loss) == 1150


def test_own_days_survive_a_results_folder(staggered, tmp_path):
    study = bt.validate(staggered, coverage=ONE)
    back = bt.Study.load(study.save(tmp_path / "folder"))
    pd.testing.assert_frame_equal(back.tests(), study.tests())


def test_held_collateral_is_taken_as_given():
    frame = table().assign(held=1.0)
    study = bt.validate(frame, coverage=ONE)
    breaches = (frame["loss"] > 1.0).groupby(frame["account"]).sum()
    assert study.scores["breaches"].tolist() == breaches.tolist()
    assert study.provenance.given.held == ("house",)
    assert bt.validate(table(), coverage=ONE).scores["breaches"].tolist() != breaches.tolist()


def test_collateral_that_is_not_known_on_a_scored_day_is_refused():
    frame = table().assign(held=3.0)
    frame.loc[7, "held"] = np.nan
    with pytest.raises(bt.DataError, match=r"is blank in 1 scored cells \(A 2022-01-12\)"):
        bt.validate(frame, coverage=ONE)


def test_more_accounts_than_have_room_are_refused_before_room_is_taken():
    """Sparse: few rows, and a day by account table of terabytes."""
    count = 60_000
    days = np.datetime64("1900-01-01") + np.arange(count)
    frame = pd.DataFrame(
        {"date": days, "account": [f"a{n}" for n in range(count)], "loss": 0.0, "required": 1.0}
    )
    with pytest.raises(bt.StudyError, match="60,000 portfolios under 1 models on 60,000 days need"):
        bt.validate(frame)


def test_names_are_text_whatever_they_look_like(tmp_path):
    frame = table(["007", "NA", "1e3", "-x"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    study = bt.validate(tmp_path / "t.csv", coverage=ONE)
    assert list(study.loss.columns) == ["007", "NA", "1e3", "-x"]
    back = bt.Study.load(study.save(tmp_path / "folder"))
    assert list(back.loss.columns) == ["007", "NA", "1e3", "-x"]


def test_a_file_with_a_word_for_a_number_says_which(tmp_path):
    (tmp_path / "t.csv").write_text(
        "date,account,loss,required\n2024-01-02,A,1.0,n/a\n2024-01-03,A,x,1\n"
    )
    with pytest.raises(bt.DataError, match="'t.csv', row 2 of its data, has 'x' in column 'loss'"):
        bt.validate(tmp_path / "t.csv")


def test_rare_large_losses_that_are_gains_are_refused_and_can_be_confirmed():
    """Gains heavier than losses under a right margin, handed over with the sign turned."""
    rng = np.random.default_rng(11)
    size = np.abs(rng.standard_t(4, 300))
    pnl = np.where(rng.random(300) < 0.75, 1.8 * size, -0.8 * size)
    margin = np.sort(-pnl)[-4]  # three exceedances of 300
    right = pd.DataFrame({"date": DAYS, "account": "A", "pnl": pnl, "required": margin})
    assert bt.validate(right, coverage=ONE).scores["exceedances"].tolist() == [3]
    turned = right.rename(columns={"pnl": "loss"})
    with pytest.raises(bt.DataError, match="loss seems to run the other way round; rename the col"):
        bt.validate(turned, coverage=ONE)
    bt.validate(turned, coverage=ONE, signs_checked=True)


def test_gains_at_the_standard_and_hardly_a_loss_are_a_doubt():
    loss = np.where(np.arange(300) % 100 == 50, -3.0, 0.1)
    frame = pd.DataFrame({"date": DAYS, "account": "A", "loss": loss, "required": 2.0})
    doubt = bt.validate(frame, coverage=ONE).provenance.given.findings()[0]
    assert doubt.startswith("Check which way round loss runs: losses exceed the margin on 0.00 %")


FORECAST = table().assign(value_at_risk=2.0, expected_shortfall=2.5)
WRONG_FORECASTS = {
    "a VaR of the other sign": (FORECAST.assign(value_at_risk=-2.0), "value_at_risk is negative"),
    "an ES below the VaR": (FORECAST.assign(expected_shortfall=1.0), "never below it"),
    "a blank": (FORECAST.assign(value_at_risk=[2.0] * 599 + [None]), "is blank for 'B' on 2023-02"),
    "no probability": (FORECAST.assign(pit=1.5), "a pit of model 'house' is 1.5"),
    "a PIT of losses": (FORECAST.assign(pit=norm.cdf(FORECAST["loss"])), "give 1 - pit"),
}


@pytest.mark.parametrize("case", WRONG_FORECASTS)
def test_a_forecast_that_cannot_be_tested_is_refused(case):
    frame, words = WRONG_FORECASTS[case]
    with pytest.raises(bt.DataError, match=words):
        forecasts(frame)


def test_given_forecasts_are_those_of_the_scored_days():
    pit = norm.cdf(-FORECAST["loss"])
    given = forecasts(FORECAST.assign(pit=pit))
    assert len(given) == 600 and set(given["portfolio"]) == {"A", "B"}
    tested = forecast_table(given, confidence=0.99, horizon=1)
    over = (FORECAST["loss"] > 2.0).groupby(FORECAST["account"]).sum()
    assert tested["exceedances"].tolist() == over.tolist()
    assert (tested["berkowitz_p"] > 0.01).all()


def forecasts(frame):
    """The forecasts of a table over an MPOR of one day."""
    given = read_given(frame)
    return given_forecasts(examine(given, pnl="mpor", mpor=1, confidence=0.99, signs_checked=False))


def test_days_without_a_session_and_a_frozen_feed_are_said():
    frame = table()
    frame.loc[100:111, "loss"] = frame.loc[100, "loss"]
    said = bt.validate(frame, coverage=ONE).provenance.given.findings()
    assert "the table has values on 3 days without a session (2022-04-15, 2022-12-26" in said[0]
    assert said[1].startswith("A has the same P&L on 12 days in a row (2022-05-23 .. 2022-06-07)")
    sessions = frame[
        ~frame["date"].isin(pd.to_datetime(["2022-04-15", "2022-12-26", "2023-01-02"]))
    ]
    sound = sessions.assign(loss=table()["loss"])
    assert bt.validate(sound, coverage=ONE).provenance.given.findings() == []
