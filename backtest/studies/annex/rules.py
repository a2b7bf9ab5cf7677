"""A rule of a topic on the day of the results: its version, its numbers, how it is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from backtest.parameters.files import load_parameters, rule_of, rules, version_of
from backtest.parameters.in_force import version_on
from backtest.parameters.ranges import term_value
from backtest.parameters.sources import ParameterSource, parameter_source
from backtest.replay.provenance import SUPERSEDED
from backtest.studies.annex.sources import Source
from backtest.studies.annex.topics import Rule, Topic

UNREAD = "NOT VERIFIED"


@dataclass(frozen=True)
class RuleOnDay:
    """A rule as it stood on a day.

    Parameters
    ----------
    version : of the parameter file that has its numbers; None where it rests on none.
    """

    rule: Rule
    day: date
    version: ParameterSource | None

    @classmethod
    def of(cls, rule: Rule, day: date) -> "RuleOnDay":
        """With the version in force on the day, or the one that the topic pins."""
        if not rule.parameters:
            return cls(rule, day, None)
        name = rule.parameters
        version = version_on(name, day) if name in rules() else version_of(name)
        return cls(rule, day, parameter_source(version))

    @property
    def is_verified(self) -> bool:
        """Whether it was compared with a copy of its text, or its numbers with a report of them."""
        return self.rule.verified if self.version is None else not self.version.unverified

    @property
    def is_in_part(self) -> bool:
        """Whether some of its file is verified, and some is not."""
        return self.version is not None and self.version.unverified not in ((), ("all",))

    @property
    def words(self) -> str:
        """What it asks, where it stands, since when; the numbers of the version."""
        if self.version is None:
            return f"{self.rule.rule}. {self.rule.where}. Dated: {self.rule.dated}. "
        numbers = "; ".join(self._numbers())
        where = self.rule.where or self.version.source
        # What tells a version from the others of its rule; its source says so too.
        several = len(rules()[rule_of(self.version.name)]) > 1
        title = f" ({self.version.title})" if self.rule.where and several else ""
        in_force = f"Version `{self.version.name}`{title}, in force {self.version.days}"
        return f"{self.rule.rule}{f' ({numbers})' if numbers else ''}. {where}. {in_force}. "

    @property
    def standing(self) -> str:
        """That it is not the rule of the day, and why; empty where it is."""
        reason = "" if self.version is None else self.version.standing(self.day.isoformat())
        return f"NOT IN FORCE on {self.day}: {reason}. " if reason else ""

    @property
    def mark(self) -> str:
        """'Verified', or that it is not, and which tables of the file are not."""
        if self.version is None:
            return "Verified" if self.is_verified else UNREAD
        return "Verified" if self.is_verified else self.version.mark

    @property
    def how(self) -> str:
        """What was compared with what, and how that is known."""
        if self.version is None:
            return self.rule.source
        rest = "the rest " if self.is_in_part else ""
        return f"{rest}{self.version.known_by}; {self.version.compared}"

    def _numbers(self) -> Iterator[str]:
        """Label and value of each number that the topic shows of its version."""
        assert self.version is not None
        tables = load_parameters(self.version.name)
        for label, term in self.rule.numbers.items():
            yield f"{label} {_text(term_value(tables, term))}"


def superseded_in(topic: Topic, sources: Sequence[Source]) -> Iterator[str]:
    """What results use of a topic's rules in a version that was superseded, a sentence each."""
    names = {_rule_name(rule) for rule in topic.rule if rule.parameters}
    for source in sources:
        for alarm in source.record.alarms:
            if alarm.startswith(SUPERSEDED) and any(f" {name}/" in alarm for name in names):
                yield f"Results {source.letter}: {alarm}."


def _rule_name(rule: Rule) -> str:
    return rule.parameters if rule.parameters in rules() else rule_of(version_of(rule.parameters))


def _text(value: Any) -> str:
    """A share as a percentage, whole numbers and words as they are, lists with commas.

    Examples
    --------
    >>> _text(0.065), _text([0.01, 0.025]), _text(["house", "customer"]), _text(3)
    ('6.5 %', '1 %, 2.5 %', 'house, customer', '3')
    """
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return f"{100.0 * value:g} %" if isinstance(value, float) else str(value)
