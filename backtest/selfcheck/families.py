"""Many p-values at once, and two models against each other."""

import numpy as np

from backtest.scores.exceedances.phases import cauchy_combination
from backtest.scores.models.comparison import diebold_mariano
from backtest.scores.models.multiple import benjamini_hochberg, benjamini_yekutieli, holm
from backtest.selfcheck.row import Row

NAN = float("nan")
# The reporter's twenty draws.
TWENTY = (
    [0.69646919, 0.28613933, 0.22685145, 0.55131477, 0.71946897, 0.42310646, 0.9807642]
    + [0.68482974, 0.4809319, 0.39211752, 0.34317802, 0.72904971, 0.43857224, 0.0596779]
    + [0.39804426, 0.73799541, 0.18249173, 0.17545176, 0.53155137, 0.53182759]
)
# Forecast errors of two models in the tests of HypothesisTests.jl; R's forecast has the p-value.
ETS = np.array(
    [0.00224127, -0.000661906, -1.200002613, -4.000218178, 3.799373533, 3.401005111, -1.199692125]
    + [-0.800490048, -1.200048999, 3.399847229, 7.000708948, 2.200989241, -4.800165569]
    + [-1.201043375, 3.400167556, 3.000709085, 0.40026795, -6.800169207, -2.40125905, 1.200112198]
)
ARIMA = np.array(
    [0.1209998, 8.0622269, -0.9189429, -1.7952436, 5.3431277, 2.0459823, -0.6073261, 0.5516816]
    + [-0.7633238, 4.1229472, 5.8785333, 1.2828331, -3.4854233, 1.197137, 3.1709314, 2.3408457]
    + [0.4962286, -5.9841362, 0.1537114, 0.4207951]
)


def _scaled(scale: float) -> float:
    return diebold_mariano((scale * ETS) ** 2, (scale * ARIMA) ** 2).statistic


ROWS = (
    Row(
        "Holm of 0.01 and 0.011",
        "HomericIntelligence/Scylla#288",
        lambda: holm([0.01, 0.011]),
        right=[0.02, 0.02],
        by="2 x 0.01, and no less for the second",
    ),
    Row(
        "Holm of 0.01, 0.04, one not identified, 0.03",
        "neurostuff/NiMARE#1139",
        lambda: holm([0.01, 0.04, NAN, 0.03]),
        right=[0.03, 0.06, NAN, 0.06],
        by="three are tested",
    ),
    Row(
        "Benjamini-Hochberg of twenty draws, mostly alike",
        "statsmodels/statsmodels#4408",
        lambda: benjamini_hochberg(TWENTY),
        right=[0.77683727 if p < 0.9 else 0.9807642 for p in TWENTY],
        by="20 x 0.73799541 / 19, the smallest step from there down",
        tolerance=1e-8,
    ),
    Row(
        "Benjamini-Hochberg of p-values whose steps do not rise",
        "breimanntools/aaanalysis#356",
        lambda: benjamini_hochberg([0.01, 0.04, 0.03]),
        right=[0.03, 0.04, 0.04],
        by="3 x 0.03 / 2 is more than 3 x 0.04 / 3",
    ),
    Row(
        "Benjamini-Hochberg with one not identified",
        "neurostuff/NiMARE#1139",
        lambda: benjamini_hochberg([NAN, 0.02, 0.01]),
        right=[NAN, 0.02, 0.02],
        by="the others are as they are without it",
    ),
    Row(
        "Benjamini-Yekutieli of 0.01 and 0.04",
        "statsmodels/statsmodels#4408",
        lambda: benjamini_yekutieli([0.01, 0.04]),
        right=[0.03, 0.06],
        by="1 + 1 / 2 times 0.02 and 0.04",
    ),
    Row(
        "five equal p-values combined",
        "Liu and Xie (2020)",
        lambda: cauchy_combination([0.03] * 5),
        right=0.03,
        by="a mean of equal Cauchy draws",
    ),
    Row(
        "Diebold-Mariano of two forecasts' squared errors",
        "JuliaStats/HypothesisTests.jl#180",
        lambda: diebold_mariano(ETS**2, ARIMA**2).pvalue,
        right=0.8871,
        by="dm.test of R's forecast, as quoted there",
        tolerance=1e-3,
    ),
    Row(
        "the same errors in millionths",
        "robjhyndman/forecast#106",
        lambda: _scaled(1e-6) / _scaled(1.0),
        right=1.0,
        by="a ratio has no unit",
    ),
    Row(
        "Diebold-Mariano over two days of differences that alternate",
        "edoannunziata/dieboldmariano#2",
        lambda: diebold_mariano([2.0, 0.0] * 10, [0.5] * 20, horizon=2).verdict(),
        right="not identified",
        by="its variance is 1 - 2 x 0.95, below zero",
    ),
    Row(
        "Diebold-Mariano of a constant difference",
        "johntwk/Diebold-Mariano-Test#2",
        lambda: diebold_mariano([1.1, 2.1, 3.1], [1.0, 2.0, 3.0]).verdict(),
        right="not identified",
        by="it does not vary",
    ),
)
