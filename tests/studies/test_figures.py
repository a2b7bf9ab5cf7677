"""What holds for every figure: it is legible, repeatable, honest, and fits in a user's Axes."""

import functools
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.dates import date2num
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.text import Text

from backtest import charts
from backtest.present.figure import Figure, write_figures
from backtest.types import ResultsError
from tests.support import presented
from tests.support.places import ROOT

SVG = "{http://www.w3.org/2000/svg}"
ALL = presented.FIGURES | presented.VARIANTS
LADDER = "dependence dependence_bound total total_bound"
# Columns of which each number is drawn, and how many units of the axis one unit of the table is.
SHOWN = {
    "coverage_against_cost": {"cost": 1, "exceedance_rate": 100},
    "offset_ladder": {f"{LADDER} diversification": 100},
    "exceedance_timeline": {"date": 1},
    "margin_against_loss": {"date": 1, "required": 1e-6},
    "treasury_share_sweep": {"share total diversification dependence": 100, "margin": 1},
    "monte_carlo_frontier": {"cost": 1, "exceedance_rate": 100},
    "stressed_ladder": {LADDER: 100},
    "specification_curve": {"dependence dependence_bound": 100},
    "granted_against_supported": {"date": 1, "share": 100},
    "steps_from_gross": {"date": 1, "required": 100},
    "coordination": {"coordination breach_probability": 1},
    "margin_steps": {"share_of_gross": 100},
    "breach_by_mix": {"breach_rate": 100},
    "moves_against_haircuts": {"haircut_min haircut_max": -100},
    "weekdays": {"share": 100},
    "correlation": {"correlation low high": 1},
    "margin_through_stress": {"date": 1, "required": 1e-6},
    "mitigation_against_cost": {"cost peak_to_trough rise_5": 1},
    "power": {"nominal rejected": 100},
    "kept_and_lost": {"position": 1},
    "clustering_by_lag": {"data low high": 1},
    "lost_by_simulator": {"lost": 1},
    "who_bears": {"usd_a_year": 1e-6},
    "frontier": {"saved": 100, "fellow": 1e-6},
    "fellow_days": {"date": 1},
    "cover": {"size": 1e-6},
    "reverse_stress": {"distance": 1},
    "distance_of_layers": {"distance": 1},
}


@functools.cache
def figure_of(name: str) -> Figure:
    return ALL[name]()


@functools.cache
def sheet_of(name: str) -> Canvas:
    return figure_of(name).draw().figure


def visible_texts(figure: Canvas) -> list[Text]:
    """Texts that are drawn: tick labels outside their axis exist but are never drawn."""
    renderer = figure.canvas.get_renderer()
    labels, shown = set(), set()
    for axis in (axis for axes in figure.findobj(Axes) for axis in (axes.xaxis, axes.yaxis)):
        in_view = axis._update_ticks()
        labels |= {x for t in axis.majorTicks + axis.minorTicks for x in (t.label1, t.label2)}
        shown |= {x for t in in_view for x in (t.label1, t.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and text.get_gid() != "watermark"
        and (text not in labels or text in shown)
        and text.get_window_extent(renderer).width > 0
    ]


def assert_text_fits(figure: Canvas) -> None:
    """No text is cut off, covered, or smaller than 8 points."""
    figure.canvas.draw()
    renderer, page = figure.canvas.get_renderer(), figure.bbox
    texts = visible_texts(figure)
    assert len(texts) > 10
    boxes = [text.get_window_extent(renderer) for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        assert text.get_fontsize() >= 8, text.get_text()
        assert box.x0 >= page.x0 and box.x1 <= page.x1, text.get_text()
        assert box.y0 >= page.y0 and box.y1 <= page.y1, text.get_text()
    for (i, a), (j, b) in itertools.combinations(enumerate(boxes), 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes hold the room for descenders: a pixel or two of them may touch.
        assert min(width, height) < 3, f"{texts[i].get_text()!r} over {texts[j].get_text()!r}"


def users_figure(**settings: Any) -> Canvas:
    figure = Canvas(**settings)
    FigureCanvasAgg(figure)
    return figure


def watermarks(figure: Canvas) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if t.get_gid() == "watermark"]


def artists(panel: Axes) -> list[Any]:
    """Everything in a panel that shows a number, as plain arrays; bars by their corners."""
    bars = [patch for patch in panel.patches if hasattr(patch, "get_height")]
    return [
        *(np.asarray(line.get_xydata(), dtype=np.float64) for line in panel.lines),
        *(np.asarray(c.get_offsets(), dtype=np.float64) for c in panel.collections),
        *(path.vertices for c in panel.collections for path in c.get_paths()),
        *(
            np.asarray(c.get_array()).ravel()[:, None]
            for c in panel.collections
            if isinstance(c, QuadMesh)
        ),
        *(np.array([[*bar.get_xy()], [bar.get_width(), bar.get_height()]]) for bar in bars),
        *(np.add(bar.get_xy(), [bar.get_width(), bar.get_height()])[None] for bar in bars),
    ]


def test_all_figures_are_here() -> None:
    functions = set(charts.__all__) - {"Figure", "write_figures", "run_figures", "offset_figures"}
    assert len(presented.FIGURES) == len(functions) == len(SHOWN)
    assert all(figure_of(name).name == name for name in presented.FIGURES)


@pytest.mark.parametrize("name", ALL)
def test_a_sheet_is_legible_and_as_wide_as_a_letter_page(name: str) -> None:
    figure, sheet = figure_of(name), sheet_of(name)
    assert_text_fits(sheet)
    assert sheet.get_figwidth() == 6.5
    assert watermarks(sheet) == (["SIMULATED"] if figure.simulated else [])
    assert sheet.texts[0].get_text().startswith("SIMULATED") == figure.simulated
    assert figure.simulated == ("real" not in name and "yardstick" not in name and name != "power")
    if not figure.simulated:
        assert not any("SIMULATED" in text.get_text() for text in sheet.findobj(Text))


def look_of(handle: Any) -> tuple[Any, ...]:
    """All of a key's looks but its colour, and how bright it is on grey paper."""
    if isinstance(handle, Line2D):
        line = handle.is_dashed(), tuple(handle._dash_pattern[1] or ()), handle.get_linestyle()
        mark = handle.get_marker(), handle.get_markersize() if handle.get_marker() != "None" else 0
        colour, full = handle.get_color(), handle.get_fillstyle() + str(handle.get_mfc() == "none")
        return (line, mark, full, handle.get_linewidth() > 1.6), brightness(colour)
    return (type(handle).__name__, handle.get_hatch()), brightness(handle.get_facecolor())


def brightness(colour: Any) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


@pytest.mark.parametrize("name", ALL)
def test_no_two_keys_differ_in_colour_alone(name: str) -> None:
    for legend in sheet_of(name).legends:
        looks = [look_of(handle) for handle in legend.legend_handles]
        for (one, bright), (other, faint) in itertools.combinations(looks, 2):
            assert one != other or abs(bright - faint) > 0.12, (name, one)


@pytest.mark.parametrize("name", ALL)
def test_what_is_drawn_is_the_table(name: str) -> None:
    figure, panels = figure_of(name), sheet_of(name).axes
    assert all(np.isfinite([*p.get_xlim(), *p.get_ylim()]).all() for p in panels)
    assert all(artists(panel) for panel in panels)
    numbers = np.concatenate([a.ravel() for panel in panels for a in artists(panel)])
    drawn = np.unique(numbers[np.isfinite(numbers)])
    for columns, unit in SHOWN[figure.name].items():
        for column in columns.split():
            values = figure.data[column].dropna()
            wanted = date2num(values) if column == "date" else unit * values.to_numpy(np.float64)
            place = np.searchsorted(drawn, wanted - 1e-9)
            near = drawn[np.minimum(place, len(drawn) - 1)]
            np.testing.assert_allclose(near, wanted, rtol=1e-9, atol=2e-9, err_msg=column)


@pytest.mark.parametrize("name", ALL)
def test_a_figure_is_drawn_into_a_users_axes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figure, sheet = figure_of(name), sheet_of(name)
    height = sheet.get_figheight() + 0.8  # room for two lines and the measure
    user = users_figure(figsize=(6.5, height))
    ax = user.add_axes((0.0, 0.0, 1.0, 1.0 - 0.8 / height))
    before = dict(matplotlib.rcParams)
    with monkeypatch.context() as no_figure:
        no_figure.delattr(Canvas, "__init__")
        assert figure.draw(ax) is ax
    assert dict(matplotlib.rcParams) == before
    panels = [ax, *(child for child in ax.child_axes if isinstance(child, Axes))]
    assert user.axes == [ax] and len(panels) == len(sheet.axes)
    for own, there in zip(sheet.axes, panels, strict=True):
        assert there.figure is user
        assert (there.get_xlim(), there.get_ylim()) == (own.get_xlim(), own.get_ylim())
        for one, other in zip(artists(own), artists(there), strict=True):
            np.testing.assert_array_equal(one, other)
    said = {text.get_text().replace("\n", " ") for text in user.findobj(Text)}
    assert figure.caption.heading(figure.simulated) in said
    assert figure.caption.footnote not in said
    assert watermarks(user) == watermarks(sheet)
    assert_text_fits(user)


@pytest.mark.parametrize("layout", ["constrained", "tight", None])
def test_a_users_layout_places_what_is_drawn(layout: str | None) -> None:
    user = users_figure(figsize=(13, 12), layout=layout)
    first, second = user.subplots(2, 1)
    for ax, name in ((first, "stressed_ladder"), (second, "offset_ladder")):
        figure_of(name).draw(ax)
    user.canvas.draw()
    assert first.get_position().y0 > second.get_position().y1
    for ax in (first, second):
        place = ax.get_position(original=True)
        assert place.x0 < ax.get_position().x0 and ax.get_position().x1 < place.x1


def grounds(name: str) -> list[str]:
    """What the footnote of a run's or an offset study's figure must say, beside the standard."""
    if name in [figure.name for figure in charts.offset_figures(presented.offset_study())]:
        n = presented.offset_study().ladder["observations"].max()
        return [f"n = {n} days", "2019-06-03", "HistoricalVaR(lookback=100", "seed 5", "cccccccc+"]
    models = ["siloed (Siloed)", "var (HistoricalVaR)", "rebalanced daily"]
    if name == "monte_carlo_frontier":  # its days are those of the simulated histories
        return [*models, "4 simulated histories"]
    window = presented.study().provenance.scored
    days = f"n = {window.observations} days"
    return [*models, days, window.first_scored, window.last_scored]


@pytest.mark.parametrize("name", list(presented.FIGURES)[:9])
def test_a_footnote_says_what_the_numbers_stand_on(name: str) -> None:
    caption = figure_of(name).caption
    for words in ("SIMULATED: random walks", "99 %", "MPOR of 2 margin days", *grounds(name)):
        assert words in caption.footnote, words
    assert len(caption.alt) > 150


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every figure, written twice, drawn anew each time."""
    folders = [tmp_path_factory.mktemp(f"figures{i}") for i in range(2)]
    for folder in folders:
        write_figures(folder, [figure_of(name) for name in presented.FIGURES])
    return folders


@pytest.mark.parametrize("name", presented.FIGURES)
def test_files_are_the_same_bytes_and_hold_the_numbers(folders: list[Path], name: str) -> None:
    figure, content = figure_of(name), {}
    for end in ("svg", "pdf", "png", "csv"):
        content[end], again = ((folder / f"{name}.{end}").read_bytes() for folder in folders)
        assert content[end] == again, end
    assert b"/Subtype /CIDFontType2" in content["pdf"] and b"/FontFile2" in content["pdf"]  # 42
    assert b"/Subtype /Type3" not in content["pdf"]
    assert int.from_bytes(content["png"][16:20], "big") == 1950  # 300 dots an inch
    table = pd.read_csv(folders[0] / f"{name}.csv")
    assert (table["simulated"] == figure.simulated).all() and len(table) == len(figure.data) > 0
    for column in figure.data.select_dtypes("float"):
        np.testing.assert_allclose(table[column], figure.data[column], rtol=1e-9)


def test_svg_is_named_described_and_asks_for_nothing(folders: list[Path]) -> None:
    seen: set[str] = set()
    for name in presented.FIGURES:
        text = (folders[0] / f"{name}.svg").read_text()
        root = ElementTree.fromstring(text)
        assert root.attrib["role"] == "img"
        assert root.findtext(f"{SVG}title") == figure_of(name).caption.title
        assert root.findtext(f"{SVG}desc") == figure_of(name).caption.alt
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


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ResultsError, match="cannot write figures to .*taken"):
        write_figures(tmp_path / "taken", [figure_of("power")])


def test_the_type_of_a_sheet_is_ours_whatever_the_users_settings() -> None:
    with matplotlib.rc_context({"font.size": 31.0}):
        before = dict(matplotlib.rcParams)
        panel = figure_of("coverage_against_cost").draw()
        assert dict(matplotlib.rcParams) == before
    assert {t.get_fontsize() for t in panel.get_xticklabels()} == {8.0}


def test_matplotlib_is_loaded_when_drawing_and_no_window_system_ever() -> None:
    code = (
        "import sys, backtest.charts, backtest.studies.run.page, backtest.present.numbers;"
        "assert not {'matplotlib', 'jinja2', 'scipy.stats'} & set(sys.modules);"
        "from tests.support import presented; from backtest import charts;"
        "figure = charts.exceedance_timeline(presented.treasury_study());"
        "assert 'matplotlib' not in sys.modules;"
        "figure.draw();"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_figures_of_real_prices_fit(real_data: Path) -> None:
    from backtest.studies.offset.study import estimate_offsets

    run = presented.real_run(real_data)
    offsets = estimate_offsets(
        None, data=str(real_data), seed=None, n_jobs=1, progress=lambda what, share: None
    )
    for figure in (
        *charts.run_figures(run.study, run.ladder, run.sweep), *charts.offset_figures(offsets)
    ):  # fmt: skip
        assert_text_fits(figure.draw().figure)
