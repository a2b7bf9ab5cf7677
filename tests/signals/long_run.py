"""A small Monte Carlo of many blocks with a results folder: `python -m ... OUT [BLOCKS FOLDER]`.

It does what `backtest run --paths` does between its first block and its results folder, without the
figures, which take seconds.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import backtest as bt
import strategies as st
from backtest.present.folder import results_folder
from backtest.replay.kept import kept_blocks

PATHS = 40


def main(out: Path, resume: Path | None) -> None:
    """Draw, keep, store, remove what was kept."""
    generator = np.random.default_rng(0)
    days = pd.bdate_range("2022-01-03", periods=200)
    prices = 100 * np.exp(np.cumsum(generator.normal(0, 0.03, (200, 2)), axis=0))
    market = bt.Market.from_frame(
        pd.DataFrame(prices, index=days, columns=["BTC", "ETH"]), simulated=True, source="walk"
    )
    book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6], "ETH": [-1e6]}, index=["pair"]), market)
    models = {"var": st.HistoricalVaR(lookback=60)}

    def said(what: str, share: float) -> None:
        print(f"{what} {share}", flush=True)

    keeping = kept_blocks(
        out, "small", {"seed": 1}, unit="paths", total=PATHS, resume=resume, progress=said
    )
    with keeping as kept:
        made = bt.monte_carlo(
            bt.StationaryBootstrap(block_size=5), market, book, models,
            paths=PATHS, seed=1, block=1, kept=kept, progress=said,
        )  # fmt: skip
    with results_folder(out, "small") as folder:
        made.save(folder.partial)
    kept.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
