"""`python -m backtest`."""

from .cli import main

main()
