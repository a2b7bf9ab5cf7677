"""`backtest simulate`: what simulators keep of the data, and what they lose."""

from backtest.studies.command import DASK, DATA, JOBS, SEED, STUDY, Command, Option

COMMAND = Command(
    name="simulate",
    help=(
        "Compare simulated histories with the data: which facts a simulator keeps, which it "
        "loses, and how many a right one would lose."
    ),
    options=(
        STUDY,
        DATA,
        Option(
            "simulator",
            str | None,
            None,
            "KIND",
            "Simulator, or 'all'; the study's own if left out.",
        ),
        Option("paths", int, 200, "N", "Simulated histories of each simulator.", least=19),
        Option(
            "histories", int, 19, "N", "Of its own, judged as the data are; 0 for none.", least=0
        ),
        JOBS,
        DASK,
        SEED,
    ),
    compute="study:study_simulators",
    exhibit="page:simulate_exhibit",
    quick=True,
)
