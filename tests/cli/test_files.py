"""`backtest inspect` and `init`: what is said of a folder of files, and the study made of it."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.cli import main
from backtest.cli.first_study import _accept
from backtest.config.load import read_study
from backtest.instruments import declare
from backtest.market.calendars import sessions
from backtest.market.earlier import Earlier
from backtest.replay.origin import Prices, Software
from backtest.replay.provenance import Provenance
from backtest.studies.inputs import read_inputs
from tests.support.commands import backtest, quiet

DAYS = pd.DatetimeIndex(sessions("SIFMA", "2021-01-04", "2022-03-31"))


def said(capsys, *arguments):
    """Exit code, lines on the screen, the line on stderr."""
    code = 0
    try:
        main(list(map(str, arguments)))
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.strip()


@pytest.fixture
def strangers(tmp_path):
    """FRED's 10-year, a Treasury file, closes of Bitcoin with a bad day, and a letter."""
    folder = tmp_path / "strangers"
    folder.mkdir()
    rng = np.random.default_rng(1)
    shared = 0.04 * rng.standard_normal(len(DAYS))
    for name, heading in (("DGS10.csv", "DGS10"), ("rates.csv", "2 Yr")):
        levels = (2 + np.cumsum(0.7 * shared + 0.01 * rng.standard_normal(len(DAYS)))).round(2)
        table = pd.DataFrame({"Date": DAYS.strftime("%m/%d/%Y"), heading: levels})[::-1]
        if heading == "DGS10":
            table = pd.DataFrame({"DATE": DAYS.strftime("%Y-%m-%d"), heading: levels})
        table.to_csv(folder / name, index=False)
    every = pd.date_range(DAYS[0], DAYS[-1])
    close = 40_000 * np.exp(np.cumsum(0.03 * rng.standard_normal(len(every))))
    close[200] *= 1.6
    frame = pd.DataFrame({"Date": every.strftime("%Y-%m-%d"), "Close": close, "Adj Close": close})
    frame.to_csv(folder / "BTC-USD.csv", index=False)
    (folder / "letter.txt").write_text("Dear reader,\nno prices here.\n")
    return folder


def test_inspect_says_how_each_file_is_read_and_what_is_doubtful(strangers, capsys):
    code, lines, _ = said(capsys, "inspect", strangers)
    assert code == 0
    assert lines[0].startswith("BTC-USD.csv: read as Yahoo history, USD, 2021-01-04 .. 2022-03-31")
    assert lines[1].startswith("DGS10.csv: read as FRED, percent") and lines[1].endswith("; 10Y")
    assert lines[2].startswith("letter.txt: not read; letter.txt has no rows that begin with a day")
    assert lines[3].endswith("; 2Y; newest day first")
    day = pd.Timestamp("2021-01-04") + pd.Timedelta(days=200)
    assert lines[4].startswith("doubtful, BTC reversal: BTC-USD.csv: Adj Close goes from")
    assert f"on {day:%Y-%m-%d} and back the next day" in lines[4]
    assert lines[5:] == ["3 factors, 1 findings"]
    code, lines, _ = said(capsys, "inspect", strangers / "DGS10.csv")
    assert (code, lines[1:]) == (0, ["1 factors, 0 findings"])
    code, lines, error = said(capsys, "inspect", strangers / "none")
    assert (code, lines) == (2, []) and "no file or folder" in error
    assert not list(strangers.glob("results*"))


def test_init_writes_a_study_that_runs_and_overwrites_nothing(strangers, capsys, monkeypatch):
    monkeypatch.chdir(strangers.parent)
    code, lines, error = said(capsys, "init", "mine.toml", "--data", "strangers")
    assert code == 0, error
    assert lines[-1] == "wrote mine.toml; run `backtest run mine.toml`"
    text = (strangers.parent / "mine.toml").read_text()
    study = read_study(text, where="mine.toml")
    assert study.data.factors == ("2Y", "10Y", "BTC")
    assert '# accept = [{ factor = "BTC", kind = "reversal", reason = "why it is true" }]' in text
    code, _, error = said(capsys, "init", "mine.toml", "--data", "strangers")
    assert code == 2 and "'mine.toml' exists; give another name" in error
    assert (strangers.parent / "mine.toml").read_text() == text

    done = backtest("run", "mine.toml", cwd=strangers.parent)
    assert done.returncode == 0, done.stderr
    result = next((strangers.parent / "results").iterdir())
    data = json.loads((result / "manifest.json").read_text())["data"]
    assert [f["read_as"][:23] for f in data["files"]] == [
        "rates.csv: read as Trea", "DGS10.csv: read as FRED", "BTC-USD.csv: read as Ya"
    ]  # fmt: skip
    [doubt] = data["findings"]
    assert (doubt["factor"], doubt["kind"]) == ("BTC", "reversal")
    # One business day of some 310 less the look-back and the close-out, or a weekend.
    assert 0.0 <= doubt["scored_share"] < 0.02
    page = (result / "report.html").read_text()
    assert "DOUBTFUL PRICES: BTC-USD.csv: Adj Close goes from" in page
    assert "of scored days are touched" in page and "DOUBTFUL" in done.stdout

    judged = text.replace("# accept = [{", "accept = [{").replace("why it is true", "seen by eye")
    (strangers.parent / "judged.toml").write_text(judged)
    inputs = read_inputs(Path("judged.toml"), data=None, seed=None, progress=quiet)
    assert [f.accepted for f in inputs.market.findings] == ["seen by eye"]
    prices = Prices.of(inputs.market, inputs.market.dates)
    assert "Accepted: seen by eye." in prices.findings[0].words
    assert Provenance(Software.now(), data=prices).alarms() == []

    # Of prices before a study's days nothing in it can tell: a fact of the data, and no alarm.
    market = replace(inputs.market, findings=[replace(inputs.market.findings[0], accepted="")])
    (day,) = market.findings[0].dates
    earlier, later = market.dates < day, market.dates > day
    for rows, red in ((slice(None), True), (later, False), (earlier, False)):
        origin = Provenance(Software.now(), data=Prices.of(market.rows(rows)))
        assert bool(origin.alarms()) == red
        ((_, fact),) = [f for f in origin.facts() if f[0] == "found of BTC (reversal)"]
        assert ("outside the days whose prices are used" in fact) != red
    # Where margins look back to days before the market's own, these are used.
    reached = market.dates <= day
    before = Earlier(market.dates[reached], market.levels[reached])
    behind = replace(market.rows(later), before=before)
    assert Prices.of(behind).findings[0].used


def test_init_says_in_one_line_what_would_be_accepted():
    doubts = {("BTC", "frozen"): "It rests.", ("2Y", "reversal"): "It turns."}
    said = _accept(doubts).replace("# accept", "accept")
    judged = tomllib.loads(said)["accept"]
    assert [(each["factor"], each["kind"]) for each in judged] == list(doubts)
    assert "# It rests.\n# It turns.\n" in said and _accept({}) == ""


def test_init_refuses_what_no_book_can_be_made_of(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("Date,Close\n2024-01-02,1\n2024-01-03,2\n")
    code, _, error = said(capsys, "init", tmp_path / "s.toml", "--data", tmp_path)
    assert code == 2 and "no factors with 120 common days" in error
    assert not (tmp_path / "s.toml").exists()


def test_keys_of_a_file_and_of_a_judgement_are_checked():
    study = '[data.files."x.csv"]\nseperator = ";"\n[models]\n[books]\n'
    with pytest.raises(bt.StudyError, match=r"unknown key 'data.files.x.csv.seperator'. Did you"):
        read_study(study, where="s.toml")
    accept = '[data]\naccept = [{ factor = "BTC", kind = "frozen" }]\n[models]\n[books]\n'
    with pytest.raises(bt.StudyError, match="'data.accept.0.reason' is missing"):
        read_study(accept, where="s.toml")
    assert tomllib.loads(accept)["data"]["accept"][0]["factor"] == "BTC"


def test_inspect_reads_a_study_as_it_says(strangers, capsys, monkeypatch):
    monkeypatch.chdir(strangers.parent)
    (strangers / "BTC-USD.csv").rename(strangers / "coin.csv")
    gold = pd.DataFrame({"when": DAYS.strftime("%d/%m/%Y"), "fix": 1_500.0 + np.arange(len(DAYS))})
    gold.to_csv(strangers / "gold.csv", index=False, sep="|")
    (strangers.parent / "s.toml").write_text(
        '[data]\nsource = "strangers"\nfactors = ["2Y", "BTC", "GOLD"]\n'
        'accept = [{ factor = "BTC", kind = "reversal", reason = "seen by eye" }]\n'
        '[data.files."coin.csv"]\ncolumns = { BTC = "Adj Close" }\n'
        '[data.files."gold.csv"]\ndate = "when"\nseparator = "|"\n'
        '[instruments.GOLD]\nkind = "spot"\nasset_class = "commodity"\nfile = "gold.csv"\n'
        'column = "fix"\n[models]\n[books.b]\nusd = { BTC = 1 }\n'
    )
    code, lines, error = said(capsys, "inspect", "s.toml")
    assert code == 0, error
    assert [line.partition(",")[0] for line in lines[:3]] == [
        "rates.csv: read as Treasury.gov",
        "coin.csv: read as said in data.files",
        "gold.csv: read as said in data.files",
    ]
    assert lines[3].startswith("accepted, BTC reversal: coin.csv: Adj Close goes from")
    assert lines[3].endswith("accepted because: seen by eye")
    assert lines[4:] == ["3 factors, 1 findings"]

    gold.loc[5, "fix"] = -1.0
    gold.to_csv(strangers / "gold.csv", index=False, sep="|")
    code, lines, _ = said(capsys, "inspect", "s.toml")
    assert any(line.startswith("GOLD: gold.csv: fix on 2021-01-11 is -1;") for line in lines)
    study = (strangers.parent / "s.toml").read_text()
    (strangers.parent / "s.toml").write_text(study.replace('"strangers"', '"sample"'))
    code, _, error = said(capsys, "inspect", "s.toml")
    assert code == 2 and "source 'sample' is no folder" in error
    declare({})


@pytest.fixture
def unknown(tmp_path):
    """A folder of five files, three of which hold prices of nobody knows what."""
    folder, rng = tmp_path / "desk", np.random.default_rng(4)
    folder.mkdir()
    for name, size in (("GLD", 0.01), ("LQD", 0.005), ("SOL-USD", 0.05), ("BTC-USD", 0.04)):
        close = 100 * np.exp(np.cumsum(size * rng.standard_normal(len(DAYS))))
        table = pd.DataFrame({"Date": DAYS.strftime("%Y-%m-%d"), "Close": close})
        table.to_csv(folder / f"{name}.csv", index=False)
    levels = (2 + np.cumsum(0.04 * rng.standard_normal(len(DAYS)))).round(2)
    rates = pd.DataFrame({"Date": DAYS.strftime("%m/%d/%Y"), "10 Yr": levels})
    rates.to_csv(folder / "rates.csv", index=False)
    return folder


def filled_in(text):
    """The first study after a user has said what each price is."""
    for name, kind, asset_class in (
        ("GLD", "etf", "commodity"),
        ("LQD", "etf", "credit"),
        ("SOL", "coin", "crypto"),
    ):
        start = text.index(f"# [instruments.{name}]")
        end = text.index("\n\n", start)
        table = text[start:end].replace("# [", "[").replace("\n# ", "\n")
        table = table.replace("CHOOSE", kind, 1).replace("CHOOSE", asset_class, 1)
        text = text[:start] + table + text[end:]
    return text


def test_init_asks_what_unknown_prices_are(unknown, capsys, monkeypatch):
    monkeypatch.chdir(unknown.parent)
    code, _, error = said(capsys, "init", "mine.toml", "--data", "desk")
    assert code == 0, error
    text = Path("mine.toml").read_text()
    assert text.count("# [instruments.") == 3 and "[instruments.BTC]" not in text
    for written in (text, filled_in(text)):
        Path("mine.toml").write_text(written)
        inputs = read_inputs(Path("mine.toml"), data=None, seed=None, progress=quiet)
        assert inputs.market.factors == ("10Y", "BTC", "GLD", "LQD", "SOL")
    classes = {name: d.asset_class_or_default for name, d in inputs.config.instruments.items()}
    assert classes == {"GLD": "commodity", "LQD": "credit", "SOL": "crypto"}
    left = filled_in(text).replace('kind = "coin"', 'kind = "CHOOSE"')
    with pytest.raises(bt.StudyError, match="instruments.SOL.kind is 'CHOOSE'"):
        read_study(left, where="mine.toml")
    declare({})


@pytest.mark.slow
def test_a_first_study_of_unknown_prices_runs_once_it_is_filled_in(unknown, capsys, monkeypatch):
    monkeypatch.chdir(unknown.parent)
    assert said(capsys, "init", "mine.toml", "--data", "desk")[0] == 0
    Path("mine.toml").write_text(filled_in(Path("mine.toml").read_text()))
    done = backtest("run", "mine.toml", cwd=unknown.parent)
    assert done.returncode == 0, done.stderr
