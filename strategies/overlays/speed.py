"""A limit on how fast margin may change."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_step
from backtest.parameters.files import load_parameters
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.parts import parts_of

ASSUMED = load_parameters("overlays_assumed/2026")


@model(kind="speed_limit")
class SpeedLimit:
    r"""Base margin with a largest rise and a largest fall in a margin day, or in several.

    .. math:: M_t = \min\left(\max(m_t, (1 - d) M_{t-n}), (1 + u) M_{t-n}\right)

    m is the base margin, u = `up`, d = `down`, n = `days`; M is m on the first n days with a known
    m, and n days after one with zero margin. While the limit on rises binds, losses may be
    uncovered. It also limits changes of margin that come from changes of positions. Margin at day
    t uses closes up to and including t. USD.

    Parameters
    ----------
    base : the model whose changes are limited.
    up : largest rise over `days` margin days, share of the margin before them.
    down : largest fall; 1 sets no limit on falls.
    days : margin days over which margin is compared. Within them it may rise further.

    References
    ----------
    BCBS-CPMI-IOSCO (2025). Transparency and responsiveness of initial margin in centrally cleared
    markets: review and policy proposals (d590). The limits are assumptions.

    Examples
    --------
    >>> limited_margin(np.array([[100.0], [130.0], [130.0]]), up=0.25, down=0.05).ravel().tolist()
    [100.0, 125.0, 130.0]
    """

    base: MarginModel = Field(default_factory=HistoricalVaR)
    up: Annotated[float, Ge(0)] = ASSUMED["most_up"]
    down: Annotated[float, Ge(0), Le(1)] = ASSUMED["most_down"]
    days: Annotated[int, Ge(1)] = 1

    parameter_files = ("overlays_assumed/2026",)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        return limited_margin(base, up=self.up, down=self.down, days=self.days)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """The base's steps, then 'speed limit'; silos scale alike."""
        required = self.margin(market, book, coverage)
        return with_step(parts_of(self.base, market, book, coverage), required, step="speed limit")


def limited_margin(
    base: DaysByPortfolios, *, up: float, down: float, days: int = 1
) -> DaysByPortfolios:
    """(days, portfolios) `base` with limited changes; NaN in the same leading block."""
    # The limit is on an earlier requirement, itself limited, so days follow one another. After a
    # margin of zero there is nothing to take a share of, and the base is taken.
    out = base.copy()
    for day in range(days, len(base)):
        before = out[day - days]
        within_limits = np.clip(base[day], (1.0 - down) * before, (1.0 + up) * before)
        out[day] = np.where(before > 0, within_limits, base[day])
    return out
