"""Where crypto could stand in SIMM, which has no class for it."""

from typing import Literal

import numpy as np

from backtest.parameters.files import read_as
from strategies.simm.parameters import Figures
from strategies.simm.tables import Bucketed, Table

OTHER_COMMODITIES = "16"
COINS = ("floating", "pegged")
Way = Literal["own_class", "commodity", "other"]


class CoinTable(Table):
    """Weights of coins in per cent, and correlations of two coins of one kind."""

    weights: dict[str, float]
    correlation: dict[str, float]
    between: float


class CryptoParameters(Table):
    """Ways in which the proposal would margin coins."""

    own_class: CoinTable
    commodity: CoinTable


def crypto_class(way: Way, figures: Figures, parameters: str, given: dict[str, float]) -> Bucketed:
    """Risk class of coins: floating and pegged ones in two buckets; weights nan where unknown.

    What the proposal leaves open (the vega weight, the volatility ratio, the thresholds) is taken
    from bucket 16 of commodities, 'Other', of the version of SIMM in use; for 'other' everything
    is.

    Parameters
    ----------
    given : weights in per cent that stand in for those of the file.

    Examples
    --------
    >>> from .parameters import load_simm
    >>> crypto_class("other", load_simm("simm/2.8+2506"), "simm_crypto", {}).weights
    [64.0, 64.0]
    >>> crypto_class("own_class", load_simm("simm/2.8+2506"), "simm_crypto", {}).weights
    [132.0, nan]
    """
    other = figures.risk_class("commodity")
    assert isinstance(other, Bucketed)
    weight = other.of(other.weights, OTHER_COMMODITIES)
    if way == "other":
        rho = other.of(other.other_name, OTHER_COMMODITIES)
        coins = CoinTable(
            weights=dict.fromkeys(COINS, weight), correlation=dict.fromkeys(COINS, rho), between=rho
        )
    else:
        coins = getattr(read_as(CryptoParameters, parameters), way)
    weights = {**coins.weights, **given}
    return Bucketed(
        buckets=list(COINS),
        weights=[weights.get(coin, np.nan) for coin in COINS],
        vega_weight=[other.of(other.vega_weight, OTHER_COMMODITIES)],
        other_name=[coins.correlation[coin] for coin in COINS],
        delta_threshold=[other.of(other.delta_threshold, OTHER_COMMODITIES)],
        vega_threshold=[other.of(other.vega_threshold, OTHER_COMMODITIES)],
        triangle=[[], [coins.between]],
        volatility_ratio=other.volatility_ratio,
        days=other.days,
    )
