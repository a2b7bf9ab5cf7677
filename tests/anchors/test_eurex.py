"""Statistics of a Eurex-type model: what their files must hold, and what is said if they do not."""

import pandas as pd
import pytest

from backtest.anchors import eurex
from backtest.anchors.run import run_anchors, sets_in
from backtest.types import DataError

PUBLISHED = """statistic,value,variant,period,decay
n_breaches,25.0,baseline,all,0.9
avg_shortfall,NA,baseline,covid,0.9
max_ltm,-Inf,cap,covid,0.95
"""
RETURNS = "date,log_return\n1998-06-23,0.01\n1998-06-24,-0.02\n"
STRESS = "DATE,CONF_LEVEL,LIQ_GROUP,GROUP\n2008-09-23,90.69,PEQ01,1\n"
OURS = [25.0, float("nan"), float("-inf")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a short position, and a computation that gives what is asked of it."""
    monkeypatch.setattr("backtest.anchors.run.SHIPPED", ())
    (tmp_path / "apc_fesx_short_published.csv").write_text(PUBLISHED)
    (tmp_path / "apc_fesx_returns.csv").write_text(RETURNS)
    (tmp_path / "apc_stress_days.csv").write_text(STRESS)
    asked = []

    def computed(returns, stress, decays, *, side):
        asked.append((len(returns), len(stress), tuple(decays), side))
        frame = pd.read_csv(tmp_path / "apc_fesx_short_published.csv")
        return frame.assign(value=OURS)

    monkeypatch.setattr(eurex, "procyclicality_statistics", computed)
    return tmp_path, asked


def test_the_side_is_that_of_the_name_and_all_is_computed_once(folder):
    place, asked = folder
    found = run_anchors(place)
    assert found.misses == () and asked == [(2, 1, (0.9, 0.95), "short")]
    assert [answer.anchor.group for answer in found.answers] == [
        "baseline, all",
        "baseline, covid",
        "cap, covid",
    ]
    assert found.answers[0].anchor.what == "n_breaches, baseline, all, decay 0.9, short"


def test_an_altered_statistic_is_the_miss(folder):
    place, _ = folder
    path = place / "apc_fesx_short_published.csv"
    path.write_text(PUBLISHED.replace("25.0", "26.0"))
    [missed] = run_anchors(place).misses
    assert "published is 26, ours 25, -1 away" in str(missed)
    path.write_text(PUBLISHED.replace("-Inf", "0.5"))
    assert len(run_anchors(place).misses) == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "apc_fesx_short_published.csv",
            PUBLISHED.replace("25.0", "many"),
            "row 2: value is 'many",
        ),
        ("apc_fesx_short_published.csv", PUBLISHED.replace(",0.95", ",x"), "row 4: decay is 'x'"),
        ("apc_fesx_short_published.csv", "statistic,value\nn,1\n", "0 columns 'variant'"),
        ("apc_fesx_returns.csv", RETURNS.replace("-0.02", ""), "row 3: log_return is ''"),
        ("apc_fesx_returns.csv", "day,log_return\n1998-06-23,0.1\n", "0 columns 'date'"),
        ("apc_fesx_returns.csv", RETURNS.replace("06-23", "6-23"), "row 2: date is '1998-6-23'"),
        ("apc_stress_days.csv", STRESS.replace("90.69", "nan"), "row 2: CONF_LEVEL is 'nan'"),
    ],
)
def test_a_damaged_file_is_one_line(name, text, words, folder):
    place, _ = folder
    (place / name).write_text(text)
    with pytest.raises(DataError) as refused:
        sets_in(place)
    assert words in str(refused.value) and name in str(refused.value)


def test_a_file_without_a_side_or_without_returns(folder):
    place, _ = folder
    (place / "apc_fesx_returns.csv").unlink()
    with pytest.raises(DataError, match="none of the files"):
        sets_in(place)
    (place / "apc_fesx_published.csv").write_text(PUBLISHED)
    (place / "apc_fesx_returns.csv").write_text(RETURNS)
    with pytest.raises(
        DataError, match="apc_fesx_published.csv names no side; let it end in long or short"
    ):
        sets_in(place)
