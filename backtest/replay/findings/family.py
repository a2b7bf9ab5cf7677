"""All books of a study tested together, and its models compared in pairs."""

from itertools import combinations

import numpy as np
import pandas as pd

from backtest.replay.findings.disclosures import scored_values
from backtest.replay.study import Study
from backtest.scores.detectable import detectable_rate
from backtest.scores.models.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
    romano_wolf,
)
from backtest.scores.models.paired import FEWEST_DAYS, PairedDifference, paired_difference
from backtest.scores.overlapping.verdict import GROUPED, pooled_coverage_p
from backtest.scores.resample import day_weights, stationary_indices
from backtest.types import FloatArray

LEVEL, POWER = 0.05, 0.8
ADJUSTED = ("holm", "benjamini_hochberg", "benjamini_yekutieli", "romano_wolf")


def study_weights(study: Study) -> FloatArray | None:
    """The (resamples, days) draws behind Romano-Wolf's p-values; None where it made none."""
    resamples = study.provenance.resamples
    if resamples == 0:
        return None
    indices = stationary_indices(len(study.scored), resamples=resamples, seed=study.provenance.seed)
    return day_weights(indices)


def family_tests(study: Study) -> pd.DataFrame:
    """P-values of every book, as if it were alone and as one of a family; one-sided.

    Holm's, Benjamini-Hochberg's and -Yekutieli's start from `coverage_p`, whose tail keeps what it
    promises: of 60 right books correlated 0.5 they reject any in 1 to 4 % of histories at 5 %
    (MPOR 1 to 5, 250 to 2,196 days; docs/overlap.md). Romano-Wolf's starts from resampled days.

    Returns
    -------
    Index (model, portfolio). `coverage_p`, then a column each of `ADJUSTED`; a family is all books
    under one model. Romano-Wolf is NaN where no bootstrap was drawn.
    """
    loss, weights = scored_values(study, study.loss), study_weights(study)
    tables = []
    for model in study.models:
        marked = loss > scored_values(study, study.required[model])
        rows = study.scores.xs(model, level="model")["coverage_p"].reindex(study.loss.columns)
        pvalues = rows.to_numpy(dtype=np.float64)
        columns = {
            "coverage_p": pvalues,
            "holm": holm(pvalues),
            "benjamini_hochberg": benjamini_hochberg(pvalues),
            "benjamini_yekutieli": benjamini_yekutieli(pvalues),
            "romano_wolf": np.full(len(pvalues), np.nan)
            if weights is None
            else romano_wolf(marked, confidence=study.provenance.confidence, weights=weights),
        }
        index = pd.MultiIndex.from_product(
            [[model], list(study.loss.columns)], names=["model", "portfolio"]
        )
        tables.append(pd.DataFrame(columns, index=index))
    return pd.concat(tables)


def family_summary(study: Study, tests: pd.DataFrame) -> pd.DataFrame:
    """Books tested and rejected at 5 % by model, beside the test of all books pooled.

    tests : from `family_tests`.

    Returns
    -------
    Index `model`. `tested`; `by_chance`, rejections expected of right models; books rejected by
    `coverage_p` as if alone, and a column each of `ADJUSTED` (NaN where no bootstrap was drawn);
    `pooled_p` of `pooled_coverage_p`.
    """
    loss = scored_values(study, study.loss)
    rows = []
    for model in study.models:
        model_tests = tests.xs(model, level="model")
        counts = {
            name: float((model_tests[name] <= LEVEL).sum())
            if model_tests[name].notna().any()
            else np.nan
            for name in ("coverage_p", *ADJUSTED)
        }
        pooled = pooled_coverage_p(
            loss,
            scored_values(study, study.required[model]),
            horizon=study.overlap,
            confidence=study.provenance.confidence,
            known=study.own,
        )
        rows.append(
            {"tested": len(model_tests), "by_chance": LEVEL * len(model_tests)}
            | counts
            | {"pooled_p": pooled}
        )
    return pd.DataFrame(rows, index=pd.Index(study.models, name="model"))


# Why one correction rejects more books than another: the pair, and the reason.
REASONS = {
    ("holm", "romano_wolf"): "Holm starts from coverage p and Romano-Wolf from resampled days, "
    "which see less where exceedances are few and more where books move together",
    ("benjamini_hochberg", "holm"): "Benjamini-Hochberg lets one in twenty of its rejections be "
    "false, Holm none",
    ("benjamini_hochberg", "benjamini_yekutieli"): "Benjamini-Yekutieli pays for books that "
    "depend in any way, Benjamini-Hochberg supposes that they move together",
}


def disagreement_sentence(summary: pd.DataFrame) -> str:
    """Why the corrections reject different numbers of books, where they do; else empty.

    summary : of `family_summary`.

    Examples
    --------
    >>> row = dict.fromkeys(ADJUSTED, 2.0)
    >>> disagreement_sentence(pd.DataFrame([row]))
    ''
    >>> disagreement_sentence(pd.DataFrame([row | {"benjamini_hochberg": 3.0}], index=["var"]))[:34]
    'The corrections disagree for var: '
    """
    counts = summary[list(ADJUSTED)].dropna(axis=1)
    differ = counts.max(axis=1) > counts.min(axis=1)
    models = [str(model) for model in counts.index[differ]]
    reasons = [
        reason
        for (one, other), reason in REASONS.items()
        if {one, other} <= set(counts) and (counts[one] != counts[other]).any()
    ]
    if not models:
        return ""
    return f"The corrections disagree for {', '.join(models)}: {'; '.join(reasons)}."


def dominance_table(study: Study) -> pd.DataFrame | None:
    """Every pair of models over all books: (exceedance rate, mean margin), paired by day.

    Returns
    -------
    Index (model, against). Differences with their 95 % intervals, USD a book and day; `alike`,
    whether the joint 95 % region holds no difference at all; `dominates` and `dominated`,
    probabilities (`paired_difference`). None where there is one model, too few days, or an account
    with days of its own.
    """
    pairs = list(combinations(study.models, 2))
    if not pairs or len(study.scored) < FEWEST_DAYS or study.own is not None:
        return None
    loss = scored_values(study, study.loss)
    rows = []
    for model, against in pairs:
        difference = paired_difference(
            loss,
            *(scored_values(study, study.required[name]) for name in (model, against)),
        )
        rows.append(paired_row(difference))
    return pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(pairs, names=["model", "against"]))


def paired_row(pair: PairedDifference) -> dict[str, float | bool]:
    """A paired difference as a row of a table; see `dominance_table` for its columns."""
    row: dict[str, float | bool] = {}
    for i, name in enumerate(("rate", "margin")):
        row[name] = float(pair.difference[i])
        row[f"{name}_low"], row[f"{name}_high"] = float(pair.low[i]), float(pair.high[i])
    row["alike"] = pair.region.holds(np.zeros(2))
    return row | {"dominates": pair.dominates, "dominated": pair.dominated}


def detectable_rates(study: Study) -> dict[str, float]:
    """The smallest true exceedance rate that one book of the study would show, by test.

    The power is that of `coverage_p`, for each of the tests that it took in the study; NaN where
    the days are too few for any, and empty where they are too few for the test.
    """
    days, confidence = len(study.scored), study.provenance.confidence
    return {
        test: detectable_rate(
            days,
            horizon=study.overlap,
            clustered=test == GROUPED,
            confidence=confidence,
            level=LEVEL,
            power=POWER,
        )
        for test in sorted(study.scores["coverage_test"].unique())
        if days >= 2 * study.overlap
    }


def detectable_sentence(study: Study) -> str:
    """The smallest miscoverage that one book of the study could have shown, in a sentence."""
    days, confidence = len(study.scored), study.provenance.confidence
    rates = detectable_rates(study)
    shown = [f"{rate:.2%} by {test}" for test, rate in rates.items() if not np.isnan(rate)]
    if not shown:
        return (
            f"{days:,} days at {100 * confidence:g} % are too few to show any miscoverage of one "
            "book."
        )
    return (
        f"Smallest miscoverage this sample could have shown: {days:,} days reveal, by coverage p "
        f"at {LEVEL:.0%} and with a probability of {POWER:.0%} or more, a true exceedance rate of "
        f"one book of {' and '.join(shown)}, in place of {1 - confidence:.2%}. A smaller one may "
        f"pass more often than one time in {1.0 / (1.0 - POWER):.0f}."
    )
