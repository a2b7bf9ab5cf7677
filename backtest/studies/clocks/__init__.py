"""`backtest clocks`."""
