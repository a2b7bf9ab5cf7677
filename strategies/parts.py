"""Parts of any model: those it reports, or its requirement beside that of its silos alone."""

from functools import partial
from typing import Any

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import answer_of, asked, required_margin
from backtest.model.by_silo import proportional_shares
from backtest.model.protocol import HasParts, MarginModel, Parts
from strategies.siloed import Siloed


def parts_of(model: MarginModel, market: Market, book: Book, coverage: Coverage) -> Parts:
    """Split of a requirement by silo and by step; steps add up to it.

    A model without `parts` has two steps: 'gross', the sum of its margins of each silo alone, and
    'diversification and offset', the difference to the joint margin. Silos share the requirement
    in proportion to their margins alone.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> class Net:
    ...     def margin(self, market, book, coverage):
    ...         return np.tile(abs(book.exposure.sum(axis=1)), (len(market.dates), 1))
    >>> levels = pd.DataFrame({"10Y": [0.04], "BTC": [1.0]}, index=pd.to_datetime(["2024-01-02"]))
    >>> book = Book.from_frame(pd.DataFrame({"UST10Y": [30.0], "BTC": [-10.0]}, index=["net"]))
    >>> parts = parts_of(Net(), Market.from_frame(levels), book, Coverage())
    >>> {step: values.tolist() for step, values in parts.steps.items()}
    {'gross': [[40.0]], 'diversification and offset': [[-20.0]]}
    """
    if isinstance(model, HasParts):
        with asked(model):
            parts: Parts = answer_of(model, "parts", market, book, coverage)
        return parts
    required = required_margin(model, market, book, coverage)
    siloed: Any = Siloed(base=model)
    # A portfolio without positions at a silo has no history to wait for there.
    ask = siloed.parts if market.before is None else partial(answer_of, siloed, "parts")
    siloed_parts: Parts = ask(market, book, coverage)
    gross = siloed_parts.steps["gross"]
    return Parts(
        silos=book.silos,
        by_silo=proportional_shares(siloed_parts.by_silo, required, gross=gross),
        steps={"gross": gross, "diversification and offset": required - gross},
    )
