"""Checks that a market can price an instrument, with an error of one line where it cannot."""

from difflib import get_close_matches

from backtest.instruments.declared import in_force
from backtest.instruments.protocol import Instrument
from backtest.market.market import Market, tenor_years
from backtest.types import StudyError


def check_priced(instrument: Instrument, market: Market) -> None:
    """Raise StudyError, one line, where the market cannot price an instrument."""
    kinds = dict(zip(market.factors, market.kinds, strict=True))
    missing = [f for f, kind in instrument.factors.items() if kinds.get(f) != kind]
    if not missing:
        return
    declared = in_force()
    known = instrument.contract not in ("spot", "bond") or instrument.name.split("@")[0] in declared
    if missing[0] != instrument.factor or known:
        raise StudyError(
            f"{instrument.name!r} needs the factor {missing[0]!r}, which this market does not have "
            f"(it has {', '.join(market.factors)}); add it to the study's [data] factors."
        )
    priced_names = [
        f"UST{f}" if k == "yield" else f
        for f, k in kinds.items()
        if k == "price" or (tenor_years(f) or 0) * 2 >= 1
    ]
    close = get_close_matches(instrument.name, [*priced_names, *declared], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise StudyError(
        f"unknown instrument {instrument.name!r}; this market prices {', '.join(priced_names)}."
        f"{hint}"
    )
