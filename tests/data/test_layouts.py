"""Files as publishers write them: what is recognised, which values are taken, and what is said."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import backtest as bt
from backtest.data.layouts.how import How
from backtest.data.layouts.names import factor_of
from backtest.data.layouts.reading import read_bytes

# Heads of files as their publishers write them: (name, text, factor, last day, its value, said).
FILES = (
    (
        "DGS10.csv",
        "DATE,DGS10\n1962-01-02,4.06\n1962-01-03,4.03\n1962-01-04,.\n",
        ("10Y", "1962-01-03", 4.03),
        "read as FRED, percent, 1962-01-02 .. 1962-01-03; 10Y; 1 blank",
    ),
    (
        "DGS3MO.csv",
        "observation_date,DGS3MO\n2025-03-13,4.33\n2025-03-14,4.32\n2025-03-17,\n",
        ("3M", "2025-03-14", 4.32),
        "read as FRED, percent, 2025-03-13 .. 2025-03-14; 3M; 1 blank",
    ),
    (
        "daily-treasury-rates.csv",
        'Date,"1 Mo","1.5 Month","2 Mo","10 Yr"\n03/14/2025,4.36,4.34,4.33,4.31\n'
        "03/05/2025,4.36,,4.33,4.27\n",
        ("10Y", "2025-03-14", 4.31),
        "read as Treasury.gov, percent, 2025-03-05 .. 2025-03-14; 1M, 2M, 10Y; newest day first",
    ),
    (
        "btc.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\n"
        "Date,,,,,\n2024-01-01,44167.3,44175.4,42214.9,42280.2,1842\n"
        "2024-01-02,44957.9,45899.7,44176.9,44187.1,3933\n",
        ("BTC", "2024-01-02", 44957.9),
        "read as yfinance, two lines of headings, USD",
    ),
    (
        "two.csv",
        ",Adj Close,Adj Close,Close,Close\n,BTC-USD,SPY,BTC-USD,SPY\nDate,,,,\n"
        "2024-01-02,44957.9,466.6,44957.9,472.6\n2024-01-03,42848.1,462.8,42848.1,468.7\n",
        ("SPY", "2024-01-03", 462.8),
        "; BTC, SPY",
    ),
    (
        "SPY.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-01-02 00:00:00-05:00,472.1,473.6,470.4,472.6,1236,0.0,0.0\n"
        "2024-07-03 00:00:00-04:00,470.4,471.1,468.1,468.7,1035,0.0,0.0\n",
        ("SPY", "2024-07-03", 468.7),
        "read as yfinance, USD",
    ),
    (
        "ETH-USD.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n2020-04-16,152.2,174,151.1,172.1,172.1,23\n"
        "2020-04-17,null,null,null,null,null,null\n2020-04-18,171,189,171,186.9,186.9,31\n",
        ("ETH", "2020-04-18", 186.9),
        "read as Yahoo history, USD, 2020-04-16 .. 2020-04-18; ETH; 1 blank; Adj Close: a dividend",
    ),
    (
        "spy_us_d.csv",
        "Date,Open,High,Low,Close,Volume\n2024-01-02,472,473,470,472.65,1\n"
        "2024-01-03,470,471,468,468.79,2\n",
        ("SPY", "2024-01-03", 468.79),
        "read as Stooq",
    ),
    (
        "spy.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "SPY.US,D,20050225,000000,84.7,85.7,84.6,85.6,80,0\n"
        "SPY.US,D,20050228,000000,85.5,85.5,84.7,85.0,81,0\n",
        ("SPY", "2005-02-28", 85.0),
        "read as Stooq",
    ),
    (
        "bloomberg.csv",
        "Security;USGG10YR Index;;\nStart Date;01.01.2020;;\nEnd Date;31.12.2020;;\n\n"
        "Date;PX_LAST;;\n02.01.2020;1,877;;\n15.01.2020;1,783;;\n16.01.2020;#N/A N/A;;\n",
        ("10Y", "2020-01-15", 1.783),
        "read as Bloomberg, percent, 2020-01-02 .. 2020-01-15; 10Y; 1 blank",
    ),
    (
        "excel.csv",
        "Prices of the desk\n\nDatum;USGG10YR Index;XBTUSD Curncy\n43832;1,877;7.200,5\n"
        "43833;1,788;7.345,25\n",
        ("BTC", "2020-01-03", 7345.25),
        "read as a wide table, percent and USD, 2020-01-02 .. 2020-01-03; 10Y, BTC",
    ),
    (
        "BTCUSDT-1d-2024-12.csv",  # milliseconds, and from 2025 on microseconds
        "1735516800000,93738,95024,91530,92792.05,27619,1735603199999,2583,5,1,1,0\n"
        "1735603200000000,92792,96250,92033,93576.00,19612,1735689599999999,1846,4,9,9,0\n",
        ("BTC", "2024-12-31", 93576.0),
        "read as Binance klines, USD, 2024-12-30 .. 2024-12-31; BTC",
    ),
    (
        "ETHUSDT-1d.csv",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        "taker_buy_quote_volume,ignore\n"
        "1704067200000,2281,2352,2265,2352.05,206,1704153599999,8926,2,1,4,0\n"
        "1704153600000,2352,2431,2341,2355.34,459,1704239999999,2,5,2,1,0\n",
        ("ETH", "2024-01-02", 2355.34),
        "read as Binance klines",
    ),
    (
        "XBTUSD_1440.csv",
        "1381017600,122.0,122.0,122.0,122.0,0.1,1\n1381104000,123.6,123.6,123.6,123.61,0.1,1\n",
        ("BTC", "2013-10-07", 123.61),
        "read as Kraken OHLC",
    ),
    (
        "btc-usd-max.csv",  # the price at midnight closes the day before
        "snapped_at,price,market_cap,total_volume\n2013-04-28 00:00:00 UTC,135.3,1500517590,0\n"
        "2013-04-29 00:00:00 UTC,141.96,1575032004,0\n2013-04-29 14:03:11 UTC,140.0,15,0\n",
        ("BTC", "2013-04-28", 141.96),
        "rows at another time of day left out: 1; a price at midnight closes the day before",
    ),
    (
        "Bitstamp_BTCUSD_d.csv",
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n"
        "1704153600,2024-01-02 00:00:00,BTC/USD,44168,45899,44166,44941,4092,183\n"
        "1704067200,2024-01-01 00:00:00,BTC/USD,42261,44175,42186,44168,1047,45\n",
        ("BTC", "2024-01-02", 44941.0),
        "read as CryptoDataDownload, USD, 2024-01-01 .. 2024-01-02; BTC; newest day first",
    ),
    (
        "USTREASURY-YIELD.csv",
        "Date,1 MO,2 MO,10 YR\n2020-03-03,1.1,1.1,1.02\n2020-03-02,1.4,1.3,1.1\n",
        ("10Y", "2020-03-03", 1.02),
        "percent, 2020-03-02 .. 2020-03-03; 1M, 2M, 10Y; newest day first",
    ),
    (
        "ZN.csv",
        "Date,Open,High,Low,Last,Change,Settle,Volume\n2020-03-02,134,135,134,134.8,,134.9,1\n"
        "2020-02-28,133,135,133,134.6,,134.7,2\n",
        ("ZN", "2020-03-02", 134.9),
        "read as Nasdaq Data Link",
    ),
    (
        "SPY_nasdaq.csv",
        'Date,Close/Last,Volume,Open,High,Low\n09/12/2025,"$1,234.56","2,345",$1230,$1,$1\n'
        "09/11/2025,$1220.10,1,$1215.00,$1,$1\n",
        ("SPY_NASDAQ", "2025-09-12", 1234.56),
        "read as Nasdaq.com",
    ),
    (
        "Bitcoin Historical Data.csv",
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"Mar 15, 2024","69,499.8","71,387","72,398","65,565","137.27K","-2.64%"\n'
        '"Mar 14, 2024","71,387.5","1","1","1","1K","-2%"\n',
        ("BTC", "2024-03-15", 69499.8),
        "read as Investing.com",
    ),
    (
        "VIX_History.csv",
        "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24,17.24\n01/25/1990,18,18,18,25.36\n",
        ("VIX", "1990-01-25", 25.36),
        "bars alike, percent",
    ),
    (
        "Bitcoin_1_1_2024-1_3_2024_historical_data_coinmarketcap.csv",
        "timeOpen;timeClose;name;open;high;low;close;volume;marketCap;timestamp\n"
        '"2024-01-02T00:00:00.000Z";"2024-01-02T23:59:59.999Z";"2781";44187;45899;44176;44957.96;3;8;'
        '"2024-01-02T23:59:59.999Z"\n'
        '"2024-01-01T00:00:00.000Z";"2024-01-01T23:59:59.999Z";"2781";42265;44175;42214;44167.33;3;8;'
        '"2024-01-01T23:59:59.999Z"\n',
        ("BTC", "2024-01-02", 44957.96),
        "newest day first",
    ),
    (
        "copied.csv",  # from Yahoo's page
        "Date,Open,High,Low,Close*,Adj Close**,Volume\n"
        '"Jan 3, 2024",470,471,468,468.79,462.8,"1,100"\n'
        '"Jan 2, 2024",472,473,470,472.65,466.66,"123,623,700"\n',
        ("COPIED", "2024-01-03", 462.8),
        "read as Yahoo history",
    ),
    (
        "daily_SPY.csv",  # Alpha Vantage: its close is before splits
        "timestamp,open,high,low,close,adjusted_close,volume\n2024-01-03,1,1,1,468.7,458.9,1\n"
        "2024-01-02,1,1,1,472.6,462.8,1\n",
        ("SPY", "2024-01-03", 458.9),
        "read as a table of adjusted closes, USD, 2024-01-02 .. 2024-01-03; SPY",
    ),
    (
        "BITSTAMP_BTCUSD, 1D.csv",  # TradingView
        "time,open,high,low,close,Volume\n1704067200,1,1,1,44167.3,1\n1704153600,1,1,1,44957.9,1\n",
        ("BTC", "2024-01-02", 44957.9),
        "bars alike, USD, 2024-01-01 .. 2024-01-02; BTC",
    ),
    (
        "btc.csv",  # prices that look like serial numbers of days
        "Close,Day\n45000,2024-01-02\n46000,2024-01-03\n",
        ("BTC", "2024-01-03", 46000.0),
        "USD, 2024-01-02 .. 2024-01-03; BTC",
    ),
    (
        "grouped.csv",  # yfinance with group_by="ticker"
        "Ticker,SPY,SPY,BTC-USD,BTC-USD\nPrice,Open,Close,Open,Close\nDate,,,,\n"
        "2024-01-02,472,472.6,44187,44957.9\n2024-01-03,470,468.7,44957,42848.1\n",
        ("BTC", "2024-01-03", 42848.1),
        "read as yfinance, two lines of headings, USD, 2024-01-02 .. 2024-01-03; SPY, BTC",
    ),
    (
        "reset.csv",  # yfinance after reset_index()
        "Price,Date,Close,High\nTicker,,SPY,SPY\n0,2024-01-02,472.6,473.6\n1,2024-01-03,468.7,471\n",
        ("SPY", "2024-01-03", 468.7),
        "two lines of headings, USD, 2024-01-02 .. 2024-01-03; SPY",
    ),
    (
        "bdh.csv",
        "Start Date,1/1/2020,\nEnd Date,12/31/2020,\n,,\n,USGG10YR Index,XBTUSD Curncy\n"
        "Dates,PX_LAST,PX_LAST\n1/2/2020,1.877,7200.5\n1/15/2020,1.783,8800.1\n",
        ("10Y", "2020-01-15", 1.783),
        "read as Bloomberg, percent and USD, 2020-01-02 .. 2020-01-15; 10Y, BTC",
    ),
    (
        "FRB_H15.csv",
        '"Series Description","Market yield on U.S. Treasury securities at 10-year"\n'
        '"Unit:","Percent:_Per_Year"\n"Time Period","RIFLGFCY10_N.B"\n2025-03-13,4.27\n'
        "2025-03-14,4.31\n2025-03-17,ND\n",
        ("10Y", "2025-03-14", 4.31),
        "percent, 2025-03-13 .. 2025-03-14; 10Y; 1 blank",
    ),
    (
        "par-real-yield-curve.csv",  # never under the names of nominal yields
        'Date,"5 YR","7 YR","10 YR","20 YR","30 YR"\n03/14/2025,1.5,1.7,1.99,2.3,2.4\n'
        "03/13/2025,1.4,1.7,1.95,2.2,2.4\n",
        ("10Y REAL", "2025-03-14", 1.99),
        "; 5Y REAL, 7Y REAL, 10Y REAL, 20Y REAL, 30Y REAL; newest day first",
    ),
    (
        "page.csv",  # copied from the page of Yahoo, with a dividend on the day of a price
        "Date,Open,Close    Close price adjusted for splits.,Adj Close    Adjusted close price.\n"
        '"Mar 21, 2025",560.1,563.9,563.9\n"Mar 21, 2025",1.70 Dividend,,\n'
        '"Mar 20, 2025",563.3,565.4,563.7\n',
        ("PAGE", "2025-03-21", 563.9),
        "read as Yahoo history, USD, 2025-03-20 .. 2025-03-21; PAGE; 1 blank; newest day first",
    ),
    (
        "spy_us_d.csv",
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2024-01-02,472,473,470,472.65,1\n"
        "2024-01-03,470,471,468,468.79,2\n",
        ("SPY", "2024-01-03", 468.79),
        "read as a table of days and values",
    ),
    (
        "saved.csv",  # saved again by Excel, with where it comes from
        "Date,Close\n3/14/2024 0:00,71387.5\n3/15/2024 0:00,69499.8\n\n"
        '"Source: a vendor, retrieved 2024-03-16",\n',
        ("SAVED", "2024-03-15", 69499.8),
        "; SAVED; lines of notes below left out: 1",
    ),
    (
        "prices.csv",
        "Date,10Y,BTC,Source\n2024-03-14,4.29,71000,x\n2024-03-15,4.31,69000,y\n",
        ("10Y", "2024-03-15", 4.31),
        "read as a wide table, percent and USD, 2024-03-14 .. 2024-03-15; 10Y, BTC",
    ),
)


@pytest.mark.parametrize(("file", "text", "last", "said"), FILES, ids=lambda v: str(v)[:20])
def test_what_a_publisher_writes_is_read(file, text, last, said):
    factor, day, value = last
    for content in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        reading = read_bytes(content.encode(), file)
        column, _ = reading.values(factor)
        assert column.index.is_monotonic_increasing
        assert (f"{column.index[-1]:%Y-%m-%d}", column.iloc[-1]) == (day, value)
        assert said in reading.line() and "\n" not in reading.line()


def refusal(file, text, how=None):
    with pytest.raises(bt.DataError) as error:
        reading = read_bytes(text.encode(), file, how)
        for factor in reading.factors:
            reading.values(factor)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Date,Close\n01/02/2024,1\n01/03/2024,2\n", "may be 2024-01-02 or 2024-02-01"),
        (
            "Date,Close\n13/01/2024,1\n01/14/2024,2\n",
            "writes days in two ways: 13/01/2024 (line 2)",
        ),
        ('Date,Close\n2024-01-02,"1,234"\n2024-01-03,"1,235"\n', "may be 1234 or 1.234"),
        ("Date;Close\n2024-01-02;45.123\n2024-01-03;46.001\n", "may be 45123 or 45.123"),
        ("Date,Close\n2024-01-02,1\n2024-01-03,oops\n", "line 3: Close is 'oops', not a number"),
        ("Date,Close\n2024-01-02,1\n2024-01-33,2\n", "line 3: date '2024-01-33' is not a day"),
        ("Date,Close\n2024-01-02,1\n2024-01-02,2\n", "2024-01-02 occurs twice"),
        ("Date,Close\n2024-01-02,71,387.5\n2024-01-03,1\n", "3 cells below 2 headings; a number"),
        ("Date,Close\n2024-01-02,1\nAverage,4.29\n", "line 3: date 'Average' is not a day"),
        ("Date;Close\n14.03.2024;71,5 €\n15.03.2024;69,5 €\n", "X is 71,5 €, which is not USD"),
        ("Date,X\n2024-01-02,(1.5)\n2024-01-03,(1.6)\n", "has no column of numbers"),
        ("Date,X\n2024-01-02,4.2%\n2024-01-03,1\n", "is 4.2% on one day, and others have none"),
        ("Date,X\n2024-01-02,4.2%\n2024-01-03,4%\n", "is 4.2% on one day, and its unit is USD"),
        (
            "Date,Close\n3/9/2020 19:00,7900\n3/11/2020 20:00,4971\n3/25/2020 20:00,4972\n",
            "has stamps at many times",  # of New York, which is not their day
        ),
        ("Date,Close\n2024-01-04,1\n2024-01-02,2\n2024-01-03,2\n", "comes after a later day"),
        ("1704067200,1,2\n1704153600,3,4\n", "has no headings, and 3 columns"),
        ("<html>\n<body>404</body>\n", "has no rows that begin with a day"),
        ("", "has no rows that begin with a day (its first cell is '')"),
        (
            "time,open,high,low,close,volume\n1704067200,1,1,1,1,1\n1704070800,2,2,2,2,2\n",
            'has several rows on 2024-01-01; give a value a day, or say close = "HH:MM"',
        ),
        ("timestamp,price\n2024-03-08 19:00:00,1\n2024-03-11 20:00:00,2\n", "stamps at many times"),
        (
            "unix,date,symbol,open,high,low,close\n1,2024-01-02,BTC/USD,1,1,1,1\n"
            "1,2024-01-03,ETH/USD,1,1,1,1\n",
            "holds 2 symbols",
        ),
    ],
)
def test_what_can_be_read_two_ways_or_none_is_refused(text, said):
    assert said in refusal("x.csv", text)


def test_what_is_packed_is_named():
    with pytest.raises(bt.DataError, match="gzip; unpack it"):
        read_bytes(b"\x1f\x8b..", "prices.csv.gz")


def test_a_parquet_that_unpacks_to_any_size_is_refused_before_it_is_read(tmp_path):
    rows = 60_000_000  # of one value, a few kilobytes when packed
    table = pa.table({"Close": pa.DictionaryArray.from_arrays(np.zeros(rows, "int8"), [1.0])})
    pq.write_table(table, tmp_path / "x.parquet")
    raw = (tmp_path / "x.parquet").read_bytes()
    assert len(raw) < 1_000_000
    with pytest.raises(bt.DataError, match="more than 50,000,000 cells"):
        read_bytes(raw, "x.parquet")


def parquet(tmp_path, file="x.parquet", index=None, **columns):
    pd.DataFrame(columns, index=index).to_parquet(tmp_path / file)
    return read_bytes((tmp_path / file).read_bytes(), file)


def test_days_of_a_parquet_are_read_as_those_of_a_text(tmp_path):
    """As numbers they were nanoseconds since 1970, and 01/02 was the second of January."""
    with pytest.raises(bt.DataError, match="may be 2024-01-02 or 2024-02-01"):
        parquet(tmp_path, date=["01/02/2024", "01/03/2024"], close=[1.0, 2.0])
    expected = {pd.Timestamp("2024-12-30"): 1.0, pd.Timestamp("2024-12-31"): 2.0}
    days, tokyo = pd.DatetimeIndex(list(expected)), "{:%Y-%m-%d}T00:00:00+09:00"
    for stamps in (
        days.strftime("%m/%d/%Y"),
        days.astype("datetime64[ms]").astype(np.int64),
        [tokyo.format(day) for day in days],
        days.date,
        days.tz_localize("UTC").tz_convert("America/New_York"),
    ):
        reading = parquet(tmp_path, "XBTUSD.parquet", timestamp=stamps, close=[1.0, 2.0])
        assert reading.values("BTC")[0].to_dict() == expected


def test_what_is_no_par_yield_has_no_name_of_one():
    for name in ("10Y-2Y", "10Y Bund", "10Y TIPS", "10 Yr Real", "10Y swap"):
        assert factor_of(name) == name.upper()
    for name in ("10Y (%)", "10-Year Treasury Constant Maturity Rate", "10 Yr Yield", "Y_10Y"):
        assert factor_of(name) == "10Y"


def test_a_row_decides_what_others_leave_open():
    for text, day in (("02/01/2024,1\n13/01/2024", "2024-01-02"), ("01/02/2024,1\n01/13/2024", "")):
        column, _ = read_bytes(f"Date,Close\n{text},2\n".encode(), "x.csv").values("X")
        assert f"{column.index[0]:%Y-%m-%d}" == "2024-01-02", day


def test_stamps_of_new_york_are_days_of_utc_where_they_are_midnight_there():
    crypto = "Date,Close\n2020-03-11 20:00:00-04:00,4971\n2020-03-12 20:00:00-04:00,5564\n"
    column, _ = read_bytes(crypto.encode(), "btc.csv").values("BTC")
    assert column["2020-03-12"] == 4971
    tokyo = "Date,Close\n2024-01-05 00:00:00+09:00,1\n2024-01-08 00:00:00+09:00,2\n"
    column, _ = read_bytes(tokyo.encode(), "n225.csv").values("N225")
    assert column.index.strftime("%m-%d").tolist() == ["01-05", "01-08"]
    # The same bars without their zone: nobody can tell, so it must be said.
    naive = "Date,Close\n2020-03-05 19:00:00,9000\n2020-03-11 20:00:00,4971\n"
    assert "stamps at many times" in refusal("btc.csv", naive)
    said = How(time_zone="America/New_York")
    column, _ = read_bytes(naive.encode(), "btc.csv", said).values("BTC")
    assert column["2020-03-12"] == 4971


def test_hours_become_days_at_the_close_that_is_said():
    hours = pd.date_range("2024-06-03", periods=72, freq="h", tz="UTC")
    rows = "".join(f"{t.timestamp():.0f},{i}\n" for i, t in enumerate(hours))
    how = How(time_zone="America/New_York", close="16:00")
    column, _ = read_bytes(f"time,close\n{rows}".encode(), "btc.csv", how).values("BTC")
    assert column.to_dict() == {  # 16:00 in New York is 20:00 UTC in summer
        pd.Timestamp("2024-06-03"): 20.0,
        pd.Timestamp("2024-06-04"): 44.0,
        pd.Timestamp("2024-06-05"): 68.0,
    }


def test_what_is_said_of_a_file_overrides_what_is_seen(tmp_path):
    text = "Export of 1 May\nwhen|what|much\n01/02/2024|a|1'234,5\n02/02/2024|b|1'240,0\n"
    how = How(
        date="when", date_format="%d/%m/%Y", decimal=",", thousands="'", separator="|", skip=1,
        columns={"BTC": "much"},
    )  # fmt: skip
    column, _ = read_bytes(text.encode(), "x.csv", how).values("BTC")
    assert column.to_dict() == {
        pd.Timestamp("2024-02-01"): 1234.5,
        pd.Timestamp("2024-02-02"): 1240.0,
    }
    assert "has no column 'many'" in refusal("x.csv", text, How(skip=1, columns={"BTC": "many"}))
    twice = "Date,PX,PX\n2024-01-02,1,2\n"
    assert "has 2 columns 'PX'" in refusal("x.csv", twice, How(columns={"10Y": "PX"}))
    assert "unit is 'bps'; known: percent" in refusal("x.csv", text, How(unit="bps"))


def test_32nds_are_read_where_they_are_written_or_said():
    text = "Date,Close\n2024-01-02,110-16+\n2024-01-03,110-01\n"
    assert read_bytes(text.encode(), "zn.csv").values("ZN")[0].tolist() == [110.515625, 110.03125]
    behind = "Date,Close\n2024-01-02,110.165\n2024-01-03,110.1\n"
    column, _ = read_bytes(behind.encode(), "zn.csv", How(unit="32nds")).values("ZN")
    assert column.tolist() == [110.515625, 110.3125]


def test_a_folder_of_strangers_files_becomes_the_market_of_our_own(tmp_path):
    days = pd.bdate_range("2024-01-02", periods=30)
    tens = [round(4 + 0.01 * (i * 7 % 13), 2) for i in range(30)]
    coins = [40_000.0 + 137 * (i * 5 % 11) for i in range(30)]
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    own.mkdir(), foreign.mkdir()
    for name, column, values in (
        ("treasury_par_yields.csv", "10Y", tens),
        ("btc_usd.csv", "Close", coins),
    ):
        frame = pd.DataFrame({column: values}, index=pd.Index(days, name="Date"))
        frame.to_csv(own / name)
    us = pd.DataFrame({"Date": days.strftime("%m/%d/%Y"), "10 Yr": tens})
    us[:15][::-1].to_csv(foreign / "rates-2024-1.csv", index=False)  # one file after another
    us[15:][::-1].to_csv(foreign / "rates-2024-2.csv", index=False)
    pd.DataFrame({"BTC-USD": coins}, index=days).to_parquet(foreign / "coins.parquet")
    factors = ("10Y", "BTC")
    expected = bt.load_market(own, factors=factors)
    market = bt.load_market(foreign, factors=factors)
    pd.testing.assert_frame_equal(market.to_frame(), expected.to_frame())
    with pytest.raises(bt.DataError, match=r"has no eth_usd.csv; .* Its files hold 10Y, BTC\."):
        bt.load_market(foreign, factors=("10Y", "ETH"))
    (foreign / "BTC-USD.csv").write_text((own / "btc_usd.csv").read_text())
    both = bt.load_market(foreign, factors=factors)  # two files that say the same
    pd.testing.assert_frame_equal(both.to_frame(), expected.to_frame())
    pd.DataFrame({"BTC-USD": [1.01 * coin for coin in coins]}, index=days).to_parquet(
        foreign / "coins.parquet"
    )
    with pytest.raises(bt.DataError, match=r"BTC is in 2 files .* name one of them in data\.files"):
        bt.load_market(foreign, factors=factors)
    chosen = bt.load_market(foreign, factors=factors, files={"BTC-USD.csv": How()})
    pd.testing.assert_frame_equal(chosen.to_frame(), expected.to_frame())


def test_files_of_our_own_names_may_be_in_other_layouts(tmp_path):
    days = pd.bdate_range("2024-01-02", periods=30)
    closes = [40_000.0 + 137 * (i * 5 % 11) for i in range(30)]
    for stamps in (days.strftime("%m/%d/%Y"), days.strftime("%Y-%m-%d 00:00:00+00:00")):
        frame = pd.DataFrame({"Date": stamps, "Close": closes})
        for table in (frame, frame[::-1]):
            table.to_csv(tmp_path / "btc_usd.csv", index=False)
            market = bt.load_market(tmp_path, factors=("BTC",))
            assert market.level("BTC").tolist() == closes
            assert market.dates.tolist() == days.date.tolist()
    frame[:9].assign(Date=days[:9].strftime("%m/%d/%Y")).to_csv(
        tmp_path / "btc_usd.csv", index=False
    )
    with pytest.raises(bt.DataError, match="01/02/2024 may be 2024-01-02 or 2024-02-01"):
        bt.load_market(tmp_path, factors=("BTC",))


def test_units_that_are_said_are_converted(tmp_path):
    days = pd.bdate_range("2024-01-02", periods=30)
    values = [0.04 + 0.0001 * (i * 7 % 13) for i in range(30)]
    pd.DataFrame({"10Y": values}, index=pd.Index(days, name="Date")).to_csv(tmp_path / "y.csv")
    for unit, share in (("decimal", 1.0), ("basis points", 1e-4), ("percent", 0.01)):
        frame = pd.DataFrame({"10Y": values}, index=pd.Index(days, name="Date")) / share
        frame.to_csv(tmp_path / "y.csv")
        market = bt.load_market(tmp_path, factors=("10Y",), files={"y.csv": How(unit=unit)})
        assert market.level("10Y")[3] == pytest.approx(values[3], rel=1e-12)
    with pytest.raises(bt.DataError, match="10Y cannot be in USD; give one of percent"):
        bt.load_market(tmp_path, factors=("10Y",), files={"y.csv": How(unit="USD")})
