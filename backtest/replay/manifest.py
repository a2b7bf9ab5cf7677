"""Where numbers come from: data, windows, versions, commit; everything JSON can hold."""

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from backtest.book.liquidation import LiquidationCost
from backtest.market.market import Market
from backtest.model.window import ScoredWindow

PACKAGES = ("margin-backtest", "numpy", "numba", "scipy", "pandas", "pydantic", "pyarrow")


def describe_data(market: Market) -> dict[str, Any]:
    """Source, SIMULATED or not, window, dropped days, and a sha256 of the levels themselves."""
    digest = hashlib.sha256()
    digest.update("|".join(market.factors).encode())
    digest.update(market.dates.astype(np.int64).tobytes())
    digest.update(market.levels.tobytes())
    if market.traded is not None:
        digest.update(market.traded.tobytes())
    return {
        "source": market.source,
        "simulated": market.simulated,
        "factors": dict(zip(market.factors, market.kinds, strict=True)),
        "days": len(market.dates),
        "first": str(market.dates[0]),
        "last": str(market.dates[-1]),
        "dropped_count": len(market.dropped),
        "dropped": [str(day) for day in market.dropped],
        "adjusted": [
            {"factor": a.factor, "date": str(a.date), "jump": a.jump, "reason": a.reason}
            for a in market.adjusted
            if market.dates[0] < a.date <= market.dates[-1]
        ],
        "missing": [str(day) for day in market.missing],
        "clock": "business" if market.traded is None else "24/7",
        "levels_sha256": digest.hexdigest(),
    }


def describe_window(window: ScoredWindow) -> dict[str, Any]:
    """First and last scored day, and how many there are."""
    return {
        "first_scored": str(window.dates[0]),
        "last_scored": str(window.dates[-1]),
        "observations": len(window.dates),
    }


def describe_liquidation(cost: LiquidationCost | None) -> dict[str, Any]:
    """What closing out was taken to cost; nothing where losses are prices alone."""
    return {} if cost is None else {"liquidation": cost.to_dict()}


def software() -> dict[str, Any]:
    """Versions of what computed the numbers, and the commit of a source checkout."""
    versions: dict[str, Any] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions | _commit()


def _commit() -> dict[str, Any]:
    """Commit and dirty flag where the package runs from its own git checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}
    try:
        head = _git(root, "rev-parse", "HEAD")
        return {"commit": head, "dirty": bool(_git(root, "status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
