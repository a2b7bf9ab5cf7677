"""Exhibits: what is stored and shown, how figures look, and that hostile text stays text."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
from backtest.config.load import load_study, packaged_studies
from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.lettering import fitted_label
from backtest.present.page import render_exhibit
from backtest.present.record import read_record
from backtest.present.screen import Screen
from backtest.present.sheet import Caption
from backtest.present.store import write_exhibit
from backtest.present.style import KEPT, LINES, MARKERS, ModelStyle, model_styles
from backtest.present.table import Cell, TextTable
from backtest.replay.origin import Prices, Software
from backtest.replay.provenance import Provenance
from backtest.types import ResultsError

HOSTILE = "<script>alert(1)</script> & [bold]x[/bold]"


def figure(paint) -> Figure:
    numbers = pd.DataFrame({"x": [0, 1]})
    return Figure("picture", numbers, Caption("T", "n", HOSTILE), paint, simulated=True)


def paint(canvas):
    panel = canvas(1.0).panel(left=0.5, right=0.1, top=0.0, height=0.8)
    panel.plot([0, 1], [1, 0])
    return panel


def exhibit(**changes):
    rates = pd.DataFrame(
        {"rate": [0.01234567890123, np.nan, -0.00001], "usd": [1234567.0, 0.0, -1.0]},
        index=pd.Index([HOSTILE, "b", "c"], name="book"),
    )
    sections = (
        Section("rates", "Rates", HOSTILE, rates, formats={"rate": ".1%", "usd": ",.0f"}),
        Section("picture", "A picture", "drawn", figure=figure(paint)),
    )
    days = pd.bdate_range("2020-01-01", periods=10)
    market = bt.Market.from_frame(pd.DataFrame({"BTC": 1.0}, index=days), source=HOSTILE)
    given = {
        "kind": "kind",
        "title": HOSTILE,
        "caption": HOSTILE,
        "simulated": True,
        "source_line": HOSTILE,
        "sections": sections,
        "provenance": Provenance(
            software=Software({"python": "3"}),
            data=Prices.of(market),
            study={"name": "small"},
            sha256="0123456789abcdef",
        ),
        "text": 'name = "small"\n',
    }
    return Exhibit(**(given | changes))


def test_everything_is_stored_at_full_precision_under_one_name(tmp_path: Path) -> None:
    folder = write_exhibit(exhibit(), tmp_path, command="backtest kind")
    assert folder.name.endswith("_small-kind_01234567")
    assert {p.name for p in folder.iterdir()} == {
        "rates.csv", "study.toml", "manifest.json", "report.html", "page.json", "figures",
    }  # fmt: skip
    assert {p.suffix for p in (folder / "figures").iterdir()} == {".svg", ".pdf", ".png", ".csv"}
    stored = pd.read_csv(folder / "rates.csv", index_col=0)
    assert stored.loc[HOSTILE, "rate"] == 0.01234567890123
    assert json.loads((folder / "manifest.json").read_text())["command"] == "backtest kind"
    assert list(tmp_path.iterdir()) == [folder]


def test_the_page_has_no_script_and_says_simulated(tmp_path: Path) -> None:
    folder = write_exhibit(exhibit(), tmp_path, command=HOSTILE)
    page = (folder / "report.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/", "")
    assert page.count("SIMULATED") >= 4
    assert "simulated" in (folder / "figures" / "picture.csv").read_text()


def test_numbers_are_read_as_their_column_says() -> None:
    (shown,) = exhibit().sections[0].text_tables()
    rows = [[cell.text for cell in row] for _, (row,) in shown.groups]
    assert rows == [["1.2%", "1,234,567"], ["n/a", "0"], ["0.0%", "-1"]]
    assert [name for name, _ in shown.groups] == [HOSTILE, "b", "c"]


def test_a_brief_is_shown_and_the_table_is_stored(tmp_path: Path) -> None:
    long = pd.DataFrame({"x": range(500)})
    brief = pd.DataFrame({"mean": [249.5]})
    short = exhibit(sections=(Section("long", "Long", "", long, brief),))
    folder = write_exhibit(short, tmp_path, command="c")
    assert len(pd.read_csv(folder / "long.csv")) == 500
    page = (folder / "report.html").read_text()
    assert "249.5" in page and page.count("<tr>") < 20


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails(canvas):
        raise RuntimeError("no drawing")

    broken = Section("broken", "B", figure=figure(fails))
    with pytest.raises(RuntimeError):
        write_exhibit(exhibit(sections=(broken,)), tmp_path, command="c")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot write results"):
        write_exhibit(exhibit(), tmp_path / "file", command="c")


def every_kind() -> Exhibit:
    """Nested rows, a bold cell, words, facts, terms, sentences, a failed gate."""
    row = {"p": Cell("0.01", bold=True), "words": Cell(HOSTILE, words=True)}
    columns = {"p": lambda row: row["p"], "what it is": lambda row: row["words"]}
    nested = TextTable.nest(
        "Nested", ("book", "model"), [("a", [("one", row), ("two", row)])], columns, note="A note."
    )
    return exhibit(
        prices="Prices of nobody.",
        failures=("gate failed",),
        facts=(("seed", "7"),),
        sections=(
            Section("terms", "Terms", terms=(("one", HOSTILE),)),
            Section("tables", "Tables", tables=(nested, TextTable.of_facts("Facts", [("a", "b")]))),
            Section("list", "List", sentences=(HOSTILE, "second"), on_screen=False),
        ),
    )


def test_the_page_shows_every_kind_of_section() -> None:
    page = render_exhibit(every_kind(), None, command="c")
    assert '<th scope="rowgroup" rowspan="2">a</th>' in page
    assert page.count('<th scope="row" class="nested">') == 2
    assert page.count("<td><strong>0.01</strong></td>") == 2
    assert '<th scope="col" class="words">what it is</th>' in page
    assert "<dt>one</dt>" in page and "<li>second</li>" in page and "A note." in page
    assert page.count('<table id="tables-2" class="facts">') == 1 and "gate failed" in page
    assert '<th scope="row">seed</th>' in page and "Prices of nobody." in page
    assert "<script" not in page


OWN = "Own files, own days."


def test_a_table_on_other_days_says_so_in_place_of_the_line_of_the_page(tmp_path, capsys) -> None:
    columns = {"x": lambda row: row["x"]}
    own = replace(TextTable.of("One", "name", [("a", {"x": "1"})], columns), source_line=OWN)
    other = TextTable.of("Two", "name", [("b", {"x": "2"})], columns)
    frame = pd.DataFrame({"x": [1.0]})
    shown = exhibit(
        source_line="The line of the page.",
        sections=(
            Section("both", "Both", tables=(own, other), source_line="Days of the section."),
            Section("framed", "Framed", "", frame, source_line="Days of the frame."),
            Section("plain", "Plain", "", frame),
        ),
    )
    folder = write_exhibit(shown, tmp_path, command="c")
    stored = [t.source_line for s in read_record(folder).sections for t in s.tables]
    assert stored == [OWN, "Days of the section.", "Days of the frame.", ""]
    page = (folder / "report.html").read_text()
    notes = re.findall('<p class="note">(.*?)</p>', page)
    # The page's own line stands at the top, and under the one table that has no other.
    under = [n for n in notes if OWN in n or " of the " in n or "line of the page" in n]
    assert [n.split(" Numbers")[0] for n in under] == [
        "The line of the page.", OWN, "Days of the section.", "Days of the frame.",
        "The line of the page.",
    ]  # fmt: skip
    Screen().exhibit(shown, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    for line in (OWN, "Days of the section.", "Days of the frame.", "The line of the page."):
        assert [words.strip() for words in lines].count(line) == 1


def test_the_screen_shows_what_it_has_room_for(tmp_path, capsys) -> None:
    Screen().exhibit(every_kind(), tmp_path)
    printed = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "book, model p what it is" in lines and f"one 0.01 {HOSTILE}" in lines
    assert lines[lines.index("Terms") + 1] == f"one: {HOSTILE}"
    for words in ("SIMULATED. Nested", f"one: {HOSTILE}", "A note.", "gate failed", "a b"):
        assert words in lines
    assert "second" not in printed


def test_the_place_of_the_results_is_one_line_however_long(tmp_path, capsys) -> None:
    folder = tmp_path / ("deep" * 50)
    Screen().exhibit(every_kind(), folder)
    (place,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith("results: "))
    assert place == f"results: {folder}/  (report.html)"


def test_models_differ_without_colour() -> None:
    styles = model_styles([f"m{i}" for i in range(min(len(LINES), len(MARKERS)))]).values()
    for parts in ("marker", "line"):
        assert len({str(getattr(style, parts)) for style in styles}) == len(styles)


def test_a_model_looks_the_same_in_every_packaged_study_and_no_two_models_alike() -> None:
    """In an annex figures of several studies stand beside each other: a look is one model."""
    looks: dict[str, set[ModelStyle]] = {}
    for name in packaged_studies():
        styles = model_styles(list(load_study(Path(name))[0].models))
        assert len({(s.colour, s.marker) for s in styles.values()}) == len(styles)
        for part in ("marker", "hatch", "line"):
            assert len({str(getattr(s, part)) for s in styles.values()}) == len(styles)
        for model, style in styles.items():
            looks.setdefault(model, set()).add(style)
    assert all(len(styles) == 1 for styles in looks.values())
    kept = {model: styles.pop() for model, styles in looks.items() if model in KEPT}
    assert len(set(kept.values())) == len(kept) >= 7
    shuffled = model_styles(["mine", *reversed(kept), "another"])
    assert {model: shuffled[model] for model in kept} == kept


def test_no_two_of_many_models_look_alike() -> None:
    names = ["siloed", "Siloed ", *(f"m{n}" for n in range(40)), "historical_var", "var"]
    styles = model_styles(names)
    assert list(styles) == names
    assert len({(s.colour, s.marker) for s in styles.values()}) == len(names)


def test_labels_are_broken_to_fit_their_room() -> None:
    assert fitted_label("short", room=2.0, lines=2) == "short"
    narrow = fitted_label("WWWW WWWW WWWW", room=0.7, lines=3)
    assert narrow.splitlines() == ["WWWW"] * 3
