"""The tables that stand beside a study's scores in its results folder."""

from pathlib import Path

from backtest.replay.disclosures import disclosure_table, money_table, swing_table
from backtest.replay.family import dominance_table, family_summary, family_tests
from backtest.replay.study import Study


def write_evidence(study: Study, folder: Path) -> None:
    """Write what follows from a study's frames and scores, as CSV.

    disclosures.csv, procyclicality.csv and money.csv; family.csv and family_summary.csv; and
    dominance.csv where there are models to compare.
    """
    tests = family_tests(study)
    tables = {
        "disclosures": disclosure_table(study),
        "procyclicality": swing_table(study),
        "money": money_table(study),
        "family": tests,
        "family_summary": family_summary(study, tests),
        "dominance": dominance_table(study),
    }
    for name, table in tables.items():
        if table is not None:
            table.to_csv(folder / f"{name}.csv", lineterminator="\n")
