"""The commands that keep fetched prices: fetch, verify, list."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from backtest.data.cache import Entry
    from backtest.present.screen import Screen

cache_app = typer.Typer()

CacheFolder = Annotated[
    Path, typer.Option("--cache", help="Folder of fetched prices, relative to where you are.")
]
DATA_CACHE = Path("data_cache")


@cache_app.command()
def fetch(
    cache: CacheFolder = DATA_CACHE,
    only: Annotated[
        list[str] | None, typer.Option(help="Fetch this file only, such as btc_usd; repeatable.")
    ] = None,
    yields: Annotated[
        str, typer.Option(help="Publisher of the par yields: 'treasury' or 'fred'.")
    ] = "treasury",
    timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds to wait for a whole answer.")
    ] = None,
) -> None:
    """Fetch prices from the Treasury, FRED and Yahoo into a cache that `run --data` reads."""
    from backtest.data.fetch import FetchError
    from backtest.data.fetch import fetch as fetch_files
    from backtest.present.screen import Screen

    screen = Screen()
    try:
        with screen.progress() as progress:
            fetched = fetch_files(
                cache, only=tuple(only or ()), yields=yields, timeout=timeout, progress=progress
            )
    except FetchError as error:
        if error.done:
            show_cache(screen, error.done)
        raise
    show_cache(screen, fetched)


@cache_app.command()
def verify(cache: CacheFolder = DATA_CACHE) -> None:
    """Hash every fetched file again; 2 where one is not as it was fetched."""
    from backtest.data.cache import Cache

    typer.echo(f"verified: {Cache(cache).verify()} files of {cache} are as they were fetched")


@cache_app.command("list")
def list_cache(cache: CacheFolder = DATA_CACHE) -> None:
    """List what is in the cache: source, window, rows, when fetched, warnings."""
    from backtest.data.cache import Cache
    from backtest.present.screen import Screen

    show_cache(Screen(), Cache(cache).listed())


def show_cache(screen: "Screen", entries: "Mapping[str, Entry]") -> None:
    """Print the fetched files: what they become, where they come from, what they cover."""
    from rich.text import Text

    from backtest.data.history import difference_line
    from backtest.present.screen import empty_table

    table = empty_table("Fetched prices (times in UTC; the manifest holds whole sha256s)")
    for header in ("file", "factors", "source", "window", "fetched", "sha256"):
        table.add_column(Text(header), no_wrap=header != "factors")
    for header in ("rows", "warnings"):
        table.add_column(Text(header), justify="right")
    for name, entry in entries.items():
        table.add_row(
            Text(name),
            Text(" ".join(entry.factors)),
            Text(entry.source.split()[0]),
            Text(f"{entry.first} .. {entry.last}"),
            Text(entry.fetched_at[:16].replace("T", " ")),
            Text(entry.sha256[:12]),
            f"{entry.rows:,}",
            str(len(entry.warnings) + len(entry.rewrites)),
        )
    screen.console.print(table)
    for name, entry in entries.items():
        for rewrite in entry.rewrites:
            screen.note(f"{name}: {difference_line(rewrite)}; against {rewrite['against']}")
        for warning in entry.warnings:
            screen.note(f"{name}: {warning}")
