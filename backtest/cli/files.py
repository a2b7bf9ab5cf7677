"""The commands that look at a user's own files: inspect, init."""

from pathlib import Path
from typing import Annotated

import typer

files_app = typer.Typer()


@files_app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A folder of prices, one file, or a STUDY.toml.")],
) -> None:
    """Show how each file of prices is read and what an examination finds; run nothing."""
    from backtest.data.inspection import inspect as inspect_files
    from backtest.present.screen import Screen
    from backtest.studies.prices import inspect_study

    found = inspect_study(path) if path.suffix == ".toml" else inspect_files(path)
    screen = Screen()
    for line in found.words:
        screen.line(line)


@files_app.command()
def init(
    file: Annotated[Path, typer.Argument(help="Study file to write; it must not exist yet.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder of prices.")],
) -> None:
    """Write a commented study file for the prices of a folder."""
    from backtest.cli.first_study import write_first_study
    from backtest.present.screen import Screen

    screen = Screen()
    for line in write_first_study(file, data):
        screen.line(line)
