"""Fetching into a cache, end to end: publishers made by hand, files and the command line real."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest

import backtest as bt
from backtest.data import cache as cache_module
from backtest.data.cache import KIND, MANIFEST, Cache
from backtest.data.fetch import FetchError, fetch
from backtest.data.guards import HostError
from backtest.data.sources import settings
from backtest.data.web import RateLimited
from backtest.types import DataError
from tests.support.commands import backtest, one_line, write_study
from tests.support.publishers import NOW, TODAY, HandMade, column_of, everywhere, history_of

LATER = NOW + timedelta(days=1)
FILES = len(settings().chosen())


def fetched(
    folder, source=None, *, only=("btc_usd",), now=NOW, sleep=lambda seconds: None, **options
):
    sources = everywhere(source or HandMade())
    return fetch(folder, only=only, sources=sources, now=now, sleep=sleep, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A cache of every file."""
    folder = tmp_path_factory.mktemp("whole") / "data_cache"
    fetched(folder, only=())
    return folder


def test_every_file_has_the_shape_that_a_folder_of_prices_has(whole, real_data):
    for file in settings().chosen():
        mine = pd.read_csv(whole / file.name, nrows=3)
        theirs = real_data / file.name
        if theirs.is_file() and file.name != "sp500.csv":
            assert set(mine.columns) <= set(pd.read_csv(theirs, nrows=3).columns) | {"Date"}
    assert pd.read_csv(whole / "sp500.csv").columns.tolist() == [
        "Date",
        "SPY_close",
        "SPY_adjclose",
    ]


def test_a_market_is_loaded_from_the_cache_with_the_values_that_were_sent(whole):
    market = bt.load_market(whole)
    assert market.factors == ("3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH")
    assert market.dates[-1] == TODAY - timedelta(days=1)
    sent = history_of(column_of("BTC-USD"))["value"]
    assert market.level("BTC").tolist() == sent.loc[market.dates].tolist()
    ten = history_of(column_of("10 Yr"))["value"]
    assert market.level("10Y").tolist() == (ten.loc[market.dates] / 100).tolist()


def test_the_manifest_says_where_each_file_comes_from(whole):
    manifest = json.loads((whole / MANIFEST).read_text())
    assert len(manifest["files"]) == FILES
    assert manifest["in_flight"] == {}
    entry = manifest["files"]["btc_usd.csv"]
    assert entry["codes"] == ["BTC-USD"] and entry["factors"] == ["BTC"]
    assert entry["source"].startswith("yahoo (yfinance ")
    assert entry["fetched_at"] == "2024-03-05T09:00:00+00:00"
    assert (entry["first"], entry["last"]) == ("2014-09-17", "2024-03-04")
    assert entry["rows"] == len(pd.read_csv(whole / "btc_usd.csv"))


def test_verify_and_list(whole):
    result = backtest("verify", "--cache", whole, cwd=whole)
    assert result.returncode == 0
    assert f"verified: {FILES} files" in result.stdout
    result = backtest("list", "--cache", whole, cwd=whole)
    assert result.returncode == 0
    line = next(x for x in result.stdout.splitlines() if "usdc_usd.csv" in x)
    sha = json.loads((whole / MANIFEST).read_text())["files"]["usdc_usd.csv"]["sha256"]
    for part in (
        "USDC",
        "yahoo",
        "2018-10-08 .. 2024-03-04",
        "1,975",
        "2024-03-05 09:00",
        sha[:12],
    ):
        assert part in line


def test_a_damaged_file_is_one_line_at_verify_and_at_run(tmp_path):
    folder = tmp_path / "prices"
    fetched(folder, only=("treasury_par_yields", "btc_usd", "eth_usd"))
    with (folder / "eth_usd.csv").open("a") as file:
        file.write("2024-03-05,1.0\n")
    expected = Cache(folder).entries["eth_usd.csv"].sha256[:12]
    parts = (
        "eth_usd.csv is not as it was fetched on 2024-03-05",
        expected,
        "--only eth_usd --cache prices",
    )
    said = one_line(backtest("verify", "--cache", "prices", cwd=tmp_path))
    assert all(part in said for part in parts), said
    study = write_study(tmp_path)
    said = one_line(backtest("run", study, "--data", "prices", cwd=tmp_path))
    assert all(part in said for part in parts), said
    assert not (tmp_path / "results").exists()
    (folder / "btc_usd.csv").unlink()
    said = one_line(backtest("verify", "--cache", "prices", cwd=tmp_path))
    assert "found no file" in said and "1 more files" in said


def test_a_damaged_file_is_mended_by_fetching_it_again(tmp_path):
    fetched(tmp_path)
    (tmp_path / "btc_usd.csv").write_text("Date,Close\n")
    entry = fetched(tmp_path, now=LATER)["btc_usd.csv"]
    assert Cache(tmp_path).verify() == 1
    assert entry.warnings == ["the previous version was damaged, so it could not be compared"]


def test_a_manifest_that_cannot_be_read_is_one_line(tmp_path):
    fetched(tmp_path)
    (tmp_path / MANIFEST).write_text('{"kind": "margin-backtest data cache", "files": {"btc')
    said = one_line(backtest("list", "--cache", ".", cwd=tmp_path))
    assert "manifest.json' cannot be read" in said


def test_files_of_ones_own_need_no_manifest_and_are_never_overwritten(tmp_path):
    own = "Date,Close\n2024-01-02,45000\n2024-01-03,43000\n"
    (tmp_path / "btc_usd.csv").write_text(own)
    (tmp_path / MANIFEST).write_text('{"files": "of something else"}')
    assert bt.load_market(tmp_path, factors=("BTC",)).levels.tolist() == [[45000.0], [43000.0]]
    with pytest.raises(
        DataError, match="btc_usd.csv .* is not from a fetch and would be overwritten"
    ):
        fetched(tmp_path)
    assert (tmp_path / "btc_usd.csv").read_text() == own


def test_a_rewritten_history_is_printed_and_kept_in_the_manifest(tmp_path, capsys):
    from backtest.cli.cache import show_cache
    from backtest.present.screen import Screen

    fetched(tmp_path)
    changed = history_of(column_of("BTC-USD"))
    old = float(changed.loc["2020-03-12", "value"])
    changed.loc["2020-03-12", "value"] = 1.1 * old
    entries = fetched(tmp_path, HandMade(BTC_USD=changed), now=LATER)
    (rewrite,) = Cache(tmp_path).entries["btc_usd.csv"].rewrites
    assert rewrite["values"] == [["2020-03-12", "Close", old, 1.1 * old]]
    assert rewrite["largest_relative"] == pytest.approx(0.1)
    assert rewrite["against"].endswith("fetched 2024-03-05T09:00:00+00:00")
    show_cache(Screen(), entries)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"2020-03-12 Close {old:.10g} -> {1.1 * old:.10g}" in printed
    assert "1 changed, 0 gone, 0 new, largest relative change 10.000%" in printed
    again = fetched(tmp_path, HandMade(BTC_USD=changed), now=LATER)
    assert again["btc_usd.csv"].rewrites == [rewrite]  # remembered, and not found twice


def test_a_dividend_rewrites_adjusted_closes_and_is_no_rewritten_history(tmp_path):
    first = fetched(tmp_path, only=("sp500",))
    before = pd.read_csv(tmp_path / "sp500.csv", index_col="Date")
    column = column_of("SPY")
    more = history_of(column, LATER.date())
    more.iloc[-1, 1] = 2.0
    more.iloc[:-1] = history_of(column)
    second = fetched(tmp_path, HandMade(SPY=more), only=("sp500",), now=LATER)
    after = pd.read_csv(tmp_path / "sp500.csv", index_col="Date").loc[before.index]
    assert (after["SPY_close"] == before["SPY_close"]).all()
    assert (after["SPY_adjclose"] < before["SPY_adjclose"]).all()
    assert first["sp500.csv"].rewrites == second["sp500.csv"].rewrites == []


def test_a_dividend_on_a_day_without_a_close_is_refused(tmp_path):
    sent = history_of(column_of("SPY"))
    sent.iloc[60, 0] = float("nan")
    with pytest.raises(DataError, match="SPY paid a dividend on 1993-04-27, a day left out"):
        fetched(tmp_path, HandMade(SPY=sent), only=("sp500",))


def test_yield_indices_are_compared_with_the_par_yields(tmp_path):
    fetched(tmp_path, only=("treasury_par_yields", "yahoo_yields"))
    assert Cache(tmp_path).entries["yahoo_yields.csv"].warnings == []
    wrong = HandMade(**{"^TNX": history_of(column_of("^TNX")) + 1.0})
    entry = fetched(tmp_path, wrong, only=("yahoo_yields",), now=LATER)["yahoo_yields.csv"]
    assert entry.warnings[0].startswith("^TNX: median distance to the 10Y par yield 1.0")


def test_holes_shared_by_columns_are_one_warning(tmp_path):
    class Closed(HandMade):
        def history(self, column, today):
            return history_of(column, today).drop(pd.Timestamp("2018-12-06"))

    entry = fetched(tmp_path, Closed(), only=("treasury_futures_front_unadjusted",))
    assert entry["treasury_futures_front_unadjusted.csv"].warnings == [
        "ZT=F, ZF=F, ZN=F, ZB=F: no row for 1 day (2018-12-06); not filled in"
    ]


def test_one_bad_ticker_leaves_its_file_and_fetches_the_others(tmp_path):
    fetched(tmp_path)
    old = (tmp_path / "btc_usd.csv").read_bytes()
    bad = HandMade(BTC_USD=DataError("Yahoo sent no row for BTC-USD"))
    with pytest.raises(FetchError) as caught:
        fetched(tmp_path, bad, only=("btc_usd", "eth_usd"), now=LATER)
    assert str(caught.value) == (
        "1 of 2 files not fetched, their cached versions are unchanged: "
        "btc_usd.csv: Yahoo sent no row for BTC-USD."
    )
    assert (tmp_path / "btc_usd.csv").read_bytes() == old
    assert set(Cache(tmp_path).entries) == {"btc_usd.csv", "eth_usd.csv"}
    assert list(caught.value.done) == ["eth_usd.csv"]


def test_a_host_that_cannot_be_reached_is_asked_once(tmp_path):
    down = HandMade(BTC_USD=HostError("cannot reach Yahoo (no route)"))
    with pytest.raises(DataError, match=r"9 of 9 files not fetched.*: yahoo: cannot reach Yahoo"):
        yahoo = [f.name for f in settings().chosen() if f.source == "yahoo"]
        fetched(tmp_path, down, only=tuple(yahoo))
    assert down.asked == ["BTC-USD"]


def test_too_many_requests_waits_as_the_settings_say_and_then_stops(tmp_path):
    pauses = []
    limited = HandMade(BTC_USD=[RateLimited(), RateLimited(), history_of(column_of("BTC-USD"))])
    fetched(tmp_path, limited, sleep=pauses.append)
    assert pauses == [30, 60]
    stuck = HandMade(BTC_USD=[RateLimited() for _ in range(9)])
    with pytest.raises(DataError, match="yahoo still answers 'too many requests'"):
        fetched(tmp_path, stuck, only=("btc_usd", "eth_usd"), sleep=pauses.append)
    assert pauses == [30, 60, 30, 60, 120]
    assert stuck.asked == ["BTC-USD"] * 4  # and nothing after it
    assert Cache(tmp_path).verify() == 1


@pytest.mark.parametrize("replaced", range(3))
@pytest.mark.parametrize("after", [False, True])
def test_cut_off_at_any_step_the_cache_is_one_whole_version(tmp_path, monkeypatch, replaced, after):
    """Before or after each of the three renames of a put."""
    fetched(tmp_path)
    versions = {(tmp_path / "btc_usd.csv").read_bytes()}
    count = 0

    def cut(source, target):
        nonlocal count
        if count == replaced and not after:
            raise KeyboardInterrupt
        os.rename(source, target)
        if count == replaced:
            raise KeyboardInterrupt
        count += 1

    with monkeypatch.context() as patched:
        patched.setattr(cache_module.os, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            fetched(tmp_path, now=LATER)
    versions.add((tmp_path / "btc_usd.csv").read_bytes())
    left = Cache(tmp_path)
    assert left.verify() == 1
    entry = left.entries["btc_usd.csv"]
    assert entry.rows == len(bt.load_market(tmp_path, factors=("BTC",)).dates)
    assert entry.fetched_at == (LATER if len(versions) == 2 else NOW).isoformat()
    assert not list(tmp_path.glob(".*.partial"))
    fetched(tmp_path, now=LATER)
    assert Cache(tmp_path).verify() == 1


KILLED = """
import os, signal
from datetime import timedelta
from pathlib import Path
from backtest.data.fetch import fetch
from tests.support.publishers import NOW, HandMade, everywhere, history_of

class Dying(HandMade):
    def history(self, column, today):
        if column.code == "ZN=F":
            os.kill(os.getpid(), signal.SIGKILL)
        return history_of(column, today)

fetch(Path("cache"), sources=everywhere(Dying()), now=NOW + timedelta(days=1))
"""


def test_a_killed_fetch_leaves_every_file_whole(tmp_path):
    fetched(tmp_path / "cache", only=())
    before = Cache(tmp_path / "cache").entries
    root = str(settings.__wrapped__.__globals__["SETTINGS"].parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}
    )
    assert done.returncode == -signal.SIGKILL
    after = Cache(tmp_path / "cache")
    assert after.verify() == FILES
    name = "treasury_futures_front_unadjusted.csv"
    assert after.entries[name] == before[name]
    assert after.entries["btc_usd.csv"].last == "2024-03-05"  # those finished before are new


def test_fetch_without_a_network_is_one_line_and_harms_nothing(tmp_path):
    fetched(tmp_path / "data_cache")
    before = {p.name: p.read_bytes() for p in (tmp_path / "data_cache").iterdir() if p.is_file()}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    result = subprocess.run(
        [sys.executable, "-m", "backtest", "fetch", "--timeout", "3"],
        cwd=tmp_path,
        env=os.environ | nowhere | {"no_proxy": "", "NO_PROXY": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = one_line(result)
    for part in (
        f"{FILES} of {FILES} files not fetched, their cached versions are unchanged: ",
        "treasury: cannot reach home.treasury.gov",
        "fred: cannot reach fred.stlouisfed.org",
        "yahoo: cannot reach Yahoo",
    ):
        assert part in said, said
    after = {p.name: p.read_bytes() for p in (tmp_path / "data_cache").iterdir() if p.is_file()}
    assert after == before


def test_bad_arguments_are_one_line(tmp_path):
    for arguments, said in (
        (["fetch", "--only", "gold"], "no source has 'gold.csv'"),
        (["fetch", "--yields", "ecb"], "unknown yields 'ecb'"),
        (["list"], "nothing was fetched into 'data_cache'"),
        (["verify", "--cache", "none"], "nothing was fetched into 'none'"),
    ):
        assert said in one_line(backtest(*arguments, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "data_cache").write_text("a file")
    with pytest.raises(DataError, match="cannot write in .*choose another --cache"):
        fetched(tmp_path / "data_cache" / "below", HandMade(BTC_USD=AssertionError("asked")))


@pytest.mark.parametrize(
    "entry", [{"rows": None}, {"fetched_at": 5}, {"rewrites": [{}]}, {"sha256": []}, "x"]
)
def test_a_manifest_with_entries_of_another_kind_is_refused(tmp_path, entry):
    day = dict.fromkeys(("first", "last", "fetched_at"), "2026-01-02")
    sound = (
        day
        | {"source": "x", "rows": 1, "sha256": ""}
        | dict.fromkeys(("codes", "factors", "units", "warnings", "rewrites"), [])
    )
    wrong = sound | entry if isinstance(entry, dict) else entry
    manifest = {"kind": KIND, "files": {"a.csv": wrong}, "in_flight": {}}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="cannot be read .*fetch again"):
        Cache(tmp_path)
