"""`fetch`: ask for every series, screen it, compare it with the cached version, and cache it."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from backtest.data.cache import Cache, Entry, sha256
from backtest.data.columns import YIELDS_FILE
from backtest.data.guards import HostError
from backtest.data.history import difference
from backtest.data.lock import locked
from backtest.data.screening import days_of_stamps, screened
from backtest.data.sources import Column, File, settings
from backtest.data.total_return import adjusted_close
from backtest.data.web import Sleep, Web, patiently
from backtest.types import DataError, Progress, unheard

# Percentage points, median over common days, between an exchange's yield index and the par yield it
# checks. They differ by a few hundredths; a discount rate differs from a yield by up to 0.2.
CHECK_TOLERANCE = 0.25


class FetchError(DataError):
    """Some files were not fetched; `done` holds the new entries of the others."""

    def __init__(self, message: str, done: dict[str, Entry]) -> None:
        super().__init__(message)
        self.done = done


class Source(Protocol):
    """A publisher of histories, one column at a time, unscreened; see `screening.screened`."""

    def history(self, column: Column, today: date) -> pd.DataFrame:
        """(days x value[, dividend])."""


def fetch(
    folder: Path,
    *,
    only: tuple[str, ...] = (),
    yields: str = "treasury",
    timeout: float | None = None,
    sources: Mapping[str, Source] | None = None,
    sleep: Sleep = time.sleep,
    now: datetime | None = None,
    progress: Progress = unheard,
) -> dict[str, Entry]:
    """Fetch files into the cache and return the new entries by file name.

    A file is replaced only when all its columns pass the checks. A file that fails keeps its old
    version and the other files are still fetched; a host that fails is not asked again.

    Parameters
    ----------
    folder : the cache. only : file names; all by default. yields : publisher of the par yields,
        'treasury' or 'fred'. timeout : seconds to wait for an answer; None takes the settings'.
    sources, sleep, now : publishers by name, how to wait, time of the fetch; tests replace them.
    progress : called with the current request and the share done.

    Raises
    ------
    FetchError : some files were not fetched; one line with the reasons.
    DataError : the cache cannot be written, another fetch is writing into it, or it holds a file of
        that name that no fetch wrote.
    StudyError : an unknown file name or publisher.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    files = settings().chosen(only, yields=yields)
    with locked(folder, sleep=sleep, waiting=lambda said: progress(said, 0.0)):
        cache = Cache(folder)
        for file in files:
            cache.check_free(file.name)
        if sources is None:
            sources = _publishers(folder, timeout or settings().pace.timeout, sleep)
        return _fetch_files(files, cache, sources, sleep, moment, progress)


def _fetch_files(
    files: tuple[File, ...],
    cache: Cache,
    sources: Mapping[str, Source],
    sleep: Sleep,
    moment: datetime,
    progress: Progress,
) -> dict[str, Entry]:
    """Fetch each file of the hosts that answer; FetchError where one was not."""

    def wait(seconds: float) -> None:
        waiting = f"asked to slow down, waiting {seconds:g} s"
        progress(waiting, 0.0)
        sleep(seconds)
        progress(waiting, 1.0)

    done: dict[str, Entry] = {}
    reasons: list[str] = []
    shut: set[str] = set()
    for file in files:
        if file.source in shut:
            continue
        progress(f"{file.source}: {file.name}", 0.0)
        try:
            done[file.name] = _fetch_file(file, cache, sources[file.source], wait, moment)
        except HostError as error:
            shut.add(file.source)
            reasons.append(f"{file.source}: {error}")
        except DataError as error:
            reasons.append(f"{file.name}: {error}")
        progress(f"{file.source}: {file.name}", 1.0)
    if reasons:
        raise FetchError(
            f"{len(files) - len(done)} of {len(files)} files not fetched, their cached versions "
            f"are unchanged: {'; '.join(reason.rstrip('.') for reason in reasons)}.",
            done,
        )
    return done


def _publishers(folder: Path, timeout: float, sleep: Sleep) -> dict[str, Source]:
    """Every publisher of the settings."""
    pause = settings().pace.pause
    web = Web(timeout, pause=pause, sleep=sleep)
    sources: dict[str, Source] = {}
    for name, publisher in settings().publishers.items():
        module, cls = publisher.client.split(":")
        client = getattr(import_module(f"backtest.data.{module}"), cls)
        if publisher.folder is None:
            sources[name] = client(web, publisher.url)
        else:
            place = folder / publisher.folder
            sources[name] = client(place, timeout=timeout, pause=pause, sleep=sleep)
    return sources


def _fetch_file(file: File, cache: Cache, source: Source, sleep: Sleep, moment: datetime) -> Entry:
    """Ask for each column, screen it, put the file in the cache."""
    today = moment.date()
    columns: dict[str, pd.Series] = {}
    warnings: dict[str, list[str]] = {}  # codes by warning: columns often miss the same days
    for column in file.columns:
        raw = patiently(
            partial(source.history, column, today),
            who=file.source,
            back_off=settings().pace.back_off,
            sleep=sleep,
        )
        screened_rows, notes = screened(raw, column, today=today)
        columns[column.name] = screened_rows["value"]
        if column.adjusted is not None:
            _check_dividends(raw, screened_rows, column)
            columns[column.adjusted] = adjusted_close(
                screened_rows["value"], screened_rows["dividend"]
            )
        if column.checks is not None:
            notes += _check(screened_rows["value"], column, cache)
        for warning in notes:
            warnings.setdefault(warning, []).append(column.code)
    table = pd.DataFrame(columns).rename_axis("Date")
    rewrites, notes = _compared(file, table, cache)
    content = table.to_csv(date_format="%Y-%m-%d").encode()
    entry = Entry(
        source=_label(file),
        codes=[column.code for column in file.columns],
        factors=[column.factor for column in file.columns],
        units=[column.unit for column in file.columns],
        first=f"{table.index[0]:%Y-%m-%d}",
        last=f"{table.index[-1]:%Y-%m-%d}",
        rows=len(table),
        fetched_at=moment.isoformat(timespec="seconds"),
        sha256=sha256(content),
        warnings=[f"{', '.join(codes)}: {text}" for text, codes in warnings.items()] + notes,
        rewrites=rewrites,
    )
    cache.put(file.name, content, entry)
    return entry


def _label(file: File) -> str:
    """Publisher, with the version of its package where the data depend on it."""
    package = settings().publishers[file.source].package
    return f"{file.source} ({package} {version(package)})" if package else file.source


def _compared(
    file: File, table: pd.DataFrame, cache: Cache
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rewrites of this file, found now and earlier, and a warning where none could be sought."""
    before = cache.entries.get(file.name)
    if before is None:
        return [], []
    old = cache.read(file.name)
    if old is None:
        return before.rewrites, ["the previous version was damaged, so it could not be compared"]
    derived = [c.adjusted for c in file.columns if c.adjusted is not None]
    changes = difference(old.drop(columns=derived, errors="ignore"), table)
    if changes is None:
        return before.rewrites, []
    against = {"against": f"{before.source}, fetched {before.fetched_at}"}
    return [*before.rewrites, against | changes], []


def _check(values: pd.Series, column: Column, cache: Cache) -> list[str]:
    """Warn where an exchange's index of yields disagrees with the cached par yields."""
    curve = cache.read(YIELDS_FILE)
    if curve is None or column.checks not in curve.columns:
        return ["no par yields in the cache to compare with"]
    apart = float((values - curve[column.checks]).abs().median())  # NaN on no common day
    if apart <= CHECK_TOLERANCE:
        return []
    return [f"median distance to the {column.checks} par yield {apart:.2f} points"]


def _check_dividends(raw: pd.DataFrame, screened_rows: pd.DataFrame, column: Column) -> None:
    """Raise DataError where a dividend falls on a day that was left out."""
    dividends = raw["dividend"]
    days = days_of_stamps(pd.DatetimeIndex(raw.index))
    omitted = dividends[
        (dividends > 0).to_numpy()
        & ~days.isin(screened_rows.index)
        & (days <= screened_rows.index[-1])
    ]
    if len(omitted):
        raise DataError(
            f"{column.code} paid a dividend on {omitted.index[0]:%Y-%m-%d}, a day left out: "
            "its total return would be wrong"
        )
