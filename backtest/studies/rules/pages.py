"""The tables of `backtest rules`, in the order in which they are printed."""

from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path

from backtest.present.folder import check_writable_file
from backtest.present.table import TextTable
from backtest.studies.rules.changed import changed_rules, changes_tables
from backtest.studies.rules.effects import PackagedBooks
from backtest.studies.rules.listing import known_rule, rules_on, versions_of
from backtest.studies.rules.sensitivity import as_frame, sensitivity
from backtest.studies.rules.sensitivity_tables import sensitivity_tables
from backtest.types import Progress, StudyError, parse_day


def rule_tables(
    name: str | None, *, as_of: str | None, since: str | None, data: str | None
) -> Iterator[TextTable]:
    """Rules of a day, or versions of one rule; then what changed since another day.

    Raises
    ------
    StudyError : no such rule, no ISO day, days in the wrong order, or prices without a use.
    """
    until = _day(as_of, "--as-of") or date.today()
    begin = _day(since, "--since")
    if begin is None and data is not None:
        raise StudyError("--data is the prices of --since and --sensitivity; give one of them too.")
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


def sensitivity_page(
    name: str | None,
    *,
    as_of: str | None,
    data: str | None,
    csv: Path | None,
    progress: Progress,
) -> tuple[TextTable, ...]:
    """Tables of what moving each unverified term does; every number goes into `csv`.

    Raises
    ------
    StudyError : no such rule, no ISO day, or a folder that does not exist.
    ResultsError : a file that cannot be written; before any work.
    """
    day = _day(as_of, "--as-of") or date.today()
    known_rule(name)
    if csv is not None:
        check_writable_file(csv)
    books = PackagedBooks.of(data)
    every = chain([books], books.others(data))
    terms = sensitivity(every, day, only=name or "", progress=progress)
    if csv is not None:
        as_frame(terms).to_csv(csv, index=False, lineterminator="\n")
    return tuple(sensitivity_tables(terms, books, day))


def _day(text: str | None, what: str) -> date | None:
    day: date | None = None if text is None else parse_day(text, what).astype(date)
    return day
