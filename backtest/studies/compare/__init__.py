"""`backtest compare`."""
