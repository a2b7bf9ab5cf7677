"""What is assumed of a structure, and what regimes and waterfalls say, each from its dated file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from backtest.clearing.assumptions import Assumptions, Waterfall
from backtest.clearing.regimes import Regimes
from backtest.parameters.files import rule_of, rules
from backtest.parameters.in_force import version_on
from backtest.types import StudyError, shown

ASSUMED, REGIMES, WATERFALL = "protection_assumed", "customer_regimes", "waterfall"
RULES = (ASSUMED, REGIMES, WATERFALL)


@dataclass(frozen=True, eq=False)
class Rules:
    """What is assumed, and what the regimes and the houses' waterfalls say.

    Parameters
    ----------
    versions : parameter files that these were read from, one a rule.
    stated : terms of the assumptions that a study states itself: they are no longer ours.
    """

    assumptions: Assumptions
    regimes: Regimes
    waterfall: Waterfall
    versions: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        day: date | None = None,
        *,
        pinned: Sequence[str] = (),
        stated: Mapping[str, Any] | None = None,
    ) -> "Rules":
        """The versions in force on a day, or last; those of `pinned` on any day.

        pinned : versions by name, such as 'waterfall/2026'. stated : terms of the assumptions.

        Raises
        ------
        StudyError : a version that is not there or of another rule, a term that is not known or
            out of its range.

        Examples
        --------
        >>> rules = Rules.of(stated={"resources": 2.0})
        >>> rules.assumptions.resources, rules.stated, rules.versions[1]
        (2.0, ('resources',), 'customer_regimes/2025')
        """
        versions = _versions(day, pinned)
        assumptions = Assumptions.of(versions[ASSUMED])
        if stated:
            assumptions = _with(assumptions, stated)
        return cls(
            assumptions,
            Regimes.of(versions[REGIMES]),
            Waterfall.of(versions[WATERFALL]),
            tuple(versions.values()),
            tuple(stated or ()),
        )


def _versions(day: date | None, pinned: Sequence[str]) -> dict[str, str]:
    """The version of each rule, by the rule."""
    versions = {rule: rules()[rule][-1] if day is None else version_on(rule, day) for rule in RULES}
    own: set[str] = set()
    for name in pinned:
        known = [version for rule in RULES for version in rules()[rule]]
        version = rules()[name][-1] if name in RULES else name
        if version not in known:
            raise StudyError(
                f"structure.parameters names {shown(name)}, which no structure takes; known: "
                f"{', '.join(known)}."
            )
        rule = rule_of(version)
        if rule in own:
            raise StudyError(f"structure.parameters names {rule} twice; give one version.")
        own.add(rule)
        versions[rule] = version
    return versions


def _with(assumptions: Assumptions, stated: Mapping[str, Any]) -> Assumptions:
    """The assumptions with the terms that a study states."""
    for term, value in stated.items():
        if term not in Assumptions.model_fields:
            known = ", ".join(Assumptions.model_fields)
            raise StudyError(f"structure.assumptions has no term {shown(term)}; known: {known}.")
        if isinstance(value, bool):  # which would be taken as the number 1
            raise StudyError(f"structure.assumptions.{term} is {shown(value)}; give a number.")
    try:
        return Assumptions(**(assumptions.model_dump() | dict(stated)))
    except ValidationError as error:
        first = error.errors()[0]
        term = ".".join(map(str, first["loc"]))
        raise StudyError(
            f"structure.assumptions.{term} is {shown(first['input'])}: {first['msg']}."
        ) from error
