"""What the finished blocks of a study depend on: the study, the prices, the code, the machine."""

from typing import Any

from backtest.replay.origin import Prices, Software
from backtest.replay.sources import processor, sources_sha256
from backtest.studies.inputs import Inputs


def basis_of(inputs: Inputs) -> dict[str, Any]:
    """Everything that a block's numbers depend on, as tables; where the prices lie is no part.

    The number of Monte Carlo paths is none either: a path depends on its own number alone.
    """
    study = inputs.config.resolved()
    return {
        "study": {
            **study,
            "data": _without(study["data"], "source"),
            "monte_carlo": _without(study["monte_carlo"], "paths"),
        },
        "prices": {
            **{file.name: file.sha256 for file in inputs.hashes},
            "levels": Prices.of(inputs.market).levels_sha256,
        },
        "code": {
            **Software.now().versions,
            "sources": sources_sha256(),
            "processor": processor(),
        },
    }


def _without(table: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}
