"""One folder a command: what it computes, its page, its figures.

A new command is a folder and its name in `COMMANDS`: the command line, the README's table and what
CI runs from the wheel take it from there.
"""

from backtest.studies import (
    annex,
    clocks,
    closeout,
    collateral,
    compare,
    dossier,
    grid,
    offset,
    power,
    protect,
    run,
    simulate,
    validate,
)

# In the order of `backtest --help`.
COMMANDS = (
    run.COMMAND,
    offset.COMMAND,
    closeout.COMMAND,
    collateral.COMMAND,
    clocks.COMMAND,
    grid.COMMAND,
    power.COMMAND,
    simulate.COMMAND,
    protect.COMMAND,
    compare.COMMAND,
    validate.COMMAND,
    annex.COMMAND,
    dossier.COMMAND,
)
