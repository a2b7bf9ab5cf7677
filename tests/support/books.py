"""Small books made by hand."""

import pandas as pd

import backtest as bt


def book_of(*rows, **kept):
    """A portfolio a row, p0, p1 and on: USD by instrument, 0 where a row does not name it."""
    names = [f"p{i}" for i in range(len(rows))]
    return bt.Book.from_frame(pd.DataFrame(list(rows), index=names).fillna(0.0), **kept)
