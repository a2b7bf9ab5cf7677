"""Slow and obvious twins of the kernels: what each must equal, written to be read."""

from collections import deque

import numpy as np

from backtest.types import FloatArray, RowNumbers


def tail_losses(
    shocks: FloatArray, unit: FloatArray, exposure: FloatArray, *, lookback: int, count: int
) -> tuple[FloatArray, FloatArray]:
    """VaR and ES by sorting every window; shapes as in `backtest.kernels.tails.tail_losses`."""
    days = len(shocks)
    value_at_risk = np.full((days, len(exposure)), np.nan)
    expected_shortfall = np.full((days, len(exposure)), np.nan)
    for t in range(lookback - 1, days):
        window = shocks[t - lookback + 1 : t + 1]
        if np.isnan(window).any():
            continue
        for p in range(len(exposure)):
            held = exposure[p] != 0.0
            losses = -(window[:, held] @ (exposure[p, held] * unit[t, held]))
            largest = np.sort(losses)[::-1][:count]
            value_at_risk[t, p] = largest[-1]
            expected_shortfall[t, p] = largest.mean()
    return value_at_risk, expected_shortfall


def replay(
    required: FloatArray,
    loss: FloatArray,
    *,
    growth: FloatArray,
    closeout: FloatArray,
    arrival: RowNumbers,
    minimum: float,
    returned: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Held, call and shortfall by a ledger per portfolio; as in `backtest.kernels.replay`."""
    held, call, shortfall = (np.full(required.shape, np.nan) for _ in range(3))
    for p in range(required.shape[1]):
        collateral: float | None = None
        pending: deque[tuple[int, float]] = deque()  # (day of settlement, USD), oldest first
        for t in range(len(required)):
            margin, arrived = required[t, p], 0.0
            while pending and pending[0][0] <= t:
                arrived += pending.popleft()[1]
            if np.isnan(margin):
                collateral = None  # what comes next is deposited
                continue
            called = 0.0
            if collateral is None:
                collateral = margin
            else:
                collateral = collateral * growth[t] + arrived
                expected = collateral + sum(amount for _, amount in pending)
                if returned and collateral > margin and collateral - margin >= minimum:
                    collateral = margin
                elif margin - expected > 1e-12 * margin and margin - expected >= minimum:
                    called = margin - expected
                    if arrival[t] == t:
                        collateral += called
                    else:
                        pending.append((arrival[t], called))
            held[t, p] = collateral
            call[t, p] = called
            if not np.isnan(loss[t, p]):
                value = collateral * (closeout[t, 0] if closeout.shape[1] == 1 else closeout[t, p])
                shortfall[t, p] = max(0.0, loss[t, p] - value)
    return held, call, shortfall


def rolling_covariance(columns: FloatArray, lookback: int) -> FloatArray:
    """(days, columns, columns) of each window, centred twice on its mean, in extended precision."""
    out = np.full((*columns.shape, columns.shape[1]), np.nan)
    for day in range(lookback - 1, len(columns)):
        window = columns[day - lookback + 1 : day + 1].astype(np.longdouble)
        mean = window.mean(axis=0)
        window -= mean
        window -= window.mean(axis=0)
        for c in range(len(mean)):
            for d in range(len(mean)):
                out[day, c, d] = (window[:, c] * window[:, d]).sum() / lookback
        # What varies by less than the roundings of a mean of doubles does not vary.
        least = lookback * np.finfo(np.float64).eps * np.abs(mean)
        still = np.abs(np.diagonal(out[day])) <= least**2
        if not np.isnan(window).any():
            out[day, still], out[day][:, still] = 0.0, 0.0
    return out


def netted_margin(
    margin: FloatArray,
    covariance: FloatArray,
    coefficient: FloatArray,
    group: RowNumbers,
    *,
    credit_below: float = np.inf,
    floor: float = -1.0,
) -> float:
    """sqrt(m' R m) of one portfolio on one day, by matrices over all columns."""
    gather = np.eye(len(margin))[group] * coefficient[:, None]
    joint = gather.T @ covariance @ gather
    spread = np.sqrt(np.outer(np.diagonal(joint), np.diagonal(joint)))
    rho = np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 0.0)
    rho = np.clip(rho, floor, 1.0)
    rho[~(rho < credit_below)] = 1.0
    np.fill_diagonal(rho, 1.0)
    return float(np.sqrt(max(0.0, margin @ rho @ margin)))


def par_bond_slopes(level: float, coupons: int) -> tuple[float, float]:
    """Minus modified duration, and convexity, of a par bond, payment by payment."""
    duration = convexity = 0.0
    for k in range(1, coupons + 1):
        payment = (level / 2.0 + (k == coupons)) * (1.0 + level / 2.0) ** -k
        duration += payment * k / 2.0
        convexity += payment * k / 2.0 * (k + 1) / 2.0
    return -duration / (1.0 + level / 2.0), convexity / (1.0 + level / 2.0) ** 2


def filtered_returns(
    returns: FloatArray, *, step: int, lookback: int, burn_in: int, decay: float, demeaned: bool
) -> tuple[FloatArray, FloatArray]:
    """Filtered returns (days,) and scales (days, step), a bucket's list of returns at a time."""
    days, terms = len(returns), burn_in // step
    weights = [(1 - decay) / (1 - decay ** (burn_in / step)) * decay**j for j in range(terms)]
    mean, volatility, filtered = np.full((3, days), np.nan)
    for day in range(days):
        own = list(range(day, -1, -step))[:terms]
        if len(own) == terms and not np.isnan(returns[own]).any():
            mean[day] = sum(w * returns[d] for w, d in zip(weights, own, strict=True))
    for day in range(days):
        own = list(range(day, -1, -step))[:terms]
        about = mean[own] if demeaned else np.zeros(len(own))
        apart = returns[own] - about
        if len(own) == terms and not np.isnan(apart).any():
            volatility[day] = sum(w * x**2 for w, x in zip(weights, apart, strict=True)) ** 0.5
    for day in range(step, days):
        filtered[day] = (returns[day] - mean[day - step]) / volatility[day - step]
    scale = np.full((days, step), np.nan)
    for day in range(lookback - 1, days):
        window = volatility[day - lookback + 1 : day + 1][::-1]
        if not np.isnan(window).any():
            for bucket in range(step):
                scale[day, bucket] = max(np.median(window[bucket::step]), np.mean(window[:step]))
    return filtered, scale


def bucketed_tail(pnl: FloatArray, bucket: RowNumbers, share: float) -> float:
    """Loss of one portfolio at the quantile of each bucket, weighted by the buckets' sizes."""
    total, size = 0.0, 0
    for k in sorted(set(bucket.tolist())):
        members = pnl[bucket == k]
        known = members[~np.isnan(members)]
        if len(known):
            quantile = np.quantile(known, round(share, 12), method="averaged_inverted_cdf")
            total -= len(members) * quantile
            size += len(members)
    return total / size
