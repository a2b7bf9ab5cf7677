"""SIMM of a book on every day."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.by_silo import margins_by_silo, proportional_shares
from backtest.model.protocol import Parts, model
from backtest.types import FloatArray, StudyError
from strategies.simm.aggregation import Node, simm_margin
from strategies.simm.crypto import Way, crypto_class
from strategies.simm.declared import declared_class
from strategies.simm.parameters import Figures, Horizon, load_simm
from strategies.simm.positions import book_sensitivities
from strategies.simm.sensitivity import Sensitivity


@model(kind="simm")
class Simm:
    r"""ISDA SIMM: delta, vega and curvature, for rates, equity and crypto; ten days at 99 %.

    .. math:: M = \sum_{\text{product}} \sqrt{\sum_{rs} \psi_{rs} IM_r IM_s}

    with the IM of a risk class as in `simm_margin`. Products do not offset one another, so
    **crypto and Treasuries are margined separately**, long or short; the choice of class only
    changes the margin of crypto.

    - 'own_class': a separate class with floating and pegged buckets, as FEDS 2026-009 proposes.
    - 'commodity': inside commodities, with the weight that the same proposal estimates there.
    - 'other': commodity bucket 16, 'Other', of the version of SIMM in use; coins there do not net.

    Weights are for ten days at 99 %, or for one day; they do not depend on confidence, nor on the
    MPOR unless scaled. Margin at day t uses closes up to and including t. USD. SIMM belongs to
    ISDA: commercial use needs ISDA's licence. It is calibrated anew every year, since 2025 every
    half year; a study takes the version in force on its day.

    Parameters
    ----------
    crypto : risk class of crypto, see above.
    scaling : 'ten_days' takes weights as published; 'sqrt' scales sensitivities from the horizon
        to the MPOR by the root of time (curvature too, which is then too high).
    horizon : margin days of the published weights: 10, or 1, which has no concentration and no
        weight for crypto but by 'other' or `crypto_weights`.
    crypto_weights : per cent by 'floating' or 'pegged', instead of the file's, which has no weight
        for pegged coins.
    parameters : version of SIMM, as 'simm/2.8+2506'; 'simm' is the one in force.
    crypto_parameters : version of the proposal for crypto.

    References
    ----------
    ISDA (2018-2026). ISDA SIMM Methodology, versions 2.1 to 2.8+2512.
    Amirdjanova, A., Lynch, D. & Zheng, A. (2026). Initial margin for crypto currencies risks in
    uncleared markets. FEDS 2026-009.

    Examples
    --------
    >>> Simm(crypto="other").parameters
    'simm'
    """

    crypto: Way = "own_class"
    scaling: Literal["ten_days", "sqrt"] = "ten_days"
    horizon: Horizon = 10
    crypto_weights: dict[str, Annotated[float, Gt(0)]] = Field(default_factory=dict)
    parameters: str = "simm"
    crypto_parameters: str = "simm_crypto"

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        return self.tree(market, book, coverage).value

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'netting within risk classes'; silos share it in proportion."""
        required = self.margin(market, book, coverage)
        silo_margins = margins_by_silo(self, market, book, coverage)
        gross = silo_margins.sum(axis=2)
        steps = {"gross": gross, "netting within risk classes": required - gross}
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps=steps,
        )

    def tree(self, market: Market, book: Book, coverage: Coverage) -> Node:
        """The margin with all its components; every value (days, portfolios) USD."""
        figures = load_simm(self.parameters, horizon=self.horizon)
        self._refuse_commodities(book)
        sensitivities = book_sensitivities(
            market,
            book,
            coverage=coverage,
            tenors=figures.rates.tenors,
            crypto_product="Crypto" if self.crypto == "own_class" else "Commodity",
            scaled_from=float(self.horizon) if self.scaling == "sqrt" else None,
        )
        return simm_margin(sensitivities, self._with_crypto(figures, sensitivities))

    def _refuse_commodities(self, book: Book) -> None:
        """Refuse coins beside other commodities where `crypto` makes coins commodities."""
        coins = any(i.asset_class in ("crypto", "stablecoin") for i in book.instruments)
        for instrument in book.instruments if coins and self.crypto != "own_class" else ():
            if (declared_class(instrument) or ("", ""))[0] == "commodity":
                raise StudyError(
                    f"SIMM with crypto = {self.crypto!r} has no correlation of coins with the "
                    f"commodity {instrument.name}; margin them apart, or set crypto = 'own_class'."
                )

    def _with_crypto(self, figures: Figures, sensitivities: list[Sensitivity]) -> Figures:
        """The figures with crypto in the class chosen by `crypto`, where the book has some."""
        coins = {s.bucket for s in sensitivities if s.risk == "crypto"}
        if not coins:
            return figures
        known = self.horizon == 10 or self.crypto == "other"
        table = crypto_class(self.crypto, figures, self.crypto_parameters, self.crypto_weights)
        for coin, weight in zip(table.buckets, table.weights, strict=True):
            if coin in coins and (np.isnan(weight) or not (known or coin in self.crypto_weights)):
                raise StudyError(
                    f"{self.crypto_parameters} has no risk weight for {coin} coins at "
                    f"horizon = {self.horizon}; give one, in per cent: "
                    f"crypto_weights = {{ {coin} = ... }}."
                )
        return figures.with_class("crypto", table)
