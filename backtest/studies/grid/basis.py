"""What the cells of a grid depend on: their study, the prices, and the code that computes them."""

import hashlib
from pathlib import Path
from typing import Any

import backtest
import strategies
from backtest.replay.origin import Prices, Software
from backtest.studies.inputs import Inputs

SOURCES = (".py", ".toml", ".csv")  # code, and the dated numbers that it reads


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


def sources_sha256() -> str:
    """sha256 of every source of the packages, which a version or a commit need not tell apart."""
    digest = hashlib.sha256()
    for package in (backtest, strategies):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*")):
            if file.suffix in SOURCES and file.is_file():
                digest.update(file.relative_to(root).as_posix().encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
