"""A command of `backtest`: one folder of studies, whose modules are imported when it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter
from pathlib import Path
from typing import Any, get_origin

REQUIRED = Parameter.empty
RESULT = "A results folder that `backtest run` wrote."
RERUN = "A results folder that `backtest run`, `validate` or `protect` wrote."


@dataclass(frozen=True)
class Option:
    """An option of a command: a keyword of the function that computes its result.

    Parameters
    ----------
    kind, default : of the value; a list may be given one value at a time.
    metavar : placeholder of the value in the usage line.
    least : smallest value allowed.
    argument : True where the value is given by its place and without a --name.
    """

    name: str
    kind: Any
    default: Any
    metavar: str
    help: str
    least: float | None = None
    argument: bool = False

    @property
    def usage(self) -> str:
        """The option in a usage line, as in the README.

        Examples
        --------
        >>> STUDY.usage, JOBS.usage
        ('[STUDY.toml]', '[--n-jobs N]')
        """
        more = "..." if get_origin(self.kind) is list else ""
        if self.argument:
            return f"{self.metavar}{more}" if self.default is REQUIRED else f"[{self.metavar}]"
        name = f"--{self.name.replace('_', '-')}"
        if self.kind is bool:
            return f"[{name}]"
        return f"[{name} {self.metavar}]{more}"


STUDY = Option(
    "study_file",
    Path | None,
    None,
    "STUDY.toml",
    "Study file (TOML) or packaged study; the default one if left out.",
    argument=True,
)
DATA = Option(
    "data",
    str | None,
    None,
    "DIR",
    "Prices: 'sample' (simulated), 'treasury', or a folder of CSV files.",
)
JOBS = Option("n_jobs", int, 1, "N", "Worker processes.", least=1)
DASK = Option(
    "dask",
    str | None,
    None,
    "ADDRESS",
    "Scheduler of a Dask cluster whose workers compute instead, as tcp://10.0.0.5:8786.",
)
SEED = Option("seed", int | None, None, "N", "Overrides the study's seed.", least=0)
ISOLATE = Option(
    "isolate",
    bool,
    False,
    "",
    "Run your own models day by day in a process that holds only the past.",
)
RESUME = Option(
    "resume",
    Path | None,
    None,
    "FOLDER",
    "Folder of finished blocks, '...blocks', that an interrupted command named.",
)
OUT = Option(
    "out", Path, Path("results"), "DIR", "Folder under which a new results folder is written."
)


@dataclass(frozen=True)
class Command:
    """A command: what it computes, the exhibit that shows it, and how the result is stored.

    Functions are written 'module:function', the module inside the command's own folder, and are
    imported when the command runs.

    Parameters
    ----------
    name : of the command and of its folder. help : one line, in the README too.
    options : keywords of `compute`, which takes `progress` besides. Every command has --out.
    compute : the result. exhibit : of the result.
    store : (result, exhibit, out, command=...) -> folder; the exhibit alone is stored where empty.
    quick : True where CI runs it on the sample, from the wheel.
    draws : True where the page has figures, so that a second process helps to write them.
    keeps : True where `compute` takes `out` too, for what it keeps of an interrupted computation.
    """

    name: str
    help: str
    options: tuple[Option, ...]
    compute: str
    exhibit: str
    store: str = ""
    quick: bool = False
    draws: bool = False
    keeps: bool = False

    @property
    def usage(self) -> str:
        """The command line, with every option."""
        return " ".join(["backtest", self.name, *(o.usage for o in (*self.options, OUT))])

    def load(self, place: str) -> Callable[..., Any]:
        """A function of the command's folder.

        Examples
        --------
        >>> from backtest.studies import COMMANDS
        >>> COMMANDS[0].load(COMMANDS[0].exhibit).__name__
        'run_exhibit'
        """
        module, function = place.split(":")
        room = import_module(f"backtest.studies.{self.name}.{module}")
        loaded_function: Callable[..., Any] = getattr(room, function)
        return loaded_function
