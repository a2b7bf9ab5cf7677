"""What several pages do not show, as clauses for `sentences.not_shown`."""

from collections.abc import Iterable

import pandas as pd

from backtest.instruments import Instrument
from backtest.present.numbers import percent
from backtest.studies.sentences import joined

TOGETHER = "what is left of a reduction where clearing houses do not close out together"
MOST_REASONS = 2  # that one clause gives
PROMISED = 0.05  # share of unsafe bounds that a 95 % bound allows


def bound_clauses(ladder: pd.DataFrame) -> list[str]:
    """That bounds may be too high: in the worst simulated world, or where none was measured.

    ladder : rows of `OffsetLadder.to_frame` that a page speaks of; without bounds nothing is said.

    Examples
    --------
    >>> row = {"dependence_bound": 0.42, "unsafe": float("nan"), "cell": "MPOR 9 was not measured"}
    >>> bound_clauses(pd.DataFrame([row]))
    ['how often such a bound is too high (MPOR 9 was not measured)']
    >>> row = {"dependence_bound": 0.2, "unsafe": 0.02, "unsafe_worst": 0.095}
    >>> bound_clauses(pd.DataFrame([row]))
    ['that every bound holds (in the worst simulated world 9.5 % were too high, in place of 5 %)']
    """
    if not {"unsafe", "dependence_bound"} <= set(ladder):
        return []
    bounded = ladder[ladder["dependence_bound"].notna()]
    if not len(bounded):
        return []
    unmeasured = bounded[bounded["unsafe"].isna()]
    if len(unmeasured):
        reasons = list(dict.fromkeys(unmeasured["cell"]))
        return [f"how often such a bound is too high ({joined(reasons[:MOST_REASONS])})"]
    worst = float(bounded["unsafe_worst"].max())
    if not worst > PROMISED:
        return []
    return [
        f"that every bound holds (in the worst simulated world {percent(worst)} were too high, in "
        f"place of {percent(PROMISED, digits=0)})"
    ]


def spot_clauses(instruments: Iterable[Instrument]) -> list[str]:
    """That prices are spot, of coins that clearing houses clear as futures.

    Examples
    --------
    >>> from backtest.instruments import parse_instrument
    >>> spot_clauses(map(parse_instrument, ("UST10Y", "BTC", "ETH@NODAL")))
    ['what futures on BTC and ETH do, whose prices here are spot']
    >>> spot_clauses([parse_instrument("UST10Y")])
    []

    A coin whose futures are held as well is left out:

    >>> spot_clauses(map(parse_instrument, ("BTC@NSCC", "BTC_CME")))
    []
    """
    held = list(instruments)
    futures = {i.underlying for i in held if i.contract == "future"}
    coins = [
        i.underlying
        for i in held
        if i.contract == "spot" and i.asset_class == "crypto" and i.underlying not in futures
    ]
    if not coins:
        return []
    return [f"what futures on {joined(dict.fromkeys(coins))} do, whose prices here are spot"]
