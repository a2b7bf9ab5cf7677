"""Packaged studies: they say what their prices are, refuse the sample, and hold on history."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.cli import main
from backtest.config.load import build_book, load_study, packaged_studies
from backtest.config.models import build_model
from backtest.data.columns import factor_column
from backtest.instruments import parse_instrument
from backtest.parameters.sources import parameter_sources
from backtest.present.numbers import percent_down
from backtest.studies.headline import is_mixed
from tests.support.places import ROOT

NEED_FUTURES = (
    "cme-ficc",
    "etp-future",
    "positive-control",
    "published-levels",
    "treasury-houses",
)
CASES = (  # of `backtest protect`, in dollars a year: tests/studies/protect/test_cases.py
    "basis-fund",
    "bitcoin-treasury-fund",
    "clearing-mandate",
    "collateral-poster",
    "pension",
)
COINS = ("Bitcoin", "Ether")


def books_of(name):
    study, _ = load_study(Path(name))
    return study, {n: table.usd or table.risk for n, table in study.books.items()}


@pytest.mark.parametrize("name", sorted(set(packaged_studies()) - {*NEED_FUTURES, *CASES}))
def test_every_other_packaged_study_runs_on_the_sample(name):
    study, _ = load_study(Path(name))
    market = bt.load_market("sample", factors=study.data.factors)
    assert build_book(study, market).portfolios[: len(study.books)] == tuple(study.books)


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, command) for name in NEED_FUTURES for command in ("run", "offset", "closeout")]
    + [(name, "protect") for name in CASES],
)
def test_the_sample_is_refused_in_one_line_that_names_what_it_lacks(
    name, command, tmp_path, capsys
):
    with pytest.raises(SystemExit) as stopped:
        main([command, name, "--out", str(tmp_path)])
    assert stopped.value.code == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    study, _ = load_study(Path(name))
    missing = line.split("no factor ")[1].split(";")[0].strip("'")
    assert missing in study.data.factors and not list(tmp_path.iterdir())
    needed = line.split("pass --data FOLDER, a folder of prices that holds ")[1].split(". The")[0]
    lacking = [f for f in study.data.factors if f not in bt.load_market("sample").factors]
    assert set(needed.split(" and ")) == {factor_column(factor).file for factor in lacking}


@pytest.mark.parametrize("name", ["treasury-crypto", *NEED_FUTURES, *CASES])
def test_a_book_that_says_future_holds_one_and_a_coin_at_spot_says_so(name):
    study, books = books_of(name)
    for book, positions in books.items():
        contracts = [parse_instrument(n) for n in positions]
        explain = study.books[book].explain
        holds_future = any(c.contract == "future" for c in contracts)
        coins = [c for c in contracts if c.asset_class == "crypto" and c.contract == "spot"]
        names_coin = any(coin in explain for coin in COINS)
        assert holds_future or not names_coin or "future" not in explain.lower(), book
        if coins and names_coin and len(contracts) == 2:
            assert "spot" in explain.lower(), book
    assert "future" not in study.title or any(
        parse_instrument(n).contract == "future" for b in books.values() for n in b
    )


def test_the_named_books_hold_what_the_worst_random_books_hold():
    _, books = books_of("treasury-crypto")
    assert books["short 2Y"] == {"UST2Y": -100e6}
    assert set(books["long BTC, short 2Y, risk-matched"]) == {"BTC", "UST2Y"}


def headline_of(study, ladder):
    """The books that a title is about: those named, or the pools of Treasuries with a coin."""
    held = {n: table.usd or table.risk for n, table in study.books.items()}
    mixed = [n for n in ladder.index if is_mixed(held[n])]
    return study.headline or mixed


def ladder_of(name, folder):
    study, _ = load_study(Path(name))
    study = study.model_copy(update={"random": study.random.model_copy(update={"portfolios": 0})})
    data = study.data
    market = bt.load_market(folder, factors=data.factors, start=data.start)
    ladder = bt.supportable_offset(
        market,
        build_book(study, market),
        base=build_model(study.sizing),
        coverage=study.standard(),
        bounds=list(study.headline) or True,
    )
    return study, ladder.to_frame()


def test_spot_against_its_future_is_an_offset_that_the_data_support(real_data):
    study, ladder = ladder_of("etp-future", real_data)
    (book,) = study.headline
    row = ladder.loc[book]
    assert row["total"] == pytest.approx(0.783, abs=0.005)
    assert row["dependence"] == pytest.approx(0.493, abs=0.005)
    # With the allowance for the drift of the years; 76 and 47 % without it.
    assert row["total_bound"] == pytest.approx(0.686, abs=0.01)
    assert row["dependence_bound"] == pytest.approx(0.396, abs=0.01)
    assert ladder.loc["long spot, long future", "dependence"] < -0.2
    for pool in ("long future, long 10Y", "long future, short 10Y"):
        assert abs(ladder.loc[pool, "dependence"]) < 0.1


def test_cash_against_treasury_futures_supports_an_offset_in_every_maturity(real_data):
    study, ladder = ladder_of("cme-ficc", real_data)
    rows = ladder.loc[list(study.headline)]
    assert rows["total"].between(0.80, 0.90).all() and (rows["dependence_bound"] > 0.4).all()


def margins_of(name, folder, *models):
    """Margin of some models of a packaged study by book, on the days on which all have one."""
    study, _ = load_study(Path(name))
    market = bt.load_market(folder, factors=study.data.factors, start=study.data.start)
    book, built = build_book(study, market), study.margin_models()
    margins = {m: built[m].margin(market, book, study.standard()) for m in models}
    known = ~np.isnan(np.stack(list(margins.values()))).any(axis=(0, 2))
    return built, [
        pd.DataFrame(margin[known], columns=book.portfolios) for margin in margins.values()
    ]


def test_no_more_than_the_cap_is_granted(real_data):
    _, (gross, cross) = margins_of("cme-ficc", real_data, "siloed", "cross")
    granted = 1.0 - cross / gross
    assert 0.75 < granted.to_numpy().max() <= 0.80 + 1e-9
    assert (granted["long 10Y, short ZN"] > 0.5).mean() > 0.9
    np.testing.assert_allclose(granted["short 2Y"], 0.0, atol=1e-12)


def test_published_levels_are_taken_as_published_and_marked(real_data):
    models, (margin,) = margins_of("published-levels", real_data, "published")
    np.testing.assert_allclose(margin["BTC future only"], 0.40 * 100e6)
    marks = {source.name: source.mark for source in parameter_sources(models["published"])}
    assert any("haircuts/cme_futures/2026" in n and mark != "verified" for n, mark in marks.items())


def told(cell):
    """Estimates and bounds of a cell of docs/studies.md, in per cent: '6.5 to 30.9 % [0 to 23]'."""
    estimates, bounds = cell.rstrip("]").split("[")
    return [float(n) for n in re.findall(r"[+-]?[\d.]+", estimates)], re.findall(r"<?-?\d+", bounds)


@pytest.mark.parametrize("name", ["treasury-crypto", *NEED_FUTURES])
def test_the_page_of_packaged_studies_tells_the_numbers_of_today(name, real_data):
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| `{name}`"))
    *_, total, offset = row.removesuffix(" |").split(" | ")
    study, ladder = ladder_of(name, real_data)
    rows = ladder.loc[list(headline_of(study, ladder))]
    for cell, column in ((total, "total"), (offset, "dependence")):
        estimates, bounds = told(cell)
        values, below = 100 * rows[column], 100 * rows[f"{column}_bound"]
        ends = [values.min(), values.max()][: len(estimates)]
        assert estimates == pytest.approx(ends, abs=0.051), column
        if bounds:
            floors = [percent_down(max(0.0, end / 100)) for end in (below.min(), below.max())]
            assert [f"{bound} %" for bound in bounds] == floors[: len(bounds)], column
        else:
            assert (below <= 0.0).all()  # 'none'
