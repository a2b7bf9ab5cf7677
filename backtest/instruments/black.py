"""Black's formula for European options on a forward, with its derivatives."""

from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from backtest.types import FloatArray

Kind = Literal["call", "put"]


def black_price(
    forward: FloatArray,
    strike: FloatArray,
    *,
    volatility: FloatArray,
    years: FloatArray | float,
    kind: Kind,
) -> FloatArray:
    r"""Undiscounted price of a European option on a forward.

    .. math:: V = w (F N(w d_1) - K N(w d_2)), \qquad
              d_{1,2} = \frac{\ln (F / K)}{\sigma \sqrt{T}} \pm \frac{\sigma \sqrt{T}}{2}

    with w = 1 for a call and -1 for a put. Without volatility or time left the price is the
    payoff. A shock scaled by sqrt(H) may take forward or volatility below zero; both stop there.

    Parameters
    ----------
    forward, strike : USD; any shapes that broadcast. strike > 0.
    volatility : annual, decimals.
    years : to expiry, >= 0.
    kind : 'call' or 'put'.

    References
    ----------
    Black, F. (1976). The pricing of commodity contracts. Journal of Financial Economics, 3(1-2),
    167-179.

    Examples
    --------
    >>> call = black_price(np.array(100.0), np.array(95.0), volatility=np.array(0.2), years=0.5,
    ...                    kind="call")
    >>> round(float(call), 6)
    8.35318
    """
    sign = 1.0 if kind == "call" else -1.0
    forward = np.maximum(forward, 0.0)
    upper, lower = _standardised(forward, strike, volatility, years)
    price = sign * (forward * ndtr(sign * upper) - strike * ndtr(sign * lower))
    # A price far out of the money is a difference of roundings, and they may have either sign.
    return np.maximum(price, 0.0)


class Greeks(NamedTuple):
    """Derivatives of a price: first and second in the forward, first and second in volatility."""

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    volga: FloatArray


def black_greeks(
    forward: FloatArray,
    strike: FloatArray,
    *,
    volatility: FloatArray,
    years: FloatArray | float,
    kind: Kind,
) -> Greeks:
    r"""Derivatives of `black_price`; all but delta are zero without volatility or time left.

    .. math:: \Delta = w N(w d_1), \quad \Gamma = \frac{n(d_1)}{F \sigma \sqrt{T}}, \quad
              \mathcal{V} = F n(d_1) \sqrt{T}, \quad
              \frac{\partial \mathcal{V}}{\partial \sigma} = \mathcal{V} \frac{d_1 d_2}{\sigma}

    Examples
    --------
    >>> greeks = black_greeks(np.array(100.0), np.array(95.0), volatility=np.array(0.2), years=0.5,
    ...                       kind="put")
    >>> [round(float(greek), 6) for greek in greeks]
    [-0.332359, 0.025681, 25.680613, 16.249421]
    """
    sign = 1.0 if kind == "call" else -1.0
    upper, lower = _standardised(forward, strike, volatility, years)
    spread = volatility * np.sqrt(years)
    sure = spread == 0.0
    density = np.where(sure, 0.0, np.exp(-upper * upper / 2.0) / np.sqrt(2.0 * np.pi))
    vega = forward * density * np.sqrt(years)
    bend = np.where(sure, 0.0, upper * lower) / np.where(sure, 1.0, volatility)
    return Greeks(
        delta=sign * ndtr(sign * upper),
        gamma=density / np.where(sure, 1.0, forward * spread),
        vega=vega,
        volga=vega * bend,
    )


def _standardised(
    forward: FloatArray, strike: FloatArray, volatility: FloatArray, years: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """Moneyness in standard deviations, d1 and d2; infinite without volatility or time."""
    spread = np.maximum(volatility, 0.0) * np.sqrt(years)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        centre = np.log(forward / strike) / spread
    # 0 / 0 is an option exactly at the money without time left: it pays nothing either way.
    centre = np.where(np.isnan(centre), 0.0, centre)
    return centre + spread / 2.0, centre - spread / 2.0
