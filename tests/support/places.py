"""Where tests find known answers, and the prices and series that may not ship."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
# Real prices may not be redistributed: name a folder of your own, in the layout the README gives.
PRICES = Path(os.environ.get("MARGIN_BACKTEST_DATA", SHARED / "data"))
GOLDEN = ROOT / "tests" / "golden"
# Series of other packages, under licences that this project cannot carry.
PEER_DATA = SHARED / "golden"

needs_peer_data = pytest.mark.skipif(
    not PEER_DATA.is_dir(), reason="no data of other packages: their licences keep it out"
)
needs_prices = pytest.mark.skipif(
    not PRICES.is_dir(), reason="no real prices: set MARGIN_BACKTEST_DATA to their folder"
)


def golden(name: str, folder: Path = GOLDEN) -> dict[str, Any]:
    """Known answers of one file: its inputs, expected values and tolerance."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
