"""From a table of given margins to everything that follows from it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtest.account.account import AccountTerms
from backtest.book.coverage import Coverage
from backtest.replay.findings import Findings
from backtest.replay.provenance import digest
from backtest.replay.study import Study
from backtest.replay.validation.checks import Span
from backtest.replay.validation.forecasts import given_forecasts
from backtest.replay.validation.given import read_given
from backtest.replay.validation.validate import validate_given
from backtest.replay.worst import MOST_SHOWN, worst_rows
from backtest.studies.validate.groups import group_table
from backtest.studies.validate.ladder import given_ladder
from backtest.studies.validate.monitors import monitor_table
from backtest.studies.validate.words import check_currency
from backtest.types import Progress


@dataclass(frozen=True, eq=False)
class Validation:
    """A finished validation.

    Parameters
    ----------
    study, findings : as those of a run. ladder : of `OffsetLadder.to_frame`; empty without silos.
    forecasts : VaR, ES and PIT that the table gives on scored days; empty where it gives none.
    groups : of `group_table`; empty without groups. monitors : of `monitor_table`.
    shown : rows (model, account) that screen and page show, worst first.
    table : the file.
    """

    study: Study
    findings: Findings
    ladder: pd.DataFrame
    forecasts: pd.DataFrame
    groups: pd.DataFrame
    monitors: pd.DataFrame
    shown: pd.MultiIndex
    table: Path

    @property
    def accounts(self) -> list[str]:
        """Accounts of the rows that are shown, worst first."""
        return list(dict.fromkeys(self.shown.get_level_values("portfolio")))


def execute(
    file: str,
    *,
    pnl: Span = "mpor",
    confidence: float = 0.99,
    mpor: int = 2,
    call_lag: int = 1,
    currency: str = "USD",
    all: bool = False,
    signs_checked: bool = False,
    seed: int | None = None,
    progress: Progress,
) -> Validation:
    """Read a table, score it, and compute what follows; see `backtest.validate`."""
    options: dict[str, Any] = {
        "pnl": pnl,
        "confidence": confidence,
        "mpor": mpor,
        "call_lag": call_lag,
        "all": all,
        "signs_checked": signs_checked,
        "seed": seed or 0,
    }
    if check_currency(currency) != "USD":
        options["currency"] = currency.strip()
    coverage, account = Coverage(confidence, mpor), AccountTerms(call_lag=call_lag)
    progress("reading", 0.0)
    given = read_given(file)
    progress("reading", 1.0)
    validated = validate_given(
        given,
        coverage=coverage,
        pnl=pnl,
        account=account,
        seed=seed or 0,
        signs_checked=signs_checked,
        progress=progress,
    )
    del given  # a large table is in memory once
    study, examined = validated.study, validated.examined
    forecasts = given_forecasts(examined)
    progress("tests", 0.0)
    findings = Findings.of(study, forecasts if len(forecasts) else None, progress=progress)
    shown = worst_rows(study.scores, None if all else MOST_SHOWN)
    ladder = given_ladder(
        examined,
        coverage=coverage,
        bounded=set(shown.get_level_values("portfolio")),
        progress=progress,
    )
    return Validation(
        study=_named(study, Path(file), options),
        findings=findings,
        ladder=ladder,
        forecasts=forecasts,
        groups=group_table(study, examined.given.groups),
        monitors=monitor_table(study, progress=progress),
        shown=shown,
        table=Path(file),
    )


def _named(study: Study, file: Path, options: dict[str, Any]) -> Study:
    """The study with its name, its options, and the hash of all that its numbers depend on."""
    table = study.provenance.given
    named = {"name": file.stem, "validate": {"file": file.name, **options}}
    numbers = {name: value for name, value in options.items() if name not in ("all", "currency")}
    origin = replace(
        study.provenance,
        study=named,
        study_sha256=digest(named),
        sha256=digest([numbers, "" if table is None else table.sha256]),
    )
    return replace(study, provenance=origin)
