"""`backtest collateral`: other collateral than cash."""

from backtest.studies.command import DATA, ISOLATE, JOBS, SEED, STUDY, Command

COMMAND = Command(
    name="collateral",
    help=(
        "Post other collateral than cash: breaches by mix, wrong-way risk, whether published "
        "haircuts are enough."
    ),
    options=(STUDY, DATA, JOBS, SEED, ISOLATE),
    compute="study:study_collateral",
    exhibit="page:collateral_exhibit",
    quick=True,
)
