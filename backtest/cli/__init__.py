"""The command line. Heavy imports wait until a command needs them, so `--help` is quick."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from backtest.cli.anchors import anchors_app
from backtest.cli.cache import DATA_CACHE, CacheFolder, cache_app
from backtest.cli.completion import BY_NAME, prices, results
from backtest.cli.ends import end
from backtest.cli.files import files_app
from backtest.studies import COMMANDS
from backtest.studies.command import DATA, JOBS, OUT, RERUN, RESULT, Command, Option

app = typer.Typer(
    name="backtest",
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Replay Treasury and crypto prices through candidate margin models, and score them.",
)
app.add_typer(cache_app)
app.add_typer(files_app)
app.add_typer(anchors_app)

Data = Annotated[
    str | None, typer.Option(metavar=DATA.metavar, help=DATA.help, autocompletion=prices)
]
Out = Annotated[Path, typer.Option(metavar=OUT.metavar, help="Folder of results.")]
Result = Annotated[Path, typer.Argument(help=RESULT, autocompletion=results)]
Rerun = Annotated[Path, typer.Argument(help=RERUN, autocompletion=results)]


def _say_version(asked: bool) -> None:
    if not asked:
        return
    from backtest.replay.origin import Software

    typer.echo(Software.now().sentence())
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say version and commit.", callback=_say_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options without a command."""


def _as_function(command: Command) -> Any:
    """A command as a function that typer takes apart: its signature is the command's options."""

    def run(out: Path, **values: Any) -> None:
        _run(command, out, values)

    function: Any = run
    function.__signature__ = Signature([_parameter(o) for o in (*command.options, OUT)])
    return function


def _parameter(option: Option) -> Parameter:
    parameter: Any
    offer = BY_NAME.get(option.name)
    if option.argument:
        parameter = typer.Argument(metavar=option.metavar, help=option.help, autocompletion=offer)
    elif option.kind is bool:
        name = f"--{option.name.replace('_', '-')}"
        parameter = typer.Option(name, help=option.help)
    else:
        parameter = typer.Option(
            min=option.least, metavar=option.metavar, help=option.help, autocompletion=offer
        )
    return Parameter(
        option.name,
        Parameter.KEYWORD_ONLY,
        default=option.default,
        annotation=Annotated[option.kind, parameter],
    )


def _run(command: Command, out: Path, values: dict[str, Any]) -> None:
    """Compute while progress is shown, store, and print; 1 where a gate of the study failed."""
    from backtest.present.figure import DRAWING
    from backtest.present.folder import check_writable, remove_abandoned
    from backtest.present.press import second_press
    from backtest.present.screen import Screen
    from backtest.present.store import write_exhibit

    check_writable(out)
    for left in remove_abandoned(out):
        typer.echo(f"removed {left}, which a run that was killed had left", err=True)
    cluster = _cluster(values)
    _cap_workers(values)
    kept = {"out": out} if command.keeps else {}
    screen, typed = Screen(), shlex.join(["backtest", *sys.argv[1:]])
    with second_press() if command.draws else nullcontext() as press, screen.progress() as progress:
        with _traceback_in(out), cluster:
            result = command.load(command.compute)(**values, **kept, progress=progress)
        progress(DRAWING, 0.0)
        exhibit = replace(command.load(command.exhibit)(result), progress=progress, press=press)
        if command.store:
            folder = command.load(command.store)(result, exhibit, out, command=typed)
        else:
            folder = write_exhibit(exhibit, out, command=typed)
        progress(DRAWING, 1.0)
    screen.exhibit(exhibit, folder)
    if exhibit.failures:
        raise typer.Exit(1)


def _cluster(values: dict[str, Any]) -> AbstractContextManager[None]:
    """The cluster that --dask names, and that the command's work goes to; else this machine."""
    address = values.pop("dask", None)
    if address is None:
        return nullcontext()
    if values["n_jobs"] != JOBS.default:
        raise typer.BadParameter("--n-jobs counts workers of this machine; leave it out.")
    from backtest.cluster import on_cluster

    return on_cluster(address)


def _cap_workers(values: dict[str, Any]) -> None:
    """More workers than cores would only wait for each other: say so, and start fewer."""
    asked = values.get("n_jobs")
    if asked is None or asked == 1:
        return
    from backtest.workers import capped

    values["n_jobs"] = capped(asked)
    if values["n_jobs"] < asked:
        cores = f"{values['n_jobs']} core" + ("s" if values["n_jobs"] > 1 else "")
        typer.echo(f"--n-jobs {asked}: this machine has {cores}, and so many workers", err=True)


@contextmanager
def _traceback_in(out: Path) -> Iterator[None]:
    """Write the traceback of a model that fails to a file in `out`, and name the file."""
    from backtest.studies.failures import ModelFailure, with_traceback_file

    try:
        yield
    except ModelFailure as failure:
        raise with_traceback_file(failure, out) from failure


for _command in COMMANDS:
    app.command(_command.name, help=_command.help)(_as_function(_command))


@app.command()
def models() -> None:
    """List the margin models that a study file can name, with parameters and defaults."""
    from backtest.cli.models import models_list
    from backtest.present.screen import Screen

    console = Screen().console
    for block in models_list():
        console.print(block)


@app.command()
def rules(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One rule, as 'simm'.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DAY", help="Rules of this day; today unless given.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Show what changed since this day.")
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="Move each unverified term by its range: what margins it moves."
        ),
    ] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="All numbers of --sensitivity.")
    ] = None,
    data: Data = None,
) -> None:
    """List the rules in force, their marks, and what changes do to margins of packaged books."""
    from backtest.present.screen import Screen
    from backtest.studies.rules.pages import rule_tables, sensitivity_page

    screen = Screen()
    if not sensitivity:
        if csv is not None:
            raise typer.BadParameter("--csv holds the numbers of --sensitivity; give both.")
        for table in rule_tables(name, as_of=as_of, since=since, data=data):
            screen.table(table)
        return
    if since is not None:
        raise typer.BadParameter("--since is no part of --sensitivity; give one of the two.")
    with screen.progress() as progress:
        tables = sensitivity_page(name, as_of=as_of, data=data, csv=csv, progress=progress)
    for table in tables:
        screen.table(table)


@app.command()
def report(result: Result) -> None:
    """Write report.html and the figures of a results folder again, from its stored numbers."""
    from backtest.present.screen import Screen
    from backtest.studies.run.reopen import rewrite_report

    with Screen().progress() as progress:
        page = rewrite_report(result, progress=progress)
    typer.echo(f"wrote {page}")


@app.command()
def reproduce(result: Rerun, data: Data = None) -> None:
    """Run the study of a results folder again and compare every table; 1 where one drifted."""
    from backtest.present.screen import Screen
    from backtest.studies.run.reproduce import compare_rerun, promise

    screen = Screen()
    with screen.progress() as progress, _traceback_in(result.resolve().parent):
        differences = compare_rerun(result, data=data, progress=progress)
    for line in differences:
        typer.echo(f"drifted: {line}")
    if differences:
        raise typer.Exit(1)
    typer.echo(f"reproduced: every score is the same ({promise(result)})")


@app.command()
def selfcheck() -> None:
    """Ask this installation small questions whose answers are known; 1 where one is wrong."""
    from backtest.present.screen import Screen
    from backtest.selfcheck.check import NOT_CHECKED, check_all, machine

    screen = Screen()
    screen.line(machine())
    rows = wrong = 0
    for kind in check_all():
        screen.line(str(kind))
        for line in kind.wrong:
            screen.line(f"  wrong: {line}")
        rows, wrong = rows + kind.rows, wrong + len(kind.wrong)
    screen.line(f"{rows - wrong} of {rows} right")
    screen.line(f"Not checked: {NOT_CHECKED}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def doctor(out: Out = Path(OUT.default), cache: CacheFolder = DATA_CACHE) -> None:
    """Check this installation and say what to mend; 1 where something must be mended."""
    from backtest.cli.doctor import examine
    from backtest.present.screen import Screen

    screen, broken = Screen(), 0
    for check in examine(out, cache):
        screen.item(f"{check.status:<8}", check.words)
        broken += check.status == "to mend"
    if broken:
        screen.say(f"{broken} to mend")
        raise typer.Exit(1)
    screen.say("nothing to mend")


def _in_brief(words: str) -> str:
    """What a command does, without its details: `backtest --help` cuts no line in its middle.

    Examples
    --------
    >>> _in_brief("Run a study: scores and figures."), _in_brief("List models, with defaults.")
    ('Run a study.', 'List models, with defaults.')
    """
    return re.split(r"[:;.](?= |$)", " ".join(words.split()), maxsplit=1)[0] + "."


for _group in (app, cache_app, files_app, anchors_app):
    for _listed in _group.registered_commands:
        _listed.short_help = _in_brief(_listed.help or str(_listed.callback.__doc__))


def main(arguments: list[str] | None = None) -> None:
    """Entry point: every mistake a user can mend is one line on stderr and exit code 2."""
    command = typer.main.get_command(app)
    end(lambda: command(arguments, prog_name="backtest", standalone_mode=False))
