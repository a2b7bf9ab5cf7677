"""What the shell offers behind a command: packaged studies, results folders, sources of prices.

It is asked at every press of the tab key, so nothing heavy is loaded and few files are looked at.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import backtest

RESULTS = Path("results")
PACKAGED = ("sample", "treasury")  # sources of prices that come with the package
FINISHED = "manifest.json"  # every results folder has one
MOST = 200  # names: more would fill a screen


def studies(incomplete: str) -> list[str]:
    """Packaged studies, and study files of the folder that is being typed.

    Examples
    --------
    >>> studies("positive")
    ['positive-control']
    """
    folder = Path(str(backtest.__file__)).parent / "config" / "studies"
    packaged = (file.stem for file in folder.glob("*.toml"))
    return _sorted(
        [*packaged, *_paths(incomplete, lambda path: path.suffix == ".toml")], incomplete
    )


def results(incomplete: str) -> list[str]:
    """Finished results folders, those under results/ too where nothing is typed yet.

    Examples
    --------
    >>> results("no such folder/")
    []
    """
    places = _paths(incomplete, _is_result)
    if not incomplete:
        places = [*places, *_paths(f"{RESULTS}/", _is_result)]
    return _sorted(places, incomplete)


def prices(incomplete: str) -> list[str]:
    """Sources of prices that come with the package, and folders.

    Examples
    --------
    >>> prices("tre")
    ['treasury']
    """
    return _sorted([*PACKAGED, *_paths(incomplete, lambda path: False)], incomplete)


# By the name of an option or argument, whichever command has it.
BY_NAME: dict[str, Callable[[str], list[str]]] = {
    "study_file": studies,
    "data": prices,
    "folders": results,
    "results": results,
    "result": results,
    "resume": results,
}


def _is_result(path: Path) -> bool:
    return (path / FINISHED).is_file()


def _paths(incomplete: str, wanted: Callable[[Path], bool]) -> list[str]:
    """What the folder that is being typed holds: what is wanted, and folders to go on into."""
    folder, sign, _ = incomplete.rpartition("/")
    try:
        entries = list(Path(folder + sign or ".").iterdir())
    except OSError:
        return []
    shown = (entry for entry in entries if not entry.name.startswith("."))
    return [
        f"{folder}{sign}{entry.name}" + ("" if wanted(entry) else "/")
        for entry in shown
        if wanted(entry) or entry.is_dir()
    ]


def _sorted(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})[:MOST]
