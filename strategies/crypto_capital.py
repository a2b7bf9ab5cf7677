"""The capital that Basel's standard asks of a bank for its exposures to cryptoassets."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.instruments import Instrument, is_option
from backtest.market.market import Market
from backtest.model.by_silo import parts_in_proportion
from backtest.model.protocol import Parts, model
from backtest.parameters.terms import Terms
from backtest.types import DaysByPortfolios, FloatArray, StudyError

Group = Literal["1b", "2a", "2b"]
CRYPTO = ("crypto", "stablecoin")


class CryptoTerms(Terms):
    """The standard's numbers; weights are capital for 2a, risk weights for 1b and 2b."""

    ratio: Annotated[float, Gt(0), Le(1)]
    net_weight: Annotated[float, Ge(0)]
    recognised: Annotated[float, Ge(0), Le(1)]
    gross_weight: Annotated[float, Ge(0)]
    stablecoin_weight: Annotated[float, Ge(0)]
    limit: Annotated[float, Ge(0), Le(1)]
    most: Annotated[float, Ge(0), Le(1)]
    groups: dict[str, Group]


@model(kind="basel_sco60")
class CryptoCapital:
    r"""Capital for the crypto positions of a bank: it stands beside margin, and is no margin.

    .. math:: K_{2a} = w \left(\max(L, S) - \rho \min(L, S)\right), \qquad
              K_{2b} = r \, W \max(L, S), \qquad K_{1b} = r \, w_1 (L + S)

    For each cryptoasset, added over them: L and S are its long and short positions, net within a
    venue (a silo) and gross between venues; a coin and its futures are one asset. w = 100 %, rho =
    `recognised`, r = 8 %, W = 1,250 %. What is no cryptoasset needs nothing here: its capital is
    another chapter's, and tokenised bonds (group 1a) take that of the bond. Options are refused,
    since their vega and curvature are not here. The standard binds a bank's own positions, where a
    jurisdiction has adopted it. USD; it depends on neither confidence nor MPOR, and on no history.

    Parameters
    ----------
    parameters : rule or version of `strategies/parameters/`.
    classified : group by cryptoasset, before that of the file; an asset in neither is '2b'.
    tier_1 : the bank's Tier 1 capital, USD. Where exposures of group 2, max(L, S) each, exceed 1 %
        of it, that share of every position which exceeds it is treated as 2b; above 2 % all of it.
        None leaves the limit out.
    recognised, stablecoin_weight : None takes those of the file, from memory and assumed.

    References
    ----------
    BCBS (2024). Basel Framework, SCO60 Cryptoasset exposures, effective as of 1 January 2026.

    Examples
    --------
    >>> long, short = np.array([100.0]), np.array([100.0])
    >>> terms = CryptoCapital().terms
    >>> net_charge(long, short, terms).round(6).tolist(), gross_charge(long, short, terms).tolist()
    ([35.0], [100.0])
    """

    parameters: str = "basel_sco60"
    classified: dict[str, Group] = Field(default_factory=dict)
    tier_1: Annotated[float, Gt(0)] | None = None
    recognised: Annotated[float, Ge(0), Le(1)] | None = None
    stablecoin_weight: Annotated[float, Ge(0)] | None = None

    @property
    def terms(self) -> CryptoTerms:
        """The terms in use: those of the file, under those that this model states."""
        terms = CryptoTerms.of(self)
        return terms.model_copy(update={"groups": terms.groups | self.classified})

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Capital required at each close, (days, portfolios), USD, >= 0; never NaN."""
        return np.add.reduce(list(self._steps(market, book).values()))

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross, recognised hedges, limit of group 2; silos in proportion.

        'gross' charges every position by itself, long or short.
        """
        steps = self._steps(market, book)
        silo_steps = [self._steps(market, book.in_silo(s)) for s in book.silos]
        silo_capital = np.stack([np.add.reduce(list(s.values())) for s in silo_steps], axis=2)
        return parts_in_proportion(steps, silo_capital, book)

    def of(self, usd: FloatArray, instruments: Sequence[Instrument]) -> FloatArray:
        """Capital of positions (..., instruments) in signed USD, (...,).

        Examples
        --------
        >>> from backtest.instruments import parse_instrument
        >>> hedge = [parse_instrument(name) for name in ("BTC", "BTC-PERP", "UST10Y")]
        >>> CryptoCapital().of(np.array([100.0, -40.0, 500.0]), hedge).round(6).item()
        74.0
        """
        return np.add.reduce(list(self._charges(usd, instruments).values()))

    def _steps(self, market: Market, book: Book) -> dict[str, DaysByPortfolios]:
        return self._charges(book.usd(market), book.instruments)

    def _charges(self, usd: FloatArray, instruments: Sequence[Instrument]) -> dict[str, FloatArray]:
        terms = self.terms
        gross, hedged, as_2b, exposure = np.zeros((4, *usd.shape[:-1]))
        for asset, (longs, shorts, every) in _positions(usd, instruments).items():
            group = terms.groups.get(asset, "2b")
            if group == "1b":
                charge = terms.ratio * terms.stablecoin_weight * (longs + shorts)
                gross = gross + terms.ratio * terms.stablecoin_weight * every
                hedged, as_2b = hedged + charge, as_2b + charge
                continue
            net, whole = net_charge(longs, shorts, terms), gross_charge(longs, shorts, terms)
            weight = terms.net_weight if group == "2a" else terms.ratio * terms.gross_weight
            gross = gross + weight * every
            hedged = hedged + (net if group == "2a" else whole)
            as_2b = as_2b + whole
            exposure = exposure + np.maximum(longs, shorts)
        return {
            "gross": gross,
            "recognised hedges": hedged - gross,
            "limit of group 2": self._beyond(exposure, terms) * (as_2b - hedged),
        }

    def _beyond(self, exposure: FloatArray, terms: CryptoTerms) -> FloatArray:
        """Share of group 2 that is treated as 2b, since it exceeds the limit."""
        if self.tier_1 is None:
            return np.zeros_like(exposure)
        excess = np.maximum(exposure - terms.limit * self.tier_1, 0.0)
        share = np.divide(excess, exposure, out=np.zeros_like(exposure), where=exposure > 0)
        return np.where(exposure > terms.most * self.tier_1, 1.0, share)


def net_charge(longs: FloatArray, shorts: FloatArray, terms: CryptoTerms) -> FloatArray:
    """Capital of positions in one asset of group 2a."""
    larger, smaller = np.maximum(longs, shorts), np.minimum(longs, shorts)
    return terms.net_weight * (larger - terms.recognised * smaller)


def gross_charge(longs: FloatArray, shorts: FloatArray, terms: CryptoTerms) -> FloatArray:
    """Capital of positions in one asset of group 2b."""
    return terms.ratio * terms.gross_weight * np.maximum(longs, shorts)


def _positions(
    usd: FloatArray, instruments: Sequence[Instrument]
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """By cryptoasset: (...,) long, short and gross USD, net within a venue."""
    venues: dict[str, dict[str, FloatArray]] = {}
    gross: dict[str, FloatArray] = {}
    for i, instrument in enumerate(instruments):
        if instrument.asset_class not in CRYPTO:
            continue
        if is_option(instrument):
            raise StudyError(
                f"basel_sco60 has no charge for {instrument.name}, an option; leave it out."
            )
        asset, silo, held = instrument.underlying, instrument.silo, usd[..., i]
        nets = venues.setdefault(asset, {})
        nets[silo] = nets.get(silo, 0.0) + held
        gross[asset] = gross.get(asset, 0.0) + np.abs(held)
    return {
        asset: (
            np.add.reduce([np.maximum(net, 0.0) for net in nets.values()]),
            np.add.reduce([np.maximum(-net, 0.0) for net in nets.values()]),
            gross[asset],
        )
        for asset, nets in venues.items()
    }
