"""Where tests find what does not ship: real prices and other programs' answers."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
# Real prices may not be redistributed: name a folder of your own, in the layout the README gives.
PRICES = Path(os.environ.get("MARGIN_BACKTEST_DATA", SHARED / "data"))
GOLDEN = SHARED / "golden"

needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden cases are not here")
needs_prices = pytest.mark.skipif(
    not PRICES.is_dir(), reason="no real prices: set MARGIN_BACKTEST_DATA to their folder"
)
