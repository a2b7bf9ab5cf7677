"""Stress tests and limits: what moves beyond any margin's confidence do to accounts and firms.

Scenarios are repriced in full, historic ones are moves that the market made. Reverse stress asks
for the smallest move that uses a margin up, then what stands behind it.
"""

from backtest.stress.backing import Backing
from backtest.stress.limits import Limits
from backtest.stress.measures import one_usd
from backtest.stress.packaged import chosen, packaged_scenarios
from backtest.stress.positions import row_of, stress_losses
from backtest.stress.result import StressPlan, StressResult, stress_test
from backtest.stress.reverse import DIRECTIONS, Way
from backtest.stress.scenario import Scenario, checked_days, historic_name

__all__ = [
    "Backing",
    "DIRECTIONS",
    "Limits",
    "Scenario",
    "StressPlan",
    "StressResult",
    "Way",
    "checked_days",
    "chosen",
    "historic_name",
    "one_usd",
    "packaged_scenarios",
    "row_of",
    "stress_losses",
    "stress_test",
]
