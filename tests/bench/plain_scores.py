"""The scores that Monte Carlo keeps, as one would write them with pandas."""

import numpy as np
import pandas as pd

from backtest.replay.distribution import COLUMNS, POOLED, Distribution
from backtest.types import FloatArray, tail_count

CONFIDENCE = 0.99
Scores = tuple[dict[str, FloatArray], dict[str, float]]  # by book, and of all together


def plain_scores(loss: pd.DataFrame, margin: pd.DataFrame, known: pd.Series) -> Scores:
    """Every score that Monte Carlo keeps, of one model, and those of all books together.

    Calls arrive on the next day, and collateral is cash: what is held is the lower of the
    requirements of today and of the day before.
    """
    held = np.minimum(margin, margin.shift(1).fillna(margin))
    loss, margin, held = loss[known], margin[known], held[known]
    (days, books), mean = loss.shape, margin.mean()
    ratio = (loss / margin).clip(lower=0.0)
    allowed = tail_count(days, CONFIDENCE, "floor")
    over, short = (loss - margin).where(loss > margin), (loss - held).where(loss > held)
    scale = np.sort(ratio.to_numpy(), axis=0)[days - 1 - allowed]
    ones = np.ones(books)
    by_book = {
        "observations": days * ones,
        "exceedances": over.count(),
        "allowed": allowed * ones,
        "exceedance_rate": over.count() / days,
        "breaches": short.count(),
        "breach_rate": short.count() / days,
        "mean_margin": mean,
        "peak_margin": margin.max(),
        "saving_vs_siloed": np.nan * ones,
        "equal_coverage_margin": scale * mean,
        "mean_excess": over.mean(),
        "max_excess": over.max(),
        "mean_shortfall": short.mean(),
        "max_shortfall": short.max(),
        "peak_to_trough": margin.max() / margin.min(),
    }
    pooled_allowed = tail_count(loss.size, CONFIDENCE, "floor")
    of_all = np.partition(ratio.to_numpy().ravel(), loss.size - 1 - pooled_allowed)
    one_scale = of_all[loss.size - 1 - pooled_allowed]
    rates = np.sort((ratio > one_scale).mean())[::-1]
    pooled = {
        "scale": one_scale,
        "mean_margin": mean.mean(),
        "equal_coverage_margin": one_scale * mean.mean(),
        "worst_rate": rates[0],
        "tenth_percentile_rate": rates[tail_count(books, 0.9, "floor")],
    }
    return {name: np.asarray(values, float) for name, values in by_book.items()}, pooled


def check_alike(ours: Distribution, theirs: list[dict[str, Scores]]) -> None:
    """Hold our scores to the plain ones, to 1e-6: the EWMA of pandas has no window.

    A resampled loss of prices alone is often one that a requirement was made of, equal to it to
    the last digit or all but. On such a day one of the two may see an exceedance that is rounding;
    or a breach, since `monte_carlo` adds up what is held from calls. Two counts in a thousand may
    differ so; what is computed from a count is compared where it does not.
    """
    ties, counted = 0.0, 0.0
    for path, by_model in enumerate(theirs):
        for m, (by_book, pooled) in enumerate(by_model.values()):
            mine = dict(zip(COLUMNS, ours.scores[path, m].T, strict=True))
            gaps = {
                name: np.abs(mine[name] - by_book[name]) for name in ("exceedances", "breaches")
            }
            ties += sum(float(gap.sum()) for gap in gaps.values())
            counted += sum(float(by_book[name].sum()) for name in gaps)
            for name in COLUMNS:
                count = "breaches" if "breach" in name or "shortfall" in name else "exceedances"
                same = gaps[count] == 0.0
                np.testing.assert_allclose(
                    mine[name][same], by_book[name][same], rtol=1e-6, err_msg=name
                )
            for c, name in enumerate(POOLED):
                day = 1.0 / by_book["observations"][0] if "rate" in name else 0.0
                np.testing.assert_allclose(
                    ours.pooled[path, m, c], pooled[name], rtol=1e-6, atol=day, err_msg=name
                )
    if ties > 0.002 * counted:
        raise AssertionError(f"{ties:.0f} of {counted:.0f} exceedances and breaches differ")
