"""Figures of `backtest protect`."""

from backtest.studies.protect.figures.bearers import who_bears
from backtest.studies.protect.figures.cover import cover_of_members
from backtest.studies.protect.figures.frontier import loss_against_saving
from backtest.studies.protect.figures.layers import distance_of_layers
from backtest.studies.protect.figures.timeline import days_of_loss

__all__ = [
    "cover_of_members",
    "days_of_loss",
    "distance_of_layers",
    "loss_against_saving",
    "who_bears",
]
