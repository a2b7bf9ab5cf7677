"""Inter-commodity credits: spreads between commodities, formed in order of priority."""

from collections.abc import Mapping, Sequence

import numpy as np

from backtest.types import FloatArray

Credits = Sequence[tuple[Mapping[str, float], float]]


def intercommodity_credit(
    delta: Mapping[str, FloatArray], price_risk: Mapping[str, FloatArray], *, credits: Credits
) -> dict[str, FloatArray]:
    r"""Credit of each commodity (USD, >= 0), in the form of CME: every leg is credited.

    For each spread in turn, with signed ratios :math:`\rho_k` of its legs,

    .. math:: n = \min_k |\Delta_k| / |\rho_k|, \qquad
              \text{credit}_k = n |\rho_k| \, c \, w_k, \qquad
              \Delta_k \leftarrow \Delta_k \mp n \rho_k

    where :math:`\Delta` is the net delta not used by earlier spreads and w the price risk per USD
    of delta. A spread is formed only where all legs have the sign of their ratio, or all have the
    opposite sign. The margin of two fully spread legs of equal risk is 1 - c of their sum; with
    the credit on the smaller leg alone it would be 1 - c / 2 of it.

    Parameters
    ----------
    delta : net delta by commodity, USD, any one shape.
    price_risk : weighted price risk per USD of delta, of the same shape.
    credits : (ratios by commodity, rate) in order of priority; a spread with a leg that is not
        held is left out.

    References
    ----------
    CME Group, SPAN: Inter-commodity spreading (delta-based); Advisory 10-409 (weighted futures
    price risk).

    Examples
    --------
    >>> delta = {"A": np.array([10.0]), "B": np.array([-6.0])}
    >>> risk = {"A": np.array([0.5]), "B": np.array([0.5])}
    >>> credit = intercommodity_credit(delta, risk, credits=[({"A": 1.0, "B": -1.0}, 0.8)])
    >>> credit["A"].round(2).tolist(), credit["B"].round(2).tolist()
    ([2.4], [2.4])
    """
    delta_left = dict(delta)
    credit = {name: np.zeros_like(value) for name, value in delta.items()}
    for legs, rate in credits:
        if not legs or not set(legs) <= set(delta_left):
            continue
        spreads = [delta_left[name] / ratio for name, ratio in legs.items()]
        # Delta over ratio counts spreads. If all counts are positive the smallest limits the
        # spread, if all are negative the largest; with mixed signs there is no spread.
        lower, upper = np.minimum.reduce(spreads), np.maximum.reduce(spreads)
        spread_size = np.where(lower > 0, lower, np.where(upper < 0, upper, 0.0))
        spread_size = np.where(np.isnan(lower), np.nan, spread_size)
        for name, ratio in legs.items():
            credit[name] = credit[name] + np.abs(spread_size * ratio) * rate * price_risk[name]
            delta_left[name] = delta_left[name] - spread_size * ratio
    return credit
