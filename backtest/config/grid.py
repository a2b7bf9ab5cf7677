"""The axes of a study file's [grid]: what they vary, and over which values."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from math import prod
from typing import Any

from backtest.config.schema import StudyFile
from backtest.types import StudyError, parse_day, shown

MOST_CELLS = 1000  # a cell takes a second or more, so that many take an hour
MOST_AXES = 8  # more have no figure and no reader
MOST_WHOLE = 2**53  # beyond it a column of numbers changes them
LOOKBACK, BOOKS, ALL = "lookback", "books", "all"
SHORT = {
    "confidence": ("coverage", "confidence"),
    "mpor": ("coverage", "mpor"),
    "start": ("score_from",),
}
# Tables and keys that an axis may vary: cells share the prices, the names and the seed.
ROOTS = (
    *("coverage", "closeout", "account", "collateral", "models", "sizing"),
    *("rebalance", "score_from", "as_of"),
)


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a grid: the key it varies, as [grid] names it, and its values.

    Parameters
    ----------
    path : of the key in [grid]; its tables are those of the study file.
    models : whose parameters it sets.
    """

    path: tuple[str, ...]
    choices: tuple[Any, ...]
    models: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The axis as a column of tables.

        Examples
        --------
        >>> Axis(("models", "fhs", "decay"), (0.97, 0.99)).name
        'models.fhs.decay'
        """
        return ".".join(self.path)

    @property
    def target(self) -> tuple[str, ...]:
        """Path of the key in the study file; of a look-back there are several."""
        return SHORT.get(self.name, self.path)

    def shown(self, value: Any) -> Any:
        """A value as tables hold it: as it is, or as text where the axis has lists or tables."""
        kinds = {type(each) for each in self.choices}
        numbers = kinds <= {int, float} and max(map(abs, self.choices)) < MOST_WHOLE
        if kinds in ({bool}, {str}) or numbers:
            return value
        return (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        )


def axes_of(study: StudyFile) -> tuple[Axis, ...]:
    r"""The axes of a study's [grid], in its order; `books` is a choice and no axis.

    Raises
    ------
    StudyError : an axis that there is not, without values or given twice, or too many cells.

    Examples
    --------
    >>> from backtest.config.load import default_study, read_study
    >>> text = f"{default_study()}\n[grid]\nconfidnce = [0.98, 0.99]"
    >>> read_study(text, where="mine.toml")
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: mine.toml: [grid] has no axis 'confidnce'. Did you mean 'confidence'?
    """
    axes = []
    for path, values in _leaves(study.grid):
        if path == (BOOKS,):
            _check_books(study, values)
        else:
            _check_name(study, path)
            axes.append(Axis(path, _checked(path, values)))
    if study.grid and not axes:
        raise StudyError("[grid] has no axis; give one, such as confidence = [0.95, 0.99].")
    _check_together(axes)
    return tuple(axes)


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Path and value of every key of [grid] that is no table."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _check_name(study: StudyFile, path: tuple[str, ...]) -> None:
    """Refuse an axis that there is not."""
    known = [*SHORT, LOOKBACK, BOOKS, *ROOTS]
    if path[0] not in known:
        close = get_close_matches(path[0], known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
        raise StudyError(f"[grid] has no axis {path[0]!r}. {hint}")
    if path[0] in (*SHORT, LOOKBACK, BOOKS) and len(path) > 1:
        raise StudyError(f"grid.{path[0]} is a table; give a list of values.")
    if path[0] == "models" and len(path) > 1 and path[1] not in study.models:
        raise StudyError(
            f"[grid.models.{path[1]}] names no model of the study; known: "
            f"{', '.join(study.models)}."
        )
    if path == ("models",):
        raise StudyError("grid.models is no table; write [grid.models.<name>] with a parameter.")


def _checked(path: tuple[str, ...], values: Any) -> tuple[Any, ...]:
    """The values of an axis."""
    name = ".".join(path)
    if not isinstance(values, list) or not values:
        raise StudyError(f"grid.{name} is {shown(values)}; give a list of values.")
    if len(values) > MOST_CELLS:
        raise StudyError(f"grid.{name} has {len(values):,} values; give at most {MOST_CELLS:,}.")
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise StudyError(f"grid.{name} has {shown(twice[0])} twice; give each value once.")
    if SHORT.get(name, path) in (SHORT["start"], ("as_of",)):
        for value in values:
            if isinstance(value, date):
                raise StudyError(
                    f'grid.{name} has {value} bare; put it in quotation marks: "{value}".'
                )
            parse_day(value, f"grid.{name}")
    return tuple(values)


def _check_books(study: StudyFile, names: Any) -> None:
    """Refuse a choice of books that the study does not name."""
    if names == ALL:
        return
    if not isinstance(names, list) or not names:
        raise StudyError(f"grid.books is {shown(names)}; give a list of books, or {ALL!r}.")
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in study.books:
            raise StudyError(
                f"grid.books names {shown(name)}, which is none of [books]; known: "
                f"{', '.join(study.books) or 'none'}."
            )
        if name in names[:place]:
            raise StudyError(f"grid.books names {name!r} twice; name each once.")


def _check_together(axes: Sequence[Axis]) -> None:
    """Refuse two axes of one key, and more axes or cells than make sense."""
    if len(axes) > MOST_AXES:
        raise StudyError(f"[grid] has {len(axes):,} axes; give at most {MOST_AXES}.")
    for place, axis in enumerate(axes):
        for other in axes[:place]:
            shorter, longer = sorted((axis.target, other.target), key=len)
            lookbacks = LOOKBACK in (axis.name, other.name) and axis.path[-1] == other.path[-1]
            if longer[: len(shorter)] == shorter or lookbacks:
                raise StudyError(
                    f"grid.{other.name} and grid.{axis.name} set the same key; remove one."
                )
    count = prod(len(axis.choices) for axis in axes)
    if count > MOST_CELLS:
        sizes = " x ".join(f"{len(axis.choices):,} of {axis.name}" for axis in axes)
        raise StudyError(f"[grid] has {count:,} cells ({sizes}); give at most {MOST_CELLS:,}.")
