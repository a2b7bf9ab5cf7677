"""What the cells of a grid depend on: their study, the prices, and the code that computes them."""

from typing import Any

from backtest.replay.origin import Prices, Software
from backtest.replay.sources import sources_sha256
from backtest.studies.inputs import Inputs


def basis_of(inputs: Inputs) -> dict[str, Any]:
    """Everything that a cell's numbers depend on, as tables; where the prices lie is no part."""
    study = inputs.config.resolved()
    return {
        "study": study | {"data": {k: v for k, v in study["data"].items() if k != "source"}},
        "prices": {
            **{file.name: file.sha256 for file in inputs.hashes},
            "levels": Prices.of(inputs.market).levels_sha256,
        },
        "code": Software.now().versions | {"sources": sources_sha256()},
    }
