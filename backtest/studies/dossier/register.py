"""The assumptions register: each parameter of a model, where it comes from, what it moves."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.config.models import model_table
from backtest.parameters.sources import ParameterSource
from backtest.studies.compare.inputs import BARE
from backtest.studies.dossier.docstrings import parameter_words
from backtest.studies.dossier.fields import Fields, stated
from backtest.studies.dossier.proposed_axis import (
    as_toml,
    grid_line,
    idle_words,
    inner_kind,
)
from backtest.studies.dossier.sensitivity import Varied, effect_sentence, moves_nothing
from strategies import MODELS

CHOSEN, DEFAULT, PUBLISHED = "set", "default", "published"


@dataclass(frozen=True)
class Assumption:
    """One parameter.

    Parameters
    ----------
    key : path of the parameter in the model's table, 'base.lookback'. value : as TOML writes it.
    what : what it is, from the docstring of its class; empty where that is not known.
    standing : whether it was chosen, is a default, or names published numbers.
    source, date, mark : where the value comes from, when, and who verified it.
    sensitivity : what varying it changes, or what would measure that. measured : which of the two.
    """

    key: str
    value: str
    what: str
    standing: str
    source: str
    date: str
    mark: str
    sensitivity: str
    measured: bool


def assumptions(
    table: Mapping[str, Any],
    *,
    model: str,
    sources: Sequence[ParameterSource],
    grids: Sequence[Varied],
    fields: Fields,
    written: Collection[str] | None = None,
) -> tuple[Assumption, ...]:
    """Every parameter of a model's table, then the parameter files that no parameter names.

    table : of the study file with its defaults written out. grids : that vary this model.
    written : of `written_keys`, what the study file itself has; None where its text is not known,
        and a value that is the default's then stands as one.
    """
    by_name = {source.name: source for source in sources}
    defaults = dict(leaves(_default_of(table)))
    rows, used = [], set()
    for key, value in leaves(table):
        named = [by_name[name] for name in _names(value) if name in by_name]
        used |= {source.name for source in named}
        as_default = key in defaults and defaults[key] == value
        is_default = as_default if written is None else key not in written
        rows.append(
            _row(
                key,
                value,
                what=_what(table, key),
                standing=PUBLISHED if named else DEFAULT if is_default else CHOSEN,
                named=named,
                fields=fields,
                sensitivity=_sensitivity(table, model, key, value, grids),
            )
        )
    for source in sources:
        if source.name not in used:
            nothing = (
                "its numbers are in a file of the package: give a copy of it with others",
                False,
            )
            rows.append(
                _row(
                    f"file {source.name}",
                    source.name,
                    what=source.title,
                    standing=PUBLISHED,
                    named=[source],
                    fields=fields,
                    sensitivity=nothing,
                )
            )
    return tuple(rows)


def _row(
    key: str,
    value: Any,
    *,
    what: str,
    standing: str,
    named: Sequence[ParameterSource],
    fields: Fields,
    sensitivity: tuple[str, bool],
) -> Assumption:
    said = fields.parameters.get(key)
    if named:
        source = "; ".join(f"{s.name}: {s.source}" for s in named)
        date = "; ".join(s.dated for s in named)
        marks = dict.fromkeys(s.mark for s in named)
        mark = "; ".join(marks)
        if said is not None and said.verified_by:
            mark += f"; by {said.verified_by}"
    else:
        of_person = ("", "", "") if said is None else (said.source, said.date, said.verified_by)
        source, date, mark = map(stated, of_person)
    sentence, measured = sensitivity
    return Assumption(key, as_toml(value), what, standing, source, date, mark, sentence, measured)


def leaves(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Key and value of every parameter of a model's table; the tables of models inside are walked.

    Examples
    --------
    >>> dict(leaves({"kind": "siloed", "base": {"kind": "historical_var", "lookback": 500}}))
    {'kind': 'siloed', 'base.kind': 'historical_var', 'base.lookback': 500}
    """
    for key, inner in value.items():
        path = f"{above}{key if BARE.fullmatch(str(key)) else json.dumps(str(key))}"
        if isinstance(inner, Mapping) and "kind" in inner:
            yield from leaves(inner, f"{path}.")
        else:
            yield path, inner


def written_keys(table: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Every key of a model's table as a study file has it, those of tables inside too.

    Examples
    --------
    >>> list(written_keys({"kind": "siloed", "base": {"lookback": 500}}))
    ['kind', 'base', 'base.lookback']
    """
    for key, inner in table.items():
        path = f"{above}{key if BARE.fullmatch(str(key)) else json.dumps(str(key))}"
        yield path
        if isinstance(inner, Mapping):
            yield from written_keys(inner, f"{path}.")


def _names(value: Any) -> list[str]:
    """Texts in a value, each of which may name a file of parameters."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [name for inner in value.values() for name in _names(inner)]
    if isinstance(value, list | tuple):
        return [name for inner in value for name in _names(inner)]
    return []


def _default_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table of the model with all its defaults; empty for a user's own class."""
    kind = table.get("kind")
    if kind not in MODELS:
        return {}
    return model_table(MODELS[kind]())


def _what(table: Mapping[str, Any], key: str) -> str:
    kind, name = inner_kind(table, key)
    if name == "kind":
        return "the class that computes it"
    return parameter_words(MODELS[kind]).get(name, "") if kind in MODELS else ""


def _sensitivity(
    table: Mapping[str, Any], model: str, key: str, value: Any, grids: Sequence[Varied]
) -> tuple[str, bool]:
    """What varying a parameter changed, or the line under [grid] that would measure it."""
    varied = [(grid, axis) for grid in grids for axis in grid.axes_of(key)]
    if varied:
        compared = any(len(grid.alike(axis).cells) for grid, axis in varied)
        words = [effect_sentence(grid, axis) for grid, axis in varied]
        if compared and all(moves_nothing(grid, axis) for grid, axis in varied):
            words.append("It moves nothing here: every value gives the same scores.")
        return " ".join(words), compared
    idle = idle_words(table, key)
    if idle:
        return f"moves nothing while {idle}, as it is here", True
    line = grid_line(table, model=model, key=key, value=value)
    if not line:
        return (
            "not measured: give a grid folder that varies it, over values you could defend",
            False,
        )
    return f"not measured: give a grid folder; under [grid] {line}", False


def register_frame(rows: Sequence[Assumption]) -> pd.DataFrame:
    """The register as a table for programs, a row a parameter."""
    names = list(Assumption.__dataclass_fields__)
    return pd.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names)
