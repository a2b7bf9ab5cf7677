"""Day by day: when the evidence against the margin of an account was first enough."""

import pandas as pd

from backtest.replay.findings.disclosures import scored_values
from backtest.replay.study import Study
from backtest.scores.monitor import monitor_coverage
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.types import Progress, counted, unheard, within


def monitor_table(study: Study, *, progress: Progress = unheard) -> pd.DataFrame:
    """One row a (model, account): the e-process of `monitor_coverage` on every H-th own day.

    Returns
    -------
    `every`, H; `wealth` at the end; `pvalue`, valid at whatever day one stops; `rejected_on`, the
    first day on which it is 5 % or less, NaT where there is none.
    """
    loss, days, every = scored_values(study, study.loss), study.scored, study.overlap
    rows = {}
    cohorts = study.cohorts()
    for number, model in enumerate(study.models):
        exceeded = loss > scored_values(study, study.required[model])
        stage = within(
            progress, "monitors", number / len(study.models), (number + 1) / len(study.models)
        )
        for cohort in counted(stage, "", cohorts, len(cohorts)):
            own = days[cohort.rows][::every]
            for place, record in zip(cohort.columns, cohort.of(exceeded)[::every].T, strict=True):
                monitor = monitor_coverage(record, confidence=study.provenance.confidence)
                first = monitor.rejected_on(SIGNIFICANT)
                rows[model, str(study.loss.columns[place])] = {
                    "every": every,
                    "wealth": float(monitor.wealth[-1]),
                    "pvalue": monitor.pvalue,
                    "rejected_on": pd.NaT if first is None else own[first],
                }
    index = pd.MultiIndex.from_tuples(list(rows), names=["model", "portfolio"])
    return pd.DataFrame(list(rows.values()), index=index).loc[study.scores.index]
