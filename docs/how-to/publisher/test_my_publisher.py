"""The template of a publisher, on answers made by hand: no test asks a network."""

from datetime import date

import pytest

from backtest.data.fetch import fetch
from backtest.data.my_publisher import MyPublisher
from backtest.data.sources import settings
from backtest.types import DataError
from tests.support.publishers import NOW, HandMade, column_of

# GAP 4: the shape of an answer, values made up: what the publisher sends may not be ours to commit
ANSWER = "date,close\n2024-01-02,101.5\n2024-01-03,\n2024-01-04,102.25\n"


class Answers:
    """In place of `Web`: always the same answer."""

    def __init__(self, text):
        self.text, self.asked = text, []

    def get(self, url):
        self.asked.append(url)
        return self.text


def history(text):
    web = Answers(text)
    url = settings().publishers["my_publisher"].url
    frame = MyPublisher(web, url).history(column_of("XAUUSD"), date(2024, 1, 5))
    return frame, web.asked


def test_an_answer_becomes_days_and_values():
    frame, asked = history(ANSWER)
    assert asked == ["https://prices.example.org/XAUUSD.csv?from=2015-01-02"]
    assert list(frame.columns) == ["value"] and frame["value"].isna().sum() == 1
    assert frame.loc["2024-01-04", "value"] == 102.25


@pytest.mark.parametrize("text", ["", "<html>busy</html>", "date,price\n2024-01-02,1\n"])
def test_another_answer_is_refused_by_name(text):
    with pytest.raises(DataError, match="MyPublisher sent no table of XAUUSD"):
        history(text)


def test_it_is_fetched_like_every_other(tmp_path):
    sources = {"my_publisher": HandMade()}
    entries = fetch(tmp_path, only=("gold_usd",), sources=sources, now=NOW)
    assert entries["gold_usd.csv"].source == "my_publisher"
    assert (tmp_path / "gold_usd.csv").is_file()
