"""How a model answers a step in volatility: the impulse response of its margin."""

import numpy as np

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import parse_instrument
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel
from backtest.types import Days, StudyError

BEFORE, AFTER = 1000, 750  # days: longer than the lookbacks in use
DAILY = 0.01  # move of a calm day; small, so that returns in logs or not hardly differ
FIRST_DAY = np.datetime64("2015-01-01")
ONE_DAY = Coverage(confidence=0.99, mpor=1)


def impulse_response(
    model: MarginModel,
    *,
    size: float = 2.0,
    before: int = BEFORE,
    after: int = AFTER,
    factor: str = "BTC",
) -> Days:
    r"""Margin after a step in volatility, over the margin before it.

    A price that moves by exactly 1 % a day, up and down in turn, moves by `size` times as much
    from some day on; a long position of constant USD is margined at 99 % over one day (over two
    days ups and downs would cancel). An EWMA of decay lambda answers with

    .. math:: IRF_t = \sqrt{\lambda^t + (1 - \lambda^t) \, size^2}

    and reaches `size` in the limit. Historical simulation over N days stays at 1 until as many
    losses of the new size have come as its tail holds, ceil of N x 1 %, and then jumps; a long
    position loses on every second day.

    Parameters
    ----------
    model : a margin model that can margin one price. size : factor on the daily move, above 0.
    before, after : days before and from the step; `before` longer than the model's warm-up.
    factor : name of the price.

    Returns
    -------
    (after + 1,) ratios: 1 on the last calm day, then one a day.

    Raises
    ------
    StudyError : a size, or a number of days, that cannot be; a model that does not know, or asks
        for nothing, on the last calm day.

    References
    ----------
    Gurrola-Perez, P. & Murphy, D. (2015). Filtered historical simulation value-at-risk models and
    their competitors. Bank of England Working Paper 525.

    Examples
    --------
    >>> from strategies import HistoricalVaR
    >>> response = impulse_response(HistoricalVaR(lookback=500), size=3.0)
    >>> int(np.argmax(response > 1.5)), round(float(response.max()), 6)
    (9, 3.0)
    """
    if not (size > 0.0 and size * DAILY < 0.5) or before < 2 or after < 1:
        raise StudyError(
            f"a step of {size} after {before} days, watched for {after}; give a size in "
            f"(0, {0.5 / DAILY:g}) and a positive number of days."
        )
    move = np.where(np.arange(before + after) < before, DAILY, size * DAILY)
    # The first day after the step is a loss for the long position.
    falls = (np.arange(before + after) - before) % 2 == 0
    levels = 100.0 * np.cumprod(np.concatenate([[1.0], 1.0 + np.where(falls, -move, move)]))
    market = Market(
        dates=FIRST_DAY + np.arange(before + after + 1),
        factors=(factor,),
        levels=levels[:, None],
        kinds=("price",),
        simulated=True,
        source="a step in volatility",
    )
    book = Book(("long",), (parse_instrument(factor),), np.array([[1e6]]))
    margin = required_margin(model, market, book, ONE_DAY)[before:, 0]
    if not margin[0] > 0.0:
        raise StudyError(
            f"{model!r} has a margin of {margin[0]} on the day before the step; give more days "
            "before it, or a model of prices."
        )
    return np.asarray(margin / margin[0])
