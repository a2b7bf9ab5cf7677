"""The figures by name: each takes a result and returns a `Figure`, to draw or to read.

matplotlib is loaded when a figure is drawn, not when this module is imported.
"""

from backtest.present.figure import Figure, write_figures
from backtest.replay.figures.margin_against_loss import margin_against_loss
from backtest.studies.clocks.figures import correlation_by_horizon, exceedances_by_weekday
from backtest.studies.closeout.figures import breach_by_coordination, margin_steps
from backtest.studies.collateral.figures import breach_by_mix, moves_against_haircuts
from backtest.studies.offset.figures import offset_figures
from backtest.studies.offset.figures.granted import granted_against_supported
from backtest.studies.offset.figures.specification import specification_curve
from backtest.studies.offset.figures.steps import steps_from_gross
from backtest.studies.offset.figures.stressed_ladder import stressed_ladder
from backtest.studies.power.figures import power_of_tests
from backtest.studies.protect.figures import (
    cover_of_members,
    days_of_loss,
    distance_of_layers,
    loss_against_saving,
    who_bears,
)
from backtest.studies.run.figures import run_figures
from backtest.studies.run.figures.coverage_cost import coverage_against_cost
from backtest.studies.run.figures.exceedances import exceedance_timeline
from backtest.studies.run.figures.ladder import offset_ladder
from backtest.studies.run.figures.mitigation import mitigation_against_cost
from backtest.studies.run.figures.monte_carlo import monte_carlo_frontier
from backtest.studies.run.figures.through_stress import margin_through_stress
from backtest.studies.run.figures.treasury_share import treasury_share_sweep
from backtest.studies.simulate.clustering import clustering_by_lag
from backtest.studies.simulate.figures import kept_and_lost
from backtest.studies.simulate.heat_map import lost_by_simulator
from backtest.studies.stress.figure import reverse_stress

__all__ = [
    "Figure",
    "breach_by_coordination",
    "breach_by_mix",
    "clustering_by_lag",
    "correlation_by_horizon",
    "cover_of_members",
    "coverage_against_cost",
    "days_of_loss",
    "distance_of_layers",
    "exceedance_timeline",
    "exceedances_by_weekday",
    "granted_against_supported",
    "kept_and_lost",
    "loss_against_saving",
    "lost_by_simulator",
    "margin_against_loss",
    "margin_steps",
    "margin_through_stress",
    "mitigation_against_cost",
    "monte_carlo_frontier",
    "moves_against_haircuts",
    "offset_figures",
    "offset_ladder",
    "power_of_tests",
    "reverse_stress",
    "run_figures",
    "specification_curve",
    "steps_from_gross",
    "stressed_ladder",
    "treasury_share_sweep",
    "who_bears",
    "write_figures",
]
