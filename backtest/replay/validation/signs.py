"""Whether losses or margins run the wrong way round, by what the numbers themselves say."""

import numpy as np

from backtest.scores.overlapping.verdict import count_pvalues
from backtest.types import DataError, Dates, DaysByPortfolios

FAR = 3.0  # times the standard's rate, from which a rate is too far above it to be believed
NEAR = (0.7, 1.3)  # times the standard's rate: a mirror image that keeps the standard
SURE = 1e-4  # p-value of the pooled rate at or below which it is above the standard
OVERRIDE = "signs_checked=True (--signs-checked)"


def refuse_negative(
    required: DaysByPortfolios, model: str, dates: Dates, accounts: tuple[str, ...]
) -> None:
    """DataError where a margin is negative.

    Examples
    --------
    >>> day = np.array(["2024-01-02"], dtype="M8[D]")
    >>> refuse_negative(np.array([[-2.0]]), "house", day, ("A",))
    Traceback (most recent call last):
    ...
    backtest.types.DataError: every margin of model 'house' is negative (-2 for 'A' on \
2024-01-02, say); a margin is positive: give -required.
    """
    below = required < 0.0
    if not below.any():
        return
    day, account = np.argwhere(below)[0]
    example = f"{required[day, account]:g} for {accounts[account]!r} on {dates[day]}"
    if not (required > 0.0).any():
        raise DataError(
            f"every margin of model {model!r} is negative ({example}, say); a margin is positive: "
            "give -required."
        )
    raise DataError(
        f"{int(below.sum()):,} margins of model {model!r} are negative ({example}, say); a margin "
        "is positive or zero: mend those rows."
    )


def refuse_reversed(
    loss: DaysByPortfolios,
    required: DaysByPortfolios,
    *,
    signs: str,
    confidence: float,
    horizon: int,
) -> str:
    """DataError where gains keep the standard that losses are far from, as reversed signs would.

    Refused are tables of which losses exceed the margin at three times the standard's rate or more
    (pooled p at most 1e-4, by effective counts), while gains exceed it at 0.7 to 1.3 times that
    rate. Books whose gains and losses are alike show nothing either way, and a margin that fails
    on skewed losses can look the same: docs/validate.md has the measured rates of both errors.

    Parameters
    ----------
    loss, required : (days, accounts) USD on scored days; NaN on days that an account has not.
    signs : the column that the table has, 'loss' or 'pnl'.

    Returns
    -------
    A sentence where losses are as far below the standard and gains at it, which may be prudence;
    else empty.

    Examples
    --------
    >>> day = np.arange(1000)
    >>> loss = np.where(day % 20 == 13, 2.0, np.where(day % 100 == 7, -3.0, 0.5))[:, None]
    >>> refuse_reversed(
    ...     loss, np.ones((1000, 1)), signs="loss", confidence=0.99, horizon=1
    ... )
    Traceback (most recent call last):
    ...
    backtest.types.DataError: losses exceed the margin on 5.00 % of days and gains on 1.00 %, for \
a standard of 1.00 %: loss seems to run the other way round; rename the column to pnl (> 0 is a \
gain), or say that you have checked it: signs_checked=True (--signs-checked).
    """
    cells = int(np.count_nonzero(~np.isnan(loss)))
    with np.errstate(invalid="ignore"):  # NaN exceeds nothing
        beyond = np.count_nonzero(loss > required, axis=1)
        mirror = np.count_nonzero(-loss > required, axis=1)
    rate, opposite, standard = beyond.sum() / cells, mirror.sum() / cells, 1.0 - confidence
    if not NEAR[0] * standard <= opposite <= NEAR[1] * standard:
        return ""
    rates = (
        f"losses exceed the margin on {rate:.2%} of days and gains on {opposite:.2%}, for a "
        f"standard of {standard:.2%}"
    ).replace("%", " %")
    if rate * FAR <= standard:
        return (
            f"Check which way round {signs} runs: {rates}, as in a table whose signs are reversed."
        )
    if rate < FAR * standard:
        return ""
    pvalue = count_pvalues(
        beyond,
        cells / len(loss),
        horizon=horizon,
        confidence=confidence,
        clustered=np.array(False),
    )
    if pvalue > SURE:
        return ""
    other = "pnl (> 0 is a gain)" if signs == "loss" else "loss (> 0 is a loss)"
    raise DataError(
        f"{rates}: {signs} seems to run the other way round; rename the column to {other}, or say "
        f"that you have checked it: {OVERRIDE}."
    )
