"""Arguments of every command, right in form and wrong in value, or not even that."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from backtest.studies import COMMANDS
from tests.faults.case import REFUSE, SANE, Case
from tests.faults.prices import sound_files

VALUES = (
    ["", "-1", "0", "1.5", "nan", "inf", "1e9", "1000000000", "99999999999999999999", "9" * 400]
    + ["x", "NA", "../..", "/", "/dev/null", "/dev/zero", "/proc/self/mem", "no such", "prices"]
    + ["study.toml", "é🚀", "a\nb", "\u202e", "$(ls)", "~", "x" * 5000, "--", "-", "0.999999999999"]
)
FIRST = {"study_file": "study.toml", "file": "house.csv"}  # what a command is given by its place
HOUSE = b"date,account,loss,required\n" + b"".join(
    f"{day},A,{number % 7 - 3},5\n".encode()
    for number, day in enumerate(np.arange("2024-01-01", "2024-04-01", dtype="M8[D]"))
)


def option_cases(seed: int, each: int) -> Iterator[Case]:
    """`each` values for every option of every command."""
    rng, base = np.random.default_rng(seed), sound_files(seed) | {"house.csv": HOUSE}
    for command in COMMANDS:
        first = FIRST.get(command.options[0].name)
        for option in command.options:
            for value in rng.choice(np.array(VALUES, dtype=object), each, replace=False):
                given = (
                    (value,) if option.argument else (f"--{option.name.replace('_', '-')}", value)
                )
                place = () if option.argument or first is None else (first,)
                arguments = (command.name, *place, *given)
                name = f"{command.name} {option.name} {str(value)[:30]!r}"
                yield Case("command line", name, arguments, base)


def word_cases(seed: int) -> Iterator[Case]:
    """Commands and options that there are not."""
    base = sound_files(seed)
    words = [["no-such"], ["run", "--no-such"], ["run", "a", "b", "c"], ["report"], ["reproduce"]]
    words += [["run", "--data"], ["compare", "a"], ["fetch", "no such"], ["report", "prices"]]
    for arguments in words:
        yield Case("command line", " ".join(arguments), tuple(arguments), base, REFUSE)


def _fifo(name: str):
    def prepare(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return prepare


def _link(name: str, target: str):
    def prepare(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.symlink(target, folder / name)

    return prepare


def _sparse(name: str):
    def prepare(folder: Path) -> None:
        os.truncate(folder / name, 3 * 2**30)

    return prepare


def _shut(name: str):
    def prepare(folder: Path) -> None:
        (folder / name).chmod(0)

    return prepare


def place_cases(seed: int) -> Iterator[Case]:
    """Files that are no files: pipes, folders, links that lead nowhere or to themselves."""
    base = sound_files(seed)
    for name in ("study.toml", "prices/btc_usd.csv"):
        without = {path: content for path, content in base.items() if path != name}
        run = ("run", "study.toml")
        yield Case("places", f"{name} is a pipe", run, base, REFUSE, prepare=_fifo(name))
        yield Case("places", f"{name} is a folder", run, without | {name: None}, REFUSE)
        yield Case("places", f"{name} is not there", run, without, REFUSE)
        for target in (name.split("/")[-1], "nowhere", "/dev/zero", "/dev/full"):
            link = _link(name, target)
            yield Case("places", f"{name} is a link to {target}", run, base, REFUSE, prepare=link)
        big = _sparse(name)
        yield Case("places", f"{name} has 3 GB of nothing", run, base, REFUSE, prepare=big)
        shut = _shut(name)
        yield Case("places", f"{name} may not be read", run, base, SANE, prepare=shut)
        capital = {path if path != name else path.upper(): c for path, c in base.items()}
        yield Case("places", f"{name} in capitals", run, capital, REFUSE)
    for out in ("study.toml", "/dev/null", "/proc/x", "study.toml/x"):
        arguments = ("run", "study.toml", "--out", out)
        yield Case("places", f"results into {out}", arguments, base, REFUSE)
    yield Case("places", "results into ''", ("run", "study.toml", "--out", ""), base, SANE)


def command_cases(seed: int) -> Iterator[Case]:
    """All cases about the command line and the places that it names."""
    yield from word_cases(seed)
    yield from option_cases(seed, 8)
    yield from place_cases(seed)
