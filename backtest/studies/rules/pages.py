"""The tables of `backtest rules`, in the order in which they are printed."""

from collections.abc import Iterator
from datetime import date

from backtest.present.table import TextTable
from backtest.studies.rules.changed import changed_rules, changes_tables
from backtest.studies.rules.effects import PackagedBooks
from backtest.studies.rules.listing import rules_on, versions_of
from backtest.types import StudyError, parse_day


def rule_tables(
    name: str | None, *, as_of: str | None, since: str | None, data: str | None
) -> Iterator[TextTable]:
    """Rules of a day, or versions of one rule; then what changed since another day.

    Raises
    ------
    StudyError : no such rule, no ISO day, or days in the wrong order.
    """
    until = _day(as_of, "--as-of") or date.today()
    begin = _day(since, "--since")
    if begin is not None and begin > until:
        raise StudyError(f"--since {begin} is after --as-of {until}; give an earlier day.")
    if name is None:
        yield rules_on(until)
    else:
        yield from versions_of(name, until)
    if begin is None:
        return
    changed = [rule for rule, *_ in changed_rules(begin, until) if name in (None, rule)]
    if not changed:
        what = "no rule changed" if name is None else f"{name} did not change"
        yield TextTable(f"From {begin} to {until} {what}.", (), ())
        return
    yield from changes_tables(begin, until, PackagedBooks.of(data), only=name or "")


def _day(text: str | None, what: str) -> date | None:
    day: date | None = None if text is None else parse_day(text, what).astype(date)
    return day
