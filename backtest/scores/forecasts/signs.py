"""Which way round VaR and ES run: one check for every test and loss that takes them."""

import numpy as np

from backtest.types import DataError, FloatArray

ROUNDING = 1e-9  # relative: an ES that equals its VaR but for its last digits


def check_signs(value_at_risk: FloatArray, expected_shortfall: FloatArray | None = None) -> None:
    """Refuse forecasts of the other sign, and an ES below its VaR.

    A forecast of single days may be negative: a book can be sure to earn. One that is negative on
    most of them is a return and not a loss.

    Parameters
    ----------
    value_at_risk, expected_shortfall : (days, ...), positive where money is lost; NaN is passed
        over.

    Raises
    ------
    DataError : one line that says which way round.

    Examples
    --------
    >>> check_signs(np.array([-2.0, -1.0]))
    Traceback (most recent call last):
    ...
    backtest.types.DataError: value_at_risk is negative on 2 of 2 days (-2, say); VaR and ES are \
positive where money is lost, as losses are: give -value_at_risk.
    """
    fault = sign_fault(value_at_risk, expected_shortfall)
    if fault is not None:
        raise DataError(fault)


def sign_fault(
    value_at_risk: FloatArray, expected_shortfall: FloatArray | None = None
) -> str | None:
    """What `check_signs` says; None where it has nothing to say."""
    given = {"value_at_risk": value_at_risk}
    if expected_shortfall is not None:
        given["expected_shortfall"] = expected_shortfall
    for name, values in given.items():
        known = values[~np.isnan(values)]
        below = known < 0.0
        if 2 * np.count_nonzero(below) > known.size:
            return (
                f"{name} is negative on {np.count_nonzero(below)} of {known.size} days "
                f"({known[below][0]:g}, say); VaR and ES are positive where money is lost, as "
                f"losses are: give -{name}."
            )
    if expected_shortfall is None:
        return None
    wrong = expected_shortfall < value_at_risk - ROUNDING * np.abs(value_at_risk)
    if not wrong.any():
        return None
    var, shortfall = np.broadcast_arrays(value_at_risk, expected_shortfall)
    return (
        f"expected_shortfall is {shortfall[wrong][0]:g} where value_at_risk is "
        f"{var[wrong][0]:g} ({np.count_nonzero(wrong)} of {wrong.size} days): the mean loss "
        "beyond the VaR is never below it; give both at one confidence, in this order."
    )
