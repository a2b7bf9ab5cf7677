"""The commands that keep fetched prices: fetch, verify, list."""

from pathlib import Path
from typing import Annotated

import typer

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
        float | None, typer.Option(min=0.1, help="Seconds to wait for an answer.")
    ] = None,
) -> None:
    """Fetch prices from the Treasury, FRED and Yahoo into a cache that `run --data` reads."""
    from backtest.cli.screen import Screen
    from backtest.data.fetch import FetchError
    from backtest.data.fetch import fetch as fetch_files

    screen = Screen()
    try:
        with screen.progress() as progress:
            fetched = fetch_files(
                cache, only=tuple(only or ()), yields=yields, timeout=timeout, progress=progress
            )
    except FetchError as error:
        if error.done:
            screen.cache(error.done)
        raise
    screen.cache(fetched)


@cache_app.command()
def verify(cache: CacheFolder = DATA_CACHE) -> None:
    """Hash every fetched file again; 2 where one is not as it was fetched."""
    from backtest.data.cache import Cache

    typer.echo(f"verified: {Cache(cache).verify()} files of {cache} are as they were fetched")


@cache_app.command("list")
def list_cache(cache: CacheFolder = DATA_CACHE) -> None:
    """List what is in the cache: source, window, rows, when fetched, warnings."""
    from backtest.cli.screen import Screen
    from backtest.data.cache import Cache

    Screen().cache(Cache(cache).listed())
