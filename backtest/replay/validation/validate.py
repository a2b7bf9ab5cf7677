"""`validate`: score margins that somebody else computed, as `run` scores those of models."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from backtest.account.account import AccountHistory, AccountTerms
from backtest.book.coverage import Coverage
from backtest.replay.daily import QUANTITIES, Daily
from backtest.replay.given_table import GivenTable
from backtest.replay.origin import Software
from backtest.replay.own_days import Cohort, cohorts
from backtest.replay.provenance import Provenance
from backtest.replay.scorecard import BLOCK, score_models
from backtest.replay.standard import Account, Standard, Window
from backtest.replay.study import Study
from backtest.replay.validation.checks import Examined, Span, examine
from backtest.replay.validation.given import Given, digest_of, read_given
from backtest.replay.validation.whole import SILOED
from backtest.scores import pooled_equal_coverage
from backtest.scores.resample import RESAMPLES
from backtest.types import Progress, StudyError, counted, unheard

GIVEN = "given by the table"  # what is said of a model whose class nobody saw


def validate(
    table: pd.DataFrame | str | Path,
    *,
    coverage: Coverage | None = None,
    pnl: Span = "mpor",
    account: AccountTerms | None = None,
    seed: int = 0,
    signs_checked: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Score margins that somebody else computed: all that `run` gives where it applies.

    Parameters
    ----------
    table : a frame, or a .csv, .parquet or .xlsx file. Long: date, account, `loss` (> 0 is a loss)
        or `pnl` (> 0 is a gain), required, and optionally model, silo, group, held, value_at_risk,
        expected_shortfall, pit. Wide: date and a column 'loss:A', 'required:A' ... an account
        (docs/validate.md).
    coverage : the standard; 99 % over 2 margin days unless given. The MPOR is one number.
    pnl : 'mpor' where a row's P&L is that of its positions over t -> t + MPOR, 'daily' where it is
        the P&L of the day: then the next MPOR rows of the account are summed.
    account : terms of the collateral account, replayed where the table has no `held`; cash only.
    seed : of the bootstrap behind the p-values of Romano and Wolf.
    signs_checked : True takes the signs as they are.

    Raises
    ------
    DataError, StudyError : what of the table cannot be scored, in one line.

    Examples
    --------
    >>> import backtest as bt
    >>> rng, days = np.random.default_rng(1), pd.bdate_range("2023-01-02", periods=500)
    >>> frame = pd.DataFrame({"date": days, "account": "A", "pnl": rng.normal(size=500)})
    >>> study = bt.validate(frame.assign(required=2.33), coverage=bt.Coverage(mpor=1), pnl="daily")
    >>> study.summary()[["observations", "exceedances", "allowed"]].values.tolist()
    [[499, 4, 4]]
    """
    coverage = coverage or Coverage()
    if not isinstance(coverage.mpor, int):
        raise StudyError(
            "mpor of a given table is one number of margin days, not days by silo; give the P&L of "
            "each silo over its own MPOR, with pnl='mpor' and the longest as mpor."
        )
    terms = account or AccountTerms()
    if terms.collateral != "cash":
        raise StudyError("collateral of a given table is cash, or its column held; drop the mix.")
    report = progress or unheard
    report("reading", 0.0)
    given = read_given(table)
    report("reading", 1.0)
    return validate_given(
        given, coverage=coverage, pnl=pnl, account=terms, seed=seed,
        signs_checked=signs_checked, progress=report,
    ).study  # fmt: skip


@dataclass(frozen=True, eq=False)
class Validated:
    """A study of given margins, and the table that it was made of, as it was scored."""

    study: Study
    examined: Examined


def validate_given(
    given: Given,
    *,
    coverage: Coverage,
    pnl: Span,
    account: AccountTerms,
    seed: int,
    signs_checked: bool,
    progress: Progress,
) -> Validated:
    """Score a table that was read; see `validate`."""
    mpor, digest = coverage.longest, digest_of(given)
    examined = examine(
        given, pnl=pnl, mpor=mpor, confidence=coverage.confidence, signs_checked=signs_checked
    )
    given, own = examined.given, examined.own
    began = perf_counter()
    scored = np.flatnonzero(own.any(axis=1))
    window = slice(int(scored[0]), int(scored[-1]) + 1)
    yardstick = SILOED if SILOED in given.required else None
    daily, scores = _scores(examined, coverage, account, yardstick=yardstick, progress=progress)
    complete = bool(own[window].all())
    pooled = {
        model: asdict(
            pooled_equal_coverage(
                given.loss[window],
                required[window],
                confidence=coverage.confidence,
                known=None if complete else own[window],
            )
        )
        for model, required in given.required.items()
    }
    provenance = _provenance(
        examined, window, coverage=coverage, pnl=pnl, account=account, digest=digest
    )
    provenance = replace(
        provenance,
        siloed_model=yardstick,
        seed=seed,
        resamples=RESAMPLES if complete else 0,
        seconds={"account and scores": round(perf_counter() - began, 3)},
    )
    days = pd.DatetimeIndex(given.dates)
    study = Study(
        **{name: daily.frames(name) for name in QUANTITIES},
        loss=pd.DataFrame(given.loss, index=days, columns=daily.portfolios, copy=False),
        scores=scores,
        pooled=pd.DataFrame.from_dict(pooled, orient="index").rename_axis("model"),
        exposure=pd.DataFrame(index=daily.portfolios.rename("portfolio")),
        provenance=provenance,
    )
    return Validated(study, examined)


def _provenance(
    examined: Examined,
    window: slice,
    *,
    coverage: Coverage,
    pnl: Span,
    account: AccountTerms,
    digest: str,
) -> Provenance:
    """Where the numbers come from, and what nobody could see of it."""
    given, own, mpor = examined.given, examined.own, coverage.longest
    scored = given.dates[window]
    table = GivenTable(
        name=given.where,
        rows=given.rows,
        accounts=len(given.accounts),
        days=len(given.dates),
        first=str(given.dates[0]),
        last=str(given.dates[-1]),
        signs=given.signs,
        span=pnl,
        mpor=mpor,
        own_days=int((~own[window].all(axis=0)).sum()),
        idle=examined.idle,
        short=examined.short,
        held=tuple(given.held),
        sha256=digest,
        doubts=examined.doubts,
    )
    return Provenance(
        software=Software.now(),
        given=table,
        window=Window(str(scored[0]), str(scored[-1]), len(scored)),
        standard=Standard(coverage.confidence, {"account": mpor}, mpor, "given"),
        account=Account(**asdict(account)),
        models=dict.fromkeys(given.required, GIVEN),
    )


def _scores(
    examined: Examined,
    coverage: Coverage,
    account: AccountTerms,
    *,
    yardstick: str | None,
    progress: Progress,
) -> tuple[Daily, pd.DataFrame]:
    """Daily numbers, and the scores of every model and account on the account's own days."""
    given = examined.given
    daily = Daily(pd.DatetimeIndex(given.dates), given.accounts, list(given.required), width=BLOCK)
    tables: dict[str, list[pd.DataFrame]] = {model: [] for model in given.required}
    blocks = counted(progress, "account and scores", daily.blocks, len(daily.blocks))
    for number, columns in enumerate(blocks):
        block = _Block(given, columns)
        for cohort in _cohorts(examined, columns):
            names = daily.portfolios[cohort.columns]
            for scored in score_models(
                cohort.of(given.loss),
                {m: cohort.of(values) for m, values in given.required.items()},
                rows=slice(*_ends(examined.own[cohort.rows, cohort.columns[0]])),
                confidence=coverage.confidence,
                horizon=coverage.longest,
                account=account,
                held={m: cohort.of(values) for m, values in given.held.items()},
                yardstick=yardstick,
                dates=given.dates[cohort.rows],
            ):
                block.put(scored.model, scored.account, cohort)
                tables[scored.model].append(pd.DataFrame(scored.table, index=names))
        for model, required in given.required.items():
            daily.put("required", model, number, required[:, columns])
            for name, values in block.filled[model].items():
                daily.put(name, model, number, values)
    by_model = {model: pd.concat(parts).loc[daily.portfolios] for model, parts in tables.items()}
    return daily, pd.concat(by_model, names=["model", "portfolio"])


class _Block:
    """The collateral of some accounts, filled in one cohort after the other."""

    def __init__(self, given: Given, columns: slice) -> None:
        self.first = columns.start
        shape = len(given.dates), columns.stop - columns.start
        self.filled = {
            model: {name: np.full(shape, np.nan) for name in ("held", "call", "shortfall")}
            for model in given.required
        }

    def put(self, model: str, history: AccountHistory, cohort: Cohort) -> None:
        """Fill in the account of a cohort."""
        place = np.ix_(cohort.rows, cohort.columns - self.first)
        self.filled[model]["held"][place] = history.held_value
        self.filled[model]["call"][place] = history.call
        self.filled[model]["shortfall"][place] = history.shortfall


def _cohorts(examined: Examined, columns: slice) -> list[Cohort]:
    """Accounts of a block with the same days; all rows from the first to the last margin."""
    given = examined.given
    margin = np.zeros(examined.own[:, columns].shape, dtype=np.bool_)
    for required in given.required.values():
        margin |= ~np.isnan(required[:, columns])
    # Two accounts are alike where both their margins' and their scored days are the same.
    both = np.concatenate([margin, examined.own[:, columns]])
    return [
        Cohort(cohort.rows[cohort.rows < len(margin)], cohort.columns + columns.start)
        for cohort in cohorts(both)
    ]


def _ends(scored: np.ndarray) -> tuple[int, int]:
    """First and one past the last of the scored rows, which follow each other."""
    rows = np.flatnonzero(scored)
    return int(rows[0]), int(rows[-1]) + 1
