"""Inter-commodity credits: spreads between commodities, taken in priority order."""

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

    where :math:`\Delta` is what earlier spreads left of the net delta and w the price risk per
    USD of delta. A spread is formed only where all legs stand on the side their ratio says, or all
    on the other. Two legs of equal risk, wholly spread, are margined (1 - c) of their sum; where
    the credit is given once, on the smaller leg, they would be margined 1 - c / 2 of it.

    Parameters
    ----------
    delta : net delta by commodity, USD, any one shape.
    price_risk : weighted price risk per USD of delta, the same.
    credits : (ratios by commodity, rate) in priority order; one whose legs are not all held is
        passed over.

    References
    ----------
    CME Group, SPAN: Inter-commodity spreading (delta-based); Advisory 10-409 (weighted futures
    price risk).

    Examples
    --------
    >>> held = {"A": np.array([10.0]), "B": np.array([-6.0])}
    >>> risk = {"A": np.array([0.5]), "B": np.array([0.5])}
    >>> found = intercommodity_credit(held, risk, credits=[({"A": 1.0, "B": -1.0}, 0.8)])
    >>> found["A"].round(2).tolist(), found["B"].round(2).tolist()
    ([2.4], [2.4])
    """
    left = dict(delta)
    credit = {name: np.zeros_like(value) for name, value in delta.items()}
    for legs, rate in credits:
        if not legs or not set(legs) <= set(left):
            continue
        spreads = [left[name] / ratio for name, ratio in legs.items()]
        # All on the side of their ratios: the smallest is positive; all on the other: the largest.
        lower, upper = np.minimum.reduce(spreads), np.maximum.reduce(spreads)
        formed = np.where(lower > 0, lower, np.where(upper < 0, upper, 0.0))
        formed = np.where(np.isnan(lower), np.nan, formed)
        for name, ratio in legs.items():
            credit[name] = credit[name] + np.abs(formed * ratio) * rate * price_risk[name]
            left[name] = left[name] - formed * ratio
    return credit
