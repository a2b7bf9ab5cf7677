"""The cells of a grid: the study of each, checked as if it stood in a file of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from pydantic import ValidationError

from backtest.config.checks import check_study, mistake
from backtest.config.grid import ALL, BOOKS, LOOKBACK, Axis, axes_of
from backtest.config.models import build_model, model_table
from backtest.config.schema import ON_ERROR, StudyFile
from backtest.config.sections import RandomTable
from backtest.model.protocol import MarginModel
from backtest.model.user_models import user_classes
from backtest.parameters.in_force import named_rules
from backtest.parameters.registry import field_names
from backtest.types import StudyError, shown
from strategies import MODELS

# Keys that decide which positions are margined, and over how many days.
OF_POSITIONS = ("closeout", "coverage.mpor", "rebalance", "sizing")
AS_OF = "as_of"
SIZING = "[sizing]"  # among the models of an axis, where the rules of the sizing model vary


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a grid: its number from 1, its value `at` each axis, and its study."""

    number: int
    at: Mapping[Axis, Any]
    study: StudyFile

    @property
    def row(self) -> dict[str, Any]:
        """Its values as columns of tables."""
        return {axis.name: axis.shown(value) for axis, value in self.at.items()}

    @property
    def words(self) -> str:
        """Its values in words."""
        return ", ".join(f"{name} {value}" for name, value in self.row.items())

    def model_label(self, name: str) -> str:
        """A model of the cell, told apart by those axes that set parameters of it."""
        return self._label(name, lambda axis: name in axis.models)

    def audit_label(self, name: str) -> str:
        """What a causality audit in this cell is of: the model, the positions, and the MPOR.

        The confidence changes how much of one law of losses is asked for, and not what is known.
        """

        def matters(axis: Axis) -> bool:
            target = ".".join(axis.target)
            place = any(target.startswith(key) or key.startswith(target) for key in OF_POSITIONS)
            return place or not axis.models.isdisjoint({name, SIZING})

        return self._label(name, matters)

    def _label(self, name: str, matters: Callable[[Axis], bool]) -> str:
        values = (f"{axis.name} {self.row[axis.name]}" for axis in self.at if matters(axis))
        return ", ".join((name, *values))


def cells_of(study: StudyFile) -> list[Cell]:
    r"""The cells of a study's [grid], the last axis fastest; the study of each is checked.

    Raises
    ------
    StudyError : no [grid], or a value that a study file or a model refuses: its cell and why.

    Examples
    --------
    >>> from backtest.config.load import default_study, read_study
    >>> grid = "[grid]\nconfidence = [0.98, 0.99]\nmpor = [1, 2]"
    >>> cells = cells_of(read_study(f"{default_study()}\n{grid}", where="mine.toml"))
    >>> cells[1].words, cells[1].study.standard()
    ('confidence 0.98, mpor 2', Coverage(confidence=0.98, mpor=2))
    """
    if not study.grid:
        raise StudyError(
            "the study has no [grid]; add one, such as [grid] with confidence = [0.95, 0.99]."
        )
    axes = [_with_models(study, axis) for axis in axes_of(study)]
    base = _with_books(study)
    cells = []
    for number, values in enumerate(product(*(axis.choices for axis in axes)), start=1):
        chosen = dict(zip(axes, values, strict=True))
        cell = Cell(number, chosen, base)
        try:
            cells.append(Cell(number, chosen, _study_of(base, chosen)))
        except StudyError as error:
            raise StudyError(f"the cell of the grid with {cell.words}: {error}") from error
    return cells


def _with_models(study: StudyFile, axis: Axis) -> Axis:
    """An axis with the models whose parameters it sets, or whose rules."""
    models = study.stated_models()
    if axis.path == (LOOKBACK,):
        names = [
            n for n, model in models.items() if _with_lookback(model, None) != model_table(model)
        ]
        if not names:
            raise StudyError("grid.lookback: no model of the study has a look-back; remove it.")
        return replace(axis, models=frozenset(names))
    if axis.path == (AS_OF,) and not study.as_replayed:
        models = {SIZING: build_model(study.sizing), **models}
        return replace(axis, models=frozenset(n for n, m in models.items() if named_rules(m)))
    return replace(axis, models=frozenset(axis.path[1:2] if axis.path[0] == "models" else ()))


def _with_lookback(model: MarginModel, lookback: Any) -> Any:
    """A model's table with this look-back wherever it, or a model inside it, has one."""
    classes = user_classes(model) | MODELS
    # A field whose published value is used is None, and no key of the table.
    kinds = [kind for kind, cls in classes.items() if LOOKBACK in field_names(cls)]

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(inner) for inner in value]
        if not isinstance(value, Mapping):
            return value
        table = {key: changed(inner) for key, inner in value.items()}
        return table | {LOOKBACK: lookback} if table.get("kind") in kinds else table

    return changed(model_table(model))


def _with_books(study: StudyFile) -> StudyFile:
    """The study with the books of its grid, and without the grid."""
    names = study.grid.get(BOOKS, ALL)
    chosen: dict[str, Any] = {"grid": {}, "gates": ()}
    if names != ALL:
        books = {name: study.books[name] for name in names}
        headline = tuple(name for name in study.headline if name in books)
        chosen |= {"books": books, "random": RandomTable(), "accounts": None, "headline": headline}
    return study.model_copy(update=chosen)


def _study_of(base: StudyFile, values: Mapping[Axis, Any]) -> StudyFile:
    """The study of a cell, checked as if it stood in a file of its own."""
    roots = {axis.target[0] if axis.name != LOOKBACK else "models" for axis in values}
    tables = base.model_dump(include=roots)
    for axis, value in values.items():
        if axis.name == LOOKBACK:
            for name in axis.models:
                model = base.stated_models()[name]
                kept = {k: v for k, v in base.models[name].items() if k == ON_ERROR}
                tables["models"][name] = _with_lookback(model, value) | kept
    for axis in values:  # all of them before any value is set
        _write_out(tables, axis, base)
    for axis, value in values.items():
        if axis.name != LOOKBACK:
            _put(tables, axis, value)
    try:
        changed = StudyFile(**({"models": base.models} | tables))
    except ValidationError as error:
        raise StudyError(mistake(error.errors(), tables)) from error
    study = base.model_copy(update={root: getattr(changed, root) for root in roots})
    check_study(study)
    study.standard()
    study.terms()
    study.margin_models()
    build_model(study.sizing)
    return study


def _write_out(tables: dict[str, Any], axis: Axis, base: StudyFile) -> None:
    """Write out a model whose file leaves out the model inside it that an axis varies.

    A part of a default cannot be set without the rest of it.
    """
    root, *path = axis.target
    if root != "models" or len(path) < len(("model", "inner model", "parameter")):
        return
    name, *inside = path[:-1]
    place: Any = tables["models"][name]
    for key in inside:
        place = place.get(key) if isinstance(place, Mapping) else None
    if place is None:
        kept = {k: v for k, v in base.models[name].items() if k == ON_ERROR}
        tables["models"][name] = model_table(base.stated_models()[name]) | kept


def _put(tables: dict[str, Any], axis: Axis, value: Any) -> None:
    """Set the key of an axis; a table that the study leaves out is begun."""
    place: Any = tables
    for key in axis.target[:-1]:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
        if not isinstance(place, dict):
            raise StudyError(f"grid.{axis.name}: {key} is {shown(place)} and no table; remove it.")
    place[axis.target[-1]] = value
