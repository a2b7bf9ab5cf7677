"""The report: one page that stands alone, escapes what users wrote, and says what was scored."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as hs

from backtest.instruments import parse_instrument
from backtest.market.market import Market
from backtest.present.numbers import (
    counts,
    interval,
    millions,
    percent,
    pvalue,
    pvalue_pair,
    ratio,
)
from backtest.present.page import render_exhibit
from backtest.studies.run.facts import CARRY, limits
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.verdict import holm_rejections, mixed_pools, verdicts
from backtest.types import ResultsError
from tests.support import presented
from tests.support.browser import browse, printed_json

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements with attributes, and the text of each, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[list[str]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append([])
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open[-1]][0] == tag, f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.texts[place].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attrs, " ".join("".join(text).split()))
            for (name, attrs), text in zip(self.elements, self.texts, strict=True)
            if name == tag
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page")
    run = presented.finished(presented.study(), presented.ladder(), presented.sweep())
    presented.page_of(run, place)
    return place


@pytest.fixture(scope="module")
def source(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    read = Page(source)
    assert not read.open, "an element is not closed"
    return read


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Report of real Treasury yields, in one silo, without ladder and sweep."""
    run = presented.finished(
        presented.treasury_study(), pd.DataFrame(), title="Treasuries", explains={}
    )
    return Page(presented.page_of(run, tmp_path_factory.mktemp("plain")))


def test_what_users_wrote_is_text(page: Page, source: str) -> None:
    assert not page.all("script") and not page.all("em") and not page.all("b")
    assert "<script" not in source.lower()
    (_, heading), *_ = page.all("h1")
    assert heading == presented.TITLE
    heads = {text for _, text in page.all("th")}
    assert set(presented.EXPLAINS) <= heads
    assert any(presented.COMMAND == text for _, text in page.all("td"))
    assert any(presented.CAPTION == text for _, text in page.all("p"))


def test_page_asks_for_nothing(page: Page, source: str) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "image"}
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "srcset", "data", "action"}:
                assert value and value.startswith("#"), (tag, name, value)
    assert "@import" not in source and "@font-face" not in source
    assert all(place.startswith("#") for place in re.findall(r"url\(([^)]*)\)", source))


def test_the_page_tells_how_many_books_were_tested_and_what_the_sample_could_show(
    page: Page,
) -> None:
    captions = [text for _, text in page.all("caption")]
    for words in ("5 books tested at once", "Pairs of models", "Procyclicality", "CPMI-IOSCO"):
        assert any(words in caption for caption in captions)
    assert any("Smallest miscoverage" in text for _, text in page.all("p"))


def test_sections_stand_in_order(page: Page) -> None:
    assert [text for _, text in page.all("h2")] == [
        "Verdict", "Named books", "All tests of exceedances", "Offset ladder",
        "Treasury share", "Capital beside margin", "All books pooled",
        "Procyclicality and disclosure", "What the books are", "Limits", "Data", "Reproduce",
    ]  # fmt: skip


def test_page_is_accessible(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    (root, _), *_ = page.all("html")
    assert root["lang"] == "en"
    assert len(page.all("main")) == 1 and page.all("title")[0][1].endswith(presented.TITLE)
    for _, attrs in page.elements:
        for reference in str(attrs.get("aria-labelledby") or "").split():
            assert reference in ids
    assert len(page.all("table")) == len(page.all("caption")) >= 8
    assert all(attrs.get("scope") in {"col", "row", "rowgroup"} for attrs, _ in page.all("th"))
    drawings = page.all("svg")
    assert len(drawings) == 5
    assert all(attrs["role"] == "img" for attrs, _ in drawings)
    assert len(page.all("desc")) == 5 and all(len(text) > 60 for _, text in page.all("desc"))
    links = {attrs["href"] for attrs, _ in page.all("a")}
    assert links == {f"#{attrs['id']}" for attrs, _ in page.all("h2")}


def test_simulated_is_said_of_every_table_figure_and_verdict(page: Page) -> None:
    for tag in ("caption", "figcaption", "dd"):
        said = [text for _, text in page.all(tag)]
        assert said and all("SIMULATED" in text for text in said), tag
    assert all("SIMULATED" in text for _, text in page.all("thead"))


def test_real_prices_are_never_called_simulated(plain: Page) -> None:
    assert "SIMULATED" not in " ".join(text for _, text in plain.all("html"))
    sections = [text for _, text in plain.all("h2")]
    assert "Offset ladder" not in sections and "Treasury share" not in sections
    said = " ".join(text for _, text in plain.all("li"))
    assert "Par yields are fitted" in said and "crypto" not in said


def test_table_of_named_books_is_the_summary(page: Page) -> None:
    summary = presented.study().summary()
    cells = [text for _, text in page.all("td")]
    heads = [text for attrs, text in page.all("th") if attrs["scope"] == "rowgroup"]
    assert heads == 2 * list(presented.EXPLAINS)
    for portfolio in presented.EXPLAINS:
        for model in presented.study().models:
            row = summary.loc[(model, portfolio)]
            assert counts(row["exceedances"], row["allowed"]) in cells
            assert millions(row["mean_margin"]) in cells
            assert interval(row, "equal_coverage", millions) in cells
            assert pvalue_pair(row["kupiec_p"], row["kupiec_p_min"]) in cells


def test_constant_usd_is_stated_under_every_scored_table(page: Page, tmp_path: Path) -> None:
    notes = [text for attrs, text in page.all("p") if attrs.get("class") == "note"]
    tables = [a for a, _ in page.all("table") if a.get("class") != "facts"]
    assert sum("constant USD, rebalanced daily" in note for note in notes) == len(tables) + 1
    held = presented.study()
    standard = replace(held.provenance.held_to, rebalance="never")
    never = replace(held, provenance=replace(held.provenance, standard=standard))
    other = presented.page_of(presented.finished(never, presented.ladder()), tmp_path)
    assert "constant USD" not in other and "units bought on the first day" in other


def test_ladder_lists_usd_by_silo_and_says_offset_of_dependence_only(page: Page) -> None:
    text = next(t for a, t in page.all("table") if a.get("id") == "offset-ladder-2")
    assert "FICC 50.00, CME 5.00" in text.replace("\N{NO-BREAK SPACE}", " ")
    heads = [t for _, t in page.all("th") if "offset" in t.lower()]
    assert set(heads) == {"offset (dependence) [bound]", "supportable offset"}


def test_ladder_without_bounds_says_so(source: str) -> None:
    bounds = [c for c in presented.ladder() if c.endswith("_bound")]
    run = presented.finished(presented.study(), presented.ladder().drop(columns=bounds))
    (limits,) = (s for s in run_exhibit(run).sections if s.name == "limits")
    assert any("carries no bound here" in sentence for sentence in limits.sentences)
    assert "carries no bound" not in source


@pytest.mark.parametrize("name", ["UST2Y", "BILL3M", "SWAP5Y", "ZN~curve", "BTC", "ZN"])
def test_a_page_says_that_losses_accrue_where_a_contract_does(name: str) -> None:
    instrument = parse_instrument(name)
    days = pd.bdate_range("2024-01-02", periods=6)
    curve = {f"{tenor}Y": 0.03 + 0.001 * tenor for tenor in (1, 2, 5, 10, 30)} | {"3M": 0.03}
    levels = pd.DataFrame(curve | {"BTC": 100.0, "ZN": 100.0}, index=days)
    market = Market.from_frame(levels)
    still = np.zeros(1) if len(instrument.factors) == 1 else np.zeros((1, len(instrument.factors)))
    assert np.allclose(instrument.scenarios(market, 0, still), 0.0)
    accrues = bool((np.abs(instrument.pnl(market, 2)[:-2]) > 1e-7).all())

    study = presented.study()
    exposure = study.exposure.set_axis([name, *["BTC"] * (study.exposure.shape[1] - 1)], axis=1)
    words = limits(replace(study, exposure=exposure), presented.ladder(), [])
    assert (CARRY in words) == accrues


def test_page_says_where_numbers_come_from(page: Page) -> None:
    origin = presented.study().provenance
    heads = {text for attrs, text in page.all("th") if attrs["scope"] == "row"}
    text = " ".join(t for _, t in page.all("html"))
    for wanted in (
        origin.prices.levels_sha256,
        origin.software.versions["numpy"],
        origin.scored.first_scored,
        "random walks",
        origin.models["var"],
    ):
        assert str(wanted) in text
    assert {"causality of siloed", "command", "days dropped (0)"} <= heads
    assert "parameters haircuts/cme/2014" in heads
    in_force = "2014-01-01 to 2021-09-12"
    assert f"used by _haircut; {in_force}, verified: CME collateral haircuts" in text


def test_report_is_the_same_every_time(source: str, tmp_path: Path) -> None:
    run = presented.finished(presented.study(), presented.ladder(), presented.sweep())
    assert presented.page_of(run, tmp_path) == source


def test_a_figure_that_is_gone_and_a_gate_that_failed(folder: Path) -> None:
    run = presented.finished(presented.study(), pd.DataFrame())
    provenance = replace(run.study.provenance, failed_gates=("var: <b> is 3",))
    failed = run_exhibit(replace(run, study=replace(run.study, provenance=provenance)))
    assert "gate failed: var: &lt;b&gt; is 3" in render_exhibit(failed, None, command="")
    with pytest.raises(ResultsError, match="cannot read the figure .*gone"):
        render_exhibit(failed, folder / "gone", command="")


# --- verdict


def test_verdict_has_one_sentence_a_model_and_counts_rejections() -> None:
    study, named = presented.study(), list(presented.EXPLAINS)
    scores = study.scores.copy()
    scores.loc[("var", named[0]), "coverage_p"] = 0.001
    scores.loc[("var", named[1]), "coverage_p"] = 0.04
    scores.loc[[("var", named[2]), ("var", named[3])], "coverage_p"] = 0.9
    scores.loc[[("siloed", name) for name in named], "coverage_p"] = 0.2
    said = dict(verdicts(replace(study, scores=scores), presented.ladder(), named))
    assert list(said) == list(study.models)
    assert "rejected at 5 % in 2 of 4 named books" in said["var"]
    assert "in 1 of them after Holm" in said["var"]
    assert "not rejected in any of 4 named books" in said["siloed"]
    assert "savings are measured from it" in said["siloed"]
    assert all(text.endswith(".") and "; " in text for text in said.values())


def test_verdict_splits_the_saving_into_diversification_and_offset() -> None:
    study, ladder = presented.study(), presented.ladder()
    pools = mixed_pools(study, list(presented.EXPLAINS))
    assert pools == list(presented.BOOKS)[:2]
    scores = study.scores.copy()
    scores.loc[[("var", name) for name in pools], "saving_vs_siloed"] = [0.2, 0.3]
    ladder = ladder.copy()
    ladder.loc[pools, "total"] = [0.25, 0.35]
    ladder.loc[pools, "diversification"] = [0.26, 0.31]
    ladder.loc[pools, "dependence"] = [-0.01, 0.04]
    ladder.loc[pools, "dependence_bound"] = [-0.05, 0.01]
    text = dict(verdicts(replace(study, scores=scores), ladder, list(presented.EXPLAINS)))["var"]
    assert "saves 20.0 to 30.0 % against siloed in both named pools" in text
    assert "diversification estimated 26.0 to 31.0 %" in text
    assert "offset estimated -1.0 to +4.0 %, with lower bounds of -5 to +1 %" in text


def test_verdict_without_a_yardstick_claims_no_saving() -> None:
    study = presented.treasury_study()
    ((_, text),) = verdicts(study, pd.DataFrame(), ["long", "short"])
    assert "no siloed model to measure a saving from" in text


def slow_holm(pvalues: list[float], level: float) -> int:
    """Reject the smallest while it passes its own bound; stop at the first that does not."""
    left, rejected = sorted(pvalues), 0
    while left and left[0] <= level / len(left):
        left.pop(0)
        rejected += 1
    return rejected


@given(hs.lists(hs.floats(0, 1), max_size=12))
def test_holm_is_its_slow_twin(pvalues: list[float]) -> None:
    assert holm_rejections(pd.Series(pvalues, dtype=float)) == slow_holm(pvalues, 0.05)


# --- display strings


@given(hs.floats(-1e3, 1e3), hs.integers(0, 3))
def test_percent_reads_back(share: float, digits: int) -> None:
    text = percent(share, digits=digits)
    assert float(text.removesuffix(" %").replace(",", "")) == pytest.approx(
        100 * share, abs=0.5001 * 10.0**-digits
    )
    assert not re.fullmatch(r"-0(\.0+)? %", text)


@given(hs.floats(-1e11, 1e11))
def test_millions_reads_back(usd: float) -> None:
    text = millions(usd)
    assert float(text.replace(",", "")) == pytest.approx(usd / 1e6, abs=0.0051)
    assert not re.fullmatch(r"-0(\.0+)?", text)


@given(hs.floats(0, 1))
def test_pvalues_never_read_as_zero(p: float) -> None:
    text = pvalue(p)
    assert text == "<0.001" if p < 0.001 else abs(float(text) - p) <= 0.00051


def test_what_is_not_a_number_is_said_in_words() -> None:
    nan, inf = float("nan"), float("inf")
    for show in (percent, millions, pvalue, ratio):
        assert show(nan) == "n/a"
    assert millions(inf) == percent(inf) == ratio(inf) == "unbounded"
    row = {"equal_coverage_margin": 2e6, "equal_coverage_low": 1e6, "equal_coverage_high": inf}
    assert interval(row, "equal_coverage", millions) == "2.00 [1.00, unbounded]"
    row |= {"equal_coverage_low": nan, "equal_coverage_high": nan}
    assert interval(row, "equal_coverage", millions) == "2.00"
    assert counts(np.int64(1022), 21.0) == "1,022 (21 allowed)"


# --- a real browser


MEASURE = """<!DOCTYPE html><title>measure</title>
<iframe id="frame" width="{width}" height="600" style="border: 0" srcdoc="{page}"></iframe>
<pre id="out"></pre>
<script>
addEventListener("load", () => {{
  const frame = document.getElementById("frame"), page = frame.contentDocument;
  const wide = [...page.querySelectorAll("body *")].filter(e =>
    !e.closest("{left_out}") && e.getBoundingClientRect().right > {width} + 0.5);
  document.getElementById("out").textContent = JSON.stringify({{
    scroll: page.documentElement.scrollWidth,
    wide: wide.map(e => e.tagName + " " + e.textContent.slice(0, 40)),
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name),
    scripts: page.scripts.length,
    drawings: [...page.querySelectorAll("svg")].map(e => e.getBoundingClientRect().width),
    clipped: [...page.querySelectorAll("svg [clip-path]")].length,
  }});
}});
</script>"""


def measure(folder: Path, source: str, width: int) -> dict[str, Any]:
    """Lay the page out in a frame `width` pixels wide and report what a script outside it sees.

    On a desk's screen every table is there whole; on a smaller one it may scroll within its box.
    """
    target = folder / "measure.html"
    left_out = "svg svg, svg *" if width > 1000 else "svg svg, svg *, .scroll *"
    text = MEASURE.format(width=width, page=html.escape(source), left_out=left_out)
    target.write_text(text, encoding="utf-8")
    return dict(printed_json(browse(folder, target, "--window-size=1400,900", "--dump-dom")))


@pytest.mark.parametrize("width", [800, 1200])
def test_browser_renders_the_page_alone_and_nothing_runs_over(
    tmp_path: Path, source: str, width: int
) -> None:
    found = measure(tmp_path, source, width)
    assert found["scripts"] == 0 and found["requests"] == []
    assert found["scroll"] <= width and found["wide"] == []
    assert len(found["drawings"]) == 5 and min(found["drawings"]) > 500
    assert found["clipped"] > 0


@pytest.mark.slow
def test_browser_fits_the_report_of_the_real_study(real_data: Path, tmp_path: Path) -> None:
    source = presented.page_of(presented.real_run(real_data), tmp_path)
    found = measure(tmp_path, source, 800)
    assert found["scroll"] <= 800 and found["wide"] == []


def test_browser_keeps_the_page_as_it_was_written(tmp_path: Path, source: str) -> None:
    """What the parser makes of the page holds every table, and no element of the user's."""
    target = tmp_path / "report.html"
    target.write_text(source, encoding="utf-8")
    dumped = browse(tmp_path, target, "--dump-dom")
    assert "<script" not in dumped
    for tag in ("<table", "<svg", "<tbody", "<tr", "<td", "<th "):
        assert dumped.count(tag) == source.count(tag), tag
    assert dumped.startswith("<!DOCTYPE html>")


def test_browser_prints_dark_on_light(tmp_path: Path, source: str) -> None:
    from matplotlib.image import imread

    target, shot = tmp_path / "report.html", tmp_path / "shot.png"
    target.write_text(source, encoding="utf-8")
    browse(tmp_path, target, "--window-size=800,1400", f"--screenshot={shot}")
    light = imread(shot)[:, :, :3].mean(axis=2)
    assert light.shape[1] == 800
    assert np.median(light) > 0.98
    assert 0.01 < (light < 0.5).mean() < 0.4
