"""The tables of a validation: every test of every account, and groups of accounts."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from backtest.present.numbers import percent, pvalue
from backtest.present.table import Cell, TextTable, of_column, records
from backtest.replay.worst import selection
from backtest.studies.run.findings_tables import TESTED
from backtest.studies.run.verdict import SIGNIFICANT
from backtest.studies.validate.study import Validation

HEADS = {
    "coverage": "cover",
    "binomial": "Bin",
    "kupiec": "POF",
    "christoffersen": "CCI",
    "conditional_coverage": "CC",
    "dynamic_quantile": "DQ",
    "tuff": "TUFF",
    "tbfi": "TBFI",
    "tbf": "TBF",
    "weibull": "Weib",
    "gmm": "GMM",
    "squared_spells": "spells",
}
WORDS = {"rejected": "reject", "not rejected": "accept", "not identified": "n/a"}


def tests_table(result: Validation) -> TextTable:
    """One row an account and model, the worst first: exceedances, each test accept or reject."""
    study, tests, scores = result.study, result.findings.tests, result.study.scores
    several = len(study.models) > 1
    rows = [
        (f"{account}, {model}" if several else str(account), row | {"allowed": allowed})
        for ((model, account), row), allowed in zip(
            records(tests.loc[result.shown]), scores.loc[result.shown, "allowed"], strict=True
        )
    ]
    return TextTable.of(
        f"Tests at {percent(SIGNIFICANT, digits=0)}: {selection(len(rows), len(tests))}, by p",
        "account, model" if several else "account",
        rows,
        {
            "exc. (allow.)": lambda row: f"{int(row['exceedances'])} ({int(row['allowed'])})",
            **({} if study.own is None else {"days": lambda row: f"{int(row['observations']):,}"}),
            "p": lambda row: Cell(pvalue(row["coverage_p"]), bold=row["coverage_p"] <= SIGNIFICANT),
            "zone": lambda row: str(row["zone"]),
            **{head: _outcome(test) for test, head in HEADS.items()},
        },
        note="; ".join(f"{HEADS[test]}: {words}" for test, words in TESTED.items())
        + ". The first, with its p, uses all days. The others take days as independent, run on "
        "every H-th day for an MPOR of H days, and show the median over starting days; p-values "
        "are of small samples. POF, CC, TUFF, TBF, TBFI and GMM reject too few exceedances too; "
        "n/a: the record cannot answer. Twelve tests are twelve chances to err. P-values of all "
        "accounts: tests.csv.",
    )


def _outcome(test: str) -> Callable[[Any], Cell]:
    return lambda row: Cell(WORDS[row[test]], bold=row[test] == "rejected")


def monitors_table(result: Validation) -> TextTable:
    """When the evidence against each account that is shown was first enough."""
    several = len(result.study.models) > 1
    return TextTable.of(
        "Day by day: first day on which the evidence against a margin was enough at 5 %",
        "account, model" if several else "account",
        [
            (f"{account}, {model}" if several else str(account), row)
            for (model, account), row in records(result.monitors.loc[result.shown])
        ],
        {
            "rejected on": lambda row: (
                "never" if pd.isna(row["rejected_on"]) else f"{row['rejected_on']:%Y-%m-%d}"
            ),
            "p at any time": of_column("pvalue", pvalue),
        },
        note="An e-process on every H-th day: bets that exceedances come too often. It may be read "
        "every day: of right margins it rejects one in twenty at most, ever. All: monitors.csv.",
    )


def groups_table(groups: pd.DataFrame) -> TextTable:
    """Groups of accounts: rejections, and the test of each group pooled."""
    rows = [(f"{group}, {model}", row) for (model, group), row in records(groups)]
    return TextTable.of(
        "Accounts by group",
        "group, model",
        rows,
        {
            "accounts": lambda row: f"{row['accounts']:,}",
            "exceedances": lambda row: f"{row['exceedances']:,}",
            "of cells": lambda row: f"{row['observations']:,}",
            "accounts rejected": lambda row: f"{row['rejected']:,}",
            "group pooled, p": of_column("pooled_p", pvalue),
        },
        note="The pooled p adds the accounts of a group up by date: one bad account among good "
        "ones passes.",
    )
