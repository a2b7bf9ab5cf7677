"""`python -m backtest.studies`: the commands that CI runs on the sample, a line each."""

from backtest.studies import COMMANDS

for command in COMMANDS:
    if command.quick:
        print(command.name)
