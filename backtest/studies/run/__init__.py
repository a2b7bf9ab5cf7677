"""`backtest run`: a study replayed and scored."""

from backtest.studies.command import DASK, DATA, ISOLATE, JOBS, RESUME, SEED, STUDY, Command, Option

COMMAND = Command(
    name="run",
    help=(
        "Run a study: scores, offset ladder, figures and report. --paths adds simulated histories, "
        "--path replays one of them in full, --resume goes on where they were interrupted."
    ),
    options=(
        STUDY,
        DATA,
        JOBS,
        DASK,
        SEED,
        ISOLATE,
        Option(
            "paths", int | None, None, "N", "Monte Carlo histories beside the real one.", least=0
        ),
        RESUME,
        Option("path", int | None, None, "I", "Replay this one Monte Carlo path in full.", least=0),
    ),
    compute="study:execute",
    exhibit="page:run_exhibit",
    store="store:write_results",
    quick=True,
    draws=True,
    keeps=True,
)
