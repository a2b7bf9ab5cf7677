"""The command that sets published numbers of others beside this program's."""

from pathlib import Path
from typing import Annotated

import typer

anchors_app = typer.Typer()


@anchors_app.command()
def anchors(
    golden: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with inputs and printed answers whose licences keep them out of the "
            "package: all of the sets, or some.",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every row to a CSV file.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as a page in Markdown.")
    ] = None,
) -> None:
    """Compare published numbers of others with ours: source, both, difference; 1 on a miss."""
    from backtest.anchors.page import write_page
    from backtest.anchors.run import rows_of, run_anchors
    from backtest.anchors.tables import misses, summary, tables
    from backtest.present.csv_table import write_csv
    from backtest.present.folder import check_writable_file
    from backtest.present.screen import ALARM, Screen

    for path in filter(None, (csv, page)):
        check_writable_file(path)
    screen = Screen()
    with screen.progress() as progress:
        found = run_anchors(golden, progress=progress)
    for table in (*tables(found), summary(found)):
        screen.table(table)
    for line in found.absent:
        screen.line(line)
    for line in misses(found):
        screen.say(line, style=ALARM)
    screen.line(found.sentence())
    if csv is not None:
        write_csv(rows_of(found), csv, index=False)
    if page is not None:
        write_page(found, page)
    if found.misses:
        raise typer.Exit(1)
