"""Sections on what the answer rests on: assumptions and whose they are, and limits."""

from collections.abc import Iterator
from typing import Any

from backtest.clearing.rules import ASSUMED, Rules
from backtest.parameters.files import header, rule_of
from backtest.present.exhibit import Section
from backtest.present.table import Cell, TextTable
from backtest.studies.protect.study import ProtectStudy

LIMITS = (
    "Each scored day is an experiment of its own: firms and funds are at full strength every day, "
    "and nobody remembers the day before. A second round of losses, a run of customers from a "
    "firm in trouble, and what sales of a defaulter do to prices are not here (one round of such "
    "sales, where the study asks for it, stands apart and is approximate).",
    "Defaults that come whatever prices do are independent of one another, and of prices unless "
    "the study states wrong_way above 1.",
    "Every day counts as a day of default of whoever cannot pay: nobody asks whether an account "
    "would in fact walk away, or find money that is not stated.",
    "Firms have no other business: no customers and no losses beyond the accounts of the study, "
    "and a house's mutual fund is there for these firms alone.",
    "Law is not in prices: who may be closed out with whom, what a court lets a house keep and how "
    "long it takes are rules and assumptions, with their marks above.",
    "Records hold few events in which anybody loses but the account itself; an amount a year rests "
    "on those few days, and the next one will be another.",
)


def assumptions_section(study: ProtectStudy) -> Section:
    """Every term of the assumptions, whose it is, and the range in which it may lie."""
    rows = [(term, _cells(value, rest)) for term, value, rest in _terms(study.rules)]
    files = [
        f"{name}: {'verified' if header(name).verified else 'NOT VERIFIED'} ({header(name).how})"
        for name in study.rules.versions
    ]
    accounts = study.protection.structure
    own = [m.account for m in accounts.members if m.resources is not None]
    firms = [name for name in accounts.firm_names if accounts.firm(name).capital is not None]
    stated = (
        f"The study states the resources of {len(own)} of {len(accounts.members)} accounts and the "
        f"capital of {len(firms)} of {len(accounts.firm_names)} firms; the rest is assumed."
    )
    return Section(
        name="assumptions",
        heading="What it rests on, and whose that is",
        text=(
            f"{stated} Coordination of close-outs: {study.protection.coordination:g}, the study's. "
            "Terms that a study states are its own; all others are this package's assumptions, to "
            "be replaced."
        ),
        tables=(
            TextTable(
                "Assumptions about customers, firms and porting",
                ("term", "value", "whose", "range", "why that range"),
                tuple((term, (cells,)) for term, cells in rows),
            ),
        ),
        sentences=tuple(files),
        on_screen=False,
    )


def _terms(rules: Rules) -> Iterator[tuple[str, Any, tuple[str, str, str]]]:
    """Each term with its value, whose it is, its range and why."""
    versions = [name for name in rules.versions if rule_of(name) == ASSUMED]
    ranges = {u.term: u for u in header(versions[0]).uncertain} if versions else {}
    for term, value in rules.assumptions.model_dump().items():
        known = ranges.get(term)
        span = "" if known is None or not known.moves else f"{known.low} to {known.high}"
        whose = "the study's" if term in rules.stated else "assumed"
        yield term, value, (whose, span, "" if known is None else known.why)


def _cells(value: Any, rest: tuple[str, str, str]) -> tuple[Cell, ...]:
    return (Cell(str(value)), *(Cell(text, words=True) for text in rest))


def limits_section() -> Section:
    """What the numbers leave out."""
    return Section(name="limits", heading="What is not in these numbers", sentences=LIMITS)
