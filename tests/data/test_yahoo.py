"""The Yahoo adapter against what Yahoo and yfinance have been seen to send."""

import json
import logging
import warnings
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from backtest.data.guards import HostError
from backtest.data.screening import screened
from backtest.data.web import RateLimited, patiently
from backtest.data.yahoo import Yahoo
from backtest.types import DataError
from tests.support.publishers import TODAY, FakeTicker, column_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import yfinance
    from yfinance.exceptions import YFRateLimitError

BITCOIN, SPY = column_of("BTC-USD"), column_of("SPY")


@pytest.fixture
def waited():
    return []


@pytest.fixture
def yahoo(monkeypatch, tmp_path, waited):
    """The adapter, with `Ticker` replaced by answers made by hand."""
    monkeypatch.setattr(yfinance, "Ticker", FakeTicker)
    FakeTicker.answers, FakeTicker.calls = [], []
    return Yahoo(tmp_path / "private", timeout=5.0, pause=1.0, sleep=waited.append)


def frame(*, zone="UTC", **columns):
    days = pd.date_range("2024-01-02", periods=len(next(iter(columns.values()))), tz=zone)
    return pd.DataFrame(columns, index=days)


def ask(yahoo, answer, column=BITCOIN):
    FakeTicker.answers = [answer]
    return yahoo.history(column, TODAY)


def test_asks_for_raw_closes_of_one_ticker_and_keeps_rows_without_one(yahoo, tmp_path):
    ask(yahoo, frame(Close=[1.0, 2.0]))
    code, options = FakeTicker.calls[0]
    assert code == "BTC-USD"
    assert options["start"] == "2014-09-17"
    assert options["auto_adjust"] is False
    assert options["keepna"] is True
    assert options["timeout"] == 5.0
    assert (tmp_path / "private").is_dir()  # its cookies and time zones are ours alone


def test_a_total_failure_is_an_error_although_yfinance_raises_nothing(yahoo):
    for answer in (pd.DataFrame(columns=["Open", "Close"]), pd.DataFrame(), None):
        with pytest.raises(DataError, match="no row for BTC-USD"):
            ask(yahoo, answer)


def test_partial_columns_are_an_error(yahoo):
    with pytest.raises(DataError, match="no Close for BTC-USD, only Open, High"):
        ask(yahoo, frame(Open=[1.0], High=[2.0]))
    with pytest.raises(DataError, match="no Close"):
        ask(yahoo, frame(Close=[np.nan, np.nan], Volume=[1, 2]))
    with pytest.raises(DataError, match="no Dividends for SPY"):
        ask(yahoo, frame(Close=[400.0]), SPY)


def test_headings_with_a_ticker_and_in_any_order_give_the_same_values(yahoo):
    flat = frame(Volume=[9, 9], Close=[1.0, 2.0], Open=[7.0, 7.0], Dividends=[0.0, 0.5])
    expected = ask(yahoo, flat, SPY)
    assert expected.columns.tolist() == ["value", "dividend"]
    for order in (
        ["Open", "Close", "Volume", "Dividends"],
        ["Dividends", "Open", "Volume", "Close"],
    ):
        headed = flat[order].copy()
        headed.columns = pd.MultiIndex.from_product([order, ["SPY"]], names=["Price", "Ticker"])
        pd.testing.assert_frame_equal(ask(yahoo, headed, SPY), expected, check_names=False)
        turned = headed.swaplevel(axis=1)
        pd.testing.assert_frame_equal(ask(yahoo, turned, SPY), expected, check_names=False)


def test_another_ticker_than_the_one_asked_for_is_an_error(yahoo):
    headed = frame(Close=[1.0])
    headed.columns = pd.MultiIndex.from_tuples([("Close", "ETH-USD")], names=["Price", "Ticker"])
    with pytest.raises(DataError, match="sent ETH-USD when asked for BTC-USD"):
        ask(yahoo, headed)


def test_too_many_requests_waits_30_60_120_seconds_then_stops(yahoo, waited):
    FakeTicker.answers = [YFRateLimitError()] * 3 + [frame(Close=[1.0])]
    pauses: list[float] = []
    got = patiently(
        lambda: yahoo.history(BITCOIN, TODAY),
        who="yahoo",
        back_off=(30, 60, 120),
        sleep=pauses.append,
    )
    assert pauses == [30, 60, 120]
    assert got["value"].tolist() == [1.0]
    FakeTicker.answers = [YFRateLimitError()] * 5
    with pytest.raises(HostError, match="'too many requests' after waits of 30, 60, 120 s"):
        patiently(
            lambda: yahoo.history(BITCOIN, TODAY),
            who="yahoo",
            back_off=(30, 60, 120),
            sleep=pauses.append,
        )
    assert len(FakeTicker.answers) == 1  # four requests and not one more
    assert waited == [1.0] * 7  # the pause between two requests, besides


def test_no_connection_shuts_the_host_and_other_errors_only_the_ticker(yahoo):
    with pytest.raises(HostError, match=r"cannot reach Yahoo \(Could not resolve host\)"):
        ask(yahoo, OSError("Could not resolve host. See https://curl.se for more"))
    for raised in (KeyError("currency"), ValueError("Expecting value: line 1\nmore"), TypeError()):
        with pytest.raises(DataError, match="nothing usable for BTC-USD") as caught:
            ask(yahoo, raised)
        assert not isinstance(caught.value, HostError)
        assert "\n" not in str(caught.value)


def test_noise_of_yfinance_is_silenced_inside_the_adapter_only(yahoo, caplog):
    def noisy():
        logging.getLogger("yfinance").error("1 Failed download")
        warnings.warn("inplace is deprecated", pd.errors.Pandas4Warning, stacklevel=1)
        return frame(Close=[1.0])

    level = logging.getLogger("yfinance").level
    ask(yahoo, noisy)  # pytest turns a warning that gets out into an error
    assert not caplog.records
    assert logging.getLogger("yfinance").level == level
    with pytest.raises(pd.errors.Pandas4Warning):
        noisy()


class Chart:
    """Yahoo's chart answer for days in New York, the last of them still trading."""

    status_code = 200

    def __init__(self, days, closes, zone="America/New_York"):
        stamps = [int(pd.Timestamp(f"{d} 09:30", tz=zone).timestamp()) for d in days]
        meta = {
            "currency": "USD",
            "instrumentType": "ETF",
            "exchangeTimezoneName": zone,
            "validRanges": ["max"],
            "priceHint": 2,
        }
        quote = {k: closes for k in ("open", "high", "low", "close")}
        quote["volume"] = [None if c is None else 10 for c in closes]
        self.body = {
            "chart": {
                "error": None,
                "result": [
                    {
                        "meta": meta,
                        "timestamp": stamps,
                        "indicators": {"quote": [quote], "adjclose": [{"adjclose": closes}]},
                        "events": {
                            "dividends": {str(stamps[1]): {"date": stamps[1], "amount": 1.5}}
                        },
                    }
                ],
            }
        }
        self.text = json.dumps(self.body)

    def json(self):
        return self.body


def test_through_yfinance_itself_days_are_the_exchange_s_and_holes_stay_visible(
    monkeypatch, tmp_path
):
    days = ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12", "2024-03-13"]  # clocks change
    chart = Chart(days, [500.0, 501.0, None, 503.0, 504.0])
    from yfinance.data import YfData

    monkeypatch.setattr(YfData, "get", lambda self, url, *a, **k: chart)
    monkeypatch.setattr(YfData, "cache_get", lambda self, url, *a, **k: chart)
    raw = Yahoo(tmp_path, timeout=5, pause=0, sleep=float).history(SPY, date(2024, 3, 13))
    assert [str(d)[:10] for d in raw.index] == days
    assert raw["dividend"].tolist() == [0, 1.5, 0, 0, 0]
    assert np.isnan(raw["value"].iloc[2])
    recent = SPY.model_copy(update={"starts": date(2024, 3, 12)})
    kept, said = screened(raw, recent, today=datetime(2024, 3, 13, tzinfo=UTC).date())
    assert kept["value"].tolist() == [503.0]  # the last row is still trading
    assert said == []


def test_yfinance_itself_raises_429_from_a_ticker_and_swallows_it_in_download(
    monkeypatch, tmp_path
):
    from yfinance.data import YfData

    def limited(self, *a, **k):
        raise YFRateLimitError

    monkeypatch.setattr(YfData, "get", limited)
    monkeypatch.setattr(YfData, "cache_get", limited)
    with pytest.raises(RateLimited):
        Yahoo(tmp_path, timeout=5, pause=0, sleep=float).history(SPY, TODAY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        swallowed = yfinance.download("SPY", period="max", threads=False, progress=False)
    assert swallowed.empty
