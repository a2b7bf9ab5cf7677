"""Folders that are compared: which is the base, and the letters by which pages name them."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from backtest.replay.seal import read_manifest
from backtest.replay.study import Study
from backtest.studies.run.reopen import finished_run
from backtest.studies.validate.reopen import sealed_input
from backtest.types import ResultsError

FEWEST = 2
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST = len(ALPHABET) * (1 + len(ALPHABET))  # folders that have a letter or two


def letters(count: int) -> list[str]:
    """Names of so many folders: A to Z, then AA, AB ...

    Examples
    --------
    >>> letters(28)[-3:]
    ['Z', 'AA', 'AB']
    """
    if count <= len(ALPHABET):
        return list(ALPHABET[:count])
    return [*ALPHABET, *(one + other for one in ALPHABET for other in ALPHABET)][:count]


def spans(some: Iterable[str]) -> str:
    """Letters in order, three neighbours or more as a span.

    Examples
    --------
    >>> spans(["C", "A", "B", "E", "F"])
    'A to C, E, F'
    """
    places = sorted(letters(MOST).index(letter) for letter in some)
    words: list[str] = []
    for _, neighbours in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        span = [letters(MOST)[place] for _, place in neighbours]
        words += [f"{span[0]} to {span[-1]}"] if len(span) > 2 else span
    return ", ".join(words)


def base_first(folders: Sequence[Path], base: str | None) -> list[Path]:
    """The folders, that of the base first; without a base in the order in which they are given.

    base : a folder as it is given, or its last name.

    Raises
    ------
    ResultsError : fewer than two folders, one of three or more given twice, or a base that is none
        of them, or several.
    """
    if not FEWEST <= len(folders) <= MOST:
        raise ResultsError(
            f"compare takes {FEWEST} to {MOST} results folders, and {len(folders)} are given."
        )
    # Of two, the same is asked of a folder and itself: whether it differs in nothing.
    if len(folders) > FEWEST:
        where = [folder.resolve() for folder in folders]
        twice = [f for n, f in enumerate(folders) if where[n] in where[:n]]
        if twice:
            raise ResultsError(f"{str(twice[0])!r} is given twice; name each folder once.")
    if base is None:
        return list(folders)
    places = [n for n, folder in enumerate(folders) if base in (str(folder), folder_name(folder))]
    if len(places) != 1:
        count = "none" if not places else f"{len(places)}"
        known = ", ".join(folder_name(folder) for folder in folders)
        raise ResultsError(f"base {base!r} is {count} of the folders; give one of {known}.")
    place = places[0]
    return [folders[place], *folders[:place], *folders[place + 1 :]]


def folder_name(folder: Path) -> str:
    """Last name of a folder, wherever one stands."""
    return folder.resolve().name


def finished_studies(folders: Sequence[Path]) -> tuple[Study, ...]:
    """The studies of folders that `backtest run` or `backtest validate` wrote, in one currency.

    Raises
    ------
    ResultsError : one holds neither, or a file of it was changed; or they have several currencies.
    """
    runs = tuple(finished_study(folder) for folder in folders)
    of_base = runs[0].provenance.currency
    for folder, run in zip(folders, runs, strict=True):
        currency = run.provenance.currency
        if currency != of_base:
            raise ResultsError(
                f"{folder_name(folders[0])!r} is in {of_base} and {folder_name(folder)!r} in "
                f"{currency}: amounts of two currencies are not compared; convert the table of one "
                f"and validate it again with --currency."
            )
    return runs


def finished_study(folder: Path) -> Study:
    """The study of a folder that `backtest run` or `backtest validate` wrote.

    Raises
    ------
    ResultsError : the folder holds neither, or a file of it was changed.
    """
    origin, files = read_manifest(folder)
    if origin.given is None:
        return finished_run(folder)
    study = Study.load(folder)
    sealed_input(folder, files)
    return study
