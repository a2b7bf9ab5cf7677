"""The haircuts of government securities dealers, with offsets between bonds and their futures."""

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, treasury_maturity
from backtest.instruments.contracts import contract_terms
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, parts_in_proportion
from backtest.model.protocol import Parts, model
from backtest.parameters.buckets import ByMaturity, Rate
from backtest.parameters.files import read_as
from backtest.types import DaysByPortfolios, FloatArray, StudyError
from strategies.haircut import HaircutOnly

JUST_OVER = 1e-6  # years
Pair = tuple[int, int, float]


class Categories(ByMaturity):
    """Factors by maturity: `rate` of a net position, `offset` of what is long against short."""

    name: tuple[str, ...]
    offset: tuple[Rate, ...]


class LiquidCapitalTable(BaseModel):
    """Categories, the factor of offsets by futures, and the shares that do not net between two."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    futures_offset: Rate
    category: Categories
    disallowed: dict[Annotated[str, Field(pattern="^..$")], Rate]

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = {c for pair in self.disallowed for c in pair} - set(self.category.name)
        if unknown:
            raise ValueError(f"disallowed names no category: {', '.join(sorted(unknown))}")
        return self

    @property
    def orders(self) -> tuple[tuple[Pair, ...], ...]:
        """Orders in which a dealer may net two categories: rows, and the share that does not net.

        By share, as Schedule E has them, and by category, each from the shortest maturities and
        from the longest.
        """
        rows = self.category.name.index
        pairs = [(rows(p[0]), rows(p[1]), share) for p, share in self.disallowed.items()]
        return (
            tuple(sorted(pairs, key=lambda pair: (pair[2], pair[0], pair[1]))),
            tuple(sorted(pairs, key=lambda pair: (pair[2], -pair[1], -pair[0]))),
            tuple(sorted(pairs, key=lambda pair: (pair[0], pair[1]))),
            tuple(sorted(pairs, key=lambda pair: (-pair[1], -pair[0]))),
        )

    def row(self, years: float) -> int:
        """Row of a maturity."""
        row = self.category.row(years)
        if row is None:
            raise StudyError(f"no liquid capital haircut for a maturity of {years} years.")
        return row


@model(kind="liquid_capital_402_2")
class LiquidCapital:
    r"""Treasury's liquid capital rule: bonds and their futures net, at a price that grows apart.

    .. math:: M = \sum_c o_c \min(L_c, S_c) + \phi \sum_c \min(P_c, N_c)
              + \sum_{(c,d)} \delta_{cd} \, n_{cd} + \sum_c |r_c| + \sum_i h_i |x_i|

    In a category c of maturities L and S are the long and the short bonds, each bond netted across
    clearing houses, since the rule is for a firm; o is the offset factor. P and N are the positive
    and the negative haircuts: the factor times L - S, and the factor times each future, whose
    factor is that of its shortest deliverable bond and whose category is that of the bond's
    maturity and the future's together. What is left, P - N, nets with opposite haircuts of
    neighbouring categories: n is the smaller of two, a share delta of it stays, and r is what
    remains in the end. The rule lets a dealer choose what to net and in which order; here the least
    of four orders counts, which on random positions is the least of all choices in nineteen cases
    of twenty, and never more than 3 % above it.
    All other positions take their haircut h on \|x\|, as under the SEC's rule.

    Margin at day t uses exposures of day t and no history. USD. It depends on neither confidence
    nor MPOR. The rule charges a dealer's own capital, which must be 120 % of its haircuts; here
    the haircuts are a candidate margin.

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/` with factors by category.
    haircuts : haircut by instrument name, for instruments that are no Treasury risk.
    schedules : for names not in `haircuts`, the first of these that lists the instrument.

    References
    ----------
    17 CFR 402.2(f), 402.2a(a) and its Schedules B to E.

    Examples
    --------
    >>> table = load_liquid_capital("cfr_402_2/2014")
    >>> residual = np.zeros((1, 1, 8))
    >>> residual[0, 0, [4, 5]] = 1.1, -2.2  # long 100 of two years, short 100 of five
    >>> after_netting(residual, table).round(2).tolist()
    [[1.32]]
    """

    parameters: str = "cfr_402_2"
    haircuts: dict[str, Rate] = Field(default_factory=dict)
    schedules: tuple[str, ...] = ("haircuts/cftc_pilot",)

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        return np.sum(list(self._steps(market, book, coverage).values()), axis=0)

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, netting of bonds, of futures, between categories; silos in proportion."""
        steps = self._steps(market, book, coverage)
        silo_margins = margins_by_silo(self, market, book, coverage)
        return parts_in_proportion(steps, silo_margins, book)

    def _steps(self, market: Market, book: Book, coverage: Coverage) -> dict[str, DaysByPortfolios]:
        table, index = load_liquid_capital(self.parameters), book.unit_index(market)
        haircut_model = HaircutOnly(haircuts=self.haircuts, schedules=self.schedules)
        rates, offsets = np.array(table.category.rate), np.array(table.category.offset)
        shape = (len(market.dates), len(book.portfolios), len(rates))
        bonds: dict[str, FloatArray] = {}
        positive, negative = np.zeros((2, *shape))
        gross, other = np.zeros((2, *shape[:2]))
        rows: dict[str, int] = {}
        for i, instrument in enumerate(book.instruments):
            usd = index[:, [i]] * book.exposure[:, i]
            years = treasury_maturity(instrument)
            if years is not None:
                # A bond is the same security at every house: what is long at one and short at
                # another is no position of the firm.
                name = instrument.underlying
                rows[name] = table.row(years)
                bonds[name] = bonds.get(name, 0.0) + usd
                gross += np.abs(usd) * rates[rows[name]]
            elif is_bond_future(instrument):
                rate, row = future_haircut(instrument, table)
                positive[:, :, row] += np.maximum(rate * usd, 0.0)
                negative[:, :, row] += np.maximum(-rate * usd, 0.0)
                gross += rate * np.abs(usd)
            else:
                other += haircut_model.margin(market, book.holding([i]), coverage)
        longs, shorts = np.zeros((2, *shape))
        for name, usd in bonds.items():
            longs[:, :, rows[name]] += np.maximum(usd, 0.0)
            shorts[:, :, rows[name]] += np.maximum(-usd, 0.0)
        paired = (offsets * np.minimum(longs, shorts)).sum(axis=2)
        positive += np.maximum(rates * (longs - shorts), 0.0)
        negative += np.maximum(rates * (shorts - longs), 0.0)
        residual = positive - negative
        of_bonds = paired + (positive + negative).sum(axis=2)
        of_futures = paired + np.abs(residual).sum(axis=2)
        of_futures += table.futures_offset * np.minimum(positive, negative).sum(axis=2)
        netted = of_futures - np.abs(residual).sum(axis=2) + after_netting(residual, table)
        return {
            "gross": gross + other,
            "bonds of a category": of_bonds - gross,
            "futures of a category": of_futures - of_bonds,
            "between categories": netted - of_futures,
        }


def is_bond_future(instrument: Instrument) -> bool:
    """Whether an instrument is a future on a Treasury bond, observed or implied by the curve."""
    return instrument.contract == "future" and instrument.asset_class == "treasury"


def future_haircut(instrument: Instrument, table: LiquidCapitalTable) -> tuple[float, int]:
    """Factor of a bond future, and the row in which it stands."""
    terms = contract_terms(instrument.underlying)
    # What is delivered has at least the contract's maturity, where a bond of constant maturity is
    # just short of its own: fifteen years are in the category that begins there.
    years = float(terms.maturity or 0.0) + JUST_OVER
    return table.category.rate[table.row(years)], table.row(years + float(terms.to_delivery or 0.0))


def after_netting(residual: FloatArray, table: LiquidCapitalTable) -> FloatArray:
    """(...,) haircuts that remain of signed ones (..., categories), and the shares disallowed."""
    return np.min([_netted(residual, order) for order in table.orders], axis=0)


def _netted(residual: FloatArray, order: tuple[Pair, ...]) -> FloatArray:
    """`after_netting`, in one order."""
    residual, disallowed = residual.copy(), np.zeros(residual.shape[:-1])
    for a, b, share in order:
        first, second = residual[..., a], residual[..., b]
        netted = np.minimum(np.abs(first), np.abs(second)) * (first * second < 0.0)
        disallowed += share * netted
        residual[..., a] = first - np.sign(first) * netted
        residual[..., b] = second - np.sign(second) * netted
    return disallowed + np.abs(residual).sum(axis=-1)


def load_liquid_capital(name: str) -> LiquidCapitalTable:
    """The rule's factors, of a rule or version of `strategies/parameters/`."""
    return read_as(LiquidCapitalTable, name)
