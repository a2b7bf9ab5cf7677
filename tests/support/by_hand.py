"""The conventions of the whole line once more, slowly: loops, coupon by coupon, day by day.

Nothing here calls the package. Markets are plain dicts of lists, so a number found here and in the
package was computed twice.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2, norm

TENOR_YEARS = {"3M": 0.25, "2Y": 2.0, "5Y": 5.0, "10Y": 10.0, "30Y": 30.0}


def interpolated(curve: dict[str, float], maturity: float) -> float:
    """Par yield at a maturity, linear between the curve's own tenors, flat outside."""
    points = sorted((TENOR_YEARS[name], y) for name, y in curve.items() if name in TENOR_YEARS)
    if maturity <= points[0][0]:
        return points[0][1]
    for (t0, y0), (t1, y1) in zip(points, points[1:], strict=False):
        if maturity <= t1:
            return y0 + (y1 - y0) * (maturity - t0) / (t1 - t0)
    return points[-1][1]


def treasury_pnl(coupon: float, later: dict[str, float], tenor: float, days: int) -> float:
    """P&L of one USD of a par bond held for some calendar days, coupon by coupon."""
    aged = days / 365.25
    y = interpolated(later, tenor - aged)
    price = 0.0
    for i in range(1, int(2 * tenor) + 1):
        price += coupon / 2 * (1 + y / 2) ** (-2 * (i / 2 - aged))
    return price + (1 + y / 2) ** (-2 * (tenor - aged)) - 1


def duration_convexity(y: float, tenor: float) -> tuple[float, float]:
    """Modified duration and convexity of a par bond by its cash flows."""
    duration = convexity = 0.0
    for i in range(1, int(2 * tenor) + 1):
        t = i / 2
        flow = y / 2 + (1.0 if t == tenor else 0.0)
        duration += flow * t * (1 + y / 2) ** (-2 * t - 1)
        convexity += flow * t * (t + 0.5) * (1 + y / 2) ** (-2 * t - 2)
    return duration, convexity


def scenario_pnls(
    levels: dict[str, Sequence[float]],
    position: dict[str, float],
    day: int,
    horizon: int,
    lookback: int,
) -> list[float]:
    """P&L of a position under each of the past shocks, at the sensitivities of `day`."""
    out = []
    for s in range(day - lookback + 1, day + 1):
        pnl = 0.0
        for name, usd in position.items():
            series = levels[name]
            if name in TENOR_YEARS:
                shock = series[s] - series[s - horizon]
                duration, convexity = duration_convexity(series[day], TENOR_YEARS[name])
                pnl += usd * (-duration * shock + convexity * shock * shock / 2)
            else:
                pnl += usd * (series[s] / series[s - horizon] - 1)
        out.append(pnl)
    return out


def historical_margin(pnls: Sequence[float], count: int, measure: str = "var") -> float:
    """Count-th largest loss, or the mean of the count largest; never below zero."""
    worst = sorted((-p for p in pnls), reverse=True)[:count]
    return max(0.0, worst[-1] if measure == "var" else sum(worst) / count)


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Pearson correlation; 0 where a side does not move."""
    if np.std(a) == 0 or np.std(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def offset_margin(alone: Sequence[float], pnls: Sequence[Sequence[float]], cap: float) -> float:
    """Stand-alone margins netted by the correlation of their P&Ls, the reduction capped."""
    total = 0.0
    for i, mi in enumerate(alone):
        for j, mj in enumerate(alone):
            rho = 1.0 if i == j else correlation(pnls[i], pnls[j])
            total += rho * mi * mj
    gross = sum(alone)
    return gross - min(gross - math.sqrt(max(total, 0.0)), cap * gross)


def equal_coverage(loss: Sequence[float], margin: Sequence[float], confidence: float) -> float:
    """Scale at which at most floor(n (1 - confidence)) days exceed."""
    allowed = math.floor(round(len(loss) * (1 - confidence), 9))
    ratios = [
        max(0.0, x / m) if m > 0 else (math.inf if x > 0 else 0.0)
        for x, m in zip(loss, margin, strict=True)
    ]
    return sorted(ratios, reverse=True)[allowed]


def ladder(losses: np.ndarray, margins: np.ndarray, confidence: float) -> tuple[float, float]:
    """Total reduction and diversification of two silos; losses, margins (2, days)."""
    kappa = [equal_coverage(losses[i], margins[i], confidence) for i in range(2)]
    scaled = [kappa[i] * margins[i] for i in range(2)]
    total = 1 - equal_coverage(losses[0] + losses[1], scaled[0] + scaled[1], confidence)
    days = losses.shape[1]
    shifted = []
    for k in range(60, days - 60 + 1):
        moved_loss, moved_margin = np.roll(losses[1], k), np.roll(scaled[1], k)
        theta = equal_coverage(losses[0] + moved_loss, scaled[0] + moved_margin, confidence)
        shifted.append(1 - theta)
    return total, float(np.mean(shifted))


def drift_deviation(loss: np.ndarray, margin: np.ndarray, confidence: float) -> float:
    """Drift of log(1 - s) day by day: twelve windows, noise from lags, chi-square of 11 degrees."""
    silos, n = loss.shape
    scores = np.empty((silos, n))
    for i in range(silos):
        ratio = loss[i] / margin[i]
        scores[i] = [norm.ppf((np.sum(ratio < r) + 0.5) / n) for r in ratio]
    weight = np.array(
        [equal_coverage(loss[i], margin[i], confidence) * np.mean(margin[i]) for i in range(silos)]
    )
    weight /= weight.sum()
    pooled = [sum(weight[i] * scores[i, t] for i in range(silos)) ** 2 for t in range(n)]
    alone = [sum(weight[i] * scores[i, t] ** 2 for i in range(silos)) for t in range(n)]
    psi = [(p / np.mean(pooled) - a) / 2 for p, a in zip(pooled, alone, strict=True)]
    days = n // 12
    windows = [np.array(psi[w * days : (w + 1) * days]) for w in range(12)]
    means = [w.mean() for w in windows]
    lag = min(20, days - 1)
    long_run = 0.0
    for window in windows:
        gap = window - window.mean()
        for j in range(days):
            for k in range(days):
                long_run += max(0.0, 1 - abs(j - k) / lag) * gap[j] * gap[k] / (12 * days)
    noise = long_run * (1 + 2 * lag / (3 * days)) / days
    upper = np.var(means, ddof=1) * 11 / chi2.ppf(0.2, 11)

    def kept(span: float) -> float:
        apart = np.abs(np.subtract.outer(np.linspace(0, span, 2001), np.linspace(0, span, 2001)))
        return float(np.exp(-apart / 1000).mean())

    within = (kept(days) - kept(n)) * 12 / 11
    return float(np.sqrt(max(0.0, upper - noise) * kept(n) / within))
