"""Pages of the reference: every public name, from the lists that the package itself keeps."""

import inspect
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import backtest as bt
import strategies as st

# Nouns of which one uses the methods; of others the docstring of the class says all.
WITH_METHODS = {
    "backtest.Market", "backtest.Book", "backtest.Study", "backtest.Distribution",
    "backtest.OffsetLadder", "backtest.MarginModel", "backtest.Parts", "backtest.Forecast",
    "backtest.Coverage", "backtest.Mix", "backtest.Protection",
    "backtest.charts.Figure", "backtest.scores.Monitor",
}  # fmt: skip
# Public values that are no functions; what is not here ends the build.
DATA = {
    "backtest.__version__": "Version of the package.",
    "strategies.MODELS": "The classes below by their name in study files.",
    "backtest.simulate.SIMULATORS": "The simulators below by their name in study files.",
}
ROOMS = {
    "exceedances": "Exceedances: how many, in which order",
    "overlapping": "Losses that overlap, books that share dates",
    "forecasts": "Forecasts: VaR, expected shortfall, density",
    "money": "Money: cost, severity, procyclicality",
    "models": "Rival models, many books",
    "": "Batteries, power, monitors, tables",
}


def write_reference(folder: Path) -> None:
    """Write one page a family of names; the page that leads to them is written by hand."""
    pages = {
        "package": ("The package", package_text(), [("", public(bt, modules=False))]),
        "models": ("The margin models", MODELS_TEXT, models()),
        "scores": ("Scores and tests", SCORES_TEXT, scores()),
        "charts": ("Figures", CHARTS_TEXT, [("", public(bt.charts))]),
        "simulate": ("Simulators", SIMULATE_TEXT, [("", public(bt.simulate))]),
        "instruments": ("Contracts", INSTRUMENTS_TEXT, [("", public(bt.instruments))]),
    }
    for stem, (title, text, groups) in pages.items():
        (folder / f"{stem}.rst").write_text(page(title, text, groups), encoding="utf-8")


MODELS_TEXT = """\
A model is a set of parameters with one method, ``margin(market, book, coverage)``; what it is asked
for, and may give besides, is :class:`backtest.MarginModel`. Below each is its ``kind`` in a study
file. Which one to use when: :doc:`/which`.
"""
SCORES_TEXT = """\
Pure functions on arrays over scored days. How often each errs is on :doc:`/statistics` and
:doc:`/overlap`; which one to use when on :doc:`/which`.
"""
CHARTS_TEXT = """\
Each takes a result and returns a :class:`backtest.charts.Figure`, to draw or to read. Pictures, and
the code that drew them: :doc:`/gallery`.
"""
SIMULATE_TEXT = """\
A simulated path is a market of its own, so whatever takes a market takes a path.
"""
INSTRUMENTS_TEXT = """\
A contract is priced exactly, is cleared at one silo, and is named in books and study files as its
docstring says. One's own are declared without code: :doc:`/declare`.
"""


def package_text() -> str:
    """What stands above the names of the package."""
    return (inspect.getdoc(bt) or "").replace("`", "``")


def public(module: Any, *, modules: bool = True) -> list[tuple[str, str]]:
    """Names of `__all__` with the directive that documents each.

    modules : False leaves out what has a page of its own, modules and simulators.
    """
    out = []
    for name in module.__all__:
        value = getattr(module, name)
        elsewhere = getattr(value, "__module__", "").startswith("backtest.simulate")
        if not modules and (inspect.ismodule(value) or elsewhere):
            continue
        out.append((f"{module.__name__}.{name}", directive(value)))
    return out


def directive(value: Any) -> str:
    """The directive of autodoc for a value."""
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if callable(value) else "data"


def models() -> list[tuple[str, list[tuple[str, str]]]]:
    """The models, a group a file, under the sentence that the file begins with."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for kind, cls in sorted(st.MODELS.items(), key=lambda item: item[1].__module__):
        words = (import_module(cls.__module__).__doc__ or "").split("\n\n")[0]
        title = " ".join(words.split()).rstrip(".")
        groups.setdefault(title, []).append((f"strategies.{cls.__name__}", f"autoclass|{kind}"))
    return [("", [("strategies.MODELS", "data")]), *groups.items()]


def scores() -> list[tuple[str, list[tuple[str, str]]]]:
    """The scores, a group a room."""
    groups: dict[str, list[tuple[str, str]]] = {room: [] for room in ROOMS}
    for name, kind in public(bt.scores):
        value = getattr(bt.scores, name.rsplit(".", 1)[1])
        room = value.__module__.split(".")[2]
        groups[room if room in ROOMS else ""].append((name, kind))
    return [(ROOMS[room], names) for room, names in groups.items()]


def heading(text: str, mark: str) -> str:
    """A heading of reStructuredText."""
    return f"{text}\n{mark * len(text)}\n"


def page(title: str, text: str, groups: Iterable[tuple[str, list[tuple[str, str]]]]) -> str:
    """A page: a table of its names first, then each name."""
    lines = [heading(title, "="), text, ""]
    for group, names in groups:
        if group:
            lines += [heading(group, "-")]
        documented = [(name, kind) for name, kind in names if kind != "data"]
        if documented:
            lines += [".. autosummary::", "   :nosignatures:", ""]
            lines += [f"   {name}" for name, _ in documented] + [""]
        for name, kind in names:
            lines += entry(name, kind)
    return "\n".join(lines) + "\n"


def entry(name: str, kind: str) -> list[str]:
    """The lines that document one name."""
    kind, _, word = kind.partition("|")
    if kind == "data":
        return [f".. py:data:: {name}", "", f"   {DATA[name]}", ""]
    lines = [f".. {kind}:: {name}"]
    if name in WITH_METHODS:
        lines.append("   :members:")
    lines.append("")
    if word:
        lines += [f'   ``kind = "{word}"``', ""]
    return lines
