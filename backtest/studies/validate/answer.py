"""The sentences that the page of `backtest validate` opens with, from its tests and bounds."""

import numpy as np
import pandas as pd

from backtest.present.numbers import percent
from backtest.replay.worst import worst_rows
from backtest.studies.run.rejections import detectable_clause, rejections_words, worst_words
from backtest.studies.sentences import counted, not_shown, sentence
from backtest.studies.unshown import bound_clauses
from backtest.studies.validate.study import Validation

UNKNOWN = "whether each margin was known on its day, nor from what it was computed"


def validation_answer(result: Validation) -> tuple[str, ...]:
    """Three sentences: rejections over all accounts, the worst of them, what is not shown."""
    study = result.study
    shown = result.ladder.reindex(result.accounts) if len(result.ladder) else result.ladder
    return (
        sentence(rejections_words(study, result.findings.family_summary)),
        _against(result),
        not_shown([UNKNOWN, *bound_clauses(shown), detectable_clause(study)], simulated=False),
    )


def _against(result: Validation) -> str:
    """The worst row, when evidence was first enough day by day, and pooled silos."""
    study = result.study
    worst = worst_rows(study.scores, 1)[0]
    row = study.scores.loc[[worst]].to_dict("records")[0]
    parts = [
        f"the worst is {worst_words(study)}, {row['exceedances']:,.0f} times with "
        f"{row['allowed']:,.0f} allowed"
    ]
    if row["exceedances"]:
        share = row["max_excess"] / row["mean_margin"] if row["mean_margin"] else np.nan
        parts[0] += f" and by up to {percent(share, digits=0)} of its mean margin"
    rejected = result.monitors["rejected_on"].dropna()
    rows = len(result.monitors)
    if rejected.empty:
        parts.append("watched day by day, the evidence against a margin was never enough at 5 %")
    else:
        parts.append(
            "watched day by day, the evidence was enough at 5 % in "
            f"{len(rejected):,} of {rows:,} records, first on {rejected.min():%Y-%m-%d}"
        )
    return sentence("; ".join([*parts, *_pooled(result.ladder)]))


def _pooled(ladder: pd.DataFrame) -> list[str]:
    """In how many accounts with several silos an offset is supported."""
    if not len(ladder) or "dependence_bound" not in ladder:
        return []
    bounded = ladder["dependence_bound"].dropna()
    if bounded.empty:
        return []
    above = int((bounded > 0).sum())
    return [
        f"the data support of {counted(len(bounded), 'account')} margined in several silos an "
        f"offset in {above or 'none'}"
    ]
