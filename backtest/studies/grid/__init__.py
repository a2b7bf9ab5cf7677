"""`backtest grid`: one study over a grid of confidence, MPOR, look-back and other parameters."""

from backtest.studies.command import DASK, DATA, JOBS, RESUME, SEED, STUDY, Command

COMMAND = Command(
    name="grid",
    help=(
        "Run a study over the axes of its [grid], confidence, MPOR, look-back and others: one "
        "table, small multiples. --resume goes on where a grid was interrupted."
    ),
    options=(
        STUDY,
        DATA,
        JOBS,
        DASK,
        SEED,
        RESUME,
    ),
    compute="study:study_grid",
    exhibit="page:grid_exhibit",
    store="store:write_results",
    keeps=True,
    draws=True,
)
