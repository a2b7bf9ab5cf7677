"""Which parameter files a model rests on, and how each stands on a day: in force, verified or not.

A model names a file by a field (`parameters`, `schedules`). A model does not say which of its
texts are file names: a text that is the name of a rule or of a version is taken as one, so that a
model cannot use a file and hide it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import date
from typing import Any

from backtest.parameters.files import (
    former_names,
    header,
    known_parameters,
    load_parameters,
    rule_of,
    rules,
    version_of,
)
from backtest.parameters.header import ONE_DAY, Header
from backtest.parameters.registry import field_names


@dataclass(frozen=True)
class ParameterSource:
    """A parameter file: its name, content, source, dates, and what in it is unverified.

    dated : ISO day from which it is in force. in_force_to : last day; empty where it is open.
    superseded_by : the version that follows; empty where none does.
    unverified : 'all', or the unverified tables and terms; empty where all is verified.
    compared : what of it was compared with what; empty where the file does not say.
    how, verified_on : how its numbers are known, and the day of the look.
    replayed : a model takes it where it is the rule alone: on its own days, or in a cell of a grid
        whose day it is.
    """

    name: str
    title: str
    source: str
    dated: str
    unverified: tuple[str, ...]
    compared: str = ""
    in_force_to: str = ""
    superseded_by: str = ""
    how: str = ""
    verified_on: str = ""
    replayed: bool = False

    @property
    def mark(self) -> str:
        """'verified', or 'NOT VERIFIED' and the tables concerned.

        Examples
        --------
        >>> parameter_source("haircuts/cme/2014").mark
        'verified'
        >>> parameter_source("haircuts/cme_futures/2026").mark
        'NOT VERIFIED'
        """
        if not self.unverified:
            return "verified"
        which = "" if self.unverified == ("all",) else f": {', '.join(self.unverified)}"
        return f"NOT VERIFIED{which}"

    @property
    def days(self) -> str:
        """Days on which it is in force.

        Examples
        --------
        >>> parameter_source("emir_28").days, parameter_source("cme_ficc/2024").days
        ('since 2013-03-15', '2024-01-22 to 2025-07-10')
        """
        return f"{self.dated} to {self.in_force_to}" if self.in_force_to else f"since {self.dated}"

    @property
    def known_by(self) -> str:
        """How its numbers are known, and the day of the look where there was one.

        Examples
        --------
        >>> parameter_source("span/2026").known_by
        'memory'
        """
        return ", ".join(filter(None, (self.how, self.verified_on)))

    def standing(self, as_of: str) -> str:
        """Why the file is not the rule of a day (ISO); empty where it is in force on it.

        Examples
        --------
        >>> parameter_source("simm/2.1").standing("2018-12-03")
        ''
        >>> parameter_source("simm/2.1").standing("2018-11-30")
        'simm/2.1 came into force on 2018-12-01 only'
        """
        if self.how == "assumption":  # nobody's rule, on no day
            return ""
        if as_of < self.dated:
            return f"{self.name} came into force on {self.dated} only"
        if not self.in_force_to or as_of <= self.in_force_to:
            return ""
        if self.superseded_by:
            since = date.fromisoformat(self.in_force_to) + ONE_DAY
            return f"{self.name} was superseded by {self.superseded_by} on {since}"
        return f"{self.name} was in force until {self.in_force_to} and nothing followed it"


def parameter_source(name: str) -> ParameterSource:
    """Title, source, dates and verification marks of a version, or of a rule's latest."""
    version = version_of(name)
    head = header(version)
    return ParameterSource(
        name=version,
        title=head.title,
        source=head.source,
        dated=str(head.in_force_from),
        unverified=_doubtful(head, load_parameters(version)) if head.verified else ("all",),
        compared=head.compared,
        in_force_to=str(head.in_force_to or ""),
        superseded_by=head.superseded_by,
        how=head.how,
        verified_on=str(head.verified_on or ""),
    )


def source_facts(by_user: Mapping[str, Iterable[ParameterSource]]) -> list[tuple[str, str]]:
    """Every file that a model, or another user of rules, names, once: who uses it, days, mark.

    Examples
    --------
    >>> ((name, words),) = source_facts({"capital": [parameter_source("sec_15c3_1")]})
    >>> name, words[:40]
    ('parameters sec_15c3_1/2013', 'used by capital; since 2013-12-27, verif')
    """
    files = {file.name: file for sources in by_user.values() for file in sources}
    facts = []
    for name, file in files.items():
        users = ", ".join(
            user for user, sources in by_user.items() if name in [file.name for file in sources]
        )
        words = f"used by {users}; {file.days}, {file.mark}: {file.title}. {file.source}."
        facts.append((f"parameters {name}", words))
    return facts


def parameter_sources(model: Any) -> tuple[ParameterSource, ...]:
    """The parameter files named by a model and by all models inside it.

    Examples
    --------
    >>> from strategies import HaircutOnly, Siloed
    >>> [s.name.rpartition("/")[0] for s in parameter_sources(Siloed(base=HaircutOnly()))]
    ['haircuts/cme', 'haircuts/cftc_pilot']
    """
    replayed: dict[str, bool] = {}
    for name, on_its_days in _named(model):
        replayed[name] = replayed.get(name, True) and on_its_days
    return tuple(replace(parameter_source(n), replayed=alone) for n, alone in replayed.items())


def versions_named(value: Any) -> tuple[ParameterSource, ...]:
    """The versions that a table or an object names outright, not those of rules that it names.

    Examples
    --------
    >>> [s.name for s in versions_named({"haircuts": ["haircuts/cme/2014", "haircuts/occ"]})]
    ['haircuts/cme/2014']
    """
    known = known_parameters().keys() | former_names().keys()
    names = (version_of(text) for text, _ in _texts(value) if text in known)
    return tuple(parameter_source(name) for name in dict.fromkeys(names))


def standings(
    by_model: Mapping[str, tuple[ParameterSource, ...]],
    as_of: str,
    *,
    since: str,
    only_superseded: bool,
) -> list[str]:
    """Sentences on versions that are not in force on a day (ISO), with the models that use them.

    since : first day (ISO) on which a replayed version may be asked for.
    only_superseded : leave out those that came into force later, which the earliest version of a
        rule may: there is no earlier one to take.
    """
    users: dict[ParameterSource, list[str]] = {}
    for model, sources in by_model.items():
        for source in sources:
            users.setdefault(source, []).append(model)
    told = []
    for source, models in users.items():
        day = _day_to_judge(source, since, as_of)
        words = source.standing(day) if day else ""
        if words and not (only_superseded and day < source.dated):
            told.append(f"{', '.join(models)}: {words}")
    return told


def _day_to_judge(source: ParameterSource, since: str, as_of: str) -> str:
    """The day (ISO) on which a version must be in force; empty where it is asked on its own days.

    A replayed one has other days where it is the first of its rule, before it came into force, or
    the last, after it ended.
    """
    if not source.replayed:
        return as_of
    first, *_ = rules().get(rule_of(source.name), (source.name,))
    if source.name == first and since < source.dated:
        return since
    return "" if source.superseded_by or as_of < source.dated else as_of


def _named(model: Any) -> Iterator[tuple[str, bool]]:
    """Versions that a value names, or whose rule it names; and whether on their own days alone."""
    for text, replayed in _texts(model):
        if text in known_parameters() or text in former_names():
            yield version_of(text), False
        elif text in rules():
            versions = rules()[text] if replayed else [version_of(text)]
            yield from ((version, replayed) for version in versions)


def _texts(value: Any, *, replayed: bool = False) -> Iterator[tuple[str, bool]]:
    """Every text in a value and in all inside it; and whether a model around it replays rules."""
    if isinstance(value, str):
        yield value, replayed
    elif isinstance(value, (tuple, list)):
        for inner_value in value:
            yield from _texts(inner_value, replayed=replayed)
    elif isinstance(value, Mapping):
        for inner_value in value.values():
            yield from _texts(inner_value, replayed=replayed)
    elif is_dataclass(value):
        replayed = replayed or getattr(value, "replays_rules", False)
        for field in field_names(type(value)):
            yield from _texts(getattr(value, field, None), replayed=replayed)


def _doubtful(head: Header, tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Unverified tables of a verified file, and its uncertain terms outside them."""
    marked = tuple(_unverified(tables, ""))
    inside = tuple(f"{table}." for table in marked)
    return (*marked, *(u.term for u in head.uncertain if not u.term.startswith(inside)))


def _unverified(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Dotted names of the tables marked `verified = false`."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            where = f"{path}.{key}".lstrip(".")
            if value.get("verified") is False:
                yield where
            else:
                yield from _unverified(value, where)
