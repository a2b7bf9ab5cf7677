"""The command line. Heavy imports wait until a command needs them, so `--help` is quick."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli.cache import cache_app

if TYPE_CHECKING:
    from backtest.present.exhibit import Exhibit
    from backtest.types import Progress

app = typer.Typer(
    name="backtest",
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Replay Treasury and crypto prices through candidate margin models, and score them.",
)
app.add_typer(cache_app)

StudyPath = Annotated[
    Path | None,
    typer.Argument(help="Study file (TOML) or packaged study; the default one if left out."),
]
Data = Annotated[
    str | None,
    typer.Option(help="Prices: 'sample' (simulated), 'treasury', or a folder of CSV files."),
]
Out = Annotated[Path, typer.Option(help="Folder under which a new results folder is written.")]
Jobs = Annotated[int, typer.Option(min=1, help="Worker processes.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Overrides the study's seed.")]
INTERRUPTED = 130  # what typer makes of Ctrl-C

RESULT = "A results folder that `backtest run` wrote."
Result = Annotated[Path, typer.Argument(help=RESULT)]


@app.command()
def run(
    study: StudyPath = None,
    data: Data = None,
    out: Out = Path("results"),
    n_jobs: Jobs = 1,
    seed: Seed = None,
    paths: Annotated[
        int | None, typer.Option(min=0, help="Monte Carlo histories beside the real one.")
    ] = None,
    path: Annotated[
        int | None, typer.Option(min=0, help="Replay this one Monte Carlo path in full.")
    ] = None,
) -> None:
    """Run a study: table, offset ladder, figures and report."""
    from backtest.present.folder import check_writable
    from backtest.present.screen import Screen
    from backtest.studies.run.page import run_exhibit
    from backtest.studies.run.store import write_results
    from backtest.studies.run.study import execute

    check_writable(out)
    screen = Screen()
    with screen.progress() as progress:
        finished = execute(
            study,
            data=data,
            seed=seed,
            n_jobs=n_jobs,
            paths=paths,
            path=path,
            progress=progress,
        )
        progress("figures and report", 0.0)
        exhibit = run_exhibit(finished)
        folder = write_results(finished, exhibit, out, command=_as_typed())
        progress("figures and report", 1.0)
    screen.exhibit(exhibit, folder)
    if finished.failed_gates:
        raise typer.Exit(1)


@app.command()
def offset(
    study: StudyPath = None,
    data: Data = None,
    out: Out = Path("results"),
    n_jobs: Jobs = 1,
    seed: Seed = None,
) -> None:
    """Estimate the supportable offset: bounds, stresses, specifications, granted credit."""
    from backtest.studies.offset.page import offset_exhibit
    from backtest.studies.offset.study import estimate_offsets

    _show(
        out,
        lambda p: offset_exhibit(
            estimate_offsets(study, data=data, seed=seed, n_jobs=n_jobs, progress=p)
        ),
    )


@app.command()
def clocks(
    study: StudyPath = None,
    data: Data = None,
    out: Out = Path("results"),
    seed: Seed = None,
) -> None:
    """Compare the business clock with the 24/7 clock: weekends, calls, correlation by horizon."""
    from backtest.studies.clocks.page import clock_exhibit
    from backtest.studies.clocks.study import compare_clocks

    _show(out, lambda p: clock_exhibit(compare_clocks(study, data=data, seed=seed, progress=p)))


@app.command()
def closeout(
    study: StudyPath = None,
    data: Data = None,
    out: Out = Path("results"),
    seed: Seed = None,
) -> None:
    """Close-out of pooled books: coordination, unequal MPORs, liquidation cost."""
    from backtest.studies.closeout.page import closeout_exhibit
    from backtest.studies.closeout.study import estimate_closeout

    _show(
        out,
        lambda p: closeout_exhibit(estimate_closeout(study, data=data, seed=seed, progress=p)),
    )


@app.command()
def collateral(
    study: StudyPath = None,
    data: Data = None,
    out: Out = Path("results"),
    n_jobs: Jobs = 1,
    seed: Seed = None,
) -> None:
    """Post other collateral than cash: breaches by mix, wrong-way risk, haircut adequacy."""
    from backtest.studies.collateral.page import collateral_exhibit
    from backtest.studies.collateral.study import study_collateral

    _show(
        out,
        lambda p: collateral_exhibit(
            study_collateral(study, data=data, seed=seed, n_jobs=n_jobs, progress=p)
        ),
    )


@app.command()
def power(
    days: Annotated[list[int] | None, typer.Option(help="Length of a record; repeatable.")] = None,
    confidence: Annotated[float, typer.Option(help="Promised coverage.")] = 0.99,
    alternative: Annotated[
        list[str] | None, typer.Option(help="x1.5, x2, x3, clustered, overlap ...; repeatable.")
    ] = None,
    histories: Annotated[int, typer.Option(min=100, help="Records drawn an alternative.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    out: Out = Path("results"),
) -> None:
    """Show what tests of coverage can and cannot see: size, power, smallest miscoverage."""
    from backtest.studies.power.study import power_exhibit

    _show(
        out,
        lambda p: power_exhibit(
            days or (),
            confidence=confidence,
            alternatives=alternative or (),
            histories=histories,
            seed=seed,
            progress=p,
        ),
    )


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help=RESULT)],
    second: Annotated[Path, typer.Argument(metavar="B", help=RESULT)],
    out: Out = Path("results"),
) -> None:
    """Compare two results folders: inputs, scores, and differences paired by day."""
    from backtest.studies.compare.page import comparison_exhibit
    from backtest.studies.compare.study import compare_runs

    _show(out, lambda p: comparison_exhibit(compare_runs(first, second, progress=p)))


@app.command()
def models() -> None:
    """List the margin models that a study file can name, with parameters and defaults."""
    from backtest.cli.models import models_list
    from backtest.present.screen import Screen

    console = Screen().console
    for block in models_list():
        console.print(block)


@app.command()
def report(result: Result) -> None:
    """Write report.html and the figures of a results folder again, from its stored numbers."""
    from backtest.studies.run.reopen import rewrite_report

    typer.echo(f"wrote {rewrite_report(result)}")


@app.command()
def reproduce(result: Result, data: Data = None) -> None:
    """Run the study of a results folder again and compare every score; 1 where one drifted."""
    from backtest.present.screen import Screen
    from backtest.studies.run.reopen import compare_rerun

    screen = Screen()
    with screen.progress() as progress:
        differences = compare_rerun(result, data=data, progress=progress)
    for line in differences:
        typer.echo(f"drifted: {line}")
    if differences:
        raise typer.Exit(1)
    typer.echo("reproduced: every score is the same")


def main(arguments: list[str] | None = None) -> None:
    """Entry point: every mistake a user can mend is one line on stderr and exit code 2."""
    from backtest.types import BacktestError

    try:
        code = _command()(arguments, prog_name="backtest", standalone_mode=False)
    except BacktestError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        _fail(f"cannot write to {error.filename or 'the screen'}: {error.strerror or error}.")
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _fail(f"{error.format_message()} See `backtest --help`.")
    if code == INTERRUPTED:
        _fail("interrupted; no result was written")
    sys.exit(code if isinstance(code, int) else 0)


def _show(out: Path, make: "Callable[[Progress], Exhibit]") -> None:
    """Make an exhibit while its progress is shown, store it, and print it."""
    from backtest.present.folder import check_writable
    from backtest.present.screen import Screen
    from backtest.present.store import write_exhibit

    check_writable(out)
    screen = Screen()
    with screen.progress() as progress:
        exhibit = make(progress)
        folder = write_exhibit(exhibit, out, command=_as_typed())
    screen.exhibit(exhibit, folder)


def _command() -> Any:
    return typer.main.get_command(app)


def _fail(message: str) -> None:
    """One line of printed characters on stderr, and exit code 2 whatever becomes of stdout."""
    said = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(message.split()))
    typer.echo(f"backtest: {said}", err=True)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # Python would try again at its end, and fail with a code of its own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(2)


def _as_typed() -> str:
    """The command line, as it can be typed again."""
    import shlex

    return shlex.join(["backtest", *sys.argv[1:]])
