"""The day whose rules a study takes, and its models under them."""

from collections.abc import Mapping
from datetime import date

from backtest.market.market import Market
from backtest.model.protocol import MarginModel
from backtest.types import parse_day
from strategies.as_replayed import under_rules


def rule_day(as_of: str | None, market: Market, longest: int) -> date:
    """The day stated (ISO), or the last one whose loss is known.

    longest : MPOR in margin days.

    Raises
    ------
    StudyError : no ISO day.
    """
    last_scored = market.dates[-1 - min(longest, len(market.dates) - 1)]
    day: date = parse_day(as_of or str(last_scored)[:10], "as_of").astype(date)
    return day


def models_under_rules(
    models: Mapping[str, MarginModel], day: date, *, replayed: bool
) -> dict[str, MarginModel]:
    """Each model with the rules of a day, or of each day.

    Examples
    --------
    >>> from strategies import Simm
    >>> models_under_rules({"simm": Simm()}, date(2018, 12, 3), replayed=False)["simm"].parameters
    'simm/2.1'
    """
    return {name: under_rules(model, day, replayed=replayed) for name, model in models.items()}
