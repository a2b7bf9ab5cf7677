"""Names of any letters in figures: drawn without a warning, which pytest turns into an error."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from backtest.present.figure import Figure, write_figures
from backtest.present.lettering import UNKNOWN, drawable, fitted_label, label_of
from backtest.present.sheet import Caption

LETTERS = some.characters(exclude_categories=["Cs"])  # halves of a letter are no text
names = some.text(LETTERS, min_size=1, max_size=30)


def figure(name: str) -> Figure:
    """A figure with a name everywhere that figures have names."""

    def paint(canvas):
        sheet = canvas(1.0)
        axes = sheet.panel(left=1.0, right=0.1, top=0.2, height=0.6)
        axes.plot([0.0, 1.0], label=label_of(name))
        axes.set_yticks([0.5], [label_of(name, width=14, lines=1)])
        axes.set_title(fitted_label(name, room=3.0, lines=2), weight="bold")
        sheet.legend(axes.lines, top=0.0, columns=1, left=1.0)
        sheet.text(drawable(name), middle=3.0, top=0.9)
        return axes

    words = Caption(f"Title of {name}", f"Footnote of {name}.", f"Words of {name}")
    return Figure("named", pd.DataFrame({"book": [name], "x": [0.0]}), words, paint, True)


@settings(max_examples=15)
@given(names)
@example("\U0001f600 \U0001f680 \u66f8\u7c4d \u0643\u062a\u0627\u0628")
@example("\u202eabc\u2066\u200f\ufeff\x07\t\u2028\x85\uffff\U0010ffff\ue000")
@example("e\u0301\u0338 \U0001f1fa\U0001f1f8 \U0001f468\u200d\U0001f469 \u0939\u093f\u0928\u094d")
def test_any_name_is_drawn_without_a_warning(name):
    with TemporaryDirectory() as folder:
        write_figures(folder, [figure(name)])
        files = {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}
        held = pd.read_csv(Path(folder) / "named.csv", dtype=str, keep_default_na=False)
    assert all(len(files[kind]) > 5000 for kind in (".png", ".svg", ".pdf"))
    assert len(held) == 1
    users = Canvas()
    FigureCanvasAgg(users)
    figure(name).draw(users.subplots())
    users.canvas.draw()


@given(some.text(LETTERS))
def test_what_is_drawable_stays_and_the_rest_is_marked(text):
    drawn = drawable(text)
    assert len(drawn) == len(text) and drawable(drawn) == drawn
    assert all(new in (old, UNKNOWN) or (new, old.isspace()) == (" ", True)
               for old, new in zip(text, drawn, strict=True))  # fmt: skip
    if text.isascii() and text.isprintable():
        assert drawn == text


@pytest.mark.parametrize("text", ["naïve", "Größe €", "Ελλάδα", "Россия", "كتاب", "😀", "−½ ≥ …"])
def test_letters_of_the_type_are_kept(text):
    assert drawable(text) == text


def test_two_figures_of_a_name_are_the_same_bytes(tmp_path):
    for place in ("one", "two"):
        write_figures(tmp_path / place, [figure("\u66f8 \U0001f680")])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
