"""`backtest clocks`: the business clock beside the 24/7 clock."""

from backtest.studies.command import DATA, ISOLATE, SEED, STUDY, Command

COMMAND = Command(
    name="clocks",
    help=(
        "Compare the business clock with the 24/7 clock: weekends, calls, settlement, "
        "correlation by horizon."
    ),
    options=(STUDY, DATA, SEED, ISOLATE),
    compute="study:compare_clocks",
    exhibit="page:clock_exhibit",
    draws=True,
)
