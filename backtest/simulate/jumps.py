"""Jumps of prices and yields on top of another simulator, as large and as joint as the data's."""

from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt

from backtest.estimators.jumps import jump_days
from backtest.market.market import Market
from backtest.model.protocol import model
from backtest.simulate.bootstrap import floored
from backtest.simulate.garch_t import GarchT
from backtest.simulate.paths import Sampler, Simulator, known_shocks
from backtest.simulate.recast import recast
from backtest.types import DaysByFactors, StudyError

YEAR = 252  # margin days


@model
class Jumps:
    r"""Shocks of a base, and on some days jumps of one factor or of several.

    .. math:: x_t = y_t + k (B_t J_{i(t)} - p \bar J)

    with y drawn from the base, B_t 1 with probability p on each day, J_i the jumps of a day of the
    data on which some factor jumped, drawn anew for each jump day, zero for factors that did not
    jump with it. What is a jump is said by `jump_days`. The base is fitted to the data without
    their jumps; the mean of the jumps is taken out of the other days, so that drift does not change
    with k or p.

    The recorded sizes are drawn, no law of them: some fifty days in ten years fit none. Where the
    data have no jump and `per_year` is None the base is left as it is.

    Parameters
    ----------
    base : simulator of the days without jumps. A `Spliced` belongs outside, or its history would
        get jumps too.
    per_year : jump days in 252 margin days; None takes the data's.
    scale : k, multiple of the recorded sizes.
    window, significance : of `jump_days`.

    References
    ----------
    Merton, R. (1976). Option pricing when underlying stock returns are discontinuous. Journal of
    Financial Economics, 3(1-2), 125-144.
    Lee, S. & Mykland, P. (2008). Jumps in financial markets: A new nonparametric test and jump
    dynamics. Review of Financial Studies, 21(6), 2535-2563.

    Examples
    --------
    >>> Jumps(per_year=10.0).scale
    1.0
    """

    keeps: ClassVar[str] = (
        "how often factors jump, alone and together, the sizes of their jumps, and what its base "
        "keeps of the other days"
    )
    loses: ClassVar[str] = (
        "what leads to a jump and what follows it, since jumps fall on any day, and what its base "
        "loses"
    )

    base: Simulator = GarchT()
    per_year: Annotated[float, Ge(0), Lt(YEAR)] | None = None
    scale: Annotated[float, Gt(0)] = 1.0
    window: Annotated[int, Ge(16)] = 60
    significance: Annotated[float, Gt(0), Lt(1)] = 0.01

    def sampler(self, market: Market) -> Sampler:
        """Take the jumps out, fit the base to the rest, draw both."""
        shocks = known_shocks(market, fit=True)
        if self.window >= len(shocks):
            raise StudyError(
                f"window is {self.window} and the market has {len(shocks)} shocks; give a smaller "
                "one."
            )
        jumped = jump_days(shocks, window=self.window, significance=self.significance)
        on_days = jumped.any(axis=1)
        if not on_days.any():
            if self.per_year:
                raise StudyError(
                    f"per_year is {self.per_year} and no factor jumps in the data; raise "
                    f"significance from {self.significance} until some do."
                )
            return self.base.sampler(market)
        jumps = np.where(jumped, shocks, 0.0)
        rest = shocks - jumps + jumps.mean(axis=0)
        draw = self.base.sampler(recast(market, rest))
        recorded = jumps[on_days]
        probability = on_days.mean() if self.per_year is None else self.per_year / YEAR
        mean = probability * recorded.mean(axis=0)
        price = np.array([kind == "price" for kind in market.kinds])

        def jumping(rng: np.random.Generator) -> DaysByFactors:
            drawn = draw(rng)
            arrives = rng.random(len(drawn)) < probability
            which = rng.integers(len(recorded), size=len(drawn))
            sizes = np.where(arrives[:, None], recorded[which], 0.0)
            return floored(drawn + self.scale * (sizes - mean), price)

        return jumping
