"""SIMM of a book on every day."""

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt
from pydantic import Field

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import required_margin
from backtest.model.mismatch import proportional_shares
from backtest.model.protocol import Parts, model
from backtest.types import FloatArray, StudyError
from strategies.simm.aggregation import Node, simm_margin
from strategies.simm.declared import declared_class
from strategies.simm.parameters import Bucketed, RiskClass, load_crypto, load_simm
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
    - 'other': commodity bucket 16, 'Other', as in version 2.1; coins there do not net.

    Weights are for ten days at 99 %; they do not depend on confidence, nor on the MPOR unless
    scaled. Margin at day t uses closes up to and including t. USD. SIMM belongs to ISDA: commercial
    use needs ISDA's licence, and version 2.1 has long been superseded.

    Parameters
    ----------
    crypto : risk class of crypto, see above.
    scaling : 'ten_days' as published; 'sqrt' scales sensitivities to the MPOR by the root of time
        (curvature too, which is then too high).
    crypto_weights : per cent by 'floating' or 'pegged', instead of the file's, which has no weight
        for pegged coins.
    parameters, crypto_parameters : rules or versions of `strategies/parameters/`.

    References
    ----------
    ISDA (2018). ISDA SIMM Methodology, version 2.1.
    Amirdjanova, A., Lynch, D. & Zheng, A. (2026). Initial margin for crypto currencies risks in
    uncleared markets. FEDS 2026-009.

    Examples
    --------
    >>> Simm(crypto="other").parameters
    'simm'
    """

    crypto: Literal["own_class", "commodity", "other"] = "own_class"
    scaling: Literal["ten_days", "sqrt"] = "ten_days"
    crypto_weights: dict[str, Annotated[float, Gt(0)]] = Field(default_factory=dict)
    parameters: str = "simm"
    crypto_parameters: str = "simm_crypto"

    def margin(self, market: Market, book: Book, coverage: Coverage) -> FloatArray:
        """Margin required at each close, (days, portfolios), USD, >= 0; never NaN."""
        return self.tree(market, book, coverage).value

    def parts(self, market: Market, book: Book, coverage: Coverage) -> Parts:
        """Steps gross and 'netting within risk classes'; silos share it in proportion."""
        required = self.margin(market, book, coverage)
        silo_margins = np.stack(
            [required_margin(self, market, book.in_silo(s), coverage) for s in book.silos], axis=2
        )
        gross = silo_margins.sum(axis=2)
        steps = {"gross": gross, "netting within risk classes": required - gross}
        return Parts(
            silos=book.silos,
            by_silo=proportional_shares(silo_margins, required, gross=gross),
            steps=steps,
        )

    def tree(self, market: Market, book: Book, coverage: Coverage) -> Node:
        """The margin with all its components; every value (days, portfolios) USD."""
        simm = load_simm(self.parameters)
        self._refuse_commodities(book)
        sensitivities = book_sensitivities(
            market,
            book,
            coverage=coverage,
            tenors=simm.rates.tenors,
            crypto_product="Crypto" if self.crypto == "own_class" else "Commodity",
            scaled=self.scaling == "sqrt",
        )
        return simm_margin(
            sensitivities,
            risk_class=self._risk_class(sensitivities),
            correlation=lambda a, b: 1.0 if a == b else simm.correlation(a, b),
        )

    def _refuse_commodities(self, book: Book) -> None:
        """Refuse coins beside other commodities where `crypto` makes coins commodities."""
        coins = any(i.asset_class in ("crypto", "stablecoin") for i in book.instruments)
        for instrument in book.instruments if coins and self.crypto != "own_class" else ():
            if (declared_class(instrument) or ("", ""))[0] == "commodity":
                raise StudyError(
                    f"SIMM with crypto = {self.crypto!r} has no correlation of coins with the "
                    f"commodity {instrument.name}; margin them apart, or set crypto = 'own_class'."
                )

    def _risk_class(self, sensitivities: list[Sensitivity]) -> Callable[[str], RiskClass]:
        """Risk classes by name, with crypto in the class chosen by `crypto`."""
        table = load_crypto(self.crypto_parameters).bucketed[self.crypto]
        weights = [
            self.crypto_weights.get(bucket, weight)
            for bucket, weight in zip(table.buckets, table.weights, strict=True)
        ]
        for bucket, weight in zip(table.buckets, weights, strict=True):
            if np.isnan(weight) and any(s.bucket == bucket for s in sensitivities):
                raise StudyError(
                    f"{self.crypto_parameters} has no risk weight for {bucket} coins; give one, "
                    f"in per cent: crypto_weights = {{ {bucket} = ... }}."
                )
        crypto: Bucketed = table.model_copy(update={"weights": weights})
        simm = load_simm(self.parameters)
        return lambda name: crypto if name == "crypto" else simm.risk_class(name)
