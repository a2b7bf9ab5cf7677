"""The titles of the figures of the clocks: what each shows, from the numbers that it draws."""

from collections.abc import Mapping

import pandas as pd

from backtest.present.lettering import MINUS
from backtest.present.numbers import percent

LEVEL = 0.95  # of the intervals
DAYS = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday",
        "Sat": "Saturday", "Sun": "Sunday"}  # fmt: skip


def weekday_finding(rates: pd.DataFrame, clocks: Mapping[str, str]) -> str:
    """On which weekday of each clock a strike is exceeded most often, all models together.

    rates : a row a (model, clock, weekday), exceedances and strikes. clocks : their names.
    """
    words = []
    for clock, name in clocks.items():
        sums = rates[rates["clock"] == clock].groupby("weekday", sort=False)
        shares = sums["exceedances"].sum() / sums["strikes"].sum().where(lambda count: count > 0)
        shares = shares.dropna()
        if len(shares):
            most = percent(shares.max(), digits=2)
            words.append(f"on the {name} from {DAYS[str(shares.idxmax())]} ({most} of strikes)")
    if not words:
        return "No loss was struck on any weekday"
    return f"Losses exceed margins most often {', '.join(words)}, all models together"


def correlation_finding(table: pd.DataFrame) -> str:
    """How many intervals of a correlation leave out zero, and the largest estimate.

    table : a row an estimate: correlation, low, high.
    """
    outside = int(((table["low"] > 0) | (table["high"] < 0)).sum())
    largest = float(table["correlation"].iloc[int(table["correlation"].abs().argmax())])
    chance = (1.0 - LEVEL) * len(table)
    size = f"{largest:+.3f}".replace("-", MINUS)
    return (
        f"Of {len(table)} intervals of the correlation of crypto with Treasuries "
        f"{outside or 'none'} leave{'s' * (outside < 2)} out zero, {chance:.1f} would by chance; "
        f"the largest estimate is {size}"
    )
