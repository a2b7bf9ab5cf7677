"""Names of books, models and clearing houses survive a whole study, whatever they look like."""

import json
from html import escape

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

import backtest as bt
from backtest.config.load import read_study
from backtest.present.csv_table import read_csv
from backtest.studies.compare.page import comparison_exhibit
from backtest.studies.compare.study import compare_runs
from backtest.studies.run.reopen import rewrite_report, stored_run
from backtest.studies.run.reproduce import compare_rerun
from tests.support.commands import quiet, run_and_store, write_prices

HEAD = """
name = "names"
[data]
source = {source}
factors = ["3M", "2Y", "5Y", "10Y", "30Y", "BTC", "ETH"]
[sizing]
kind = "historical_var"
lookback = 40
"""
HELD = ('{{ BTC = {n}e6, "UST10Y@NA" = 1e6 }}', '{{ "BTC@001" = {n}e6, "ETH@nan" = -1e6 }}')
AWKWARD = ["NA", "nan", "null", "None", "", "001", "002", "1", "1.0", "=1+1", "-1", "'x", "<b>&"]
names = some.lists(
    some.text(some.characters(exclude_categories=("Cs", "Cc")), max_size=20),
    min_size=2,
    max_size=4,
    unique=True,
)


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    return write_prices(tmp_path_factory.mktemp("prices"), days=180)


def study_text(prices, books, models) -> str:
    def quoted(name: str) -> str:
        return json.dumps(name, ensure_ascii=False)

    text = HEAD.format(source=quoted(str(prices)))
    for n, name in enumerate(models):
        lookback = 40 + n
        text += f'[models.{quoted(name)}]\nkind = "historical_var"\nlookback = {lookback}\n'
    for n, name in enumerate(books):
        text += f"[books.{quoted(name)}]\nusd = {HELD[n % 2].format(n=n + 1)}\n"
    return text


def survivors(folder, prices, books, models, *, again: bool) -> tuple[list[str], list[str]]:
    """Books and models that a study read back names, where every table and page names them too."""
    study = folder / "study.toml"
    study.write_text(study_text(prices, books, models), encoding="utf-8")
    result = run_and_store(study, folder / "results", command="backtest run")
    run = stored_run(result)
    pairs = [(model, book) for model in models for book in books]
    assert run.study.scores.index.tolist() == pairs
    assert run.ladder.index.tolist() == books
    for name in ("summary", "tests", "money"):
        table = read_csv(result / f"{name}.csv")
        assert list(zip(table["model"], table["portfolio"], strict=True)) == pairs
    daily = pd.read_parquet(result / "daily.parquet")
    assert set(daily["model"]) == set(models) and set(daily["portfolio"]) == set(books)
    page = (result / "report.html").read_text(encoding="utf-8")
    assert rewrite_report(result).read_text(encoding="utf-8") == page
    assert all(escape(name, quote=False) in page.replace("&#34;", '"') for name in books)
    same = compare_runs(result, result, progress=quiet)
    assert not same.differs.any() and same.unmatched_names.empty
    assert not same.inputs["differs"].any() and same.pairs.index.tolist() == pairs
    assert comparison_exhibit(same).sections
    if again:
        assert compare_rerun(result, data=None, progress=quiet) == []
    return list(run.study.loss.columns), list(run.study.models)


@pytest.mark.slow
def test_names_that_look_like_something_else(tmp_path, prices):
    models = ["NA", "001"]
    assert survivors(tmp_path, prices, AWKWARD, models, again=True) == (AWKWARD, models)


@pytest.mark.slow
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(books=names, models=names)
def test_any_names(tmp_path_factory, prices, books, models):
    folder = tmp_path_factory.mktemp("any")
    assert survivors(folder, prices, books, models, again=False) == (books, models)


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\0", "\x1b[31m", "\x85"])
@pytest.mark.parametrize("what", ["book", "model"])
def test_control_characters_are_refused(prices, name, what):
    names = ([name], ["m"]) if what == "book" else (["b"], [name])
    text = study_text(prices, *names).replace(name, name.encode("unicode_escape").decode())
    text = text.replace("\\x", "\\u00").replace("\\\\", "\\")
    with pytest.raises(bt.StudyError, match="control character"):
        read_study(text, where="my.toml")
