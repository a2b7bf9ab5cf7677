"""Figures: what they show is what was scored, nothing is cut off, and bytes do not change."""

import dataclasses
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from backtest import charts
from backtest.market.episodes import stress_days
from backtest.present.sheet import LINES, MARKERS, model_styles
from backtest.studies.run.figures.coverage_cost import POOLED
from backtest.types import ResultsError
from tests.support import presented

SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> dict[str, Figure]:
    study, ladder, sweep = presented.study(), presented.ladder(), presented.sweep()
    axes = {
        "coverage_against_cost": charts.coverage_against_cost(study),
        "offset_ladder": charts.offset_ladder(study, ladder),
        "exceedance_timeline": charts.exceedance_timeline(study),
        "treasury_share_sweep": charts.treasury_share_sweep(study, sweep),
        "coverage_against_cost without a yardstick": charts.coverage_against_cost(
            presented.treasury_study()
        ),
        "exceedance_timeline of a Treasury market": charts.exceedance_timeline(
            presented.treasury_study()
        ),
    }
    return {name: panel.figure for name, panel in axes.items()}


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    return drawn()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[charts.FigureFiles]:
    folder = tmp_path_factory.mktemp("figures")
    return charts.write_figures(folder, presented.study(), presented.ladder(), presented.sweep())


def visible_texts(figure: Figure) -> list[Text]:
    """Texts that are drawn: tick labels outside their axis are made but never drawn."""
    renderer = figure.canvas.get_renderer()
    made, shown = set(), set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        in_view = axis._update_ticks()
        made |= {label for t in axis.majorTicks + axis.minorTicks for label in (t.label1, t.label2)}
        shown |= {label for t in in_view for label in (t.label1, t.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and text.get_gid() != "watermark"
        and (text not in made or text in shown)
        and text.get_window_extent(renderer).width > 0
    ]


def test_no_text_is_cut_off_or_covered_or_small(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        page = figure.bbox
        texts = visible_texts(figure)
        assert len(texts) > 10
        boxes = [t.get_window_extent(renderer) for t in texts]
        for text, box in zip(texts, boxes, strict=True):
            place = f"{name}: {text.get_text()!r}"
            assert text.get_fontsize() >= 8, place
            assert box.x0 >= page.x0 and box.x1 <= page.x1, place
            assert box.y0 >= page.y0 and box.y1 <= page.y1, place
        for (i, a), (j, b) in itertools.combinations(enumerate(boxes), 2):
            width = min(a.x1, b.x1) - max(a.x0, b.x0)
            height = min(a.y1, b.y1) - max(a.y0, b.y0)
            # Boxes hold the room for descenders: a pixel or two of them may touch.
            assert min(width, height) < 3, (
                f"{name}: {texts[i].get_text()!r} over {texts[j].get_text()!r}"
            )


def test_figures_are_as_wide_as_a_letter_page(figures: dict[str, Figure]) -> None:
    assert {figure.get_figwidth() for figure in figures.values()} == {6.5}


def test_models_differ_without_colour() -> None:
    styles = model_styles([f"m{i}" for i in range(min(len(LINES), len(MARKERS)))]).values()
    for parts in ("marker", "line"):
        assert len({str(getattr(style, parts)) for style in styles}) == len(styles)


def test_style_of_a_model_is_its_place() -> None:
    assert model_styles(["a", "b", "c"])["b"] == model_styles(["x", "y"])["y"]


def test_timeline_shows_every_exceedance_of_named_books() -> None:
    study = presented.study()
    data = charts.exceedance_timeline_data(study)
    summary = study.summary()
    assert "random 01" not in set(data["portfolio"])
    for (model, portfolio), row in summary.iterrows():
        own = data[(data["model"] == model) & (data["portfolio"] == portfolio)]
        assert len(own) == (0 if portfolio == "random 01" else row["exceedances"])
    assert (data["loss"] > data["required"]).all()
    panel = charts.exceedance_timeline(study)
    marks = sum(len(c.get_offsets()) for c in panel.collections)
    assert marks == len(data)


def test_timeline_names_the_stress_days_that_its_prices_hold() -> None:
    study = presented.study()
    inside = stress_days()[(stress_days() >= study.scored[0]) & (stress_days() <= study.scored[-1])]
    assert 0 < len(inside) < len(stress_days()) == 10

    def words(**data: object) -> set[str]:
        manifest = study.manifest | {"data": study.manifest["data"] | data}
        shown = dataclasses.replace(study, manifest=manifest)
        return {t.get_text() for t in charts.exceedance_timeline(shown).texts}

    assert words(simulated=False) == {"2020-03-09 to 16"}
    assert words(simulated=True, source="SIMULATED: a path") == set()
    laid_over = "SIMULATED: a path, ten real stress days of 2020-2025 laid over"
    assert words(simulated=True, source=laid_over) == {"2020-03-09 to 16"}


def test_pooled_points_are_means_of_books_and_lie_in_their_intervals() -> None:
    study = presented.study()
    data = charts.coverage_against_cost_data(study)
    for model, rows in data.groupby("model"):
        pooled = rows[rows["portfolio"] == POOLED].iloc[0]
        books = rows[rows["portfolio"] != POOLED]
        assert len(books) == len(presented.BOOKS)
        assert np.isclose(pooled["exceedance_rate"], books["exceedance_rate"].mean())
        low, high = pooled["exceedance_rate_low"], pooled["exceedance_rate_high"]
        assert low <= pooled["exceedance_rate"] <= high or pooled["exceedance_rate"] == 0
        if model == "siloed":
            assert np.allclose(rows["cost"], 1) and np.allclose(rows["equal_coverage"], 1)
        saving = study.summary().loc[model, "saving_vs_siloed"]
        assert np.allclose(books.set_index("portfolio")["cost"], 1 - saving)


def test_without_a_siloed_model_cost_is_in_usd() -> None:
    study = presented.treasury_study()
    data = charts.coverage_against_cost_data(study).set_index("portfolio")
    assert np.isclose(data.loc["long", "cost"], study.summary()["mean_margin"].iloc[0] / 1e6)
    assert "USD m" in charts.coverage_against_cost(study).get_xlabel()


def ladder_with(**values: object) -> pd.DataFrame:
    ladder = presented.ladder().copy()
    for column, value in values.items():
        ladder.loc[presented.HOSTILE, column] = value
    return ladder


def test_negative_dependence_is_drawn_left_of_zero_and_bars_begin_at_zero() -> None:
    ladder = ladder_with(total=0.10, diversification=0.25, dependence=-0.15, dependence_bound=-0.31)
    panel = charts.offset_ladder(presented.study(), ladder)
    assert all(bar.get_x() == 0 for bar in panel.patches)
    assert min(bar.get_width() for bar in panel.patches) == pytest.approx(-15)
    assert panel.get_xlim()[0] < -31
    ends = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "|"]
    assert min(ends) == pytest.approx(-31)
    assert "offset −15.0" in {t.get_text() for t in panel.texts}


def test_only_dependence_is_called_offset() -> None:
    ladder = ladder_with(total=0.40, diversification=0.25, dependence=0.15)
    panel = charts.offset_ladder(presented.study(), ladder)
    said = {t.get_text() for t in panel.texts if "offset" in t.get_text()}
    rows = charts.offset_ladder_data(presented.study(), ladder)
    numbers = {f"offset {100 * d:+.1f}".replace("-", "−") for d in rows["dependence"]}
    assert said == numbers
    legend = {t.get_text() for t in panel.figure.legends[0].get_texts()}
    assert {label for label in legend if "offset" in label} == {"offset (dependence)"}


def test_ladder_groups_long_books_apart_and_leaves_out_drawn_ones() -> None:
    rows = charts.offset_ladder_data(presented.study(), presented.ladder())
    assert rows["group"].tolist() == ["All legs on one side"] + 2 * ["Some legs long, others short"]
    assert "random 01" not in rows.index


def test_a_book_without_an_estimate_says_why() -> None:
    nan = float("nan")
    ladder = ladder_with(total=nan, diversification=nan, dependence=nan, reason="CME lost nothing")
    panel = charts.offset_ladder(presented.study(), ladder)
    assert any("CME lost nothing" in t.get_text() for t in panel.texts)
    assert len(panel.patches) == 2 * (len(charts.offset_ladder_data(presented.study(), ladder)) - 1)


def test_sweep_is_in_percent_of_the_gross_where_it_is_known() -> None:
    study, sweep = presented.study(), presented.sweep()
    known = charts.treasury_share_sweep_data(study, sweep)["margin"]
    assert np.allclose(known, 100 * sweep["equal_coverage_margin"] / 2e8)
    python = replace(study, manifest={k: v for k, v in study.manifest.items() if k != "study"})
    unknown = charts.treasury_share_sweep_data(python, sweep)["margin"]
    assert np.allclose(unknown, sweep["equal_coverage_margin"] / 1e6)
    assert "USD m" in charts.treasury_share_sweep(python, sweep).get_ylabel()


def test_simulated_studies_carry_a_watermark_and_real_ones_none(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        marks = [t for t in figure.texts if t.get_gid() == "watermark"]
        title = figure.texts[0].get_text()
        if "Treasury market" in name or "yardstick" in name:
            assert not marks and "SIMULATED" not in title
            assert not any("SIMULATED" in t.get_text() for t in figure.texts)
        else:
            assert [t.get_text() for t in marks] == ["SIMULATED"]
            assert title.startswith("SIMULATED")


def test_footnotes_say_source_window_n_standard_and_models() -> None:
    study = presented.study()
    for caption in (
        charts.coverage_against_cost_caption(study),
        charts.offset_ladder_caption(study, presented.ladder()),
        charts.exceedance_timeline_caption(study),
        charts.treasury_share_sweep_caption(study, presented.sweep()),
    ):
        window = study.manifest["window"]
        for words in (
            "SIMULATED: random walks",
            window["first_scored"],
            window["last_scored"],
            f"n = {window['observations']}",
            "99 %",
            "MPOR of 2 margin days",
            "rebalanced daily",
            "siloed (Siloed)",
            "var (HistoricalVaR)",
        ):
            assert words in caption.footnote


def test_files_are_the_same_bytes_every_time(
    written: list[charts.FigureFiles], tmp_path: Path
) -> None:
    again = charts.write_figures(tmp_path, presented.study(), presented.ladder(), presented.sweep())
    for first, second in zip(written, again, strict=True):
        for end in ("svg", "pdf", "png", "csv"):
            assert getattr(first, end).read_bytes() == getattr(second, end).read_bytes(), end


def test_pdf_fonts_are_type_42(written: list[charts.FigureFiles]) -> None:
    for files in written:
        content = files.pdf.read_bytes()
        assert b"/Subtype /CIDFontType2" in content and b"/FontFile2" in content
        assert b"/Subtype /Type3" not in content


def test_png_is_300_dots_per_inch(written: list[charts.FigureFiles]) -> None:
    for files in written:
        header = files.png.read_bytes()[16:20]
        assert int.from_bytes(header, "big") == 1950


def test_svg_is_named_described_and_asks_for_nothing(written: list[charts.FigureFiles]) -> None:
    seen: set[str] = set()
    for files in written:
        text = files.svg.read_text()
        root = ElementTree.fromstring(text)
        assert root.attrib["role"] == "img"
        assert root.findtext(f"{SVG}title") == files.caption.title
        assert root.findtext(f"{SVG}desc") == files.caption.alt
        ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
        assert len(ids) == len(set(ids)) and not seen & set(ids)
        seen |= set(ids)
        pointed = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
        assert pointed and pointed <= set(ids)
        assert set(root.attrib["aria-labelledby"].split()) <= set(ids)
        assert not {e.tag for e in root.iter()} & {
            f"{SVG}{t}" for t in ("style", "script", "image")
        }
        assert set(re.findall(r'(\S+)="https?:', text)) <= {"xmlns", "xmlns:xlink"}


def test_sidecar_tables_hold_what_is_drawn(written: list[charts.FigureFiles]) -> None:
    expected = {
        "coverage_against_cost": charts.coverage_against_cost_data(presented.study()),
        "offset_ladder": charts.offset_ladder_data(presented.study(), presented.ladder()),
        "exceedance_timeline": charts.exceedance_timeline_data(presented.study()),
        "treasury_share_sweep": charts.treasury_share_sweep_data(
            presented.study(), presented.sweep()
        ),
    }
    assert [files.name for files in written] == list(expected)
    for files in written:
        table = pd.read_csv(files.csv)
        assert table["simulated"].all()
        frame = expected[files.name].reset_index(drop=files.name != "offset_ladder")
        for column in frame.select_dtypes("float"):
            assert np.allclose(table[column], frame[column], rtol=1e-9, equal_nan=True), column


def test_figures_that_a_study_lacks_are_left_out(tmp_path: Path) -> None:
    made = charts.write_figures(tmp_path, presented.treasury_study(), pd.DataFrame(), None)
    assert [files.name for files in made] == ["coverage_against_cost", "exceedance_timeline"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ResultsError, match="cannot write figures to .*taken"):
        charts.write_figures(tmp_path / "taken", presented.study(), presented.ladder(), None)


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 31.0}):
        before = dict(matplotlib.rcParams)
        panel = charts.coverage_against_cost(presented.study())
        assert dict(matplotlib.rcParams) == before
    assert {t.get_fontsize() for t in panel.get_xticklabels()} == {8.0}


def test_matplotlib_is_loaded_when_drawing_and_no_window_system_ever() -> None:
    code = (
        "import sys, backtest.charts, backtest.studies.run.page, backtest.present.numbers;"
        "assert not {'matplotlib', 'jinja2', 'scipy.stats'} & set(sys.modules);"
        "from tests.support import presented; from backtest import charts;"
        "charts.exceedance_timeline(presented.treasury_study());"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_real_study_fits_its_figures(real_data: Path) -> None:
    made = presented.real_outcome(real_data)
    assert made.sweep is not None
    figures = {
        "cost": charts.coverage_against_cost(made.study).figure,
        "ladder": charts.offset_ladder(made.study, made.ladder).figure,
        "timeline": charts.exceedance_timeline(made.study).figure,
        "sweep": charts.treasury_share_sweep(made.study, made.sweep).figure,
    }
    test_no_text_is_cut_off_or_covered_or_small(figures)
