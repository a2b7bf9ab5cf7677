"""How figures look: models differ without colour, names fit their room."""

from backtest.present.lettering import fitted_label
from backtest.present.style import LINES, MARKERS, model_styles


def test_models_differ_without_colour() -> None:
    styles = model_styles([f"m{i}" for i in range(min(len(LINES), len(MARKERS)))]).values()
    for parts in ("marker", "line"):
        assert len({str(getattr(style, parts)) for style in styles}) == len(styles)


def test_style_of_a_model_is_its_place() -> None:
    assert model_styles(["a", "b", "c"])["b"] == model_styles(["x", "y"])["y"]


def test_labels_are_broken_to_fit_their_room() -> None:
    assert fitted_label("short", room=2.0, lines=2) == "short"
    narrow = fitted_label("WWWW WWWW WWWW", room=0.7, lines=3)
    assert narrow.splitlines() == ["WWWW"] * 3
