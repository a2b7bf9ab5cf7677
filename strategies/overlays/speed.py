"""A limit on how fast margin may change."""

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.protocol import MarginModel, Parts, model
from backtest.model.wrapping import with_step
from backtest.parameters.files import read_as, stated
from backtest.types import DaysByPortfolios, FloatArray
from strategies.historical import HistoricalVaR
from strategies.overlays.terms import Assumed
from strategies.parts import parts_of


class SpeedTerms(NamedTuple):
    """Largest rise and largest fall, shares of the margin before."""

    up: float
    down: float


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
    parameters : rule or version of `strategies/parameters/`.
    up : largest rise over `days` margin days, share of the margin before them; None takes that of
        the file.
    down : largest fall; None takes that of the file, 1 sets no limit on falls.
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
    parameters: str = "overlays_assumed"
    up: Annotated[float, Ge(0)] | None = None
    down: Annotated[float, Ge(0), Le(1)] | None = None
    days: Annotated[int, Ge(1)] = 1

    @property
    def terms(self) -> SpeedTerms:
        """The terms in use: those that this model states, before those of the files."""
        assumed = read_as(Assumed, self.parameters)
        up, down = stated(self.up, assumed.most_up), stated(self.down, assumed.most_down)
        return SpeedTerms(up, down)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; NaN while warming up."""
        base = required_margin(self.base, market, book, coverage)
        terms = self.terms
        return limited_margin(base, up=terms.up, down=terms.down, days=self.days)

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
