"""Monte Carlo of the packaged study: against the code it began with, and what one would write."""

import os
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from backtest.book.book import Book
from backtest.config.load import load_study
from backtest.config.schema import build_simulator
from backtest.market.market import Market
from backtest.replay.distribution import COLUMNS, Distribution
from backtest.replay.monte_carlo import monte_carlo
from backtest.studies.inputs import read_inputs
from backtest.types import unheard
from tests.bench.earlier import EarlierCode
from tests.bench.timing import Goal, Table, alike, timed
from tests.support.places import PRICES

BEGAN = "e9179a5"  # the commit of which the goals speak
PATHS = 20
WALL_PATHS = 200  # enough that what a worker is sent does not count
SEED = 7


def against_earlier_code() -> Table:
    """The packaged study of the earlier commit, its market and its books, through both programs."""
    earlier = EarlierCode(BEGAN)
    with earlier.in_use():
        world, their_monte_carlo = _their_study(_prices())
    config, _ = load_study(earlier.folder / "backtest" / "default_study.toml")
    their_market, their_book = world["market"], world["book"]
    market = Market(
        their_market.dates, their_market.factors, their_market.levels, their_market.kinds
    )
    book, models = Book.from_frame(their_book.to_frame(), market), config.margin_models()
    simulator = build_simulator(config.monte_carlo.simulator)

    def ours() -> Distribution:
        return monte_carlo(
            simulator,
            market,
            book,
            models,
            coverage=config.standard(),
            account=config.terms(),
            paths=PATHS,
            seed=SEED,
        )

    def theirs() -> Any:
        with earlier.in_use():
            return their_monte_carlo(**world, paths=PATHS, seed=SEED)

    kind = "real prices" if PRICES.is_dir() else "the sample"
    return alike(
        f"Monte Carlo of the packaged study of {BEGAN} on {kind}: {len(book.portfolios)} books, "
        f"{len(models)} models, {len(market.dates)} days, per path; {_apart(ours(), theirs())}",
        PATHS,
        {"monte_carlo": ours, f"monte_carlo of {BEGAN}": theirs},
        Goal(f"monte_carlo of {BEGAN}", 10, 20),
    )


def of_two_workers() -> Table:
    """Today's packaged study by one process and by two, on the clock of the wall."""
    inputs = read_inputs(None, data=_prices(), seed=None, progress=unheard)
    config = inputs.config
    simulator = build_simulator(config.monte_carlo.simulator)

    def by(workers: int) -> Distribution:
        return monte_carlo(
            simulator,
            inputs.market,
            inputs.named_book,
            inputs.models,
            coverage=config.standard(),
            account=config.terms(),
            paths=WALL_PATHS,
            n_jobs=workers,
        )

    np.testing.assert_array_equal(by(1).scores, by(2).scores)
    load = os.getloadavg()[0]
    return timed(
        f"Monte Carlo by workers, wall clock a path; {os.cpu_count()} cores, load {load:.1f}",
        {"2 workers": (lambda: by(2), WALL_PATHS), "1 worker": (lambda: by(1), WALL_PATHS)},
        Goal("1 worker", 1.8),
        clock=perf_counter,
    )


def _prices() -> str:
    """Real prices where there are any, or else the sample."""
    return str(PRICES) if PRICES.is_dir() else "sample"


def _their_study(prices: str) -> tuple[dict[str, Any], Any]:
    """Arguments of the earlier program's own Monte Carlo, and that function."""
    from backtest.ensemble import monte_carlo  # type: ignore[import-not-found]
    from backtest.study_file import build_simulator  # type: ignore[import-not-found]
    from backtest.workflow import read_inputs  # type: ignore[import-not-found]

    inputs = read_inputs(None, data=prices, seed=None, progress=lambda what, share: None)
    config = inputs.config
    return {
        "simulator": build_simulator(config.monte_carlo.simulator),
        "market": inputs.market,
        "book": inputs.book.select(slice(len(config.books))),
        "models": config.margin_models(),
        "coverage": config.standard(),
        "account": config.terms(),
    }, monte_carlo


def _apart(ours: Distribution, theirs: Any) -> str:
    """How far the scores of two programs are apart; an error where they differ by more."""
    worst = 0.0
    for c, column in enumerate(COLUMNS):
        mine, other = ours.scores[..., c], theirs.scores[..., c]
        np.testing.assert_allclose(mine, other, rtol=1e-9, err_msg=column)
        worst = max(worst, float(np.nanmax(np.abs(mine - other) / np.maximum(np.abs(other), 1.0))))
    return f"scores agree to {worst:.0e}"


def tables(rng: np.random.Generator) -> Iterator[Table]:
    """Every table of this module."""
    yield against_earlier_code()
    yield of_two_workers()
