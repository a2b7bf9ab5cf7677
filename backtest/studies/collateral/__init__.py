"""`backtest collateral`."""
