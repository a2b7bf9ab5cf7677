"""`backtest offset`: the supportable offset, and the credit granted beside it."""

from backtest.studies.command import DASK, DATA, ISOLATE, JOBS, SEED, STUDY, Command

COMMAND = Command(
    name="offset",
    help=(
        "Estimate the supportable offset: bounds, stresses, specification curve, credit granted "
        "against supported."
    ),
    options=(STUDY, DATA, JOBS, DASK, SEED, ISOLATE),
    compute="study:estimate_offsets",
    exhibit="page:offset_exhibit",
    draws=True,
)
