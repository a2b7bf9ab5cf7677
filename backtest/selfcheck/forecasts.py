"""Forecasts of VaR, ES and densities: signs, edges, and scores whose value is known."""

import numpy as np

from backtest.scores.forecasts.density import as_pit, cumulative_exceedances, shortfall_by_pit
from backtest.scores.forecasts.expected_shortfall import acerbi_szekely, mcneil_frey, tail_of
from backtest.scores.forecasts.losses import fz0_loss, tick_loss
from backtest.selfcheck.row import Refused, Row

LOSSES = np.array([1.0, -2.0, 3.0, 0.5])
ONES, TWOS = np.ones(4), np.full(4, 2.0)

ROWS = (
    Row(
        "tick loss of losses 3 and 0 at a VaR of 1, 99 %",
        "Koenker and Bassett (1978)",
        lambda: tick_loss([3.0, 0.0], [1.0, 1.0]),
        right=[1.98, 0.01],
        by="2 x 0.99 and 1 x 0.01",
    ),
    Row(
        "tick loss with the VaR as a return",
        "QF-Bench/QuantitativeFinance-Bench#75",
        lambda: tick_loss(LOSSES, -ONES),
        right=Refused("give -value_at_risk"),
        by="a VaR below zero on every day is a gain",
    ),
    Row(
        "McNeil-Frey with VaR and ES as returns",
        "QF-Bench/QuantitativeFinance-Bench#75",
        lambda: mcneil_frey(LOSSES, -ONES, -TWOS),
        right=Refused("give -value_at_risk"),
        by="as above",
    ),
    Row(
        "ES below its VaR",
        "ranaroussi/quantstats#547",
        lambda: acerbi_szekely(LOSSES, TWOS, ONES, draws=10),
        right=Refused("never below it"),
        by="a mean of losses beyond the VaR is no smaller",
    ),
    Row(
        "a day without a forecast",
        "definition",
        lambda: acerbi_szekely(LOSSES, np.array([1.0, np.nan, 1.0, 1.0]), TWOS, draws=10),
        right=Refused("leave the days out"),
        by="a day that is not known is no day without loss",
    ),
    Row(
        "Acerbi-Szekely Z2 without an exceedance",
        "ranaroussi/quantstats#547",
        lambda: acerbi_szekely(LOSSES, np.full(4, 4.0), np.full(4, 5.0), draws=50).statistic,
        right=1.0,
        by="nothing is summed",
    ),
    Row(
        "Acerbi-Szekely Z1 without an exceedance",
        "ranaroussi/quantstats#547",
        lambda: acerbi_szekely(
            LOSSES, np.full(4, 4.0), np.full(4, 5.0), which="Z1", draws=50
        ).verdict(),
        right="not identified",
        by="a mean over no day",
    ),
    Row(
        "Acerbi-Szekely Z2 of one loss of 3 at an ES of 2, four days at 75 %",
        "Acerbi and Szekely (2014)",
        lambda: acerbi_szekely(LOSSES, np.full(4, 1.5), TWOS, confidence=0.75, draws=50).statistic,
        right=-0.5,
        by="1 - (3 / 2) / (4 x 0.25)",
    ),
    Row(
        "VaR and ES of Student's law with 3 degrees at 97.5 %, not rescaled",
        "strawlab/best#8",
        lambda: tail_of(0.025, 3.0),
        right=[3.1824463052837078, 5.039583061113475],
        by="scipy.stats.t, and its density integrated by quadrature",
    ),
    Row(
        "FZ0 loss of a loss of 3 at a VaR of 1 and an ES of 2, 97.5 %",
        "Patton, Ziegel and Chen (2019)",
        lambda: fz0_loss([3.0], [1.0], [2.0]),
        right=[40.0 + 0.5 + 0.6931471805599453 - 1.0],
        by="2 / (0.025 x 2) + 1 / 2 + ln 2 - 1",
    ),
    Row(
        "a PIT of exactly zero",
        "definition",
        lambda: as_pit([0.0, 0.5]),
        right=Refused("strictly between 0 and 1"),
        by="its normal score is minus infinity",
    ),
    Row(
        "distance of PITs 0.025 and 0.5 below 5 %",
        "Du and Escanciano (2017)",
        lambda: cumulative_exceedances([0.025, 0.5]),
        right=[0.5, 0.0],
        by="1 - 0.025 / 0.05",
    ),
    Row(
        "Du-Escanciano of four PITs, one of them 0.01",
        "Du and Escanciano (2017)",
        lambda: shortfall_by_pit([0.01, 0.3, 0.6, 0.9]).statistic,
        right=2.0 * (0.2 - 0.025) / (0.05 * (1.0 / 3.0 - 0.0125)) ** 0.5,
        by="their formula with a mean of 0.2",
    ),
)
