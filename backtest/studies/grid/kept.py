"""Finished cells of a grid among its kept blocks: a block a cell, its table as parquet."""

import io
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from backtest.replay.kept import Block, KeptBlocks
from backtest.studies.grid.cell import FAILED, CellResult, Facts
from backtest.types import ResultsError

TABLE = "table"


class KeptCells:
    """The finished cells of a grid, by number.

    Parameters
    ----------
    blocks : where they are kept; `blocks.total` is the number of cells of the grid.
    facts : of each finished cell.
    """

    def __init__(self, blocks: KeptBlocks) -> None:
        self.blocks = blocks
        self.facts: dict[int, Facts] = {}
        for number in range(1, blocks.total + 1):
            block = blocks.read(number)
            if block is not None:
                self.facts[number] = _facts(block)
                blocks.count(number, 1)

    def add(self, number: int, result: CellResult) -> None:
        """Keep a finished cell.

        Raises
        ------
        ResultsError : the disk is full, or the folder is gone.
        """
        content = io.BytesIO()
        result.table.to_parquet(content, index=False, compression="zstd")
        facts = asdict(result.facts)
        del facts["opened"]  # a block has them beside its facts
        table = np.frombuffer(content.getvalue(), np.uint8)
        block = Block({TABLE: table}, facts, frozenset(result.facts.opened))
        self.blocks.add(number, block)
        self.facts[number] = _facts(block)

    def table(self) -> pd.DataFrame:
        """The rows of all cells, in their order, the reasons of those without numbers last.

        Raises
        ------
        ResultsError : a cell is not as it was written.
        """
        table = pd.concat(map(self._rows, sorted(self.facts)), ignore_index=True)
        return table[[*table.columns.drop(FAILED), FAILED]]

    def remove(self) -> None:
        """Remove the cells."""
        self.blocks.remove()

    def _rows(self, number: int) -> pd.DataFrame:
        block = self.blocks.read(number)
        if block is None:
            folder = self.blocks.folder
            raise ResultsError(
                f"cell {number} in {str(folder)!r} is not as it was written; --resume {folder} "
                "computes it again."
            )
        return pd.read_parquet(io.BytesIO(block.arrays[TABLE].tobytes()))


def _facts(block: Block) -> Facts:
    """Facts of a cell as they are after a round trip through its file."""
    opened: dict[str, Any] = {"opened": tuple(sorted(block.opened))}
    return TypeAdapter(Facts).validate_python({**block.facts, **opened})
