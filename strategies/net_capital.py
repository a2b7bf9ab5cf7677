"""The haircuts of the SEC's net capital rule, with its offsets between government securities."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import treasury_maturity
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, parts_in_proportion
from backtest.model.protocol import Parts, model
from backtest.parameters.buckets import ByMaturity, Rate
from backtest.parameters.files import read_as
from backtest.types import DaysByPortfolios, FloatArray, StudyError
from strategies.haircut import HaircutOnly


class Categories(ByMaturity):
    """Rates by maturity, and the category of each row."""

    category: tuple[int, ...]


class Deductions(BaseModel):
    """The rule's table: rows by maturity in categories; `opposed`: share of the smaller side."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    opposed: Annotated[float, Field(ge=0, le=1)]
    government: Categories

    @property
    def rates(self) -> FloatArray:
        """(rows,) share of market value."""
        return np.array(self.government.rate)

    @property
    def categories(self) -> NDArray[np.int64]:
        """(rows,) the category of each."""
        return np.array(self.government.category)

    def row(self, tenor: float) -> int:
        """Row of a maturity in years."""
        row = self.government.row(tenor)
        if row is None:
            raise StudyError(f"no net capital haircut for a maturity of {tenor} years.")
        return row


@model(kind="net_capital_15c3_1")
class NetCapital:
    r"""Net capital rule: governments net within a category, other positions by a percentage.

    .. math:: M = \sum_c \left(|L_c - S_c| + \tfrac12 \min(L_c, S_c)\right) + \sum_i h_i |x_i|

    Governments are netted within each row of maturity across clearing houses, since the rule is
    for a firm. L_c and S_c are the deductions on the net long and net short rows of category c;
    nothing is offset across categories. The rule's rows begin at a whole maturity; a bond of
    constant maturity represents a note just short of it and takes the row below (10 years: 4 %).
    All other positions take their haircut h_i on |x_i|. Margin at day t uses exposures of day t
    and no history. USD. It depends on neither confidence nor MPOR. The rule charges a dealer's own
    capital; here it is a candidate margin.

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/` with rates by category and maturity.
    haircuts : haircut by instrument name, for instruments that are no government securities.
    schedules : for names not in `haircuts`, the first of these that lists the instrument.

    References
    ----------
    17 CFR 240.15c3-1(c)(2)(vi)(A)(1).

    Examples
    --------
    >>> net = np.zeros((1, 1, 12))
    >>> net[0, 0, [6, 7]] = 100.0, -100.0  # long 4 years, short 7 years: both in category 3
    >>> government_charge(net, load_deductions("sec_15c3_1/2013")).tolist()
    [[2.5]]
    """

    parameters: str = "sec_15c3_1"
    haircuts: dict[str, Rate] = Field(default_factory=dict)
    schedules: tuple[str, ...] = ("haircuts/cftc_pilot",)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        return np.sum(list(self._steps(market, book, coverage).values()), axis=0)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, netting within a row, offset within a category; silos in proportion."""
        steps = self._steps(market, book, coverage)
        silo_margins = margins_by_silo(self, market, book, coverage)
        return parts_in_proportion(steps, silo_margins, book)

    def _steps(self, market: Market, book: Book, coverage: Coverage) -> dict[str, DaysByPortfolios]:
        table, index = load_deductions(self.parameters), book.unit_index(market)
        haircut_model = HaircutOnly(haircuts=self.haircuts, schedules=self.schedules)
        net = np.zeros((len(market.dates), len(book.portfolios), len(table.rates)))
        gross_charge, haircut_charge = np.zeros((2, *net.shape[:2]))
        for i, instrument in enumerate(book.instruments):
            years = treasury_maturity(instrument)
            if years is not None:
                row = table.row(years)
                usd = index[:, [i]] * book.exposure[:, i]
                net[:, :, row] += usd
                gross_charge += np.abs(usd) * table.rates[row]
            else:
                haircut_charge += haircut_model.margin(market, book.holding([i]), coverage)
        net_charge = (np.abs(net) * table.rates).sum(axis=2)
        return {
            "gross": gross_charge + haircut_charge,
            "netting within a row": net_charge - gross_charge,
            "offset within a category": government_charge(net, table) - net_charge,
        }


def government_charge(net: FloatArray, table: Deductions) -> FloatArray:
    """(...,) deduction for net positions (..., rows) in signed USD."""
    deduction = net * table.rates
    charge = np.zeros(net.shape[:-1])
    for category in np.unique(table.categories):
        # Opposite sides of one category offset, but not in full: yields of two maturities move
        # alike without being the same, so the rule charges a share of the smaller side.
        deductions = deduction[..., table.categories == category]
        longs = np.maximum(deductions, 0.0).sum(axis=-1)
        shorts = np.maximum(-deductions, 0.0).sum(axis=-1)
        charge += np.abs(longs - shorts) + table.opposed * np.minimum(longs, shorts)
    return charge


def load_deductions(name: str) -> Deductions:
    """The rule's table of `strategies/parameters/<name>.toml`."""
    return read_as(Deductions, name)
