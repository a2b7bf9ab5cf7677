"""The worlds in which the bounds are measured: those of the published grid, and others held back.

The bound was chosen on the first set. The second was run once, after the choice.
"""

import numpy as np

from backtest.offset.worlds import World

FAMILIES = (
    World("independent", joint=False),
    World("hedged -.6", -0.6, freedom=6.0),
    World("correlated +.5", 0.5, freedom=np.inf),
    World("persistent volatility, hedged -.6", -0.6, freedom=6.0, reaction=0.08,
          persistence=0.99),
    World("very persistent volatility, hedged -.6", -0.6, freedom=6.0, reaction=0.05,
          persistence=0.998),
    World("regimes 0 +- .15", 0.0, 0.15),
    World("regimes -.3 +- .3", -0.3, 0.3),
    World("regimes -.3 +- .3 of 1,000 days", -0.3, 0.3, 1000.0),
    World("regimes -.8 +- .09", -0.8, 0.09),
    World("regimes of +.6 or -.6", 0.0, 0.6, kind="signs"),
    World("smooth drift, .4 on Fisher z", 0.0, 0.4, kind="smooth"),
    World("correlation rises with volatility, -.6 to .6", 0.0, 0.6, kind="volatility", common=True,
          freedom=4.0, reaction=0.08, persistence=0.99),
)  # fmt: skip

HELD_OUT = (
    World("regimes -.3 +- .3 of 150 days", -0.3, 0.3, 150.0),
    World("regimes +.2 +- .25 of 1,000 days, t(5)", 0.2, 0.25, 1000.0, freedom=5.0),
    World("regimes of +.6 or -.6 of 150 days", 0.0, 0.6, 150.0, kind="signs"),
    World("regimes of +.6 or -.6 of 1,000 days", 0.0, 0.6, 1000.0, kind="signs"),
    World("regimes -.5 +- .15 of 300 days, t(3)", -0.5, 0.15, 300.0, freedom=3.0),
    World("regimes 0 +- .2 of 700 days, normal", 0.0, 0.2, 700.0, freedom=np.inf),
    World("regimes -.8 +- .09 of 1,000 days, t(6)", -0.8, 0.09, 1000.0, freedom=6.0),
    World("smooth drift, .25 around -.4, 800 days, t(5)", -0.4, 0.25, 800.0, kind="smooth",
          freedom=5.0),
    World("correlation rises with volatility, -.6 to 0", -0.3, 0.3, kind="volatility", common=True,
          freedom=8.0, reaction=0.1, persistence=0.98),
    World("regimes -.4 +- .2, persistent volatility", -0.4, 0.2, freedom=6.0, reaction=0.08,
          persistence=0.98),
    World("independent, t(3)", freedom=3.0, joint=False),
)  # fmt: skip
