"""`backtest collateral`: other collateral than cash."""

from backtest.studies.command import DASK, DATA, ISOLATE, JOBS, SEED, STUDY, Command

COMMAND = Command(
    name="collateral",
    help=(
        "Post other collateral than cash: breaches by mix, wrong-way risk, whether published "
        "haircuts are enough."
    ),
    options=(STUDY, DATA, JOBS, DASK, SEED, ISOLATE),
    compute="study:study_collateral",
    exhibit="page:collateral_exhibit",
    quick=True,
    draws=True,
)
