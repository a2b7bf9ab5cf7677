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
    from backtest.data.history import difference_line
    from backtest.present.table import Cell, Columns, TextTable

    columns: Columns = {
        "factors": lambda entry: Cell(" ".join(entry.factors), words=True),
        "source": lambda entry: Cell(entry.source.split()[0], words=True),
        "window": lambda entry: Cell(f"{entry.first} .. {entry.last}", words=True),
        "fetched": lambda entry: Cell(entry.fetched_at[:16].replace("T", " "), words=True),
        "sha256": lambda entry: Cell(entry.sha256[:12], words=True),
        "rows": lambda entry: f"{entry.rows:,}",
        "warnings": lambda entry: str(len(entry.warnings) + len(entry.rewrites)),
    }
    caption = "Fetched prices (times in UTC; the manifest holds whole sha256s)"
    screen.table(TextTable.of(caption, "file", entries.items(), columns))
    for name, entry in entries.items():
        for rewrite in entry.rewrites:
            screen.note(f"{name}: {difference_line(rewrite)}; against {rewrite['against']}")
        for warning in entry.warnings:
            screen.note(f"{name}: {warning}")
