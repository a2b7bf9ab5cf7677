"""Simulated worlds with several silos and a known true reduction, to calibrate the bounds."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtr

from backtest.kernels.recursion import Recursion, revolatilise
from backtest.kernels.tails import tail_losses
from backtest.offset.history import SiloHistory
from backtest.types import FloatArray, tail_count

LOOKBACK = 500
BURN_IN = 3000  # days left out at the start, until volatility has its long-run law
ROLLING, FIXED = "rolling", "fixed"
EXTREME = 0.98  # largest correlation drawn, either sign
# Log volatility of the common GARCH(1,1)-t(6) with reaction .08 and persistence .99: mean and
# standard deviation over two million days.
LOG_VOLATILITY = (-0.215, 0.370)


@dataclass(frozen=True)
class World:
    """A law of daily P&L of several silos, unit variance, whose correlation may drift.

    Every silo but the first has a correlation with the first one; the correlations of different
    silos drift on their own.

    Parameters
    ----------
    centre : long-run centre of the correlation.
    drift : its standard deviation around the centre (Fisher z for 'smooth'); 0 does not drift.
    length : mean days of a regime, or days in which a smooth drift forgets (to 1/e).
    kind : 'regimes' (normal draws), 'signs' (centre + or - drift), 'smooth' (AR(1) on Fisher z),
        'volatility' (correlation rises from centre - drift to centre + drift with volatility).
    freedom : degrees of freedom of the t shocks; inf for normal ones.
    joint : whether the silos share the size of a t shock, so that extremes coincide.
    reaction, persistence : of the variance recursion; 0 and 0 for constant volatility.
    common : whether the silos have the same volatility.
    """

    name: str
    centre: float = 0.0
    drift: float = 0.0
    length: float = 500.0
    kind: str = "regimes"
    freedom: float = 4.0
    joint: bool = True
    reaction: float = 0.0
    persistence: float = 0.0
    common: bool = False

    @property
    def deviation(self) -> float:
        """Standard deviation of the correlation over time."""
        if self.kind == "volatility":
            return self.drift / float(np.sqrt(3.0))  # close to uniform between its ends
        if self.kind == "smooth":
            return self.drift * (1.0 - self.centre**2)  # Fisher z to correlation, to first order
        return self.drift

    def pnl(self, days: int, rng: np.random.Generator, *, silos: int = 2) -> FloatArray:
        """(days, silos) daily P&L."""
        total = days + (BURN_IN if self.persistence else 0)
        volatility = self._common_volatility(total, rng) if self.common else None
        z = rng.standard_normal((total, silos))
        for silo in range(1, silos):
            rho = self._correlation(total, volatility, rng)
            z[:, silo] = rho * z[:, 0] + np.sqrt(1.0 - rho * rho) * z[:, silo]
        if np.isfinite(self.freedom):
            columns = 1 if self.joint else silos
            size = rng.chisquare(self.freedom, (total, columns))
            z *= np.sqrt((self.freedom - 2.0) / size)
        if volatility is not None:
            return np.ascontiguousarray((z * volatility[:, None])[-days:])
        return self._volatile(z)[-days:] if self.persistence else z

    def _volatile(self, z: FloatArray) -> FloatArray:
        out, ones = np.empty_like(z), np.ones(z.shape[1])
        reaction, memory = self.reaction * ones, (self.persistence - self.reaction) * ones
        law = Recursion((1.0 - self.persistence) * ones, reaction, reaction, memory)
        revolatilise(np.ascontiguousarray(z), ones.copy(), law, out)
        return out

    def _common_volatility(self, days: int, rng: np.random.Generator) -> FloatArray:
        """(days,) volatility that a series of its own drives: shocks independent, sizes not."""
        driver = rng.standard_t(6, (days, 1)) * np.sqrt(4.0 / 6.0)
        return np.asarray((self._volatile(driver) / driver)[:, 0])

    def _correlation(
        self, days: int, volatility: FloatArray | None, rng: np.random.Generator
    ) -> FloatArray:
        """(days,) correlation of a silo with the first."""
        if self.drift == 0.0:
            return np.full(days, self.centre)
        if self.kind == "volatility":
            if volatility is None:
                raise ValueError(f"world {self.name}: kind 'volatility' needs common=True.")
            score = (np.log(volatility) - LOG_VOLATILITY[0]) / LOG_VOLATILITY[1]
            rho = self.centre + self.drift * (2.0 * ndtr(score) - 1.0)
        elif self.kind == "smooth":
            keep = np.exp(-1.0 / self.length)
            shocks = rng.standard_normal((days, 1)) * self.drift
            shocks[1:] *= np.sqrt(1.0 - keep * keep)
            rho = np.tanh(np.arctanh(self.centre) + _autoregression(shocks[:, 0], keep))
        else:
            begins = rng.random(days) < 1.0 / self.length
            begins[0] = True
            draws = rng.standard_normal(int(begins.sum()))
            step = np.sign(draws) if self.kind == "signs" else draws
            rho = (self.centre + self.drift * step)[np.cumsum(begins) - 1]
        return np.clip(rho, -EXTREME, EXTREME)


def _autoregression(shocks: FloatArray, keep: float) -> FloatArray:
    """y_t = keep y_{t-1} + shock_t."""
    return np.asarray(lfilter([1.0], [1.0, -keep], shocks))


def history(
    world: World,
    base: str,
    days: int,
    rng: np.random.Generator,
    *,
    mpor: int = 2,
    confidence: float = 0.99,
    silos: int = 2,
) -> SiloHistory:
    """Simulate `days` scored days; the base model is HS over 500 days, or a constant."""
    daily = world.pnl(days + LOOKBACK - 1 + 2 * mpor, rng, silos=silos)
    return margined(daily, base, days, mpor=mpor, confidence=confidence)


def margined(
    daily: FloatArray, base: str, days: int, *, mpor: int, confidence: float
) -> SiloHistory:
    """The history of simulated daily P&L (days + warm-up, silos)."""
    silos = daily.shape[1]
    level = np.vstack([np.zeros((1, silos)), np.cumsum(daily, axis=0)])
    pnl = np.ascontiguousarray(level[mpor:] - level[:-mpor])  # P&L that ends on each day
    loss = -pnl[LOOKBACK - 1 + mpor :][:days]
    if base == FIXED:
        margin = np.ones((days, silos))
    else:
        tail, _ = tail_losses(
            pnl,
            np.ones_like(pnl),
            np.eye(silos),
            lookback=LOOKBACK,
            count=tail_count(LOOKBACK, confidence),
        )
        margin = np.maximum(tail[LOOKBACK - 1 :][:days], 0.0)
    return SiloHistory(
        silos=tuple("ABCDEFGH"[:silos]),
        dates=np.datetime64("2000-01-01") + np.arange(days),
        loss=np.ascontiguousarray(loss.T),
        margin=np.ascontiguousarray(margin.T),
        confidence=confidence,
        mpor=mpor,
    )


def truth(long: SiloHistory) -> tuple[float, float]:
    """Total reduction and dependence offset in one very long history, by sorting and 12 shifts."""
    days, rank = long.days, tail_count(long.days, long.confidence, "floor") + 1

    def scale(loss: FloatArray, margin: FloatArray) -> float:
        ratio = np.maximum(loss, 0.0) / margin
        return float(np.partition(ratio, days - rank)[days - rank])

    kappa = np.array([scale(x, m) for x, m in zip(long.loss, long.margin, strict=True)])
    scaled = kappa[:, None] * long.margin
    theta = scale(long.loss.sum(axis=0), scaled.sum(axis=0))
    apart = []
    for shift in np.linspace(days // 10, days - days // 10, 12).astype(int):
        moved = [
            np.add.reduce([np.roll(row, s * shift) for s, row in enumerate(a)])
            for a in (long.loss, scaled)
        ]
        apart.append(scale(moved[0], moved[1]))
    return 1.0 - theta, float(np.mean(apart)) - theta
