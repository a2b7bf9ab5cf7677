"""Accounts by group: how many are rejected, and the test of each group pooled."""

import numpy as np
import pandas as pd

from backtest.replay.findings.disclosures import scored_values
from backtest.replay.study import Study
from backtest.scores.overlapping.verdict import pooled_coverage_p
from backtest.studies.run.verdict import SIGNIFICANT


def group_table(study: Study, groups: tuple[str, ...]) -> pd.DataFrame:
    """One row a (model, group): accounts, exceedances, rejections, the pooled p-value.

    groups : of each account; empty gives an empty table.
    """
    columns = ["accounts", "observations", "exceedances", "rejected", "pooled_p"]
    if not groups:
        return pd.DataFrame(columns=columns)
    names, origin = np.array(groups), study.provenance
    loss, rows = scored_values(study, study.loss), {}
    for model in study.models:
        required = scored_values(study, study.required[model])
        scores = study.scores.loc[model]
        for group in dict.fromkeys(groups):
            inside = names == group
            own = None if study.own is None else study.own[:, inside]
            rows[model, group] = {
                "accounts": int(inside.sum()),
                "observations": int(scores["observations"][inside].sum()),
                "exceedances": int(scores["exceedances"][inside].sum()),
                "rejected": int((scores["coverage_p"][inside] <= SIGNIFICANT).sum()),
                "pooled_p": pooled_coverage_p(
                    loss[:, inside],
                    required[:, inside],
                    horizon=study.overlap,
                    confidence=origin.confidence,
                    known=own,
                ),
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["model", "group"])
    return pd.DataFrame(list(rows.values()), index=index, columns=columns)
